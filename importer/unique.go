package importer

import (
	"context"
	"encoding/binary"
	"time"

	"opscom-import/mapping"
)

// uniqueAttributes are those whose values OPS-COM allows one person only.
var uniqueAttributes = [...]mapping.Attribute{mapping.Email, mapping.UserName}

// UniqueValue stands for the value of such an attribute in a profile: a keyed digest of 64
// bits. Case and surrounding space make no difference. Among a million people, two have
// the same digest with a probability of 10^-7.
type UniqueValue uint64

// These are no digests.
const (
	ValueNotSent UniqueValue = iota // the profile leaves the attribute as it is
	ValueBlank                      // the profile clears it
	lowestDigest
)

// IsDigest reports whether the profile has a value.
func (v UniqueValue) IsDigest() bool { return v >= lowestDigest }

// UniqueValues are those of a profile: its e-mail address and its user name.
type UniqueValues [len(uniqueAttributes)]UniqueValue

// Over returns what somebody has whose values were before, once the Controller has
// accepted a profile with v.
func (v UniqueValues) Over(before UniqueValues) UniqueValues {
	for i := range v {
		if v[i] == ValueNotSent {
			v[i] = before[i]
		}
	}
	return v
}

// Unique returns the unique values of a profile.
func (d *Digester) Unique(p *mapping.Profile) (values UniqueValues) {
	for i, attribute := range uniqueAttributes {
		text, isSent := p.Get(attribute)
		switch {
		case !isSent:
		case text == "":
			values[i] = ValueBlank
		default:
			d.buffer = append(append(d.buffer[:0], d.salt...), 'u', byte('0'+i))
			d.buffer = append(appendFolded(d.buffer, text), 0)
			sum := d.sum()
			values[i] = max(UniqueValue(binary.LittleEndian.Uint64(sum[:])), lowestDigest)
		}
	}
	return values
}

// Owner is who has a unique value, by what the Controller accepted.
type Owner struct {
	Key        Digest    // of the person
	AcceptedAt time.Time // when the profile was accepted that last told of this person
}

// Owners knows who has which unique value.
type Owners interface {
	// Owner returns who has the value: the last for whom it was accepted.
	Owner(ctx context.Context, target string, value UniqueValue) (owner Owner, ok bool, err error)
}
