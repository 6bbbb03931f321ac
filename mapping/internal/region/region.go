// Package region knows the provinces, territories and states of Canada and the
// USA by their names, in English and French, and by their abbreviations.
//
//	Code("Québec") // "QC", true
package region

import (
	_ "embed"
	"iter"
	"strings"
	"sync"

	"opscom-import/mapping/internal/chars"
)

// list has a line for each region: its country, its postal abbreviation, its name,
// and then other names and old abbreviations. The French names and abbreviations
// are those of the Office québécois de la langue française; the American ones of
// several letters were in use before the two-letter codes.
//
//go:embed regions.txt
var list string

// region is a province, territory or state that has a postal abbreviation.
type region struct {
	country string   // "ca" or "us", as in the ISO 3166-2 codes CA-ON and US-NY
	code    string   // of Canada Post or of the United States Postal Service
	names   []string // the name to show comes first
}

// table finds a region's code by any of its names.
type table struct {
	regions []region
	codes   map[string]string
}

// load reads the list. It adds the codes first and the full names before their
// folded forms, so that NE is Nebraska and N.-É. is Nova Scotia.
var load = sync.OnceValue(func() *table {
	t := &table{codes: make(map[string]string)}
	for line := range strings.Lines(list) {
		names := strings.Split(strings.TrimSpace(line), "; ")
		r := region{country: names[0], code: names[1], names: names[2:]}
		t.regions = append(t.regions, r)
		t.codes[r.code] = r.code
		t.codes[strings.ToLower(r.code)] = r.code
		t.codes[r.country+strings.ToLower(r.code)] = r.code
	}
	for _, key := range []func(string) string{strings.ToLower, chars.Fold} {
		for _, r := range t.regions {
			for _, name := range r.names {
				if _, taken := t.codes[key(name)]; !taken {
					t.codes[key(name)] = r.code
				}
			}
		}
	}
	return t
})

// Code returns the code of the region that text names or abbreviates, whatever
// its case, dots and accents.
func Code(text string) (string, bool) {
	codes := load().codes
	if code, ok := codes[text]; ok {
		return code, true
	}
	if code, ok := codes[strings.ToLower(text)]; ok {
		return code, true
	}
	code, ok := codes[chars.Fold(text)]
	return code, ok
}

// Nearest returns the name and the code of the region that text most likely
// means, "" when none is near.
func Nearest(text string) (name, code string) {
	var names []string
	for _, r := range load().regions {
		names = append(names, r.names...)
	}
	name = chars.Nearest(text, names)
	return name, load().codes[strings.ToLower(name)]
}

// All yields the code and the name of each region, Canada's first.
func All() iter.Seq2[string, string] {
	return func(yield func(code, name string) bool) {
		for _, r := range load().regions {
			if !yield(r.code, r.names[0]) {
				return
			}
		}
	}
}
