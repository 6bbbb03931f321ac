package importer

import "crypto/sha256"

// Digester makes keyed digests of personal data: SHA-256 over a secret salt and
// the text, cut to 128 bits, so that a stolen table of digests cannot be held
// against a list of student numbers without the salt.
type Digester struct {
	salt   []byte
	buffer []byte
}

// NewDigester returns a digester with that salt. It is for one goroutine at a time.
func NewDigester(salt []byte) *Digester { return &Digester{salt: salt} }

// Key returns the digest of a person's key: case and surrounding space do not
// make two people.
func (d *Digester) Key(loginSource, uniqueID string) Digest {
	return d.sum('k', fold(loginSource), fold(uniqueID))
}

// Profile returns the digest of a profile's JSON.
func (d *Digester) Profile(payload []byte) Digest { return d.sum('p', string(payload)) }

func (d *Digester) sum(purpose byte, texts ...string) Digest {
	d.buffer = append(append(d.buffer[:0], d.salt...), purpose)
	for _, t := range texts {
		d.buffer = append(append(d.buffer, t...), 0)
	}
	sum := sha256.Sum256(d.buffer)
	return Digest(sum[:len(Digest{})])
}
