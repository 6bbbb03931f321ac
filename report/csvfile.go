package report

import (
	"fmt"
	"io"
	"iter"

	"github.com/gocarina/gocsv"
)

// batchLines is the number of lines that gocsv encodes at a time: one at a time
// it is four times slower.
const batchLines = 256

// writeLines writes a CSV file for spreadsheets to w, a header and a line each,
// and returns the number of lines. L is a struct whose csv tags are the columns,
// in order.
func writeLines[L any](w io.Writer, lines iter.Seq2[L, error]) (n int, err error) {
	writer, err := newSafeWriter(w)
	if err != nil {
		return 0, err
	}
	batch := make([]L, 0, batchLines)
	if err := gocsv.MarshalCSV(batch, writer); err != nil { // the header alone
		return 0, err
	}
	for line, err := range lines {
		if err != nil {
			return n, err
		}
		n++
		if batch = append(batch, line); len(batch) < batchLines {
			continue
		}
		if err := gocsv.MarshalCSVWithoutHeaders(batch, writer); err != nil {
			return n, fmt.Errorf("up to line %d: %w", n, err)
		}
		batch = batch[:0]
	}
	return n, gocsv.MarshalCSVWithoutHeaders(batch, writer)
}
