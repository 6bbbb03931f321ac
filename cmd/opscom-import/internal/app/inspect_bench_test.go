package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opscom-import/importer"
)

// people writes a file of so many people in the layout of the samples, one in a hundred of
// whom has a faulty province, and the samples' mapping beside it.
func people(t testing.TB, n int) string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "people.csv")
	var b strings.Builder
	b.WriteString("Term,Banner ID,Legal Last Name,Legal First Name,Preferred First Name,DOB,E-mail,Username,Addr 1,Addr 2,City,State/Province,Postal Code,Cell Phone,Student Type,Enrol Status,Parking Permit\n")
	for i := range n {
		province := "ON"
		if i%100 == 99 {
			province = "Ontarioo"
		}
		fmt.Fprintf(&b, "202701,%09d,Thériault,Ann %s,,2004-02-%02d,p%d@example.ca,p%d,%d Old Mill Lane,,Kingston,%s,K7L 6H0,613-555-%04d,FT,RE,N\n",
			500000+i, []string{"A", "B", "C"}[i%3], i%28+1, i, i, i%3000, province, i%10000)
	}
	mapping, err := os.ReadFile("../../../../samples/with-faults.mapping.yaml")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "people.mapping.yaml"), mapping, 0o600)
	}
	if err == nil {
		err = os.WriteFile(file, []byte(b.String()), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func BenchmarkInspect(b *testing.B) {
	env, file := newEnv(b, "--sandbox"), people(b, 100_000)
	for range 1000 { // what a person may have corrected
		env.Corrections = append(env.Corrections, importer.Correction{Row: 101 + 100*len(env.Corrections), Column: 11, Old: "Ontarioo", New: "ON"})
	}
	for b.Loop() {
		i, err := Inspect(b.Context(), env, file)
		if err != nil || len(i.Void) > 0 || i.Count(TabToFix) > 0 {
			b.Fatal(i, err)
		}
		if err := i.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInspectedRows(b *testing.B) {
	i := inspected(b, newEnv(b, "--sandbox"), people(b, 100_000))
	offset := 0
	for b.Loop() {
		offset = (offset + 37_117) % 99_900
		if rows, err := i.Rows(TabAll, offset, 100); err != nil || len(rows) != 100 {
			b.Fatal(len(rows), err)
		}
	}
}
