package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// encodeCSV returns the students as CSV with the line ends of a spreadsheet program.
func encodeCSV(students []student) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	w.Write(header()) // a strings.Builder takes everything
	for _, s := range students {
		w.Write(s.row())
	}
	w.Flush()
	return b.String()
}

// encodeWorkbook returns the students as an Excel workbook with one sheet. Banner
// IDs are numbers with a format of nine digits, dates of birth are dates, as in
// exports; the rest is text.
func encodeWorkbook(students []student) (content string, err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	const saved = "2026-12-14T12:00:00Z" // a fixed time, so that the bytes are always the same
	var b strings.Builder
	err = errors.Join(
		book.SetSheetName("Sheet1", "Students"),
		book.SetDocProps(&excelize.DocProperties{Creator: "opscom-import samples", Created: saved, Modified: saved}),
		writeSheet(book, students),
		book.Write(&b),
	)
	return b.String(), err
}

func writeSheet(book *excelize.File, students []student) error {
	nineDigits, isoDate := "000000000", "yyyy-mm-dd"
	bold, err1 := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	id, err2 := book.NewStyle(&excelize.Style{CustomNumFmt: &nineDigits})
	date, err3 := book.NewStyle(&excelize.Style{CustomNumFmt: &isoDate})
	sheet, err4 := book.NewStreamWriter("Students")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	err := errors.Join(
		sheet.SetColWidth(1, len(header()), 16),
		sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}),
	)
	titles := make([]any, len(header()))
	for i, title := range header() {
		titles[i] = excelize.Cell{StyleID: bold, Value: title}
	}
	err = errors.Join(err, sheet.SetRow("A1", titles))
	for i, s := range students {
		err = errors.Join(err, sheet.SetRow(fmt.Sprintf("A%d", i+2), s.cells(id, date)))
	}
	return errors.Join(err, sheet.Flush())
}

// cells returns the row for a workbook, in the styles of an id and of a date.
func (s student) cells(id, date int) []any {
	cells := make([]any, len(header()))
	for i, title := range header() {
		switch text := s[title]; title {
		case "Banner ID":
			number, _ := strconv.Atoi(text) // made of digits
			cells[i] = excelize.Cell{StyleID: id, Value: number}
		case "DOB":
			born, _ := time.Parse(time.DateOnly, text) // made by time.Format
			cells[i] = excelize.Cell{StyleID: date, Value: born}
		default:
			if text != "" {
				cells[i] = text
			}
		}
	}
	return cells
}
