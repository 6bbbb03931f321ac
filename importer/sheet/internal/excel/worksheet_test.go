package excel

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opscom-import/importer"
)

// A sheet that was cut short must never read as a shorter sheet, wherever it was
// cut. excelize gives the rows above the cut, and no error.
func TestCutSheetIsNeverShort(t *testing.T) {
	whole := sheetXML(`<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>Ann &amp; Bob</t></is></c></row><row r="3"><c r="A3"><v>3</v></c></row>`)
	for size := range len(whole) {
		var row importer.Row
		w := newWorksheet(io.NopCloser(strings.NewReader(whole[:size])), cellReader{strings: &sharedStrings{starts: []uint32{0}, chunks: []string{"one"}}})
		var err error
		for err == nil {
			err = w.Next(&row)
		}
		if err == io.EOF {
			t.Fatalf("cut after %d of %d bytes: no error\n%s", size, len(whole), whole[:size])
		}
	}
}

// Tokens must not depend on where the buffer ends: the same sheet, read a few
// bytes at a time, gives the same rows.
func TestSheetReadByteByByte(t *testing.T) {
	var rows strings.Builder
	var want []string
	for i := 1; i <= 400; i++ {
		text := strings.Repeat("é&", i%13) + "<"
		fmt.Fprintf(&rows, `<row r="%d" q=">"><c r="A%d" t="inlineStr"><is><t>%s<![CDATA[]]]]><![CDATA[>]]></t></is></c><!--->--></row>`, i, i,
			strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(text))
		want = append(want, fmt.Sprintf("%d: %s]]>", i, text))
	}
	for _, size := range []int{1, 7, 1000} {
		w := newWorksheet(io.NopCloser(&chunks{strings.NewReader(sheetXML(rows.String())), size}), cellReader{})
		var got []string
		var row importer.Row
		err := w.Next(&row)
		for ; err == nil; err = w.Next(&row) {
			got = append(got, fmt.Sprintf("%d: %s", row.Number, row.Cells[0].Text))
		}
		if err != io.EOF {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d bytes at a time (-want +got):\n%s", size, diff)
		}
	}
}

// chunks reads at most size bytes at a time.
type chunks struct {
	io.Reader
	size int
}

func (c *chunks) Read(b []byte) (int, error) { return c.Reader.Read(b[:min(len(b), c.size)]) }
