package sheet

import (
	"io"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
)

// jumpingClock stands still until one look at it, when it is an hour later.
type jumpingClock struct{ looks, jump int }

func (c *jumpingClock) now() time.Time {
	c.looks++
	start := time.Date(2026, time.November, 23, 8, 0, 0, 0, time.UTC)
	if c.looks >= c.jump {
		return start.Add(time.Hour)
	}
	return start
}

// Wherever a reader works for an hour without a row, it is stopped with an error that says
// so; the rows before are all that it returns.
func TestWorkBudgetEndsEveryReader(t *testing.T) {
	if testing.Short() {
		t.Skip("reads huge files: not with -short")
	}
	begin, end, _ := strings.Cut(sheetXML(twoRows+"|"), "|")
	emptyRows := begin + strings.Repeat(`<row ht="12"><c s="1"/></row>`, 40_000) + end
	lines := "id,name\n1,Ann\n" + strings.Repeat("\n", 300_000) + "2,Bob\n"
	for name, content := range map[string]string{
		"csv":              lines,
		"csv, late accent": lines + "3,Zo\xEB\n",
		"csv in gzip":      gzipOf(t, lines),
		"csv in zip":       zipOf(t, parts{"people.csv": lines}),
		"workbook":         zipOf(t, workbookParts(emptyRows)),
		"workbook in zip":  zipOf(t, parts{"people.xlsx": zipOf(t, workbookParts(emptyRows))}),
		"with a password":  lockedWorkbook(t, workbookParts(emptyRows)),
		"web page":         "<table><tr><td>id<tr><td>1" + strings.Repeat("<tr>", 40_000) + "</table>",
		"xml spreadsheet":  xmlBookOf(xmlSheetOf("People", xmlPeople+strings.Repeat("<Row/>", 40_000))),
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people", content)
			calm := &jumpingClock{jump: 1 << 30}
			whole, err := rowsOf(path, calm)
			if err != nil {
				t.Fatal(err)
			}
			stopped := 0
			tried := 0
			for jump := 2; jump <= calm.looks; jump += 1 + calm.looks/12 {
				tried++
				rows, err := rowsOf(path, &jumpingClock{jump: jump})
				switch {
				case err == nil && rows != whole:
					t.Errorf("an hour at look %d: %d rows of %d, and not a word", jump, rows, whole)
				case err != nil && !strings.Contains(fileError(t, err, path).Message, "more than 5 seconds without giving a row"):
					t.Errorf("an hour at look %d: %v", jump, err)
				case err != nil:
					stopped++
				}
			}
			// Each read looks at the clock before and after: an hour within it, or before one
			// that follows a row, does not count.
			if stopped*5 < tried {
				t.Errorf("stopped at %d of %d looks", stopped, tried)
			}
		})
	}
}

func rowsOf(path string, clock *jumpingClock) (rows int, err error) {
	table, err := openTable(path, Options{Password: "s3cret"}, clock.now)
	if err != nil {
		return 0, err
	}
	for row := new(importer.Row); err == nil; rows++ {
		err = table.Next(row)
	}
	if closeErr := table.Close(); closeErr != nil {
		return rows, closeErr
	}
	if err == io.EOF {
		return rows, nil
	}
	return rows, err
}

// However long the caller takes between two rows, the reader is not to blame.
func TestWorkBudgetWaitsForTheCaller(t *testing.T) {
	for name, content := range map[string]string{
		"csv":      "id,name\n" + strings.Repeat("1,Ann\n", 100_000),
		"headers":  strings.Repeat("id,name\n", previewRows) + strings.Repeat("\n", 300_000) + "1,Ann\n",
		"workbook": zipOf(t, workbookParts(sheetXML(`<row><c t="s"><v>0</v></c></row>`+strings.Repeat(`<row><c><v>7</v></c></row>`, 100_000)))),
	} {
		now := time.Date(2026, time.November, 23, 8, 0, 0, 0, time.UTC)
		table, err := openTable(writeFile(t, "people", content), Options{}, func() time.Time { return now })
		for row := new(importer.Row); err == nil; {
			now = now.Add(time.Hour)
			err = table.Next(row)
		}
		if err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	}
}
