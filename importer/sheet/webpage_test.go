package sheet

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

const onePage = "The file is a web page (HTML), whatever its name says. Its table was read, with rows numbered from the table's first."

func TestWebPages(t *testing.T) {
	tests := map[string]struct {
		page  string
		names string
		rows  []string
		notes []string
	}{
		"a bare table": {
			page:  "<table border=1><tr><th>Banner ID<th>Name<tr><td>00900100<td>O'Brien<tr><td>00900101<td>Zo&euml; &amp; Co</table>",
			names: "Banner ID|Name", rows: []string{"2: 00900100|O'Brien", "3: 00900101|Zoë & Co"}, notes: []string{onePage},
		},
		"all that a page may hold": {
			page: `<!DOCTYPE html><html><head><title>a <table></title><style>td{a:"</td>"}</style></head><body><p>Students</p>
			<!-- <table> --><TABLE><thead><TR><TD>Banner ID</TD><TD> Name
			in full </TD></TR></thead><script>if (1 < 2) document.write("<tr><td>3</td></tr>")</script>
			<tbody><tr style="display: none"><td>900100</td><td>Ann<br>Lee</td></tr><tr></tr><tr><td>&nbsp;</td><td></td></tr><tr><td>900101</td><td><b>B</b>ob <i>Roy</i></td></tr></tbody></TABLE></body></html>`,
			names: "Banner ID|Name in full", rows: []string{"2: 900100|Ann\nLee", "5: 900101|Bob Roy"},
			notes: []string{"2 blank rows between the others were left out.", onePage, "1 row that is hidden or filtered out was read too."},
		},
		"the largest of several, one in the other": {
			page: "<table><tr><td>menu</td></tr></table><table><tr><td><table><tr><td>Banner ID</td><td>Name</td></tr><tr><td>900100</td><td>Ann</td></tr></table></td></tr></table>" +
				"<table><tr><td>Total</td><td>1</td></tr></table>",
			names: "Banner ID|Name", rows: []string{"2: 900100|Ann"},
			notes: []string{strings.Replace(onePage, "Its table was read, with rows numbered from the table's", "The largest of its 4 tables was read, with rows numbered from that table's", 1)},
		},
		"a table in a cell": {
			page:  "<table><tr><td>Banner ID</td><td>Name</td><td>Note</td></tr><tr><td>900100</td><td>Ann<table><tr><td>Lee</td></tr></table></td><td>x</td></tr></table>",
			names: "Banner ID|Name|Note", rows: []string{"2: 900100|Ann Lee|x"},
			notes: []string{strings.Replace(onePage, "Its table was read, with rows numbered from the table's", "The largest of its 2 tables was read, with rows numbered from that table's", 1)},
		},
		"cells over several columns and rows": {
			page: "<table><tr><td colspan=4>Students of fall</td></tr><tr><td rowspan=2>Banner ID</td><td colspan=2>Home</td><td rowspan=2>DOB</td></tr><tr><td>Street</td><td>City</td></tr>" +
				"<tr><td>900100</td><td>1 Elm</td><td rowspan=2>Hull</td><td>2004-02-29</td></tr><tr><td>900101</td><td>2 Elm</td><td>2003-01-05</td></tr></table>",
			names: "Banner ID|Home / Street|Home / City|DOB", rows: []string{"4: 900100|1 Elm|Hull|2004-02-29", "5: 900101|2 Elm||2003-01-05"},
			notes: []string{"The header was joined from rows 2 and 3.", "The header was found in row 2. The text above it in row 1 was treated as titles or notes and skipped.", onePage,
				"The sheet has merged cells (3 ranges). A value counts only for the first cell of its range: check the rows that share one, such as 2 to 3 in column A, 2 to 3 in column D and 4 to 5 in column C."},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.xls", tt.page), Options{})
			if names := strings.Join(got.header.Names, "|"); got.err != nil || names != tt.names {
				t.Errorf("header %q, error %v", names, got.err)
			}
			if diff := cmp.Diff(tt.rows, got.rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notes, got.notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWebPageEncodings(t *testing.T) {
	const table = "<table><tr><td>Banner ID</td><td>Name</td></tr><tr><td>900100</td><td>Zoë</td></tr></table>"
	western, err := charmap.Windows1252.NewEncoder().String(table)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("<html>" + table)
	if err != nil {
		t.Fatal(err)
	}
	late := strings.Repeat("<!-- nothing but letters of English here -->", 1000)
	for name, page := range map[string]string{
		"UTF-8": table, "UTF-8 with a mark": "\uFEFF" + table, "UTF-8, seen late": "<html>" + late + table, "western": western, "western, declared": `<meta charset="iso-8859-1">` + western, "UTF-16": wide,
	} {
		got := readFile(t, writeFile(t, "people.xls", page), Options{})
		if got.err != nil || len(got.rows) != 1 || got.rows[0] != "2: 900100|Zoë" {
			t.Errorf("%s: rows %q, error %v", name, got.rows, got.err)
		}
	}
	path := writeFile(t, "people.xls", `<meta charset="utf-8">`+western)
	if fe := fileError(t, readFile(t, path, Options{}).err, path); !strings.Contains(fe.Message, "UTF-8") {
		t.Error(fe)
	}
}

// A page that was cut short must never read as a shorter table, wherever it was
// cut.
func TestWebPageCutAnywhere(t *testing.T) {
	const page = "<html><table><tr><td>Banner ID</td><td>Name</td></tr><tr><td>900100</td><td>Ann</td></tr></table>"
	for size := 1; size < len(page); size++ {
		path := writeFile(t, "people.xls", page[:size])
		got := readFile(t, path, Options{Format: XLSX})
		if got.err == nil {
			t.Fatalf("%q reads as %q", page[:size], got.rows)
		}
		fileError(t, got.err, path)
	}
}

func TestWebPageFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("reads huge pages: not with -short")
	}
	wide := "<table><tr>" + strings.Repeat("<td colspan=1000>x</td>", 17) + "</tr></table>"
	for name, tt := range map[string]struct{ page, message string }{
		"no table":         {"<html><body>Please log in.</body></html>", "without a table"},
		"an empty table":   {"<html><table><tr><td></td></tr></table>", "is empty"},
		"too many columns": {wide, "more columns"},
		"a tag too long":   {"<table><tr><td x=\"" + strings.Repeat("a", 2<<20), "too long"},
		"a cell too long":  {"<table><tr><td>" + strings.Repeat("a<b>", 5<<20) + "</td></tr></table>", "longer than"},
	} {
		path := writeFile(t, "people.xls", tt.page)
		if fe := fileError(t, readFile(t, path, Options{}).err, path); !strings.Contains(fe.Message, tt.message) {
			t.Errorf("%s: %s", name, fe.Message)
		}
	}
	path := writeFile(t, "people.xls", "<table><tr><td>a</td></tr></table>")
	if fe := fileError(t, readFile(t, path, Options{Sheet: "x"}).err, path); !strings.Contains(fe.Message, "no sheets") {
		t.Error(fe)
	}
}

// A reader that went through all columns, or all tables, at every tag would take
// hours for these pages.
func TestHostileWebPages(t *testing.T) {
	if testing.Short() {
		t.Skip("reads huge pages: not with -short")
	}
	for name, page := range map[string]string{
		"tables in tables": strings.Repeat("<table>", 1<<18) + "<tr><td>1</td></tr>" + strings.Repeat("</table>", 1<<18),
		"rows of nothing":  "<table><tr>" + strings.Repeat("<td colspan=1000 rowspan=1000000>x", 16) + strings.Repeat("<tr>", 300_000) + "</table>",
		"rows of one cell": "<table><tr>" + strings.Repeat("<td colspan=1000 rowspan=1000000>x", 16) + strings.Repeat("<tr><td>y", 150_000) + "</table>",
		"many tables":      strings.Repeat("<table><tr><td>1</table>", 50_000),
		"ends of tables":   "<table><tr><td>1" + strings.Repeat("</table>", 1<<18),
	} {
		path := writeFile(t, "people.xls", page)
		if got := readFile(t, path, Options{HeaderRow: 1}); got.err != nil {
			fileError(t, got.err, path)
		} else if len(got.notes) == 0 {
			t.Errorf("%s: not a word about it", name)
		}
	}
}
