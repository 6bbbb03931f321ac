package sheet

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// firstRows is how many bytes of a text its dialect is found in.
const firstRows = 128 << 10

func TestCSVRows(t *testing.T) {
	tests := map[string]struct {
		content string
		options Options
		header  []string
		at      int // the header's row, 1 when 0
		rows    []string
	}{
		"plain": {
			content: "id,name\n1,Ann\n2,Bob\n",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Ann", "3: 2|Bob"},
		},
		"no line end at the end, CR LF, byte order mark": {
			content: "\uFEFFid,name\r\n1,Ann\r\n2,Bob",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Ann", "3: 2|Bob"},
		},
		"CR alone": {
			content: "id,name\r1,Ann\r2,Bob\r",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Ann", "3: 2|Bob"},
		},
		"LF and CR LF in one file": {
			content: "id,name\n1,Ann\r\n2,Bob\n",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Ann", "3: 2|Bob"},
		},
		"quotes, doubled quotes, delimiters and lines in quotes": {
			content: "id,name,note\n\"1\",\"O\"\"Neil, Ann\",\"two\nlines\"\n2,\"\",\"\"\"\"\n",
			header:  []string{"id", "name", "note"}, rows: []string{"2: 1|O\"Neil, Ann|two\nlines", "3: 2||\""},
		},
		"blank lines and lines in quotes count as a spreadsheet counts them": {
			content: "\n\nid,name\n\n1,\"a\n\nb\"\n , \n2,Bob\n\n",
			header:  []string{"id", "name"}, at: 3, rows: []string{"5: 1|a\n\nb", "7: 2|Bob"},
		},
		"formulas that are texts, as the letter of the file has them": {
			content: "id,name\n=\"001\", =\"A b\" \n\"=\"\"002\"\"\",Bob\n",
			header:  []string{"id", "name"}, rows: []string{"2: =\"001\"| =\"A b\" ", "3: =\"002\"|Bob"},
		},
		"spaces stay": {
			content: " id ,name\n 1 ,\tAnn \n",
			header:  []string{" id ", "name"}, rows: []string{"2:  1 |\tAnn "},
		},
		"semicolons when asked for": {
			content: "id;name\n1;Ann, Bob\n", options: Options{Delimiter: ';'},
			header: []string{"id", "name"}, rows: []string{"2: 1|Ann, Bob"},
		},
		"header further down when asked for": {
			content: "Students\n\nid,name\n1,Ann\n", options: Options{HeaderRow: 3},
			header: []string{"id", "name"}, at: 3, rows: []string{"4: 1|Ann"},
		},
		"blank names in the middle stay, at the end they are cut": {
			content: ",id,,name,,\n,1,,Ann,,\n",
			header:  []string{"", "id", "", "name"}, rows: []string{"2: |1||Ann"},
		},
		"every row but the header ends in a delimiter": {
			content: "id,name\n1,Ann,\n2,Bob,\n",
			header:  []string{"id", "name"}, rows: []string{"2: 1|Ann", "3: 2|Bob"},
		},
		"ragged rows": {
			content: "id,name,city\n1,Ann,Ottawa\n2,Bob\n3,Cy,Hull,x\n4,,Dee,\n5,Eve,Hull\n",
			header:  []string{"id", "name", "city"},
			rows: []string{
				"2: 1|Ann|Ottawa", "3: 2|Bob !ragged_row", "4: 3|Cy|Hull|x !ragged_row", "5: 4||Dee| !ragged_row", "6: 5|Eve|Hull",
			},
		},
		"most rows are short": {
			content: "id,name,city\n1,Ann\n2,Bob\n3,Cy,Hull\n4,Dee\n",
			header:  []string{"id", "name", "city"},
			rows:    []string{"2: 1|Ann !ragged_row", "3: 2|Bob !ragged_row", "4: 3|Cy|Hull", "5: 4|Dee !ragged_row"},
		},
		"stray quotes are faults of their rows": {
			content: "id,name\n1,5\" tall\n2,\"Bob\" Smith\n3,Cy\n",
			header:  []string{"id", "name"},
			rows:    []string{"2: 1|5\" tall !bad_quotes", "3: 2|\"Bob\" Smith !bad_quotes", "4: 3|Cy"},
		},
		"a quote that is never closed costs one row": {
			content: "id,name\n1,Ann\n2,\"Bob\n3,Cy\n4,Dee\n",
			header:  []string{"id", "name"},
			rows:    []string{"2: 1|Ann", "3: 2|\"Bob !bad_quotes", "4: 3|Cy", "5: 4|Dee"},
		},
		"a quote closed by the next one's opening costs one row": {
			content: "id,name\n1,\"Ann\n2,Bob\n3,\"Cy\"\n4,Dee\n",
			header:  []string{"id", "name"},
			rows:    []string{"2: 1|\"Ann !bad_quotes", "3: 2|Bob ?bad_quotes", "4: 3|Cy ?bad_quotes", "5: 4|Dee"},
		},
		"two rows that quotes run together are not one person": {
			content: "id,name,city\n1,\"Ann,Hull\n2,Bob\",Hull\n3,Cy,Hull\n",
			header:  []string{"id", "name", "city"},
			rows:    []string{"2: 1|Ann,Hull\n2,Bob|Hull !bad_quotes", "3: 3|Cy|Hull"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", tt.content), tt.options)
			if got.err != nil {
				t.Fatal(got.err)
			}
			if want := max(tt.at, 1); got.header.Row != want {
				t.Errorf("header in row %d, want %d", got.header.Row, want)
			}
			if diff := cmp.Diff(tt.header, got.header.Names); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.rows, got.rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// A scanner that refills its buffer in the middle of a record once lost its
// place: every record of this file ends elsewhere in the buffer.
func TestCSVBufferEnds(t *testing.T) {
	var content strings.Builder
	var want []string
	content.WriteString("id,text\n")
	for i := range 3000 {
		text := strings.Repeat("é", i%211)
		switch i % 3 {
		case 0:
			content.WriteString("7," + text + "\n")
			want = append(want, text)
		case 1:
			content.WriteString("7,\"" + text + "\n\"\"" + text + "\"\r\n")
			want = append(want, text+"\n\""+text)
		case 2:
			content.WriteString("7,\"" + text + "\"\n")
			want = append(want, text)
		}
	}
	got := readFile(t, writeFile(t, "people.csv", content.String()), Options{})
	if got.err != nil || len(got.rows) != len(want) {
		t.Fatalf("%d rows and the error %v, want %d rows", len(got.rows), got.err, len(want))
	}
	for i, row := range got.rows {
		if _, text, _ := strings.Cut(row, "7|"); text != want[i] {
			t.Fatalf("row %d: %q, want %q", i, row, want[i])
		}
	}
}

func TestCSVFaults(t *testing.T) {
	tests := map[string]struct {
		content string
		options Options
		row     int
		message string // what it must say, in part
	}{
		"NUL":                                  {content: "id,name\n1,A\x00nn\n", row: 2, message: "NUL"},
		"a line of 2 MiB":                      {content: "id,name\n1," + strings.Repeat("x", 2<<20) + "\n", row: 2, message: "1 MiB"},
		"only blank lines":                     {content: "\n , \n\n", message: "empty"},
		"header with a quote":                  {content: "id,na\"me\n1,Ann\n", row: 1, message: "header"},
		"no such header row":                   {content: "id,name\n1,Ann\n", options: Options{HeaderRow: 9}, row: 9, message: "header"},
		"blank header row":                     {content: "id,name\n\n1,Ann\n", options: Options{HeaderRow: 2}, row: 2, message: "header"},
		"a sheet":                              {content: "id,name\n1,Ann\n", options: Options{Sheet: "People"}, message: "no sheets"},
		"unknown encoding":                     {content: "id,name\n1,Ann\n", options: Options{Encoding: "klingon"}, message: "klingon"},
		"one delimiter too many in the header": {content: "id,,name\n1,Ann\n2,Bob\n3,Cy\n", row: 1, message: "column B"},
		"impossible delimiter":                 {content: "id,name\n1,Ann\n", options: Options{Delimiter: '"'}, message: "delimiter"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people.csv", tt.content)
			got := readFile(t, path, tt.options)
			fe := fileError(t, got.err, path)
			if fe.Row != tt.row || !strings.Contains(fe.Message, tt.message) {
				t.Errorf("row %d: %s\nwant row %d and %q", fe.Row, fe.Message, tt.row, tt.message)
			}
		})
	}
}

func TestUnclosedQuoteIsBounded(t *testing.T) {
	bob := "7,B" + strings.Repeat("o", 200) + "b"
	rows := strings.Repeat(bob+"\n", 8_000) // more bytes than one record may have
	got := readFile(t, writeFile(t, "people.csv", "id,name\n1,\"Ann\n"+rows), Options{})
	if got.err != nil {
		t.Fatal(got.err)
	}
	faulty := slices.DeleteFunc(got.rows, func(r string) bool { return strings.HasSuffix(r, "oob") })
	if diff := cmp.Diff([]string{"2: 1|\"Ann !bad_quotes"}, faulty); diff != "" {
		t.Errorf("rows at fault (-want +got):\n%s", diff)
	}
}

// A reader that looked through the same bytes for every row would take hours for
// these files.
func TestHostileTextIsRead(t *testing.T) {
	if testing.Short() {
		t.Skip("reads huge files: not with -short")
	}
	const size = 1 << 18
	for name, line := range map[string]string{
		"quotes that open":            "\"a\n",
		"quotes that open and escape": "x,\"a\"\"\n",
		"three quotes":                "\"\"\"\n",
		"quotes and backslashes":      "\"a\\\"\n",
		"quotes inside":               "a\"b\n",
		"single quotes":               "'tis,'a'\n",
		"CR alone":                    "a\r",
		"delimiters of all kinds":     ",;|\t\n",
		"quotes of all kinds":         "'\"'\"\n",
		"comments":                    "#\n",
		"lines that are all blank":    "\n",
	} {
		for _, head := range []string{"id,name\n", "'id','name'\n" + strings.Repeat("'3','c'\n", firstRows/8)} {
			s := specimen{path: writeFile(t, "people.csv", head+strings.Repeat(line, size/len(line))), expected: bounded}
			if fault := s.assess(t, &tally{}); fault != "" {
				t.Errorf("%s: %s", name, fault)
			}
		}
	}
}

// The rows below a fault are doubted up to where it showed, however the buffer
// moves meanwhile.
func TestDoubtEndsWithTheFault(t *testing.T) {
	plain := strings.Repeat("7,Bob\n", 10_000)
	got := readFile(t, writeFile(t, "people.csv", "id,name\n"+plain+"8,\"Ann\n8,Dee\n8,\"Cy\"\n"+plain), Options{})
	if got.err != nil {
		t.Fatal(got.err)
	}
	faulty := slices.DeleteFunc(got.rows, func(r string) bool { return strings.HasSuffix(r, ": 7|Bob") })
	want := []string{"10002: 8|\"Ann !bad_quotes", "10003: 8|Dee ?bad_quotes", "10004: 8|Cy ?bad_quotes"}
	if diff := cmp.Diff(want, faulty); diff != "" {
		t.Errorf("rows at fault (-want +got):\n%s", diff)
	}
}

func TestQuotesRoundWholeLines(t *testing.T) {
	const three = "3 lines are a single value in quotes each, the first in row 1: the cells inside the quotes were read."
	tests := map[string]struct {
		content string
		header  []string
		rows    []string
		note    string
	}{
		"each line": {
			"\"id,name\"\n\"1,Ann\"\n\"2,\"\"Roy, Jr.\"\"\"\n",
			[]string{"id", "name"}, []string{"2: 1|Ann", "3: 2|Roy, Jr."}, three,
		},
		"semicolons, CR LF, two byte order marks": {
			"\uFEFF\uFEFF\"id;name\"\r\n\"1;Ann\"\r\n\"2;O\"\"Neil\"\r\n",
			[]string{"id", "name"}, []string{"2: 1|Ann", "3: 2;O\"Neil !ragged_row"}, "2 lines are a single value in quotes each, the first in row 1: the cells inside the quotes were read.",
		},
		"tabs": {
			"\"id\tname\tcity\"\n\"1\tAnn\tHull\"\n\"2\tBo\tSt. John's\"\n",
			[]string{"id", "name", "city"}, []string{"2: 1|Ann|Hull", "3: 2|Bo|St. John's"}, three,
		},
		"single quotes": {
			"'id,name,city'\n'1,Ann,Hull'\n'2,Bo,Hull'\n",
			[]string{"id", "name", "city"}, []string{"2: 1|Ann|Hull", "3: 2|Bo|Hull"}, three,
		},
		"blank cells beside them": {
			"\"id,name\",,\n\"1,Ann\",,\n\"2,Bo\",,\n",
			[]string{"id", "name"}, []string{"2: 1|Ann", "3: 2|Bo"}, three,
		},
		"all but the header": {
			"id,name,city\n\"1,Ann,Hull\"\n\"2,Bo,\"\"Hull, QC\"\"\"\n",
			[]string{"id", "name", "city"}, []string{"2: 1|Ann|Hull", "3: 2|Bo|Hull, QC"}, "2 lines are a single value in quotes each, the first in row 2: the cells inside the quotes were read.",
		},
		"those that have quotes, as Excel saves one column": {
			"id,name,city\n1,Ann,Hull\n\"2,Bo,\"\"Hull, QC\"\"\"\n3,Cy,Hull\n",
			[]string{"id", "name", "city"}, []string{"2: 1|Ann|Hull", "3: 2|Bo|Hull, QC", "4: 3|Cy|Hull"}, "1 line is a single value in quotes, row 3: the cells inside the quotes were read.",
		},
		"a row of too few cells in them": {
			"\"id,name,city\"\n\"1,Ann,Hull\"\n\"2,Bo\"\n\"3,Cy,Hull\"\n",
			[]string{"id", "name", "city"}, []string{"2: 1|Ann|Hull", "3: 2|Bo !ragged_row", "4: 3|Cy|Hull"}, "4 lines are a single value in quotes each, the first in row 1: the cells inside the quotes were read.",
		},
		"a column of names":              {"name\n\"Roy, Ann\"\n\"Lee, Bo\"\n", []string{"name"}, []string{"2: Roy, Ann", "3: Lee, Bo"}, ""},
		"a column of names, so called":   {"\"last, first\"\n\"Lee, Bo\"\n\"Roy, Ann\"\n", []string{"last, first"}, []string{"2: Lee, Bo", "3: Roy, Ann"}, ""},
		"a name in a row of one cell":    {"name,id\nAnn,1\n\"Roy,Bo\"\n", []string{"name", "id"}, []string{"2: Ann|1", "3: Roy,Bo !ragged_row"}, ""},
		"an address in a row of one":     {"name,id,city\nAnn,1,Hull\n\"4 Elm St, Apt 5, Hull\"\n", []string{"name", "id", "city"}, []string{"2: Ann|1|Hull", "3: 4 Elm St, Apt 5, Hull !ragged_row"}, ""},
		"other delimiters in the quotes": {"a;b;c\n1;2;3\n\"4,5,6\";;\n", []string{"a", "b", "c"}, []string{"2: 1|2|3", "3: 4,5,6||"}, ""},
		"a column":                       {"id\n1\n", []string{"id"}, []string{"2: 1"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", tt.content), Options{HeaderRow: 1})
			if got.err != nil {
				t.Fatal(got.err)
			}
			if diff := cmp.Diff(tt.header, got.header.Names); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.rows, got.rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if notes := strings.Join(got.notes, " "); !strings.Contains(notes, tt.note) || tt.note == "" && strings.Contains(notes, "in quotes") {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
		})
	}
}

func TestDelimitersInQuotesDoNotCount(t *testing.T) {
	for name, content := range map[string]string{
		"tabs before":              "id,name,city\n\"\t1\",\"\tAnn\",\"\tHull\"\n\"\t2\",\"\tBo\",\"\tHull\"\n",
		"tabs behind":              "\"id\t\",\"name\t\",\"city\t\"\n\"1\t\",\"Ann\t\",\"Hull\t\"\n\"2\t\",\"Bo\t\",\"Hull\t\"\n",
		"tabs around semicolons":   "id;name;city\n\"\t1\";\"Ann\";\"Hull\"\n\"\t2\";\"Bo\";\"Hull\"\n",
		"tabs around pipes":        "id|name|city\n\"1\t\"|\"Ann\t\"|\"Hull\t\"\n\"2\t\"|\"Bo\t\"|\"Hull\t\"\n",
		"pipes":                    "\"id\",\"name\",\"city\"\n\"1\",\"Ann\",\"Hull|\"\n\"2\",\"Bo\",\"Hull|\"\n",
		"semicolons in all values": "id,name,city\n\"1;\",\"Ann;\",\"Hull;\"\n\"2;\",\"Bo;\",\"Hull;\"\n",
		"commas in tabbed values":  "id\tname\tcity\n\"1,\"\t\"Ann,\"\t\"Hull,\"\n\"2,\"\t\"Bo,\"\t\"Hull,\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", content), Options{})
			rows := strings.NewReplacer("\t", "", ";", "", ",", "", "Hull|", "Hull").Replace(strings.Join(got.rows, " "))
			if want := "2: 1|Ann|Hull 3: 2|Bo|Hull"; got.err != nil || rows != want {
				t.Errorf("rows %q, error %v, want %q", rows, got.err, want)
			}
		})
	}
	got := readFile(t, writeFile(t, "people.tsv", "id\tname\n1\t\"Ann\" Roy\n2\t5\" tall\n"), Options{})
	if want := "2: 1|\"Ann\" Roy 3: 2|5\" tall"; got.err != nil || strings.Join(got.rows, " ") != want {
		t.Errorf("quotes that mean nothing: rows %q, error %v, want %q", got.rows, got.err, want)
	}
}

