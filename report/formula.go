package report

import (
	"encoding/csv"
	"io"
	"strings"
)

// bom tells Excel that a CSV file is UTF-8.
const bom = "\uFEFF"

// safeWriter writes CSV records that a spreadsheet shows as text: RFC 4180, a
// byte order mark, CRLF line ends, and no cell that would run as a formula. It
// is a gocsv.CSVWriter.
type safeWriter struct {
	*csv.Writer
}

// newSafeWriter starts a CSV file on w.
func newSafeWriter(w io.Writer) (safeWriter, error) {
	if _, err := io.WriteString(w, bom); err != nil {
		return safeWriter{}, err
	}
	writer := csv.NewWriter(w)
	writer.UseCRLF = true
	return safeWriter{writer}, nil
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
// a plain number.
func formulaSafe(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) || isPlainNumber(cell) {
		return cell
	}
	return "'" + cell
}

// isPlainNumber reports whether the text is a sign, digits, and perhaps a point and
// more digits: -12.5 and +5, but not +1-613 or -1e9.
func isPlainNumber(text string) bool {
	if text != "" && (text[0] == '+' || text[0] == '-') {
		text = text[1:]
	}
	whole, fraction, hasPoint := strings.Cut(text, ".")
	return isDigits(whole) && (!hasPoint || isDigits(fraction))
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
