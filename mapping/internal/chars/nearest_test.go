package chars

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"first_name", "last_name", "OPSCOM_API_TOKEN", "", "Québec", "drop-before", "hang"}
	for word, want := range map[string]string{
		"frist_name":                 "first_name",
		"First Name":                 "first_name",
		"quebec":                     "Québec",
		"OPSCOM_TOKEN":               "OPSCOM_API_TOKEN",
		"drop-befor":                 "drop-before",
		"hnag":                       "hang",
		"hgng":                       "hang",
		"gnah":                       "",
		"lastname":                   "last_name",
		"xyz":                        "",
		"":                           "",
		"?":                          "",
		strings.Repeat("name", 9999): "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", word, got, want)
		}
	}
}
