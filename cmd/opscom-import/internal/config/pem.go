package config

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// maxPEMFile is several times as much as a system's bundle of authorities has.
const maxPEMFile = 4 << 20

// pemBlock is a block of a PEM file, and the line that it begins in.
type pemBlock struct {
	*pem.Block
	line int
}

func (b pemBlock) isKey() bool { return strings.HasSuffix(b.Type, "PRIVATE KEY") }

// readPEM returns the blocks of a PEM file; what names the file. There is at least one.
// The text between them is left out, and so are parameters of a key.
//
// encoding/pem passes over a block that is broken. Here it is an error: what is missing
// would be noticed as something else.
func readPEM(what, path string) ([]pemBlock, error) {
	data, err := readAtMost(what, path, maxPEMFile+1)
	if err != nil {
		return nil, err
	}
	begin := []byte("-----BEGIN ")
	switch start := bytes.TrimPrefix(data, []byte("\uFEFF")); {
	case len(data) > maxPEMFile:
		return nil, fmt.Errorf("the %s file %s has more than 4 MiB, which is not a PEM file", what, path)
	case len(bytes.TrimSpace(start)) == 0:
		return nil, fmt.Errorf("the %s file %s is empty", what, path)
	case bytes.HasPrefix(data, []byte("\xFF\xFE")), bytes.HasPrefix(data, []byte("\xFE\xFF")):
		return nil, fmt.Errorf("the %s file %s is UTF-16 text; save it as UTF-8 or ANSI", what, path)
	case !bytes.Contains(data, begin) && data[0] == 0x30: // the first byte of everything in DER
		return nil, fmt.Errorf(`the %s file %s is binary (DER or PKCS#12), and PEM is needed; convert it with "openssl x509 -inform der -in %s -out NEW", or "openssl pkcs12 -in %s -nodes -out NEW" for a .pfx or .p12`, what, path, path, path)
	case !bytes.Contains(data, begin):
		return nil, fmt.Errorf("the %s file %s is not a PEM file: it has no line such as -----BEGIN CERTIFICATE-----", what, path)
	}
	var blocks []pemBlock
	for at := bytes.Index(data, begin); at >= 0; {
		block, rest := pem.Decode(data[at:])
		end := len(data) - len(rest)
		line := 1 + bytes.Count(data[:at], []byte("\n"))
		if block == nil || bytes.Count(data[at:end], begin) != 1 {
			return nil, fmt.Errorf("the %s file %s: what begins in line %d is not whole; copy the file again", what, path, line)
		}
		if !slices.Contains([]string{"EC PARAMETERS", "DH PARAMETERS"}, block.Type) {
			blocks = append(blocks, pemBlock{block, line})
		}
		if at = bytes.Index(rest, begin); at >= 0 {
			at += end
		}
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("the %s file %s holds neither a certificate nor a key", what, path)
	}
	return blocks, nil
}

// NameOf returns the name of a certificate's subject or issuer for a person. It may come
// from anywhere, so it is short and has nothing that a terminal obeys.
func NameOf(name pkix.Name) string {
	text := name.String()
	if name.CommonName != "" {
		text = name.CommonName
		if len(name.Organization) > 0 && !strings.Contains(text, name.Organization[0]) {
			text += ", " + name.Organization[0]
		}
	}
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	const most = 80
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	if text == "" {
		return "without a name"
	}
	return text
}
