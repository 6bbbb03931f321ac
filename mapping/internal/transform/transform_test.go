package transform

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestTransforms(t *testing.T) {
	for _, tc := range []struct{ word, in, want string }{
		{"trim", " \u00a0\ufeff a b\u200b\t", "a b"},
		{"trim", " \u3000", ""},
		{"lower", "ÉLAN", "élan"},
		{"upper", "élan", "ÉLAN"},
		{"collapse", "12  Main\u00a0\tSt", "12 Main St"},
		{"digits", "A-00 12/3", "00123"},
		{"pad:9", "1234567", "001234567"},
		{"pad:9", "1234567890", "1234567890"},
		{"pad:3", "é", "00é"},
		{"pad:9", "", ""},
		{"province", "Québec", "QC"},
		{"province", "Bavaria", "Bavaria"},

		{"postal_code", "k1a0b1", "K1A 0B1"},
		{"postal_code", "K1A-0B1", "K1A 0B1"},
		{"postal_code", "K1A  0B1", "K1A 0B1"},
		{"postal_code", "02139", "02139"},
		{"postal_code", "021391234", "02139-1234"},
		{"postal_code", "02139-1234", "02139-1234"},
		{"postal_code", "2139", "2139"},
		{"postal_code", "21391234", "21391234"},
		{"postal_code", "SW1A 1AA", "SW1A 1AA"},
		{"postal_code", "", ""},

		{"phone", "(613) 555-0123", "613-555-0123"},
		{"phone", "16135550123", "613-555-0123"},
		{"phone", "+1 613.555.0123", "613-555-0123"},
		{"phone", "613 555 0123 ext. 45", "613-555-0123 x45"},
		{"phone", "+44 20 7946 0958", "+44 20 7946 0958"},
		{"phone", "011442079460958", "+44 20 7946 0958"},
		{"phone", "+44 20 7946 0958 x1234", "+442079460958 x1234"},
		{"phone", "555-0123", "555-0123"},
		{"phone", "613-555-012", "613-555-012"},
		{"phone", "613-555-0123 / 613-555-0124", "613-555-0123 / 613-555-0124"},
		{"phone", "none", "none"},
		{"phone", "", ""},

		{"title", "MARY-JANE O'BRIEN", "Mary-Jane O'Brien"},
		{"title", "anne d’angelo", "Anne D’Angelo"},
		{"title", "MCDONALD", "McDonald"},
		{"title", "mcd", "Mcd"},
		{"title", "MACEY", "Macey"},
		{"title", "MacDonald", "MacDonald"},
		{"title", "LeBlanc", "LeBlanc"},
		{"title", "JOHN McDONALD", "John McDONALD"},
		{"title", "VAN ANH", "Van Anh"},
		{"title", "DEL ROY", "Del Roy"},
		{"title", "DES MOINES", "Des Moines"},
		{"title", "MARIA DE LOS ANGELES", "Maria de los Angeles"},
		{"title", "LA TOYA", "La Toya"},
		{"title", "LE", "Le"},
		{"title", "DE", "De"},
		{"title", "ÉLOÏSE", "Éloïse"},
		{"title", "j.r. smith III", "J.R. Smith III"},
		{"title", "III", "III"},
		{"title", "123 MAIN STREET", "123 Main Street"},
		{"title", "3RD AVENUE", "3RD Avenue"},
		{"title", "children's", "Children's"},
		{"title", "李 雷", "李 雷"},
	} {
		transform, err := NewSet().Find(tc.word)
		if err != nil {
			t.Fatal(err)
		}
		if got := transform(tc.in); got != tc.want {
			t.Errorf("%s of %q = %q, want %q", tc.word, tc.in, got, tc.want)
		}
	}
}

func TestTransformMistakes(t *testing.T) {
	for word, want := range map[string]string{
		"lowerr":  `there is no transform "lowerr"; the nearest is "lower"`,
		"zip":     `there is no transform "zip"; the transforms are collapse, digits,`,
		"pad":     `needs a width from 1 to 255; write pad:9`,
		"pad:0":   `needs a width`,
		"pad:x":   `needs a width`,
		"lower:3": `the transform "lower" takes nothing after it; write lower`,
	} {
		if _, err := NewSet().Find(word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Find(%q) = %v, want %q", word, err, want)
		}
	}
}

// TestTransformsAreIdempotent: a second time changes nothing, and valid text stays
// valid. A file that was exported again gives the same profile.
func TestTransformsAreIdempotent(t *testing.T) {
	set := NewSet()
	pad, err := set.Find("pad:9")
	if err != nil {
		t.Fatal(err)
	}
	set["pad:9"] = pad
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z0-9'. +()-]{0,24}`)).Draw(t, "text")
		for word, transform := range set {
			once := transform(text)
			if twice := transform(once); twice != once {
				t.Errorf("%s of %q = %q, and then %q", word, text, once, twice)
			}
			if !utf8.ValidString(once) {
				t.Errorf("%s of %q is not valid UTF-8", word, text)
			}
		}
		if written := phone(text); written != text && len(written) > maxPhoneChars {
			t.Errorf("phone(%q) = %q does not fit", text, written)
		}
	})
}

// A number that is looked up by its first digits is written as by the library alone.
func TestPhoneFormatterAgreesWithPhone(t *testing.T) {
	w := newPhoneFormatter()
	rapid.Check(t, func(t *rapid.T) {
		area := rapid.SampledFrom([]string{"613", "416", "514", "212", "800", "900", "242", "555", "011", "600", "310", "456", "710", "684", "787"}).Draw(t, "area")
		area = rapid.OneOf(rapid.Just(area), rapid.StringMatching("[0-9]{3}")).Draw(t, "any area")
		exchange := rapid.OneOf(rapid.StringMatching("[2-9]"), rapid.StringMatching("[0-9]")).Draw(t, "first") + rapid.StringMatching("[0-9]{2}").Draw(t, "exchange")
		line := rapid.StringMatching("[0-9]{4}").Draw(t, "line")
		form := rapid.SampledFrom([]string{"%s%s%s", "(%s) %s-%s", "%s-%s-%s", "1 %s.%s.%s", "1-%s-%s-%s", "+1 %s %s %s", "%s %s %s x12", " %s%s %s", "%s%s%s1", "0%s%s%s"}).Draw(t, "form")
		s := fmt.Sprintf(form, area, exchange, line)
		if got, want := w.format(s), phone(s); got != want {
			t.Fatalf("%s: got %s, want %s", s, got, want)
		}
	})
}

func TestTitleSurname(t *testing.T) {
	for in, want := range map[string]string{
		"DE LA CRUZ": "de la Cruz", "van der berg": "van der Berg", "VON BERG": "von Berg", "DE": "De", "VAN": "Van",
		"LA ROCHE": "La Roche", "McDONALD": "McDONALD", "o'brien": "O'Brien", "ROY DE LA TOUR": "Roy de la Tour",
	} {
		if got := TitleSurname(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
