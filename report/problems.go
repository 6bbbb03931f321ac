package report

import (
	"io"
	"iter"

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

// WriteProblems writes the problems, a line each in their order, to the file at
// path, and returns their number. The file is whole, or on any error as it was
// before. When there are no problems there is no file: one of an earlier run is
// removed, so that it cannot be taken for this one's.
func WriteProblems(path string, problems iter.Seq2[importer.RowProblem, error]) (n int, err error) {
	err = writeAtomic(path, func(w io.Writer) error {
		var err error
		if n, err = WriteProblemsTo(w, problems); err == nil && n == 0 {
			return errNothing
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// WriteProblemsTo writes to w what WriteProblems writes to a file, such as to
// standard output: the header alone when there are no problems.
func WriteProblemsTo(w io.Writer, problems iter.Seq2[importer.RowProblem, error]) (n int, err error) {
	return writeLines(w, func(yield func(problemLine, error) bool) {
		for problem, err := range problems {
			if !yield(problemLineOf(problem), err) {
				return
			}
		}
	})
}

func problemLineOf(p importer.RowProblem) problemLine {
	return problemLine{
		Row:      p.Row,
		Column:   mapping.ColumnLetter(p.Column),
		Header:   p.Header,
		Field:    p.Attribute.String(),
		Severity: p.Severity.String(),
		Rule:     string(p.Rule),
		Value:    p.Value,
		Message:  p.Text(),
	}
}
