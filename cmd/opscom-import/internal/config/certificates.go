package config

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Certificates are what secure connections need besides the system's authorities.
type Certificates struct {
	Roots       *x509.CertPool      // the system's authorities and those of the CA file; nil for the system's alone
	Authorities []*x509.Certificate // those of the CA file
	Client      *tls.Certificate    // for a server that asks for one; nil for none
	Warnings    []string            // what to fix
	Expiring    string              // that the client's certificate ends soon; "" if it does not
}

// ExpiresSoon is how long before its end a certificate is worth a warning.
const ExpiresSoon = 30 * 24 * time.Hour

// FindCertificates reads the files of certificates that the settings name. Every error
// names the setting, the file and what to do, and holds nothing of a key.
func (s Settings) FindCertificates() (c Certificates, err error) {
	if c.Roots, c.Authorities, err = s.FindRoots(); err != nil {
		return Certificates{}, err
	}
	switch {
	case s.ClientCert != "":
		if err := c.readClient(s, time.Now()); err != nil {
			return Certificates{}, err
		}
	case s.ClientKey != "":
		return Certificates{}, fmt.Errorf("%s: a key needs its certificate; name it with --client-cert", s.Origin("client_key"))
	}
	return c, nil
}

// FindRoots reads the CA file alone, for servers that get no certificate of ours. It
// returns nil without one.
func (s Settings) FindRoots() (roots *x509.CertPool, authorities []*x509.Certificate, err error) {
	if s.CAFile == "" {
		return nil, nil, nil
	}
	if authorities, err = readAuthorities(s.CAFile, time.Now()); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.Origin("ca_file"), err)
	}
	if roots, err = x509.SystemCertPool(); err != nil {
		return nil, nil, fmt.Errorf("read the certificate authorities of this machine: %w", err)
	}
	for _, authority := range authorities {
		roots.AddCert(authority)
	}
	return roots, authorities, nil
}

