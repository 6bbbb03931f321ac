package report

import (
	"io"
	"iter"
	"time"

	"opscom-import/importer"
)

// resultLine is one line of the results. Its tags are the columns, in order.
type resultLine struct {
	Row         int    `csv:"row"`
	UniqueID    string `csv:"unique_id"`
	LoginSource string `csv:"login_source"`
	Status      string `csv:"status"`
	ReferenceID string `csv:"reference_id"`
	ErrorCode   string `csv:"error_code"`
	Field       string `csv:"field"`
	Message     string `csv:"message"`
	Warnings    string `csv:"warnings"`
	Attempts    int    `csv:"attempts"`
	FinishedAt  string `csv:"finished_at"`
}

// WriteResults writes the results, a line each in their order, to the file at
// path, and returns the number of rows by status. The file is whole, or on any
// error as it was before.
func WriteResults(path string, results iter.Seq2[importer.Result, error]) (importer.Counts, error) {
	var counts importer.Counts
	err := writeAtomic(path, func(w io.Writer) error {
		var err error
		counts, err = WriteResultsTo(w, results)
		return err
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

// WriteResultsTo writes to w what WriteResults writes to a file, such as to
// standard output.
func WriteResultsTo(w io.Writer, results iter.Seq2[importer.Result, error]) (importer.Counts, error) {
	counts := make(importer.Counts)
	lines := func(yield func(resultLine, error) bool) {
		for result, err := range results {
			if err == nil {
				counts[result.Status]++
			}
			if !yield(lineOf(result), err) {
				return
			}
		}
	}
	if _, err := writeLines(w, lines); err != nil {
		return nil, err
	}
	return counts, nil
}

func lineOf(r importer.Result) resultLine {
	finished := ""
	if !r.FinishedAt.IsZero() {
		finished = r.FinishedAt.UTC().Format(time.RFC3339)
	}
	return resultLine{
		Row:         r.Row,
		UniqueID:    r.UniqueID,
		LoginSource: r.LoginSource,
		Status:      string(r.Status),
		ReferenceID: r.ReferenceID,
		ErrorCode:   r.ErrorCode,
		Field:       r.Field,
		Message:     r.Message,
		Warnings:    r.Warnings,
		Attempts:    r.Attempts,
		FinishedAt:  finished,
	}
}
