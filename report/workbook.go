package report

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"

	"opscom-import/mapping"
)

// textFormat is Excel's number format "@": a cell with it is text, whatever is typed.
const textFormat = 49

// workbook is a new workbook of this program. Its sheets are streamed, so that no row
// stays in memory.
type workbook struct {
	file   *excelize.File
	text   int // style of cells: text, at the top
	header int // style of the header's cells
}

// newWorkbook makes a workbook with one sheet. The title says which of the program's
// workbooks it is.
func newWorkbook(sheet, title string) (_ *workbook, err error) {
	b := &workbook{file: excelize.NewFile()}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("prepare the workbook: %w", err), b.close())
		}
	}()
	if err := b.file.SetSheetName(b.file.GetSheetName(0), sheet); err != nil {
		return nil, err
	}
	if err := b.file.SetDocProps(&excelize.DocProperties{Creator: programName, LastModifiedBy: programName, Title: title}); err != nil {
		return nil, err
	}
	font, err := b.file.GetDefaultFont()
	if err != nil {
		return nil, err
	}
	if b.text, err = b.file.NewStyle(&excelize.Style{NumFmt: textFormat, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}}); err != nil {
		return nil, err
	}
	b.header, err = b.file.NewStyle(headerStyle(font))
	return b, err
}

// headerStyle is how the names of the columns look.
func headerStyle(font string) *excelize.Style {
	return &excelize.Style{
		NumFmt: textFormat, Font: &excelize.Font{Family: font, Size: 11, Bold: true},
		Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E3E9F0"}},
		Border:    []excelize.Border{{Type: "bottom", Style: 2, Color: "5B6B7B"}},
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true},
	}
}

// styled returns the texts as the cells of a row, without a cell for a blank one.
func styled(style int, texts ...string) []any {
	cells := make([]any, len(texts))
	for i, text := range texts {
		if text != "" {
			cells[i] = excelize.Cell{StyleID: style, Value: cutToCell(text)}
		}
	}
	return cells
}

// textsAreRight keeps Excel from marking every id as a number stored as text.
func (b *workbook) textsAreRight(sheet string, columns, rows int) error {
	return b.file.AddIgnoredErrors(sheet, fmt.Sprintf("A1:%s%d", mapping.ColumnLetter(columns-1), rows), excelize.IgnoredErrorsNumberStoredAsText)
}

func (b *workbook) writeTo(w io.Writer) error { return packWorkbook(b.file, w) }

// packWorkbook streams a workbook to w. excelize alone would pack it in memory.
func packWorkbook(file *excelize.File, w io.Writer) error {
	file.SetZipWriter(func(io.Writer) excelize.ZipWriter { return zip.NewWriter(w) })
	_, err := file.WriteToBuffer()
	return err
}

func (b *workbook) close() error {
	if err := b.file.Close(); err != nil {
		return fmt.Errorf("close the workbook: %w", err)
	}
	return nil
}
