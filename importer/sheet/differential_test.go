package sheet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/excel"
	"opscom-import/mapping"
)

// TestCorpusAgainstExcelize reads every sheet of the corpus's workbooks here and
// through excelize: the texts and numbers must be the same, cell by cell. Where
// excelize reads nothing, or reads on over damage, there is nothing to compare.
func TestCorpusAgainstExcelize(t *testing.T) {
	folder := corpusFolder(t)
	if folder == "" {
		t.Log("There is no corpus: TestAgainstExcelize compares made workbooks.")
		return
	}
	books, sheets, cells := 0, 0, 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !slices.Contains([]string{".xlsx", ".xlsm"}, filepath.Ext(path)) {
			return err
		}
		f, openErr := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
		if openErr != nil {
			return nil
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		file, size, err := openFile(path)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		book, bookErr := excel.OpenWorkbook(file, size)
		if bookErr != nil {
			return nil // refused: TestCorpus holds that against what is expected
		}
		books++
		for _, part := range book.Sheets() {
			if n, diff := compareWithExcelize(f, book, part); diff != "" {
				t.Errorf("%s, sheet %q: %s", entry.Name(), part.Name, diff)
			} else if n > 0 {
				sheets, cells = sheets+1, cells+n
			}
		}
		return book.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	if t.Logf("%d cells of %d sheets of %d workbooks are equal", cells, sheets, books); cells == 0 {
		t.Error("nothing was compared")
	}
}

// compareWithExcelize returns how many cells of a sheet are equal, and the first
// one that is not.
func compareWithExcelize(f *excelize.File, book *excel.Workbook, part excel.Sheet) (cells int, diff string) {
	if part.Part == "" {
		return 0, ""
	}
	rows, err := book.Open(part)
	if err != nil {
		return 0, ""
	}
	defer rows.Close()
	got := map[int][]mapping.Cell{}
	for {
		var row importer.Row
		if err := rows.Next(&row); err == io.EOF {
			break
		} else if err != nil {
			return 0, ""
		}
		got[row.Number] = row.Cells
	}
	theirs, err := f.Rows(part.Name)
	if err != nil {
		return 0, ""
	}
	defer theirs.Close()
	for number := 1; theirs.Next() && number < 20_000; number++ {
		values, err := theirs.Columns()
		if err != nil {
			return cells, ""
		}
		for c, value := range values {
			var cell mapping.Cell
			if c < len(got[number]) {
				cell = got[number][c]
			}
			if !sameValue(cell, value) {
				return cells, fmt.Sprintf("%s%d is %q here, and %q in excelize", mapping.ColumnLetter(c), number, cell.Text, value)
			}
			cells++
		}
	}
	return cells, ""
}

// sameValue compares a cell with the raw value that excelize gives for it.
func sameValue(c mapping.Cell, raw string) bool {
	switch c.Kind {
	case mapping.DateCell:
		return raw != "" // a serial number there, or a date
	case mapping.BoolCell:
		return c.Text == strings.ToUpper(raw) || c.Text == map[string]string{"1": "TRUE", "0": "FALSE"}[raw]
	}
	if lineEnds(c.Text) == lineEnds(raw) || strings.TrimSpace(c.Text) == strings.TrimSpace(raw) {
		return true
	}
	if c.Kind == mapping.NumberCell && isWhole(raw) && wholeDigits(c.Text) == wholeDigits(raw) {
		return true // shown with the zeros and literals of its format, a zero as a dash alone
	}
	x, errX := strconv.ParseFloat(c.Text, 64)
	y, errY := strconv.ParseFloat(raw, 64)
	return errX == nil && errY == nil && math.Abs(x-y) <= 1e-12*math.Abs(x)
}

func isWhole(raw string) bool {
	_, err := strconv.ParseInt(raw, 10, 64)
	return err == nil
}

// wholeDigits returns the digits of a text without the zeros at their beginning.
func wholeDigits(text string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	return strings.TrimLeft(digits, "0")
}
