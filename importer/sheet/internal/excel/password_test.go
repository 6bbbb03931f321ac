package excel

import "testing"

func TestSpins(t *testing.T) {
	const description = `<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption" xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><keyData/>` +
		`<keyEncryptors><keyEncryptor><p:encryptedKey spinCount="10000000"/></keyEncryptor></keyEncryptors></encryption>`
	if n := spins([]byte(description)); n != 10_000_000 {
		t.Errorf("%d spins", n)
	}
	if n := spins([]byte("\x24\x00\x00\x00")); n != 0 {
		t.Errorf("%d spins", n)
	}
}
