package text

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
)

// drain reads every row, holds each against what is promised of all of them, and
// returns them with the error that ended them.
func drain(t *testing.T, source rows.Source) ([]importer.Row, error) {
	var all []importer.Row
	last := 0
	for {
		var row importer.Row
		if err := source.Next(&row); err != nil {
			return all, err
		}
		if row.Number <= last || row.Number > rows.MaxRows || len(row.Cells) > rows.MaxColumns {
			t.Fatalf("row %d, of %d cells, follows row %d", row.Number, len(row.Cells), last)
		}
		last = row.Number
		for _, c := range row.Cells {
			if !utf8.ValidString(c.Text) {
				t.Fatalf("row %d: %q is not UTF-8", row.Number, c.Text)
			}
		}
		all = append(all, row)
	}
}

// FuzzCSV holds the record scanner against encoding/csv: they read the same
// cells, and what encoding/csv refuses is at fault here too.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"id,name\n1,Ann\n", "a,\"b\"\"c\",\"d\ne\"\r\n\r\n,,\n", "a,\"b\n1,2\n", "\"a\"b,c\n", "a\"b\n", "\"\"\"\"", "\"\r\n\"", "\r", "a\r\nb\rc", "\uFEFFa,b",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := newCSV(bytes.NewReader(content), ',')
		if err != nil {
			return
		}
		all, err := drain(t, c)
		plain := dialect{delimiter: ',', quote: '"', comments: c.comments, skip: c.skip}
		loneCR := bytes.Contains(bytes.ReplaceAll(content, []byte("\r\n"), nil), []byte{'\r'})
		if err != io.EOF || c.dialect != plain || c.commentLines > 0 || c.fixed > 0 || loneCR {
			return
		}
		r := csv.NewReader(bytes.NewReader(content[c.skip:]))
		r.FieldsPerRecord = -1
		want, wantErr := r.ReadAll()
		var got [][]string
		for _, row := range all {
			if len(row.Problems) > 0 {
				return // read on below a fault, where encoding/csv gives up
			}
			if len(row.Cells) == 0 {
				continue
			}
			var record []string
			for _, cell := range row.Cells {
				if wantErr != nil && isTextFormula(cell.Text) {
					return // its quotes are not a fault here
				}
				record = append(record, strings.ReplaceAll(cell.Text, "\r\n", "\n"))
			}
			got = append(got, record)
		}
		if wantErr != nil {
			t.Fatalf("no fault here, but in encoding/csv: %v", wantErr)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("encoding/csv reads (-) what is read here (+):\n%s", diff)
		}
	})
}

// FuzzDialect makes sure that whatever dialect is found, no letter of the file is
// lost: each is in a cell, or marks cells or comments.
func FuzzDialect(f *testing.F) {
	for _, s := range []string{
		"id;name\n1;'a'\n", "a|b\n\"c\"|d\n", "sep=^\na^b\n", "a, \"b\" \n", "'a','b'\r'c''d',e", "\"a\\\"b\",c\n\"d\"\n", "#x\na,b\nc,d\n#,y\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := newCSV(strings.NewReader(string(content)), 0)
		if err != nil {
			return
		}
		all, err := drain(t, c)
		if err == nil || c.commentLines > 0 || c.skip > len("\uFEFF") {
			return
		}
		if fe, ok := err.(*rows.FileError); ok && fe.Row == 0 {
			t.Fatalf("no row in %v", fe)
		}
		letters := 0
		for _, row := range all {
			for _, cell := range row.Cells {
				letters += countLetters(cell.Text)
			}
		}
		if _, ok := err.(*rows.FileError); !ok && letters != countLetters(string(content)) {
			t.Fatalf("%d letters of %d are in cells: %+v", letters, countLetters(string(content)), c.dialect)
		}
	})
}

func countLetters(text string) int {
	n := 0
	for _, r := range text {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			n++
		}
	}
	return n
}

// FuzzEncoding makes sure that any bytes are read as text, or refused.
func FuzzEncoding(f *testing.F) {
	for _, s := range []string{"id\n1\n", "Zo\xEB", "\xFF\xFEi\x00d\x00", "i\x00d\x00\n\x00", "\xE9\xC3\xA9", "\xA4\xA4\xA4\xE5", "\x82\x8D\x90"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := newUTF8Reader(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }, "")
		var got []byte
		if err == nil {
			got, err = io.ReadAll(bufio.NewReader(r))
		}
		if err != nil {
			fe := rows.Locate(err, "people.csv", "")
			if len(fe.Error()) < 20 {
				t.Fatalf("it is refused with %q", fe)
			}
			return
		}
		if r.clean && !bytes.Equal(got, content) || !r.decoded && len(got) != len(content) {
			t.Fatalf("%q became %q", content, got)
		}
		if r.decoded && !utf8.Valid(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
	})
}
