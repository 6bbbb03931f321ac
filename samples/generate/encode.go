package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"
)

// encodeCSV returns the students as CSV with the line ends of a spreadsheet
// program, after the prefix.
func encodeCSV(prefix string, students []student) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(prefix)
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{header()}
	for _, s := range students {
		rows = append(rows, s.row())
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, fmt.Errorf("encode CSV: %w", err)
	}
	return b.Bytes(), nil
}

// encodeWorkbook returns the students as an Excel workbook with one sheet. Banner
// IDs are numbers whose format shows nine digits, dates of birth are dates, as
// exports have them; the rest is text.
func encodeWorkbook(students []student) (content []byte, err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	if err := book.SetSheetName("Sheet1", "Students"); err != nil {
		return nil, fmt.Errorf("name the sheet: %w", err)
	}
	const saved = "2026-12-14T12:00:00Z" // a fixed time, so that the same bytes come out again
	if err := book.SetDocProps(&excelize.DocProperties{Creator: "opscom-import samples", Created: saved, Modified: saved}); err != nil {
		return nil, fmt.Errorf("set the workbook's properties: %w", err)
	}
	if err := writeSheet(book, students); err != nil {
		return nil, err
	}
	buffer, err := book.WriteToBuffer()
	if err != nil {
		return nil, fmt.Errorf("encode the workbook: %w", err)
	}
	return buffer.Bytes(), nil
}

func writeSheet(book *excelize.File, students []student) error {
	nineDigits, isoDate := "000000000", "yyyy-mm-dd"
	bold, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return fmt.Errorf("make a style: %w", err)
	}
	id, err := book.NewStyle(&excelize.Style{CustomNumFmt: &nineDigits})
	if err != nil {
		return fmt.Errorf("make a style: %w", err)
	}
	date, err := book.NewStyle(&excelize.Style{CustomNumFmt: &isoDate})
	if err != nil {
		return fmt.Errorf("make a style: %w", err)
	}
	sheet, err := book.NewStreamWriter("Students")
	if err != nil {
		return fmt.Errorf("begin the sheet: %w", err)
	}
	if err := sheet.SetColWidth(1, len(header()), 16); err != nil {
		return fmt.Errorf("set the columns' width: %w", err)
	}
	if err := sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return fmt.Errorf("freeze the header: %w", err)
	}
	titles := make([]any, len(header()))
	for i, title := range header() {
		titles[i] = excelize.Cell{StyleID: bold, Value: title}
	}
	if err := sheet.SetRow("A1", titles); err != nil {
		return fmt.Errorf("write the header: %w", err)
	}
	for i, s := range students {
		cells, err := s.cells(id, date)
		if err != nil {
			return err
		}
		if err := sheet.SetRow(fmt.Sprintf("A%d", i+2), cells); err != nil {
			return fmt.Errorf("write row %d: %w", i+2, err)
		}
	}
	if err := sheet.Flush(); err != nil {
		return fmt.Errorf("end the sheet: %w", err)
	}
	return nil
}

// cells returns the row for a workbook, in the styles of an id and of a date.
func (s student) cells(id, date int) ([]any, error) {
	number, err := strconv.Atoi(s.bannerID)
	if err != nil {
		return nil, fmt.Errorf("write a Banner ID: %w", err)
	}
	born, err := time.Parse(time.DateOnly, s.birth)
	if err != nil {
		return nil, fmt.Errorf("write a date of birth: %w", err)
	}
	cells := make([]any, len(header()))
	for i, text := range s.row() {
		switch header()[i] {
		case "Banner ID":
			cells[i] = excelize.Cell{StyleID: id, Value: number}
		case "DOB":
			cells[i] = excelize.Cell{StyleID: date, Value: born}
		default:
			if text != "" {
				cells[i] = text
			}
		}
	}
	return cells, nil
}
