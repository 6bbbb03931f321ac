package report

import (
	"io"
	"iter"
	"strconv"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// problemLine is one line of the problems. Its tags are the columns, in order.
type problemLine struct {
	Row      int    `csv:"row"`
	Column   string `csv:"column"`
	Header   string `csv:"header"`
	Field    string `csv:"field"`
	Severity string `csv:"severity"`
	Rule     string `csv:"rule"`
	Value    string `csv:"value"`
	Message  string `csv:"message"`
}

func (l problemLine) appendCells(cells []string) []string {
	return append(cells, strconv.Itoa(l.Row), l.Column, l.Header, l.Field, l.Severity, l.Rule, l.Value, l.Message)
}

// WriteProblems writes one line for each problem, in order, and returns their
// number. A file is written whole, or on any error stays as it was; without any
// problem a file of an earlier run is removed, and standard output gets the header
// alone.
func WriteProblems(to Destination, problems iter.Seq2[importer.RowProblem, error]) (n int, err error) {
	return to.writeCounted(KindProblems, func(w io.Writer) (int, error) {
		return writeCSV(w, problems, func(p importer.RowProblem) problemLine {
			return problemLine{
				p.Row, mapping.ColumnLetter(p.Column), p.Header, p.Attribute.String(), p.Severity.String(), string(p.Rule), p.Value, p.Text(),
			}
		})
	})
}
