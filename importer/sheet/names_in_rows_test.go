package sheet

import (
	"strings"
	"testing"
)

// Crystal Reports writes the names of the columns into every row.
func TestNamesInEachRow(t *testing.T) {
	for name, tt := range map[string]struct {
		content string
		refused bool
	}{
		"names before the values":  {"List,Student ID,First Name,Last Name,900100,Ann,Lee\nList,Student ID,First Name,Last Name,900101,Bob,Roy\n", true},
		"names among the values":   {"Student ID,900100,Last Name,Lee\nStudent ID,900101,Last Name,Roy\n", true},
		"names after the values":   {"900100;Ann;Lee;Matricule;Prénom;Nom\n900101;Bob;Roy;Matricule;Prénom;Nom\n", true},
		"one program, one town":    {"Student ID,First Name,Program,City\n900100,Ann,Arts,Hull\n900101,Bob,Arts,Hull\n", false},
		"a header with a year":     {"Student ID,First Name,2026,City\n900100,Ann,7,City\n900101,Bob,8,City\n", false},
		"the header printed again": {"Student ID,First Name,Last Name\n900100,Ann,Lee\nStudent ID,First Name,Last Name\n900101,Bob,Roy\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people.csv", tt.content)
			table, err := Open(path, Options{})
			if err == nil {
				defer table.Close()
			}
			if refused := err != nil && strings.Contains(err.Error(), "in every row"); refused != tt.refused {
				t.Errorf("got %v", err)
			}
		})
	}
}
