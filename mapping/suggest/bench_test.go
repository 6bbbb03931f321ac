package suggest

import (
	"fmt"
	"testing"

	"opscom-import/mapping"
)

// BenchmarkColumns suggests a mapping for the first 200 rows of a wide table, of
// which half the headers are known and half are not.
func BenchmarkColumns(b *testing.B) {
	const columns, rows = 60, 200
	known := []string{
		"Banner ID", "Legal Last Name", "Legal First Name", "Preferred First Name", "DOB", "Student E-mail", "Home Address - City", "Prov", "Postal Code",
		"Student Type", "Parent Email", "Numéro d'étudiant / Student Number", "Mobile Phone [mobile]", "Driver's Licence #", "Frst Nam",
	}
	header := make([]string, columns)
	for i := range header {
		header[i] = fmt.Sprintf("Custom Attribute of Something %d", i)
		if i%2 == 0 {
			header[i] = known[i/2%len(known)] + fmt.Sprint("ABC"[i/30:i/30+1])
		}
		if i < len(known) {
			header[i] = known[i]
		}
	}
	samples := make([][]mapping.Cell, rows)
	for r := range samples {
		samples[r] = make([]mapping.Cell, columns)
		for c := range samples[r] {
			samples[r][c] = mapping.Cell{Text: fmt.Sprintf("value %d of %d", r, c)}
		}
		samples[r][4].Text = fmt.Sprintf("%02d/%02d/1999", 1+r%28, 1+r%12)
		samples[r][5].Text = fmt.Sprintf("student%d@college.example", r)
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(Columns(header, samples)) < columns {
			b.Fatal("a column has no suggestion")
		}
	}
}

// BenchmarkHeader suggests for a header alone, as is done for each row
// that may be the header of a table.
func BenchmarkHeader(b *testing.B) {
	header := []string{"EMPLID", "Last Name", "First Name", "DOB", "E-mail", "Street", "City", "Province", "Postal Code", "Student Type"}
	b.ReportAllocs()
	for b.Loop() {
		Columns(header, nil)
	}
}
