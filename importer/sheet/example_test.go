package sheet_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"opscom-import/importer"
	"opscom-import/importer/sheet"
)

func ExampleOpen() {
	folder, err := os.MkdirTemp("", "sheet")
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(folder, "people.csv")
	content := "Banner ID,Legal Last Name,Note\n900123456,O'Brien,\n\n900123457,\"Nguyễn, Jr.\",\"two\nlines\"\n900123458,Bob\n"
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		log.Fatal(err)
	}

	table, err := sheet.Open(path, sheet.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", table.Header().Names)
	var row importer.Row
	for {
		err := table.Next(&row)
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("row %d: %q %d problems\n", row.Number, row.Cells[1].Text, len(row.Problems))
	}
	for _, note := range table.Notes() {
		fmt.Println(note)
	}

	if err := table.Close(); err != nil {
		log.Fatal(err)
	}
	if err := os.RemoveAll(folder); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ["Banner ID" "Legal Last Name" "Note"]
	// row 2: "O'Brien" 0 problems
	// row 4: "Nguyễn, Jr." 0 problems
	// row 5: "Bob" 1 problems
	// 1 blank row between the others was left out.
}
