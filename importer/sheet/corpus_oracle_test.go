package sheet

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/excel"
	"opscom-import/mapping"
)

// grid returns the texts of the header and of the rows.
func (r reading) grid() [][]string {
	grid := [][]string{r.header.Names}
	for _, row := range r.rows {
		texts := make([]string, len(row.Cells))
		for i, cell := range row.Cells {
			texts[i] = cell.Text
		}
		grid = append(grid, texts)
	}
	return grid
}

// readOracle reads the right cells: a CSV file, a workbook, an array of arrays in
// JSON, or an array of objects whose first one has the header's names as its keys.
func readOracle(t *testing.T, path string) [][]string {
	t.Helper()
	if filepath.Ext(path) == ".xlsx" {
		got, err := readAll(path, Options{}, false)
		if err := errors.Join(err, got.err); err != nil {
			t.Fatal(err)
		}
		return got.grid()
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(path) == ".json" {
		grid, err := readJSON(content)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return grid
	}
	if !utf8.Valid(content) { // as Excel saves it on a computer in the west
		if content, err = charmap.Windows1252.NewDecoder().Bytes(content); err != nil {
			t.Fatal(err)
		}
	}
	r := csv.NewReader(strings.NewReader(withBlankRows(string(bytes.TrimPrefix(content, []byte("\uFEFF"))))))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	grid, err := r.ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return grid
}

// withBlankRows writes blank lines that are rows as a blank cell: encoding/csv would
// pass over them.
func withBlankRows(content string) string {
	var b strings.Builder
	quotes := 0
	for line := range strings.Lines(content) {
		if quotes%2 == 0 && strings.TrimRight(line, "\r\n") == "" {
			b.WriteString(`""`)
		}
		quotes += strings.Count(line, `"`)
		b.WriteString(line)
	}
	return b.String()
}

func readJSON(content []byte) ([][]string, error) {
	var arrays [][]string
	if json.Unmarshal(content, &arrays) == nil {
		return arrays, nil
	}
	var grid [][]string
	d := json.NewDecoder(bytes.NewReader(content))
	var header, row []string
	isKey := false
	for {
		token, err := d.Token()
		if err == io.EOF {
			return grid, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case json.Delim:
			if token == '{' {
				isKey, row = true, nil
			} else if token == '}' {
				if len(grid) == 0 {
					grid = append(grid, header)
				}
				grid = append(grid, row)
			}
		case string:
			if isKey && len(grid) == 0 {
				header = append(header, token)
			} else if !isKey {
				row = append(row, token)
			}
			isKey = !isKey
		}
	}
}

// compareGrids returns where two grids differ. Blank rows, and blank cells at the
// end of a row, do not count, nor do the names that an oracle gives to the columns
// of a file without a header.
func compareGrids(want, got [][]string) string {
	want, got = withoutBlanks(want), withoutBlanks(got)
	if len(want) > 0 && len(want[0]) > 0 && want[0][0] == "col_0" {
		want = want[1:]
	}
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) {
			return fmt.Sprintf("%d rows, want %d", len(got), len(want))
		}
		if rowKey(want[i]) == rowKey(got[i]) {
			continue
		}
		for c := range max(len(want[i]), len(got[i])) {
			if w, g := cellAt(want[i], c), cellAt(got[i], c); !sameText(w, g) && !(i == 0 && sameName(w, g)) {
				return fmt.Sprintf("row %d of those with values, column %s: %.60q, want %.60q", i+1, mapping.ColumnLetter(c), g, w)
			}
		}
	}
	return ""
}

func cellAt(row []string, i int) string {
	if i < len(row) {
		return row[i]
	}
	return ""
}

// asWindows1252 puts _ for each letter that Windows-1252 does not have, and for each
// half of one beyond the basic plane, as Excel does where it saves a CSV file.
func asWindows1252(text string) string {
	var b strings.Builder
	for _, r := range text {
		if _, ok := charmap.Windows1252.EncodeRune(r); ok {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Repeat("_", max(1, utf16.RuneLen(r))))
		}
	}
	return b.String()
}

