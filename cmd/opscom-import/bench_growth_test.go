package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/xuri/excelize/v2"
)

// BenchmarkGrowth runs whole commands, each in a process of its own, on files of 10,000,
// 100,000 and 1,000,000 rows, and of 1,000 columns. Read µs/row and CPU-µs/row: they must
// not grow from one size to the next. Of the wide file read CPU-ns/cell.
//
//	go test -run '^$' -bench Growth -benchtime 3x -timeout 1h ./cmd/opscom-import
func BenchmarkGrowth(b *testing.B) {
	b.Setenv("OPSCOM_API_TOKEN", benchToken)
	sizes, wide := []int{10_000, 100_000, 1_000_000}, 10_000
	if testing.Short() {
		sizes, wide = []int{100, 1_000}, 100
	}
	for _, format := range []struct {
		name  string
		write func(path string, header []string, rows int, fill func(record []string, i int)) error
	}{
		{"csv", writeCSV},
		{"xlsx", writeXLSX},
	} {
		for _, rows := range sizes {
			b.Run(fmt.Sprintf("check-%s/rows=%d", format.name, rows), func(b *testing.B) {
				export := filepath.Join(b.TempDir(), "export")
				file := export + "." + format.name
				if err := errors.Join(format.write(file, exportHeader, rows, exportRow), writeExportMapping(export+".mapping.yaml")); err != nil {
					b.Fatal(err)
				}
				measureGrowth(b, rows, len(exportHeader), func(state string) []string { return []string{"check", "--state", state, "--no-progress", file} })
			})
		}
		b.Run(fmt.Sprintf("check-%s/columns=1000/rows=%d", format.name, wide), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "wide."+format.name)
			header := wideHeader(1000)
			if err := format.write(file, header, wide, wideRow); err != nil {
				b.Fatal(err)
			}
			measureGrowth(b, wide, len(header), func(state string) []string { return []string{"check", "--state", state, "--no-progress", file} })
		})
	}
	server := startBenchServer(b, "0s", "0s")
	for _, rows := range sizes {
		b.Run(fmt.Sprintf("push/rows=%d", rows), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "students.csv")
			if err := writeProfiles(file, rows); err != nil {
				b.Fatal(err)
			}
			measureGrowth(b, rows, len(profileNames()), func(state string) []string { return server.pushArguments(file, state, benchWorkers) })
		})
	}
}

// measureGrowth runs a command on a file of that size, with a state folder of its own each
// time.
func measureGrowth(b *testing.B, rows, columns int, arguments func(state string) []string) {
	b.Helper()
	var used usage
	folder := b.TempDir()
	b.ResetTimer()
	for i := range b.N {
		used.add(runProgram(b, arguments(filepath.Join(folder, strconv.Itoa(i)))...))
	}
	done := rows * b.N
	b.ReportMetric(float64(used.wall.Microseconds())/float64(done), "µs/row")
	b.ReportMetric(used.microseconds(done), "CPU-µs/row")
	b.ReportMetric(float64(used.cpu.Nanoseconds())/float64(done*columns), "CPU-ns/cell")
	b.ReportMetric(float64(used.peak)/(1<<20), "peak-MiB")
	b.ReportMetric(0, "ns/op")
}

// wideHeader names that many columns, of which the first are those of a profile.
func wideHeader(columns int) []string {
	header := profileNames()
	for len(header) < columns {
		header = append(header, "Question "+strconv.Itoa(len(header)))
	}
	return header
}

func wideRow(record []string, i int) {
	profileRow(record, i)
	for c := len(profileNames()); c < len(record); c++ {
		record[c] = strconv.Itoa((i + c) % 7)
	}
}

// writeXLSX writes a workbook of one sheet.
func writeXLSX(path string, header []string, rows int, fill func(record []string, i int)) (err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	w, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	record, cells := make([]string, len(header)), make([]any, len(header))
	for i := range rows + 1 {
		if i == 0 {
			copy(record, header)
		} else {
			fill(record, i-1)
		}
		for c, text := range record {
			cells[c] = text
		}
		if err := w.SetRow("A"+strconv.Itoa(i+1), cells); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return book.SaveAs(path)
}
