package importer

import (
	"crypto/sha256"
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Digester makes keyed digests of personal data: SHA-256 over a secret salt and
// the text, cut to 128 bits, so that a stolen table of digests cannot be held
// against a list of student numbers without the salt.
type Digester struct {
	salt   []byte
	buffer []byte
}

// NewDigester returns a digester with that salt. It is for one goroutine at a time.
func NewDigester(salt []byte) *Digester { return &Digester{salt: salt} }

// Key returns the digest of a person's key. Case and surrounding space make no
// difference.
func (d *Digester) Key(loginSource, uniqueID string) Digest {
	d.buffer = append(append(d.buffer[:0], d.salt...), 'k')
	d.buffer = append(appendFolded(d.buffer, loginSource), 0)
	d.buffer = append(appendFolded(d.buffer, uniqueID), 0)
	return d.sum()
}

// Profile returns the digest of a profile's JSON.
func (d *Digester) Profile(payload []byte) Digest {
	d.buffer = append(append(d.buffer[:0], d.salt...), 'p')
	d.buffer = append(append(d.buffer, payload...), 0)
	return d.sum()
}

func (d *Digester) sum() Digest {
	sum := sha256.Sum256(d.buffer)
	return Digest(sum[:len(Digest{})])
}

// similarID returns a digest that is the same for ids that are easily taken for each
// other: those that differ in case, in signs, in leading zeros, or in O and 0. It is no
// digest for a text without a letter or digit.
func (d *Digester) similarID(text string) UniqueValue {
	d.buffer = append(append(d.buffer[:0], d.salt...), 's')
	start := len(d.buffer)
	for _, r := range norm.NFKC.String(text) {
		switch {
		case r == 'O' || r == 'o':
			r = '0'
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			continue
		}
		if r != '0' || len(d.buffer) > start {
			d.buffer = utf8.AppendRune(d.buffer, unicode.ToLower(r))
		}
	}
	if len(d.buffer) == start {
		return ValueNotSent
	}
	sum := d.sum()
	return max(UniqueValue(binary.LittleEndian.Uint64(sum[:])), lowestDigest)
}
