package report

import (
	"encoding/csv"
	"io"
	"iter"
	"strings"

	"github.com/gocarina/gocsv"
)

// bom tells Excel that a CSV file is UTF-8.
const bom = "\uFEFF"

// csvLine is one line of a CSV report: a struct whose csv tags name the columns, in
// order. It gives its own cells, because gocsv's reflection on each one takes three times
// as long as all the rest.
type csvLine interface {
	// appendCells appends the cells of all columns, as gocsv would marshal them.
	appendCells(cells []string) []string
}

// writeCSV writes the header that gocsv makes for L, and a line for each item. It returns
// the number of items.
func writeCSV[T any, L csvLine](w io.Writer, items iter.Seq2[T, error], line func(T) L) (n int, err error) {
	if _, err := io.WriteString(w, bom); err != nil {
		return 0, err
	}
	writer := safeWriter{csv.NewWriter(w)}
	writer.UseCRLF = true
	if err := gocsv.MarshalCSV([]L{}, writer); err != nil {
		return 0, err
	}
	var cells []string
	for item, err := range items {
		if err != nil {
			return n, err
		}
		n++
		cells = line(item).appendCells(cells[:0])
		if err := writer.Write(cells); err != nil {
			return n, err
		}
	}
	writer.Flush()
	return n, writer.Error()
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

// formulaSafe puts an apostrophe before a cell that a spreadsheet could take for
// a formula: one that begins with = + - @, a tab or a carriage return and is not
// a plain number such as -12.5 or +5. +1-613 and -1e9 are not plain.
func formulaSafe(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) || isPlainNumber(cell) {
		return cell
	}
	return "'" + cell
}

// isPlainNumber reports whether the text is digits with an optional sign before and an
// optional point among them.
func isPlainNumber(text string) bool {
	if text[0] == '+' || text[0] == '-' {
		text = text[1:]
	}
	whole, fraction, hasPoint := strings.Cut(text, ".")
	return areDigits(whole) && (!hasPoint || areDigits(fraction))
}

func areDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
