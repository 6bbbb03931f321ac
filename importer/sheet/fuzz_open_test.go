package sheet

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"opscom-import/importer"
)

// readBytes reads what a file of these bytes holds, and holds it against what is
// promised of every table: an error that says something, or rows in order.
func readBytes(t *testing.T, content []byte, o Options) (rows []importer.Row, err error) {
	t.Helper()
	table := &Table{path: "people", patience: newPatience(int64(len(content)), time.Now)}
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
		rows = append(rows, row)
	}
	if err == io.EOF {
		table.Notes()
		return rows, nil
	}
	if fe := fileError(t, table.located(err), "people"); len(fe.Message) < 20 || !strings.HasSuffix(fe.Message, ".") {
		t.Fatalf("the error says next to nothing: %v", fe)
	}
	return rows, err
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
		if head, err := packedFormat(text[:min(len(text), sniffed)], CSV); err != nil || head != CSV {
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

// FuzzSharedStrings reads shared strings at once and in pieces, into memory and to the
// disk: the texts must be the same.
func FuzzSharedStrings(f *testing.F) {
	for _, s := range []string{
		`<si><t>a</t></si><si/>`, `<si><r><rPr/><t xml:space="preserve"> a</t></r><r><t>b</t></r><rPh><t>c</t></rPh></si>`, `<si><t>_x0041__xD83D__xDE00_&#10;</t></si>`, `<x:si xmlns:x="y"><x:t>a</x:t></x:si>`, "<si><t>\r\n</t><extLst/></si>",
	} {
		f.Add([]byte("<sst>"+s+"</sst>"), 7)
	}
	f.Fuzz(func(t *testing.T, part []byte, size int) {
		inMemory := stringsBuilder{most: maxStringsMemory}
		want, err := inMemory.read(newXMLScanner(bytes.NewReader(part)))
		onDisk := stringsBuilder{}
		got, diskErr := onDisk.read(newXMLScanner(&chunks{bytes.NewReader(part), max(1, size%100)}))
		if (err == nil) != (diskErr == nil) {
			t.Fatalf("at once %v, in pieces %v", err, diskErr)
		}
		if err != nil {
			return
		}
		if len(got.starts) != len(want.starts) {
			t.Fatalf("%d texts at once, %d in pieces", len(want.starts), len(got.starts))
		}
		for i := range want.starts {
			a, errA := want.get(i)
			b, errB := got.get(i)
			if a != b || errA != nil || errB != nil || !utf8.ValidString(a) {
				t.Fatalf("text %d: %q, error %v, on the disk %q, error %v", i, a, errA, b, errB)
			}
		}
		if err := got.close(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzStyles reads a number in a cell with any styles: it is a date, or no digit of it
// is lost.
func FuzzStyles(f *testing.F) {
	for _, code := range []string{"000-00-0000", "yyyy\\-mm\\-dd;@", "[$-409]d-mmm-yy", "[h]:mm", `"A"000`, "0.00E+00", "[Red]0;[Blue]-0", `00\/00`, "_(* #,##0_)", "General"} {
		f.Add(code, 38046, "", 1)
	}
	f.Add("", 12, `<cellXfs><xf numFmtId="14"/></cellXfs>`, 0)
	f.Fuzz(func(t *testing.T, code string, number int, styles string, style int) {
		format := parseNumberFormat(code)
		cells := cellReader{formats: []numberFormat{{}, format}}
		value := []byte(strconv.Itoa(number))
		cell, text, err := cells.number(style, value, nil)
		if err != nil || !utf8.Valid(text) {
			t.Fatalf("%q shows %d as %q, error %v", code, number, text, err)
		}
		shown := cell.Text + string(text)
		if format.kind != dateFormat && !holdsInOrder(shown, string(value)) {
			t.Fatalf("%q shows %d as %q", code, number, shown)
		}
		p := workbookParts(sheetXML(`<row><c t="s"><v>0</v></c></row><row><c s="` + strconv.Itoa(style) + `"><v>` + string(value) + `</v></c></row>`))
		p["xl/styles.xml"] = `<styleSheet xmlns="` + spreadsheetML + `">` + styles + `</styleSheet>`
		readBytes(t, []byte(zipOf(t, p)), Options{})
	})
}

// holdsInOrder reports whether all characters of part stand in text, in their order.
func holdsInOrder(text, part string) bool {
	for _, r := range part {
		i := strings.IndexRune(text, r)
		if i < 0 {
			return false
		}
		text = text[i+utf8.RuneLen(r):]
	}
	return true
}
