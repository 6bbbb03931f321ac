// Package rows is what the readers of all formats share: the interface that gives the
// rows of a sheet, the error that says why a file cannot be read, limits, merged cells,
// temporary files, and the words of notes.
//
// A reader is given bytes and returns a [Source], which fills one row after another,
// the header and blank rows included:
//
//	Row{Number: 1, Cells: ["Banner ID" "Last Name"]}
//	Row{Number: 2, Cells: ["900123456" "O'Brien"]}
//	io.EOF, or a *FileError: "The sheet cannot be read at or after this row: …"
package rows

import (
	"slices"
	"strings"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// Source returns the rows of one sheet as they are, from the first one, the header included.
// It may leave out blank ones.
type Source interface {
	Next(row *importer.Row) error // io.EOF after the last row, which proves that the sheet was read whole
	Notes() []string              // complete once Next has returned io.EOF
	Close() error
}

// IsBlank reports whether the row has no problem, and no cell with anything but space.
func IsBlank(row *importer.Row) bool {
	return len(row.Problems) == 0 && !slices.ContainsFunc(row.Cells, HasValue)
}

// HasValue reports whether the cell has anything but space.
func HasValue(c mapping.Cell) bool {
	return c.Kind == mapping.NoValueCell || strings.TrimSpace(c.Text) != ""
}

// TextAt returns the text of a cell without the space around it, "" where there is no cell.
func TextAt(row *importer.Row, column int) string {
	if column < 0 || column >= len(row.Cells) {
		return ""
	}
	return strings.TrimSpace(row.Cells[column].Text)
}

// AddProblem adds a problem of the row as a whole: what is wrong, and what to do.
func AddProblem(row *importer.Row, rule mapping.Rule, message, advice string) {
	row.Problems = append(row.Problems, mapping.Problem{Rule: rule, Column: mapping.NoColumn, Message: message, Advice: advice})
}