func TestByteOrderMarks(t *testing.T) {
	const mark = "\uFEFF"
	for name, content := range map[string]string{
		"two":                          mark + mark + "\"id\",\"name\"\n\"1\",\"Ann\"\n",
		"three and no quotes":          mark + mark + mark + "id,name\n1,Ann\n",
		"before the line sep=":         mark + mark + "sep=,\n\"id\",\"name\"\n\"1\",\"Ann\"\n",
		"at the beginning of a row":    "\"id\",\"name\"\n" + mark + "\"1\",\"Ann\"\n",
		"on a line of its own":         mark + "\n\"id\",\"name\"\n\"1\",\"Ann\"\n" + mark,
		"in UTF-16":                    encoded(t, mark+mark+mark+"\"id\",\"name\"\n\"1\",\"Ann\"\n", "utf-16le"),
		"before the rest of two files": mark + "\"id\",\"name\"\n" + mark + mark + "1,Ann\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", content), Options{})
			if want := []string{"id", "name"}; got.err != nil || !slices.Equal(got.header.Names, want) || len(got.rows) != 1 || !strings.HasSuffix(got.rows[0], ": 1|Ann") {
				t.Errorf("header %q, rows %q, error %v", got.header.Names, got.rows, got.err)
			}
		})
	}
}

