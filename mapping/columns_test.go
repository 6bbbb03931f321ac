package mapping

import (
	"strings"
	"testing"
)

func TestFindColumn(t *testing.T) {
	header := []string{"Banner ID", "", "E-mail", "Prénom", "Phone", "phone ", "#"}
	for _, tc := range []struct {
		name string
		want int
		err  string
	}{
		{"banner_id", 0, ""},
		{"EMAIL", 2, ""},
		{"prenom", 3, ""},
		{"#", 6, ""},
		{"Phone", 4, ""},
		{"PHONE", NoColumn, "2 columns are called"},
		{"Baner ID", NoColumn, `nearest is "Banner ID"`},
		{"Zodiac", NoColumn, `there is no column "Zodiac"`},
		{"phone (column F)", 5, ""},
		{"(column B)", 1, ""},
		{"Phone (column F)", NoColumn, "there is no column"},
		{"Phone (column Z)", NoColumn, "there is no column"},
	} {
		got, err := FindColumn(header, tc.name)
		if got != tc.want || (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("FindColumn(%q) = %d, %v; want %d, %q", tc.name, got, err, tc.want, tc.err)
		}
	}
}

// TestColumnName: whatever the headers, each column has a name that means it alone.
func TestColumnName(t *testing.T) {
	header := []string{"ID", "", "Phone", "Phone", "phone", " ", "#", "id "}
	for column, want := range []string{"ID", "(column B)", "Phone (column C)", "Phone (column D)", "phone", "(column F)", "#", "id "} {
		name := ColumnName(header, column)
		if found, err := FindColumn(header, name); name != want || err != nil || found != column {
			t.Errorf("column %d is called %q, which means %d (%v); want %q", column, name, found, err, want)
		}
		if !hasColumn(header, name) {
			t.Errorf("the layout has no %q", name)
		}
	}
}

func TestColumnLetter(t *testing.T) {
	for index, want := range map[int]string{NoColumn: "", 0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA", 16383: "XFD"} {
		if got := ColumnLetter(index); got != want {
			t.Errorf("ColumnLetter(%d) = %q, want %q", index, got, want)
		}
	}
}

func TestFitsHeader(t *testing.T) {
	text := "x"
	file := &File{Fields: []Field{
		{Attribute: UniqueID, Columns: []string{"Banner ID"}},
		{Attribute: FirstName, Columns: []string{"Preferred", "Prénom"}},
		{Attribute: LastName, Expr: `col("Last Name")`},
		{Attribute: LoginSource, Value: &text},
	}}
	for _, tc := range []struct {
		row  []string
		want bool
	}{
		{[]string{"2025-09-03", "banner_id", "PREFERRED", "Prenom", "last name", "Q1"}, true},
		{[]string{" Banner ID ", "Preferred", "Prénom", "Last Name"}, true},
		{[]string{"Banner ID", "Preferred", "Last Name"}, false},
		{[]string{"Banner ID", "Preferred", "Prénom"}, false},
		{[]string{"900100", "Ann", "Ann", "Lee"}, false},
		{nil, false},
	} {
		if got := file.FitsHeader(tc.row); got != tc.want {
			t.Errorf("FitsHeader(%q) = %v", tc.row, got)
		}
	}
	one := &File{Fields: file.Fields[:1]}
	if one.FitsHeader([]string{"Banner ID"}) {
		t.Error("one name, which may be a title, is taken for a header")
	}
}
