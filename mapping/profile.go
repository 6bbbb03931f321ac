package mapping

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Profile is one user's attributes as they will be sent. The zero value is an
// empty profile, ready to use.
type Profile struct {
	values [attributeEnd]string
	set    uint32 // bit a is set when attribute a is sent, even blank
}

// Set sets the attribute's value. A blank value is sent too: it clears the attribute
// in the Controller.
func (p *Profile) Set(a Attribute, value string) {
	p.values[a] = value
	p.set |= 1 << a
}

// Get returns the attribute's value, and whether it is sent.
func (p *Profile) Get(a Attribute) (value string, sent bool) {
	return p.values[a], p.set&(1<<a) != 0
}

// Reset empties the profile.
func (p *Profile) Reset() { *p = Profile{} }

// AppendJSON appends the profile to dst as one JSON object of strings, its
// members in the attributes' order, so that equal profiles have equal bytes:
//
//	{"unique_id":"900123456","login_source":"SSO","first_name":"Zoë"}
//
// It fails only on text that is not valid UTF-8.
func (p *Profile) AppendJSON(dst []byte) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	for a := UniqueID; a < attributeEnd; a++ {
		if p.set&(1<<a) == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '"')
		dst = append(dst, attributeSpecs[a].Names[0]...)
		dst = append(dst, '"', ':')
		var err error
		if dst, err = jsontext.AppendQuote(dst, p.values[a]); err != nil {
			return dst, fmt.Errorf("encode %s: %w", a, err)
		}
	}
	return append(dst, '}'), nil
}
