package sheet

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// agileWorkbook encrypts a workbook as Excel has done it since 2010 ([MS-OFFCRYPTO],
// 2.3.4.10 to 2.3.4.15): AES-256 in CBC mode, the password hashed so many times.
func agileWorkbook(t testing.TB, p parts, password string, spins int) string {
	t.Helper()
	const segment = 4096
	plain := []byte(largeZipOf(t, p))
	salt, key := []byte("a salt of pepper"), []byte("thirty-two bytes, which are key.")
	hash := sha512.Sum512(append([]byte(salt), utf16LE(password)...))
	for i := range spins {
		hash = sha512.Sum512(append(binary.LittleEndian.AppendUint32(nil, uint32(i)), hash[:]...))
	}
	keyKey := sha512.Sum512(append(hash[:], 0x14, 0x6E, 0x0B, 0xE7, 0xAB, 0xAC, 0xD0, 0xD6))
	locked := binary.LittleEndian.AppendUint64(nil, uint64(len(plain)))
	for i := 0; i*segment < len(plain); i++ {
		iv := sha512.Sum512(binary.LittleEndian.AppendUint32([]byte(salt), uint32(i)))
		piece := plain[i*segment : min(len(plain), (i+1)*segment)]
		locked = append(locked, encryptCBC(t, key, iv[:aes.BlockSize], piece)...)
	}
	how := fmt.Sprintf(`saltSize="16" blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512" saltValue="%s"`, base64.StdEncoding.EncodeToString(salt))
	info := "\x04\x00\x04\x00\x40\x00\x00\x00" + `<?xml version="1.0" encoding="UTF-8"?><encryption xmlns="http://schemas.microsoft.com/office/2006/encryption" xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password">` +
		`<keyData ` + how + `/><keyEncryptors><keyEncryptor uri="http://schemas.microsoft.com/office/2006/keyEncryptor/password"><p:encryptedKey spinCount="` + fmt.Sprint(spins) + `" ` + how +
		` encryptedKeyValue="` + base64.StdEncoding.EncodeToString(encryptCBC(t, keyKey[:32], salt, key)) + `"/></keyEncryptor></keyEncryptors></encryption>`
	return compoundOf(map[string]string{"EncryptionInfo": info + strings.Repeat(" ", segment), "EncryptedPackage": string(locked)})
}

func encryptCBC(t testing.TB, key, iv, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	padded := append([]byte(nil), plain...)
	for len(padded)%aes.BlockSize != 0 {
		padded = append(padded, 0)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	return padded
}

func utf16LE(text string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// compoundOf returns a compound file ([MS-CFB]) of up to three streams, each of 4096
// bytes or more: a header, one sector of the allocation table, one of the directory.
func compoundOf(streams map[string]string) string {
	const sector, none, end = 512, 0xFFFFFFFF, 0xFFFFFFFE
	le := binary.LittleEndian
	file := []byte(compoundFile("")) // its first stream is overwritten
	table, directory := file[sector:2*sector], file[2*sector:3*sector]
	var content []byte
	entry, next := 1, 2
	for name, stream := range streams {
		at := directory[128*entry : 128*(entry+1)]
		clear(at)
		copy(at, utf16LE(name))
		le.PutUint16(at[64:], uint16(2*len(name)+2))
		at[66], at[67] = 2, 1
		le.PutUint32(at[68:], none)
		le.PutUint32(at[72:], none)
		if entry < len(streams) {
			le.PutUint32(at[72:], uint32(entry+1))
		}
		le.PutUint32(at[76:], none)
		le.PutUint32(at[116:], uint32(next))
		le.PutUint32(at[120:], uint32(len(stream)))
		sectors := (len(stream) + sector - 1) / sector
		for i := range sectors {
			le.PutUint32(table[4*(next+i):], uint32(next+i+1))
		}
		next += sectors
		le.PutUint32(table[4*(next-1):], end)
		content = append(content, stream...)
		content = append(content, make([]byte, sectors*sector-len(stream))...)
		entry++
	}
	return string(file) + string(content)
}