func TestEndMark(t *testing.T) {
	rows := []string{"2: 1|Ann", "3: 2|Bo"}
	for name, content := range map[string]string{
		"behind the last value":       "id,name\r\n1,Ann\r\n2,Bo\x1A",
		"behind a quoted one":         "id,name\r\n\"1\",\"Ann\"\r\n\"2\",\"Bo\"\x1A",
		"on a line of its own":        "id,name\r\n1,Ann\r\n2,Bo\r\n\x1A",
		"and a line end behind it":    "id,name\r\n1,Ann\r\n2,Bo\x1A\r\n",
		"a block of them":             "id,name\r\n1,Ann\r\n2,Bo\r\n" + strings.Repeat("\x1A", 127),
		"and zero bytes up to a page": "id,name\n1,Ann\n2,Bo\n\x1A" + strings.Repeat("\x00", 200),
		"in UTF-16":                   encoded(t, "\uFEFFid,name\r\n1,Ann\r\n2,Bo\x1A", "utf-16le"),
	} {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", content), Options{})
			if got.err != nil || !slices.Equal(got.rows, rows) || len(got.notes) > 0 {
				t.Errorf("rows %q, notes %q, error %v", got.rows, got.notes, got.err)
			}
		})
	}
	got := readFile(t, writeFile(t, "people.csv", "id,name\n1,An\x1An\n2,B\x1A\n3,Cy\n"), Options{})
	if want := []string{"2: 1|An\x1An", "3: 2|B\x1A", "4: 3|Cy"}; got.err != nil || !slices.Equal(got.rows, want) {
		t.Errorf("the character elsewhere: rows %q, error %v", got.rows, got.err)
	}
}

func TestCSVNotes(t *testing.T) {
	got := readFile(t, writeFile(t, "people.csv", "id,name\n\n1,Ann\n,\n\n2,Bob\n\n\n"), Options{})
	want := []string{"3 blank rows between the others were left out."}
	if diff := cmp.Diff(want, got.notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	got = readFile(t, writeFile(t, "people.csv", "id,name\n\n"), Options{})
	want = []string{"There are no rows below the header in row 1."}
	if diff := cmp.Diff(want, got.notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}
