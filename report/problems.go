package report

import (
	"io"
	"iter"
	"strconv"

	"opscom-import/importer"
	"opscom-import/mapping"
)

var problemColumns = []string{"row", "column", "header", "field", "severity", "rule", "value", "message"}

// WriteProblems writes one line for each problem, in order, and returns their
// number. A file is written whole, or on any error stays as it was; without any
// problem a file of an earlier run is removed, and standard output gets the header
// alone.
func WriteProblems(to Destination, problems iter.Seq2[importer.RowProblem, error]) (n int, err error) {
	return to.writeCounted(func(w io.Writer) (int, error) {
		return writeCSV(w, problemColumns, problems, func(p importer.RowProblem) []string {
			return []string{
				strconv.Itoa(p.Row), mapping.ColumnLetter(p.Column), p.Header, p.Attribute.String(), p.Severity.String(), string(p.Rule), p.Value, p.Text(),
			}
		})
	})
}
