package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"opscom-import/mapping"
	"opscom-import/report"
)

// writeBirths writes a file without a mapping file, whose column of dates of birth
// holds these, one a row.
func writeBirths(t *testing.T, births []string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("unique_id,login_source,date_of_birth,last_seen\n")
	for i, birth := range births {
		fmt.Fprintf(&text, "%d,SSO,%s,01/02/2024\n", 900000+i, birth)
	}
	file := filepath.Join(t.TempDir(), "students.csv")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// One pass finds the date format of a suggested mapping: the same that a pass of its
// own finds, wherever in the column the dates are.
func TestFirstPassDetectsDateFormat(t *testing.T) {
	blanks := func(n int) []string { return make([]string, n) }
	for name, tc := range map[string]struct {
		births []string
		want   string
	}{
		"no date":                       {blanks(300), ""},
		"calendar dates":                {slices.Repeat([]string{"2004-05-13"}, 300), ""},
		"in the first rows":             {slices.Repeat([]string{"13/05/2004"}, 300), "DD/MM/YYYY"},
		"after the samples":             {append(blanks(250), "13/05/2004"), "DD/MM/YYYY"},
		"month first, after them":       {append(blanks(250), "05/13/2004"), "MM/DD/YYYY"},
		"calendar dates, then not":      {append(slices.Repeat([]string{"2004-05-13"}, 150), append(blanks(100), "05/13/2004")...), "MM/DD/YYYY"},
		"enough calendar dates, and no": {append(slices.Repeat([]string{"2004-05-13"}, 210), "05/13/2004"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			env := newEnv(t)
			in, err := openInput(t.Context(), writeBirths(t, tc.births), nil)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := env.openTable(in, userTypes{})
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			got := birthFormat(opened.mapping)
			if got != tc.want {
				t.Errorf("the first pass found %q, want %q", got, tc.want)
			}
			again := mapping.File{Fields: slices.Clone(opened.mapping.Fields)}
			for i := range again.Fields {
				again.Fields[i].Date = ""
			}
			alone := &table{correctedTable: opened.correctedTable, in: in, mapping: &again}
			if err := env.detectDateFormat(alone, nil); err != nil {
				t.Fatal(err)
			}
			if own := birthFormat(&again); own != got {
				t.Errorf("a pass of its own found %q, the first pass %q", own, got)
			}
		})
	}
}

func birthFormat(m *mapping.File) string {
	i := slices.IndexFunc(m.Fields, func(f mapping.Field) bool { return f.Attribute == mapping.DateOfBirth })
	return m.Fields[i].Date
}

// A column that leaves the order of day and month open is a question, never a guess.
func TestAmbiguousDatesAreAQuestion(t *testing.T) {
	for name, births := range map[string][]string{
		"in the first rows": slices.Repeat([]string{"01/02/2004"}, 300),
		"after the samples": append(make([]string, 250), "01/02/2004"),
	} {
		file := writeBirths(t, births)
		err := Check(t.Context(), newEnv(t), []string{file}, func(report.Receipt) error { return nil })
		if !errors.As(err, new(*UncertainError)) && !errors.As(err, new(*mapping.FileError)) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
