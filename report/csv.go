package report

import (
	"encoding/csv"
	"io"
	"iter"
	"regexp"
	"strings"
)

// bom tells Excel that a CSV file is UTF-8.
const bom = "\uFEFF"

// writeCSV writes a header and a record for each item, and returns the number of
// items. A spreadsheet shows the file as text: RFC 4180, a byte order mark, CRLF
// line ends, and no cell that would run as a formula.
func writeCSV[T any](w io.Writer, header []string, items iter.Seq2[T, error], record func(T) []string) (n int, err error) {
	if _, err := io.WriteString(w, bom); err != nil {
		return 0, err
	}
	writer := csv.NewWriter(w)
	writer.UseCRLF = true
	if err := writer.Write(header); err != nil {
		return 0, err
	}
	for item, err := range items {
		if err != nil {
			return n, err
		}
		cells := record(item)
		for i, cell := range cells {
			cells[i] = formulaSafe(cell)
		}
		if err := writer.Write(cells); err != nil {
			return n, err
		}
		n++
	}
	writer.Flush()
	return n, writer.Error()
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
