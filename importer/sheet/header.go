package sheet

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"opscom-import/importer"
)

// errNoRows says that a sheet has nothing in it.
var errNoRows = errors.New("no rows")

// findHeader reads up to the header: the row that was asked for, or else the
// first that is not blank. It is the one place that decides which row is the
// header, and leaves the source standing on the row below it.
func (t *Table) findHeader(asked int) error {
	var row importer.Row
	seen := false
	for {
		err := t.rows.next(&row)
		if err == io.EOF && !seen {
			return errNoRows
		}
		if err == io.EOF || err == nil && asked > 0 && row.Number > asked {
			return fault(asked, "This row was given as the header, but there is nothing in it. Give the number of the row with the columns' names.", nil)
		}
		if err != nil {
			return err
		}
		if isBlank(&row) {
			continue
		}
		seen = true
		if asked == 0 || row.Number == asked {
			return t.setHeader(&row)
		}
	}
}

func (t *Table) setHeader(row *importer.Row) error {
	if len(row.Problems) > 0 {
		return fault(row.Number, fmt.Sprintf("The header cannot be read. %s", row.Problems[0].Message), nil)
	}
	names := make([]string, len(row.Cells))
	width := 0
	for i, cell := range row.Cells {
		if strings.TrimSpace(cell.Text) != "" {
			names[i] = cell.Text
			width = i + 1
		}
	}
	if width == 0 {
		return fault(row.Number, "The header holds no names, only formulas without a result. Open the file in Excel, save it, and use that copy.", nil)
	}
	t.header = importer.Header{Row: row.Number, Names: names[:width]}
	t.last = row.Number
	t.widths = append(t.widths, len(row.Cells))
	return nil
}
