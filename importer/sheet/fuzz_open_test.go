package sheet

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
)

// readBytes reads what a file of these bytes holds, and holds it against what is
// promised of every table: an error that says something, or rows in order.
func readBytes(t *testing.T, content []byte, o Options) (all []importer.Row, err error) {
	t.Helper()
	table := &Table{path: "people", budget: rows.NewWorkBudget(int64(len(content)), time.Now)}
	defer func() {
		if closeErr := table.Close(); closeErr != nil {
			t.Fatal(closeErr)
		}
	}()
	err = table.openContent(bytes.NewReader(content), int64(len(content)), o, false)
	for last := 0; err == nil; {
		var row importer.Row
		if err = table.Next(&row); err != nil {
			break
		}
		if row.Number <= max(last, table.header.Row) {
			t.Fatalf("row %d follows row %d", row.Number, last)
		}
		last = row.Number
		for _, c := range row.Cells {
			if !utf8.ValidString(c.Text) {
				t.Fatalf("row %d: %q is not UTF-8", row.Number, c.Text)
			}
		}
		all = append(all, row)
	}
	if err == io.EOF {
		table.Notes()
		return all, nil
	}
	if fe := fileError(t, table.located(err), "people"); len(fe.Message) < 20 || !strings.HasSuffix(fe.Message, ".") {
		t.Fatalf("the error says next to nothing: %v", fe)
	}
	return all, err
}

// FuzzOpen reads any bytes as a file of whatever kind they are.
func FuzzOpen(f *testing.F) {
	book := zipOf(f, workbookParts(sheetXML(twoRows)))
	for _, s := range []string{
		"id,name\n1,Ann\n", "\xFF\xFEi\x00d\x00\n\x001\x00", "id;nom\n1;Zo\xEB", book, zipOf(f, parts{"people.xlsx": book}), zipOf(f, parts{"people.csv": "id\n1\n"}), gzipOf(f, "id\n1\n"),
		"<table><tr><td>id<tr><td>1</table>", xmlBookOf(xmlSheetOf("People", xmlPeople)), compoundFile("EncryptedPackage"), compoundFile("Workbook"), nestedCompound(9), "%PDF-1.7\n", `[{"id": 1}]`, "ID;P\nE\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) { readBytes(t, content, Options{Password: "s3cret"}) })
}

// FuzzPacked packs text, and reads the same rows of it packed, packed in pieces and
// plain; cut short or flipped it is an error, or makes no difference.
func FuzzPacked(f *testing.F) {
	f.Add([]byte("id,name\n1,Ann\n2,Bob\n"), 20, false)
	f.Add([]byte("id;nom\n1;Zo\xEB\n"), 7, true)
	f.Fuzz(func(t *testing.T, text []byte, at int, inZip bool) {
		if head, err := packedFormat(text[:min(len(text), 4096)], CSV); err != nil || head != CSV {
			return
		}
		want, wantErr := readBytes(t, text, Options{Format: CSV})
		packed := gzipOf(t, string(text))
		if inZip {
			packed = zipOf(t, parts{"people.csv": string(text)})
		}
		got, err := readBytes(t, []byte(packed), Options{Format: CSV})
		if rowLines(want) != rowLines(got) || (err == nil) != (wantErr == nil) {
			t.Fatalf("packed: rows %s, error %v; plain: rows %s, error %v", rowLines(got), err, rowLines(want), wantErr)
		}
		damaged := []byte(packed)
		i := max(at, -at) % len(damaged)
		damaged[max(0, i)] ^= 0x55
		if got, err := readBytes(t, damaged, Options{Format: CSV}); err == nil && wantErr == nil && rowLines(want) != rowLines(got) {
			t.Fatalf("with byte %d flipped: rows %s, want %s", i, rowLines(got), rowLines(want))
		}
		readBytes(t, []byte(packed)[:max(1, i)], Options{Format: CSV})
	})
}

func rowLines(rows []importer.Row) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(rowLine(row))
		b.WriteByte('\n')
	}
	return b.String()
}
