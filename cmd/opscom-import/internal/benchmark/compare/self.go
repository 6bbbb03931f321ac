//go:build linux

package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"opscom-import/cmd/opscom-import/internal/benchmark"
)

// runSelf does what a process that this program started itself as is for.
func runSelf(what string, args []string, out io.Writer) error {
	const wrong = "%d arguments for %s"
	switch {
	case what == "make" && len(args) == 3:
		return makeFile(args[0], args[1], args[2])
	case what == "encoding-csv" && len(args) == 1:
		return report(out)(readRecords(args[0]))
	case what == "excelize" && len(args) == 1:
		return report(out)(readSheet(args[0]))
	case what == "server" && len(args) == 2:
		latency, err1 := time.ParseDuration(args[0])
		slow, err2 := time.ParseDuration(args[1])
		return errors.Join(err1, err2, benchmark.Serve(latency, slow, os.Stdin, out))
	case what == "bare-loop" && len(args) == 3:
		return bareLoop(out, args[0], args[1], args[2])
	}
	return fmt.Errorf(wrong, len(args), what)
}

// report prints how many rows were read.
func report(out io.Writer) func(rows int, err error) error {
	return func(rows int, err error) error {
		if err == nil {
			_, err = fmt.Fprintln(out, rows)
		}
		return err
	}
}

func makeFile(kind, path, count string) error {
	rows, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	switch kind {
	case "export.csv":
		return benchmark.WriteExportCSV(path, rows)
	case "inline.xlsx", "shared.xlsx":
		return benchmark.WriteExportXLSX(path, rows, kind == "shared.xlsx")
	case "profiles.csv":
		return benchmark.WriteProfiles(path, rows)
	}
	return fmt.Errorf("no file of the kind %s", kind)
}

// readRecords reads a file as encoding/csv does fastest, and returns its rows.
func readRecords(path string) (rows int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	r := csv.NewReader(file)
	r.ReuseRecord = true
	for ; ; rows++ {
		if _, err = r.Read(); err != nil {
			break
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return rows, errors.Join(err, file.Close())
}

// readSheet reads a workbook's sheet as excelize does fastest, and returns its rows.
func readSheet(path string) (n int, err error) {
	book, err := excelize.OpenFile(path, excelize.Options{RawCellValue: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	rows, err := book.Rows(book.GetSheetName(0))
	if err != nil {
		return 0, err
	}
	for ; rows.Next(); n++ {
		if _, err := rows.Columns(); err != nil {
			return n, err
		}
	}
	return n, rows.Close()
}

// bareLoop prints how long the loop took, without the time for making the bodies.
func bareLoop(out io.Writer, url, count, inFlight string) error {
	rows, err1 := strconv.Atoi(count)
	workers, err2 := strconv.Atoi(inFlight)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	bodies := benchmark.ProfileBodies(rows)
	began := time.Now()
	if err := benchmark.BareLoop(url, bodies, workers); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "requests %d microseconds %d errors 0\n", rows, time.Since(began).Microseconds())
	return err
}
