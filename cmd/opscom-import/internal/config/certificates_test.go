package config

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// pair is a certificate and its key, in DER.
type pair struct {
	certificate []byte
	key         crypto.Signer
}

func newPair(t *testing.T, key crypto.Signer, name string, from, until time.Duration) pair {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{der, key}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func encoded(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func (p pair) pem() string { return encoded("CERTIFICATE", p.certificate) }

// pkcs8 returns the key in the form that OpenSSL writes today.
func (p pair) pkcs8(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		t.Fatal(err)
	}
	return encoded("PRIVATE KEY", der)
}

const (
	aDay   = 24 * time.Hour
	aMonth = 31 * aDay
)

// TestAuthorityFiles has files as people have them, and what is said of each.
func TestAuthorityFiles(t *testing.T) {
	good, expired := newPair(t, newKey(t), "Example Authority", -aDay, aMonth), newPair(t, newKey(t), "Old Authority", -aMonth, -aDay)
	for name, test := range map[string]struct {
		text    string
		found   int
		mistake string
	}{
		"one":                 {good.pem(), 1, ""},
		"a bundle with text":  {"# Example\r\n" + strings.ReplaceAll(good.pem(), "\n", "\r\n") + "\nOther Authority\n===\n" + newPair(t, newKey(t), "x", -aDay, aDay).pem(), 2, ""},
		"a byte order mark":   {"\uFEFF" + good.pem(), 1, ""},
		"one of two expired":  {expired.pem() + good.pem(), 2, ""},
		"empty":               {" \n", 0, "is empty"},
		"text":                {"https://ca.example.edu\n", 0, "is not a PEM file: it has no line such as -----BEGIN CERTIFICATE-----"},
		"DER":                 {string(good.certificate), 0, "is binary (DER or PKCS#12), and PEM is needed; convert it with \"openssl x509 -inform der"},
		"UTF-16":              {"\xFF\xFE" + strings.Join(strings.Split(good.pem(), ""), "\x00"), 0, "is UTF-16 text"},
		"a key":               {good.pkcs8(t), 0, "holds a private key (line 1)"},
		"a certificate, key":  {good.pem() + good.pkcs8(t), 0, "holds a private key"},
		"cut off":             {good.pem() + good.pem()[:200], 0, "is not whole; copy the file again"},
		"cut off, then whole": {good.pem()[:200] + "\n" + good.pem(), 0, "what begins in line 1 is not whole"},
		"changed":             {strings.Replace(good.pem(), "M", "!", 1), 0, "what begins in line 1 is not whole"},
		"no certificate":      {encoded("CERTIFICATE", []byte("0 canary")), 0, "line 1, cannot be read"},
		"of OpenSSL":          {encoded("TRUSTED CERTIFICATE", good.certificate), 0, "convert it with \"openssl x509 -in"},
		"PKCS7":               {encoded("PKCS7", good.certificate), 0, "openssl pkcs7 -print_certs"},
		"a request":           {encoded("CERTIFICATE REQUEST", good.certificate), 0, "is the request for a certificate"},
		"something else":      {encoded("PUBLIC KEY", good.certificate), 0, `holds no certificate, but "PUBLIC KEY"`},
		"parameters":          {encoded("DH PARAMETERS", good.certificate), 0, "holds neither a certificate nor a key"},
		"expired":             {expired.pem(), 0, "every certificate in the file"},
		"too large":           {strings.Repeat("x", maxPEMFile+1), 0, "has more than 4 MiB"},
	} {
		p := newPlace(t)
		path := p.write(filepath.Join(p.WorkDir, "ca.pem"), test.text)
		p.config("ca_file: ca.pem\n")
		s, err := p.load()
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.FindCertificates()
		switch {
		case test.mistake == "" && (err != nil || len(c.Authorities) != test.found || c.Roots == nil || c.Client != nil):
			t.Errorf("%s: %d authorities, %v", name, len(c.Authorities), err)
		case test.mistake != "" && (err == nil || !strings.Contains(err.Error(), test.mistake) || !strings.Contains(err.Error(), path) ||
			!strings.HasPrefix(err.Error(), p.WorkDir+"/opscom-import.yaml:1: ca_file: ") || strings.Contains(err.Error(), "canary")):
			t.Errorf("%s: %v\nwant %s", name, err, test.mistake)
		}
	}
	p := newPlace(t)
	s, err := p.load("--ca-file", filepath.Join(p.WorkDir, "none.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.FindCertificates(); err == nil || !strings.Contains(err.Error(), "--ca-file: the certificate authority file") || !strings.Contains(err.Error(), "none.pem cannot be read") {
		t.Errorf("a file that does not exist: %v", err)
	}
}

// TestClientCertificateFiles has every form of a key, and what is wrong with pairs.
func TestClientCertificateFiles(t *testing.T) {
	p := newPair(t, newKey(t), "jobs.example.edu", -aDay, 12*aMonth)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ofRSA, other := newPair(t, rsaKey, "rsa.example.edu", -aDay, 12*aMonth), newPair(t, newKey(t), "other.example.edu", -aDay, 12*aMonth)
	ec, err := x509.MarshalECPrivateKey(p.key.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	legacy := "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nY2FuYXJ5\n-----END RSA PRIVATE KEY-----\n"
	for name, test := range map[string]struct {
		certificate, key string // key "": the same file
		mistake          string
		warning          string
	}{
		"PKCS#8":             {p.pem(), p.pkcs8(t), "", ""},
		"EC":                 {p.pem(), encoded("EC PARAMETERS", []byte{6}) + encoded("EC PRIVATE KEY", ec), "", ""},
		"PKCS#1":             {ofRSA.pem(), encoded("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "", ""},
		"RSA in PKCS#8":      {ofRSA.pem(), ofRSA.pkcs8(t), "", ""},
		"one file":           {p.pkcs8(t) + p.pem() + other.pem(), "", "", ""},
		"expires soon":       {newPair(t, p.key, "x", -aDay, 9*aDay).pem(), p.pkcs8(t), "", "expires on"},
		"no key":             {p.pem(), "", "there is no private key in", ""},
		"a certificate only": {p.pem(), p.pem(), "there is no private key in", ""},
		"a key only":         {p.pkcs8(t), p.pkcs8(t), "holds a private key and no certificate", ""},
		"two keys":           {p.pem(), p.pkcs8(t) + other.pkcs8(t), "holds 2 private keys", ""},
		"another's":          {p.pem(), other.pkcs8(t), "does not belong to the certificate in", ""},
		"another's, 1 file":  {p.pem() + other.pkcs8(t), "", "does not belong to the certificate there (jobs.example.edu)", ""},
		"another kind's":     {p.pem(), ofRSA.pkcs8(t), "does not belong to the certificate in", ""},
		"wrong order":        {other.pem() + p.pem(), p.pkcs8(t), "the key belongs to certificate 2 in", ""},
		"encrypted":          {p.pem(), encoded("ENCRYPTED PRIVATE KEY", []byte("canary")), "is protected with a password", ""},
		"encrypted, older":   {p.pem(), legacy, "is protected with a password", ""},
		"of OpenSSH":         {p.pem(), encoded("OPENSSH PRIVATE KEY", []byte("canary")), `of the kind "OPENSSH PRIVATE KEY"`, ""},
		"not a key":          {p.pem(), encoded("PRIVATE KEY", []byte("canary")), "cannot be read; is the file whole?", ""},
		"expired":            {newPair(t, p.key, "jobs.example.edu", -aMonth, -aDay).pem(), p.pkcs8(t), "(jobs.example.edu) expired on", ""},
		"not yet valid":      {newPair(t, p.key, "jobs.example.edu", aDay, aMonth).pem(), p.pkcs8(t), "is not valid before", ""},
	} {
		at := newPlace(t)
		args := []string{"--client-cert", at.write(filepath.Join(at.WorkDir, "client.pem"), test.certificate)}
		if test.key != "" {
			args = append(args, "--client-key", at.write(filepath.Join(at.WorkDir, "client.key"), test.key))
		}
		s, err := at.load(args...)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.FindCertificates()
		warnings := strings.TrimSpace(strings.Join(append(c.Warnings, c.Expiring), "\n"))
		switch {
		case test.mistake == "" && (err != nil || c.Client == nil || c.Roots != nil || test.warning == "" && warnings != "" || !strings.Contains(warnings, test.warning)):
			t.Errorf("%s: %q, %v", name, warnings, err)
		case test.mistake != "" && (err == nil || !strings.Contains(err.Error(), test.mistake) || !strings.HasPrefix(err.Error(), "--client-")):
			t.Errorf("%s: %v\nwant %s", name, err, test.mistake)
		case err != nil && strings.Contains(err.Error(), "canary"):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeyThatOthersCanRead: everybody else on the machine could be the client.
func TestKeyThatOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no such permissions")
	}
	p := newPair(t, newKey(t), "jobs.example.edu", -aDay, 12*aMonth)
	at := newPlace(t)
	path := at.write(filepath.Join(at.WorkDir, "client.pem"), p.pem()+p.pkcs8(t))
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	s, err := at.load("--client-cert", path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.FindCertificates()
	if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "chmod 600 "+path) {
		t.Errorf("%q, %v", c.Warnings, err)
	}
	if s, err = at.load("--client-key", path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.FindCertificates(); err == nil || !strings.Contains(err.Error(), "--client-key: a key needs its certificate") {
		t.Errorf("a key alone: %v", err)
	}
}

// TestNamesOfCertificates: the person who makes one could write to the terminal.
func TestNamesOfCertificates(t *testing.T) {
	for want, name := range map[string]pkix.Name{
		"Example CA, Example College": {CommonName: "Example CA", Organization: []string{"Example College"}},
		"Example CA":                  {CommonName: "Example CA", Organization: []string{"Example"}},
		"O=Example College":           {Organization: []string{"Example College"}},
		"a?[31mb?c":                   {CommonName: "a\x1b[31mb\nc"},
		"without a name":              {},
		strings.Repeat("é", 80) + "…": {CommonName: strings.Repeat("é", 200)},
	} {
		if got := NameOf(name); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
