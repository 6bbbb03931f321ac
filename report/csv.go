package report

import (
	"encoding/csv"
	"io"
	"iter"
	"regexp"
	"strings"

	"github.com/gocarina/gocsv"
)

// bom tells Excel that a CSV file is UTF-8.
const bom = "\uFEFF"

// batchLines is the number of lines that gocsv encodes at a time: one at a time it
// is four times slower.
const batchLines = 256

// writeCSV writes a header and a line for each item, and returns the number of items.
// L is a struct whose csv tags are the columns, in order.
func writeCSV[T, L any](w io.Writer, items iter.Seq2[T, error], line func(T) L) (n int, err error) {
	if _, err := io.WriteString(w, bom); err != nil {
		return 0, err
	}
	writer := safeWriter{csv.NewWriter(w)}
	writer.UseCRLF = true
	batch := make([]L, 0, batchLines)
	if err := gocsv.MarshalCSV(batch, writer); err != nil { // the header alone
		return 0, err
	}
	for item, err := range items {
		if err != nil {
			return n, err
		}
		n++
		if batch = append(batch, line(item)); len(batch) < batchLines {
			continue
		}
		if err := gocsv.MarshalCSVWithoutHeaders(batch, writer); err != nil {
			return n, err
		}
		batch = batch[:0]
	}
	return n, gocsv.MarshalCSVWithoutHeaders(batch, writer)
}

// safeWriter is a gocsv.CSVWriter of files that a spreadsheet shows as text: RFC 4180,
// a byte order mark, CRLF line ends, and no cell that would run as a formula.
type safeWriter struct {
	*csv.Writer
}

// Write writes one record. It changes the cells that need it in place.
func (w safeWriter) Write(record []string) error {
	for i, cell := range record {
		record[i] = formulaSafe(cell)
	}
	return w.Writer.Write(record)
}

var plainNumber = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

// formulaSafe puts an apostrophe before a cell that a spreadsheet could take for
// a formula: one that begins with = + - @, a tab or a carriage return and is not
// a plain number such as -12.5 or +5. +1-613 and -1e9 are not plain.
func formulaSafe(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) || plainNumber.MatchString(cell) {
		return cell
	}
	return "'" + cell
}
