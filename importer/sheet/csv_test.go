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
	for content, want := range map[string]bool{
		"\"id,name\"\n\"1,Ann\"\n\"2,Bob\"\n": true,
		"\"last, first\"\n\"Lee\"\n":          false,
		"id\n1\n":                             false,
		"\"id,name\"\n":                       false,
	} {
		got := readFile(t, writeFile(t, "people.csv", content), Options{})
		if said := strings.Contains(strings.Join(got.notes, " "), "round whole lines"); said != want || got.err != nil {
			t.Errorf("%q: notes %q, error %v", content, got.notes, got.err)
		}
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
