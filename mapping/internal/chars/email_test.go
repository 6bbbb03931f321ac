package chars

import (
	"testing"

	"pgregory.net/rapid"
)

func TestIsEmail(t *testing.T) {
	for value, want := range map[string]bool{
		"ann@example.ca":             true,
		"Ann.O'Neil+lot-3@a-b.ex.ca": true,
		"a_b%c@example.ca":           true,
		"zoë@example.ca":             true,
		"ann@example":                false,
		"ann@.ca":                    false,
		"ann@example.":               false,
		"ann@example..ca":            false,
		".ann@example.ca":            false,
		"ann.@example.ca":            false,
		"ann..b@example.ca":          false,
		"ann@b@example.ca":           false,
		"@example.ca":                false,
		"ann":                        false,
		"ann.b@exampleca":            false,
		"ann smith@example.ca":       false,
		"Ann <ann@example.ca>":       false,
		"<ann@example.ca>":           false,
		"ann@example.ca; b@c.ca":     false,
		"ann@[192.0.2.1]":            false,
		`"ann b"@example.ca`:         false,
		"ann@exam\u00a0ple.ca":       false,
		"ann\u200b@example.ca":       false,
		"mailto:ann@example.ca":      false,
	} {
		if got := IsEmail(value); got != want {
			t.Errorf("IsEmail(%q) = %v, want %v", value, got, want)
		}
	}
}

// TestPlainEmailAgrees: the fast path accepts nothing that the parser would refuse.
func TestPlainEmailAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[a-zA-Z0-9._+'-]{1,8}@[a-z0-9.-]{1,8}[.@]?[a-z]{0,3}`).Draw(t, "value")
		if isPlainEmail(value) && !isParsedEmail(value) {
			t.Fatalf("%q is taken, and no e-mail address", value)
		}
	})
}
