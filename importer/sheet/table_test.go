package sheet

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"opscom-import/importer"
)

// A row costs one allocation, the string that its cells share: more would make
// the time to read a file that of its cells.
func TestOneAllocationARow(t *testing.T) {
	const rows = 2000
	var text, cells strings.Builder
	text.WriteString("id,name,city,date\n")
	cells.WriteString(`<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>1</v></c><c t="s"><v>1</v></c></row>`)
	for i := range rows {
		fmt.Fprintf(&text, "%d,\"Ann, %d\",Hull,2004-02-29\n", i, i)
		fmt.Fprintf(&cells, `<row><c><v>%d</v></c><c t="inlineStr"><is><t>Ann &amp; %d</t></is></c><c t="s"><v>1</v></c><c s="1"><v>38046</v></c></row>`, i, i)
	}
	for name, content := range map[string]string{
		"csv":  text.String(),
		"xlsx": zipOf(t, workbookParts(sheetXML(cells.String()))),
	} {
		table, err := openUnhurried(writeFile(t, "people", content), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var row importer.Row
		each := testing.AllocsPerRun(rows-10, func() {
			if err := table.Next(&row); err != nil {
				t.Fatal(err)
			}
		})
		if each > 1 {
			t.Errorf("%s: %v allocations a row", name, each)
		}
		if err := table.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadErrorIsNotTheEnd(t *testing.T) {
	path := writeFile(t, "people.csv", "id,name\n"+strings.Repeat("7,Bob\n", 100_000))
	table, err := openUnhurried(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := table.open[0].Close(); err != nil { // as when a network drive goes away
		t.Fatal(err)
	}
	var row importer.Row
	for err == nil {
		err = table.Next(&row)
	}
	if err == io.EOF {
		t.Fatal("a file that could not be read to its end ended as if it had been")
	}
	if fe := fileError(t, err, path); fe.Row != row.Number+1 {
		t.Errorf("the error names row %d, and the last row was %d", fe.Row, row.Number)
	}
}