// readAuthorities returns the certificates in a file of authorities.
func readAuthorities(path string, now time.Time) ([]*x509.Certificate, error) {
	blocks, err := readPEM("certificate authority", path)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(blocks, pemBlock.isKey); i >= 0 {
		return nil, fmt.Errorf("the file %s holds a private key (line %d); name a file with the certificates of authorities alone", path, blocks[i].line)
	}
	authorities, err := certificatesIn(path, blocks)
	if err != nil {
		return nil, err
	}
	last := slices.MaxFunc(authorities, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	if now.After(last.NotAfter) {
		return nil, fmt.Errorf("every certificate in the file %s has expired, the last one (%s) on %s; get the present one from the people who run your network",
			path, NameOf(last.Subject), day(last.NotAfter))
	}
	return authorities, nil
}

// readClient reads the client's certificate and its key, which may be in one file.
func (c *Certificates) readClient(s Settings, now time.Time) error {
	wrong := func(key string, err error) error { return fmt.Errorf("%s: %w", s.Origin(key), err) }
	blocks, err := readPEM("client certificate", s.ClientCert)
	if err != nil {
		return wrong("client_cert", err)
	}
	chain, err := certificatesIn(s.ClientCert, slices.DeleteFunc(slices.Clone(blocks), pemBlock.isKey))
	if err != nil {
		return wrong("client_cert", err)
	}
	keyFile, keySetting := s.ClientCert, "client_cert"
	if s.ClientKey != "" && s.ClientKey != s.ClientCert {
		keyFile, keySetting = s.ClientKey, "client_key"
		if blocks, err = readPEM("client key", keyFile); err != nil {
			return wrong(keySetting, err)
		}
	}
	key, err := keyIn(keyFile, blocks)
	if err != nil {
		return wrong(keySetting, err)
	}
	if err := checkPair(chain, key, s.ClientCert, keyFile); err != nil {
		return wrong(keySetting, err)
	}
	leaf := chain[0]
	switch {
	case now.After(leaf.NotAfter):
		return wrong("client_cert", fmt.Errorf("the client certificate %s (%s) expired on %s; get a new one from the people who issued it", s.ClientCert, NameOf(leaf.Subject), day(leaf.NotAfter)))
	case now.Before(leaf.NotBefore):
		return wrong("client_cert", fmt.Errorf("the client certificate %s (%s) is not valid before %s; check this machine's clock", s.ClientCert, NameOf(leaf.Subject), day(leaf.NotBefore)))
	case leaf.NotAfter.Sub(now) < ExpiresSoon:
		c.Expiring = fmt.Sprintf("The client certificate %s expires on %s: get a new one from the people who issued it.", s.ClientCert, day(leaf.NotAfter))
	}
	info, err := os.Stat(keyFile)
	if err != nil {
		return wrong(keySetting, fileError("client key", keyFile, err))
	}
	if isExposed(info) {
		c.Warnings = append(c.Warnings, fmt.Sprintf("Others on this machine can read the key in %s: run \"chmod 600 %s\".", keyFile, keyFile))
	}
	c.Client = &tls.Certificate{PrivateKey: key, Leaf: leaf}
	for _, certificate := range chain {
		c.Client.Certificate = append(c.Client.Certificate, certificate.Raw)
	}
	return nil
}

// checkPair returns what is wrong with a key for the first certificate.
func checkPair(chain []*x509.Certificate, key crypto.Signer, certFile, keyFile string) error {
	isOf := func(certificate *x509.Certificate) bool {
		public, ok := certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
		return ok && public.Equal(key.Public())
	}
	switch i := slices.IndexFunc(chain, isOf); {
	case i == 0:
		return nil
	case i > 0:
		return fmt.Errorf("the key belongs to certificate %d in %s; put that one first (%s), then those that signed it", i+1, certFile, NameOf(chain[i].Subject))
	case certFile == keyFile:
		return fmt.Errorf("the key in %s does not belong to the certificate there (%s); put those together that were made together", keyFile, NameOf(chain[0].Subject))
	}
	return fmt.Errorf("the key in %s does not belong to the certificate in %s (%s); name two files that were made together", keyFile, certFile, NameOf(chain[0].Subject))
}

// keyIn returns the only private key in a file.
func keyIn(path string, blocks []pemBlock) (crypto.Signer, error) {
	keys := slices.DeleteFunc(slices.Clone(blocks), func(b pemBlock) bool { return !b.isKey() })
	switch {
	case len(keys) == 0:
		return nil, fmt.Errorf("there is no private key in %s; name its file with --client-key", path)
	case len(keys) > 1:
		return nil, fmt.Errorf("%s holds %d private keys; leave only the one of the certificate", path, len(keys))
	}
	block := keys[0]
	if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, fmt.Errorf("the key in %s is protected with a password, which nobody can type in a scheduled run; remove it with \"openssl pkey -in %s -out NEW\", and \"chmod 600 NEW\"", path, path)
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("the key in %s is of the kind %q, which TLS does not use; convert it with \"openssl pkey -in %s -out NEW\"", path, block.Type, path)
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok { // the error could hold a part of the key
		return nil, fmt.Errorf("the key in %s (line %d) cannot be read; is the file whole?", path, block.line)
	}
	return signer, nil
}

// certificatesIn returns the certificates among the blocks of a file, of which there is
// at least one.
func certificatesIn(path string, blocks []pemBlock) (certificates []*x509.Certificate, err error) {
	for _, block := range blocks {
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			certificate, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("the certificate in %s, line %d, cannot be read: %w", path, block.line, err)
			}
			certificates = append(certificates, certificate)
		case "TRUSTED CERTIFICATE":
			return nil, fmt.Errorf("%s, line %d, is a certificate as OpenSSL alone has it; convert it with \"openssl x509 -in %s -out NEW\"", path, block.line, path)
		case "PKCS7", "CMS":
			return nil, fmt.Errorf("%s, line %d, is PKCS#7; convert it with \"openssl pkcs7 -print_certs -in %s -out NEW\"", path, block.line, path)
		case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
			return nil, fmt.Errorf("%s, line %d, is the request for a certificate; name the certificate that was issued for it", path, block.line)
		}
	}
	switch {
	case len(certificates) > 0:
		return certificates, nil
	case len(blocks) > 0:
		err = fmt.Errorf("the file %s holds no certificate, but %q", path, blocks[0].Type)
	default:
		err = fmt.Errorf("the file %s holds a private key and no certificate", path)
	}
	return nil, fmt.Errorf("%w; name the one that begins with -----BEGIN CERTIFICATE-----", err)
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }
