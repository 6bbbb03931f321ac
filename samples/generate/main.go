// Command generate makes the sample files of this repository. Nobody in them is
// real. Run it from the top of the repository:
//
//	go run ./samples/generate
//
// It writes these files into samples, always with the same bytes:
//
//	term-start.xlsx   1,200 students, as a student information system exports them
//	term-start.csv    the same, saved as CSV UTF-8
//	with-faults.csv   300 students with the faults that people make by hand
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("samples"); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// run writes every sample into the folder.
func run(folder string) error {
	files, err := samples()
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(folder, f.name), f.content, 0o644); err != nil {
			return fmt.Errorf("write a sample: %w", err)
		}
	}
	return nil
}

// sample is one file.
type sample struct {
	name    string
	content []byte
}

// samples makes every file in memory.
func samples() ([]sample, error) {
	class := newClass() // one for both, so that the files can be pushed to one Controller
	termStart := class.students(1200)
	workbook, err := encodeWorkbook(termStart)
	if err != nil {
		return nil, err
	}
	const byteOrderMark = "\ufeff" // which "CSV UTF-8" of a spreadsheet program begins with
	termStartCSV, err := encodeCSV(byteOrderMark, termStart)
	if err != nil {
		return nil, err
	}
	withFaults, err := encodeCSV("", spoil(class.students(300)))
	if err != nil {
		return nil, err
	}
	return []sample{
		{"term-start.xlsx", workbook},
		{"term-start.csv", termStartCSV},
		{"with-faults.csv", withFaults},
	}, nil
}
