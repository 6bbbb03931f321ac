package sheet

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func gzipOf(t testing.TB, content string) string {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestPackedFilesAreRead(t *testing.T) {
	const people = "id;name\n1;Zo\xEB\n2;Bob\n"
	long := "id,name\n" + strings.Repeat("7,Bob\n", 500_000)
	for name, tt := range map[string]struct {
		content, note string
		rows          int
	}{
		"people.csv.gz": {content: gzipOf(t, people), note: "gzip", rows: 2},
		"two.csv.gz":    {content: gzipOf(t, "id;name\n1;Zo\xEB\n") + gzipOf(t, "2;Bob\n"), note: "gzip", rows: 2},
		"people.zip":    {content: zipOf(t, parts{"export/people.csv": people}), note: `"export/people.csv"`, rows: 2},
		"mac.zip":       {content: zipOf(t, parts{"people.csv": people, "__MACOSX/._people.csv": "x", ".DS_Store": "y"}), note: `"people.csv"`, rows: 2},
		"long.zip":      {content: zipOf(t, parts{"people.csv": long}), note: `"people.csv"`, rows: 500_000},
	} {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, name, tt.content), Options{})
			if got.err != nil || len(got.rows) != tt.rows {
				t.Fatalf("%d rows, error %v", len(got.rows), got.err)
			}
			if tt.rows == 2 {
				if diff := cmp.Diff([]string{"2: 1|Zoë", "3: 2|Bob"}, got.rows); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
			}
			if notes := strings.Join(got.notes, " "); !strings.Contains(notes, tt.note) {
				t.Errorf("notes %q do not say %q", notes, tt.note)
			}
		})
	}
}

func TestPackedFilesAreRefused(t *testing.T) {
	whole := gzipOf(t, "id,name\n"+strings.Repeat("1,Ann\n", 1000))
	book := zipOf(t, workbookParts(sheetXML("")))
	for name, tt := range map[string]struct{ content, message string }{
		"gzip's first bytes":  {content: "\x1F\x8B\x08\x00", message: "damaged"},
		"half a gzip":         {content: whole[:len(whole)/2], message: "damaged"},
		"a bad checksum":      {content: whole[:len(whole)-8] + "\x00\x00\x00\x00" + whole[len(whole)-4:], message: "damaged"},
		"nothing in it":       {content: gzipOf(t, ""), message: "empty"},
		"gzip in gzip":        {content: gzipOf(t, gzipOf(t, "id\n1\n")), message: "packed once more"},
		"a workbook in gzip":  {content: gzipOf(t, book), message: "workbook"},
		"a workbook in zip":   {content: zipOf(t, parts{"people.xlsx": book}), message: "workbook"},
		"a picture in gzip":   {content: gzipOf(t, "\x89PNG\x0D\x0A\x1A\x0A\x00\x00"), message: "picture"},
		"several files":       {content: zipOf(t, parts{"users.csv": "id\n1\n", "orgs.csv": "id\n1\n"}), message: `"users.csv"`},
		"only a folder":       {content: zipOf(t, parts{"people/": ""}), message: "nothing in it"},
		"a password":          {content: lockedZip(t), message: "password"},
		"more than is likely": {content: gzipOf(t, "id,name\n"+strings.Repeat("1,"+strings.Repeat("Ann", 300)+"\n", 100<<10)), message: "far more data"},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people.csv.gz", tt.content)
			fe := fileError(t, readFile(t, path, Options{}).err, path)
			if !strings.Contains(fe.Message, tt.message) || !strings.HasSuffix(fe.Message, ".") {
				t.Errorf("%s\nwant %q", fe.Message, tt.message)
			}
		})
	}
}

// lockedZip returns an archive whose only file says that it has a password.
func lockedZip(t *testing.T) string {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	part, err := w.CreateRaw(&zip.FileHeader{Name: "people.csv", Flags: 1, Method: zip.Store, CompressedSize64: 4, UncompressedSize64: 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, "abcd"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// slowReader takes a second for each piece.
type slowReader struct{ pieces int }

func (s *slowReader) Read(b []byte) (int, error) {
	if s.pieces == 0 {
		return 0, io.EOF
	}
	s.pieces--
	time.Sleep(time.Second)
	return copy(b, "1,Ann\n"), nil
}

func TestLookingThroughAFileEnds(t *testing.T) {
	for _, tt := range []struct {
		pieces int
		size   int64
		late   bool
	}{{3, 1000, false}, {60, 1000, true}, {60, 60 * slowestReading, false}} {
		synctest.Test(t, func(t *testing.T) {
			var c census
			err := c.take(newDeadlineReader(&slowReader{tt.pieces}, tt.size))
			if late := err != nil; late != tt.late {
				t.Errorf("%d seconds for %d bytes: error %v", tt.pieces, tt.size, err)
			}
		})
	}
}
