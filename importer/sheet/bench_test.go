package sheet

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/xuri/excelize/v2"

	"opscom-import/importer"
)

const benchRows, benchColumns = 100_000, 27

// benchCell is the text in a row and column of a registrar's file: an id, names,
// an address, a phone number, and codes.
func benchCell(row, column int) string {
	switch column % 9 {
	case 0:
		return fmt.Sprintf("900%06d", row)
	case 1:
		return "Tremblay-Gagnon"
	case 2:
		return "Zoë"
	case 3:
		return fmt.Sprintf("student%d@college.example", row)
	case 4:
		return fmt.Sprintf("%d Rue Principale", row%999+1)
	case 5:
		return "K1A 0B1"
	case 6:
		return "613-555-0142"
	case 7:
		return "ON"
	}
	return "Full Time"
}

func benchCSV(b *testing.B) string {
	path := filepath.Join(b.TempDir(), "people.csv")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := csv.NewWriter(bufio.NewWriter(file))
	record := make([]string, benchColumns)
	for row := range benchRows + 1 {
		for c := range record {
			record[c] = benchCell(row, c)
			if row == 0 {
				record[c] = fmt.Sprintf("Column %d", c+1)
			}
		}
		if row%50 == 7 {
			record[4] = "12 Rue \"Principale\", app. 4"
		}
		if err := w.Write(record); err != nil {
			b.Fatal(err)
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// benchXLSX writes the same people as inline strings, with one column of numbers
// and one of dates.
func benchXLSX(b *testing.B) string {
	path := filepath.Join(b.TempDir(), "people.xlsx")
	f := excelize.NewFile()
	date, err := f.NewStyle(&excelize.Style{NumFmt: 14})
	if err != nil {
		b.Fatal(err)
	}
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	record := make([]any, benchColumns)
	for row := range benchRows + 1 {
		for c := range record {
			record[c] = benchCell(row, c)
			if row == 0 {
				record[c] = fmt.Sprintf("Column %d", c+1)
			}
		}
		if row > 0 {
			record[9] = 900000000 + row
			record[10] = excelize.Cell{StyleID: date, Value: 37000 + row%3000}
		}
		if err := w.SetRow(fmt.Sprintf("A%d", row+1), record); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.SaveAs(path); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

func readTable(b *testing.B, path string) {
	table, err := Open(path, Options{})
	if err != nil {
		b.Fatal(err)
	}
	var row importer.Row
	rows := 0
	for ; ; rows++ {
		if err := table.Next(&row); err == io.EOF {
			break
		} else if err != nil {
			b.Fatal(err)
		}
		if len(row.Problems) > 0 || len(row.Cells) != benchColumns {
			b.Fatalf("row %d: %d cells, problems %v", row.Number, len(row.Cells), row.Problems)
		}
	}
	if rows != benchRows {
		b.Fatalf("%d rows", rows)
	}
	if err := table.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkCSV(b *testing.B) {
	path := benchCSV(b)
	b.Run("table", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			readTable(b, path)
		}
	})
	b.Run("encoding-csv", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			file, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			r := csv.NewReader(file)
			r.ReuseRecord = true
			for err == nil {
				_, err = r.Read()
			}
			if err != io.EOF {
				b.Fatal(err)
			}
			if err := file.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkXLSX(b *testing.B) {
	path := benchXLSX(b)
	b.Run("table", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			readTable(b, path)
		}
	})
	b.Run("excelize", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
			if err != nil {
				b.Fatal(err)
			}
			rows, err := f.Rows("Sheet1")
			if err != nil {
				b.Fatal(err)
			}
			for rows.Next() {
				if _, err := rows.Columns(); err != nil {
					b.Fatal(err)
				}
			}
			if err := rows.Close(); err != nil {
				b.Fatal(err)
			}
			if err := f.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
