package region

import (
	"strings"
	"testing"
)

func TestRegionCode(t *testing.T) {
	for text, want := range map[string]string{
		"ON": "ON", "on": "ON", "Ontario": "ON", "ONTARIO": "ON", "Ont.": "ON", "CA-ON": "ON",
		"Que": "QC", "QC": "QC", "P.Q.": "QC", "pq": "QC", "Québec": "QC", "QUE\u0301BEC": "QC",
		"NF": "NL", "Nfld": "NL", "Newfoundland": "NL", "Newfoundland and Labrador": "NL", "T.-N.": "NL", "Terre-Neuve-et-Labrador": "NL",
		"N.B.": "NB", "N.-B.": "NB", "N.S.": "NS", "N.-É.": "NS", "n.-é.": "NS", "Nouvelle-Écosse": "NS",
		"PEI": "PE", "Î.-P.-É.": "PE", "Ile du Prince Edouard": "PE", "NWT": "NT", "Yukon Territory": "YT", "C.-B.": "BC", "Alta": "AB",
		"NE": "NE", "N.E.": "NE", "TN": "TN", "Tenn.": "TN",
		"Calif.": "CA", "california": "CA", "US-NY": "NY", "new  york": "NY", "N.Y.": "NY", "W. Va.": "WV",
		"D.C.": "DC", "Washington, D.C.": "DC", "Washington": "WA", "Puerto Rico": "PR", "Armed Forces Pacific": "AP",
		"": "", "XX": "", "Ontaro": "", "England": "", "ONT ARIO CANADA": "", "--": "",
	} {
		if got, _ := Code(text); got != want {
			t.Errorf("Code(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestRegionNames: every name leads to its own region, so that no entry hides
// another.
func TestRegionNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range load().regions {
		if seen[r.code] || len(r.code) != 2 || strings.ToUpper(r.code) != r.code {
			t.Errorf("bad code %q", r.code)
		}
		seen[r.code] = true
		for _, name := range append(r.names, r.code, strings.ToLower(r.code), r.country+"-"+r.code) {
			if got, _ := Code(name); got != r.code {
				t.Errorf("Code(%q) = %q, want %q", name, got, r.code)
			}
		}
	}
	if got := len(seen); got != 13+50+1+5+3 {
		t.Errorf("%d regions, want Canada's 13, 50 states, the District, 5 territories and 3 of the armed forces", got)
	}
}
