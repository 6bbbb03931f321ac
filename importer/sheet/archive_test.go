package sheet

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

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
	long := "id,name\n" + strings.Repeat("7,Bob\n", 150_000)
	for name, tt := range map[string]struct {
		content, note string
		rows          int
	}{
		"people.csv.gz": {content: gzipOf(t, people), note: "gzip", rows: 2},
		"two.csv.gz":    {content: gzipOf(t, "id;name\n1;Zo\xEB\n") + gzipOf(t, "2;Bob\n"), note: "gzip", rows: 2},
		"people.zip":    {content: zipOf(t, parts{"export/people.csv": people}), note: `"export/people.csv"`, rows: 2},
		"mac.zip":       {content: zipOf(t, parts{"people.csv": people, "__MACOSX/._people.csv": "x", ".DS_Store": "y"}), note: `"people.csv"`, rows: 2},
		"long.zip":      {content: zipOf(t, parts{"people.csv": long}), note: `"people.csv"`, rows: 150_000},
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

// Workbooks are unpacked to a temporary file, which is removed.
func TestPackedWorkbooksAreRead(t *testing.T) {
	book := zipOf(t, workbookParts(sheetXML(twoRows)))
	for name, content := range map[string]string{
		"people.xlsx.gz":      gzipOf(t, book),
		"people.zip":          zipOf(t, parts{"export/people.xlsx": book}),
		"with a password.zip": zipOf(t, parts{"people.xlsx": lockedWorkbook(t, workbookParts(sheetXML(twoRows)))}),
		"page.zip":            zipOf(t, parts{"people.xls": "<html><table><tr><td>one<tr><td>1</table>"}),
		"xml spreadsheet.gz":  gzipOf(t, xmlBookOf(xmlSheetOf("People", `<Row><Cell><Data ss:Type="String">one</Data></Cell></Row><Row><Cell><Data ss:Type="Number">1</Data></Cell></Row>`))),
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, name, content)
			dir := tempFolder(t)
			for _, format := range []Format{Auto, XLSX} {
				got := readFile(t, path, Options{Format: format, Password: "s3cret"})
				if got.err != nil || len(got.rows) != 1 || strings.TrimLeft(got.rows[0], "2: n") != "1" || len(got.notes) == 0 {
					t.Errorf("rows %q, notes %q, error %v", got.rows, got.notes, got.err)
				}
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("files are left: %v, %v", left, err)
			}
		})
	}
	path := writeFile(t, "people.zip", zipOf(t, parts{"people.csv": "id\n1\n"}))
	if fe := fileError(t, readFile(t, path, Options{Format: XLSX}).err, path); !strings.Contains(fe.Message, "not an Excel workbook") {
		t.Error(fe)
	}
}

func TestPackedFilesAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks huge files: not with -short")
	}
	whole := gzipOf(t, "id,name\n"+strings.Repeat("1,Ann\n", 1000))
	book := zipOf(t, workbookParts(sheetXML("")))
	for name, tt := range map[string]struct{ content, message string }{
		"gzip's first bytes":  {content: "\x1F\x8B\x08\x00", message: "damaged"},
		"half a gzip":         {content: whole[:len(whole)/2], message: "damaged"},
		"a bad checksum":      {content: whole[:len(whole)-8] + "\x00\x00\x00\x00" + whole[len(whole)-4:], message: "damaged"},
		"empty zip archive":   {content: gzipOf(t, ""), message: "empty"},
		"gzip in gzip":        {content: gzipOf(t, gzipOf(t, "id\n1\n")), message: "another packed file"},
		"zip in zip":          {content: zipOf(t, parts{"people.zip": zipOf(t, parts{"people.csv": "id\n1\n"})}), message: "another packed file"},
		"a real .xls in zip":  {content: zipOf(t, parts{"people.xls": compoundFile("Workbook")}), message: "Excel 97-2003"},
		"half a book in gzip": {content: gzipOf(t, book[:len(book)/2]), message: "damaged"},
		"a picture in gzip":   {content: gzipOf(t, "\x89PNG\x0D\x0A\x1A\x0A\x00\x00"), message: "picture"},
		"several files":       {content: zipOf(t, parts{"users.csv": "id\n1\n", "orgs.csv": "id\n1\n"}), message: `OneRoster export that is "users.csv".`},
		"only a folder":       {content: zipOf(t, parts{"people/": ""}), message: "empty zip archive"},
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