// sameName takes a column's name for the same whether or not the title of its group
// stands before it, and however the two are joined.
func sameName(a, b string) bool {
	a, b = strings.ReplaceAll(a, " / ", " "), strings.ReplaceAll(b, " / ", " ")
	return strings.HasSuffix(a, " "+b) || strings.HasSuffix(b, " "+a)
}

// sameText takes a number written otherwise for the same, but not one with other zeros
// at its beginning: 007 is not 7. It takes spaces round a value
// for nothing: both are settled where a value is mapped.
func sameText(a, b string) bool {
	a, b = lineEnds(strings.TrimSpace(a)), lineEnds(strings.TrimSpace(b))
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	isSame := errX == nil && errY == nil && (x == y || math.Abs(x-y) <= 1e-9*math.Abs(x)) && leadingZeros(a) == leadingZeros(b)
	return isSame || isShownAs(a, b) || isShownAs(b, a)
}

// leadingZeros counts the zeros before the number's first other digit, but for the
// one before a decimal point.
func leadingZeros(number string) int {
	whole, _, _ := strings.Cut(number, ".")
	whole = strings.TrimLeft(whole, "+-")
	return max(0, min(len(whole)-1, len(whole)-len(strings.TrimLeft(whole, "0"))))
}

// isShownAs reports whether a number may be shown as this percentage or time of day, or
// a date as this date: all that is shown of it is right.
func isShownAs(value, shown string) bool {
	if percent, ok := strings.CutSuffix(shown, "%"); ok {
		x, errX := strconv.ParseFloat(value, 64)
		y, errY := strconv.ParseFloat(percent, 64)
		_, decimals, _ := strings.Cut(percent, ".")
		return errX == nil && errY == nil && math.Abs(100*x-y) <= 0.5*math.Pow10(-len(decimals))+1e-9
	}
	date, err := time.Parse("2006-01-02T15:04:05", value)
	if err != nil {
		date, err = time.Parse(time.DateOnly, value)
	}
	if day, notNumber := strconv.ParseFloat(value, 64); err != nil && notNumber == nil && 0 <= day && day < 1 && strings.Contains(shown, ":") {
		date, err = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(day*float64(24*time.Hour))), nil
	}
	if err != nil {
		return false
	}
	isDigit := func(r rune) bool { return '0' <= r && r <= '9' }
	if strings.ContainsFunc(shown, func(r rune) bool { return !isDigit(r) && !strings.ContainsRune("/-:. \"", r) }) {
		return false
	}
	parts := []int{date.Year(), date.Year() % 100, int(date.Month()), date.Day(), date.Hour(), date.Minute(), date.Second()}
	for _, number := range strings.FieldsFunc(shown, func(r rune) bool { return !isDigit(r) }) {
		if n, err := strconv.Atoi(number); err != nil || !slices.Contains(parts, n) {
			return false
		}
	}
	return true
}

func lineEnds(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
}

// rowKey stands for the texts of a row.
func rowKey(row []string) string {
	var b strings.Builder
	for _, text := range trimRow(row) {
		b.WriteString(lineEnds(strings.TrimSpace(text)))
		b.WriteByte(0)
	}
	return b.String()
}

func trimRow(row []string) []string {
	for len(row) > 0 && strings.TrimSpace(row[len(row)-1]) == "" {
		row = row[:len(row)-1]
	}
	return row
}

func withoutBlanks(grid [][]string) [][]string {
	var kept [][]string
	for _, row := range grid {
		if row = trimRow(row); len(row) > 0 {
			kept = append(kept, row)
		}
	}
	return kept
}

// comparedWithExcel wants a reason wherever a sheet differs from what Excel saved
// of it. What differs for a reason that is told is not counted.
func (s specimen) comparedWithExcel(t *testing.T, counts *tally) string {
	var cells tally
	fault := compareWithExcel(t, s.path, &cells)
	if s.reason != "" {
		cells.cells, fault = cells.equal, ""
	}
	counts.cells += cells.cells
	counts.equal += cells.equal
	return fault
}

