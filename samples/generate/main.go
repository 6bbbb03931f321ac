// Command generate makes the sample files of this repository. Nobody in them is
// real. Run it from the top of the repository:
//
//	go run ./samples/generate
//
// It writes these files into samples, always with the same bytes:
//
//	term-start.xlsx   1,200 students, as a student information system exports them
//	term-start.csv    the same, saved as CSV UTF-8
//	with-faults.csv   300 students with the mistakes that people make by hand
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
	class := newClass() // one for all, so that the files can be pushed to one Controller
	termStart := class.students(1200)
	workbook, err := encodeWorkbook(termStart)
	if err != nil {
		return fmt.Errorf("encode the workbook: %w", err)
	}
	const byteOrderMark = "\ufeff" // as "CSV UTF-8" of a spreadsheet program has it
	for name, content := range map[string]string{
		"term-start.xlsx": workbook,
		"term-start.csv":  byteOrderMark + encodeCSV(termStart),
		"with-faults.csv": encodeCSV(spoil(class.students(300))),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			return fmt.Errorf("write a sample: %w", err)
		}
	}
	return nil
}