// compareWithExcel holds each sheet of a workbook against what Excel saved of it.
func compareWithExcel(t *testing.T, path string, counts *tally) string {
	const mostSheets = 100
	var faults []string
	compared := 0
	for k := range mostSheets {
		saved := fmt.Sprintf("%s.%d.csv", path, k)
		if _, err := os.Stat(saved); err != nil {
			continue
		}
		cells, err := sheetCells(path, k)
		if err != nil {
			return err.Error()
		}
		compared++
		if fault := compareSheet(readOracle(t, saved), cells, formulaCells(t, path, k), counts); fault != "" {
			faults = append(faults, fmt.Sprintf("sheet %d: %s", k+1, fault))
		}
	}
	if compared == 0 {
		got, err := readAll(path, Options{}, false) // there is only the workbook: it must be read
		if err := errors.Join(err, got.err); err != nil {
			return err.Error()
		}
	}
	return strings.Join(faults, "; ")
}

// formulaCells says which cells of a sheet hold formulas, as excelize knows it.
func formulaCells(t *testing.T, path string, k int) func(x, y int) bool {
	t.Helper()
	var f *excelize.File
	return func(x, y int) bool {
		if f == nil {
			var err error
			if f, err = excelize.OpenFile(path); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		formula, err := f.GetCellFormula(f.GetSheetList()[k], fmt.Sprintf("%s%d", mapping.ColumnLetter(x), y+1))
		return err == nil && formula != ""
	}
}

// sheetCells returns the cells of the sheet with the index k by row, as they stand
// in the sheet.
func sheetCells(path string, k int) (cells [][]mapping.Cell, err error) {
	file, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	book, err := excel.OpenWorkbook(file, size)
	if err != nil {
		return nil, err
	}
	if k >= len(book.Sheets()) {
		return nil, fmt.Errorf("there is no sheet %d", k+1)
	}
	if book.Sheets()[k].Part == "" {
		return nil, nil // a chart
	}
	rows, err := book.Open(book.Sheets()[k])
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		var row importer.Row
		if err := rows.Next(&row); err == io.EOF {
			return cells, nil
		} else if err != nil {
			return nil, err
		}
		for len(cells) < row.Number-1 && row.Number < 100_000 {
			cells = append(cells, nil)
		}
		cells = append(cells, row.Cells)
	}
}

// compareSheet compares the cells that hold text, and those that should: what is
// missing counts. Where Excel left out the blank rows and columns before the first cell,
// the sheet is shifted as a whole. Excel works out each formula again when it opens a
// workbook: where that has given something else than what the workbook holds, there is
// nothing to compare.
func compareSheet(want [][]string, got [][]mapping.Cell, isFormula func(x, y int) bool, counts *tally) string {
	down, right := start(want, func(text string) bool { return text != "" })
	ourDown, ourRight := start(got, func(c mapping.Cell) bool { return c.Text != "" || c.Kind != mapping.TextCell })
	down, right = ourDown-down, ourRight-right
	var first string
	for y := range max(len(got), len(want)+down) {
		var row []mapping.Cell
		if y < len(got) {
			row = got[y]
		}
		var wanted []string
		if y-down >= 0 && y-down < len(want) {
			wanted = want[y-down]
		}
		for x := range max(len(row), len(wanted)+right) {
			var cell mapping.Cell
			if x < len(row) {
				cell = row[x]
			}
			text := ""
			if x-right >= 0 {
				text = cellAt(wanted, x-right)
			}
			isBlank := strings.TrimSpace(cell.Text) == "" && strings.TrimSpace(text) == ""
			if cell.Kind != mapping.TextCell || isBlank || strings.HasPrefix(text, "####") {
				continue
			}
			equal := sameText(text, cell.Text) || sameText(text, asWindows1252(cell.Text))
			if !equal && isFormula(x, y) {
				continue
			}
			if counts.cells++; equal {
				counts.equal++
			} else if first == "" {
				first = fmt.Sprintf("%s%d: %.60q, want %.60q", mapping.ColumnLetter(x), y+1, cell.Text, text)
			}
		}
	}
	return first
}

// start returns the first row and the first column that hold something.
func start[Cell any](grid [][]Cell, holds func(Cell) bool) (row, column int) {
	row, column = -1, -1
	for y, cells := range grid {
		x := slices.IndexFunc(cells, holds)
		if x >= 0 && row < 0 {
			row = y
		}
		if x >= 0 && (column < 0 || x < column) {
			column = x
		}
	}
	return row, column
}
