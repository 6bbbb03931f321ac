package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"opscom-import/importer"
	"opscom-import/report"
)

func TestResultsWorkbook(t *testing.T) {
	finished := time.Date(2026, 8, 31, 19, 0, 5, 0, time.Local)
	results := []importer.Result{
		{Row: 4, UniqueID: "000123457", LoginSource: "SSO", Status: importer.StatusPushed, ReferenceID: "0044", Attempts: 3, FinishedAt: finished},
		{Row: 5, UniqueID: "=1+1", LoginSource: "+SSO", Status: importer.StatusRejected, ErrorCode: "9019", Field: "email", Message: "@another user\x01 has <this> e-mail & a\nbreak", Attempts: 1, FinishedAt: finished},
		{Row: 6, Status: importer.StatusNotSent},
	}
	var out bytes.Buffer
	if err := report.WriteResultsWorkbook(&out, yielding(results, nil)); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close() // only read
	rows, err := book.GetRows("Results")
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"Row", "Unique ID", "Login Source", "Status", "Reference ID", "Error Code", "Field", "Message", "Warnings", "Attempts", "Finished At"},
		{"4", "000123457", "SSO", "pushed", "0044", "", "", "", "", "3", "2026-08-31 19:00:05"},
		{"5", "=1+1", "+SSO", "rejected", "", "9019", "email", "@another user\uFFFD has <this> e-mail & a\nbreak", "", "1", "2026-08-31 19:00:05"},
		{"6", "", "", "not sent", "", "", "", "", "", "0"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, cell := range []string{"B2", "E2", "B3", "C3", "H3"} {
		kind, err := book.GetCellType("Results", cell)
		formula, formulaErr := book.GetCellFormula("Results", cell)
		if err != nil || formulaErr != nil || kind != excelize.CellTypeInlineString || formula != "" {
			t.Errorf("%s has type %v and formula %q (%v, %v), want text", cell, kind, formula, err, formulaErr)
		}
	}

	path := filepath.Join(t.TempDir(), "results.xlsx")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if kind := report.Recognize(path); kind != report.KindResults {
		t.Errorf("it is taken for a %q: it could be pushed", kind)
	}
}

// A download is not begun before it is certain that it can be completed.
func TestResultsWorkbookError(t *testing.T) {
	broken := errors.New("the journal is damaged")
	var out bytes.Buffer
	if err := report.WriteResultsWorkbook(&out, yielding([]importer.Result{{Row: 2}}, broken)); !errors.Is(err, broken) || out.Len() > 0 {
		t.Errorf("wrote %d bytes and returned %v", out.Len(), err)
	}
}

// manyResults are the results of a large file.
func manyResults(n int, each func(row int)) iter.Seq2[importer.Result, error] {
	return func(yield func(importer.Result, error) bool) {
		at := time.Date(2026, 8, 31, 19, 0, 5, 0, time.UTC)
		for row := 2; row < n+2; row++ {
			r := importer.Result{Row: row, UniqueID: fmt.Sprintf("%09d", row), LoginSource: "SSO", Status: importer.StatusPushed, ReferenceID: fmt.Sprint(row), Attempts: 1, FinishedAt: at}
			if row%10 == 0 {
				r.Status, r.ErrorCode, r.Message = importer.StatusRejected, "9019", fmt.Sprintf("another user has the address %d@college.example", row)
			}
			if each(row); !yield(r, nil) {
				return
			}
		}
	}
}

// No row stays in memory, however many there are.
func TestResultsWorkbookMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	const rows, limit = 100_000, 96 << 20
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var peak atomic.Uint64
	measure := func(row int) {
		if row%5000 == 0 {
			runtime.ReadMemStats(&now)
			peak.Store(max(peak.Load(), now.HeapAlloc))
		}
	}
	out := measuringWriter{func() { measure(0) }, new(int)}
	began := time.Now()
	if err := report.WriteResultsWorkbook(out, manyResults(rows, measure)); err != nil {
		t.Fatal(err)
	}
	used := int64(peak.Load()) - int64(before.HeapAlloc)
	t.Logf("%d rows: %d KB in %v, at most %d MB more in use", rows, *out.written>>10, time.Since(began), used>>20)
	if used > limit {
		t.Errorf("it took %d MB", used>>20)
	}
}

type measuringWriter struct {
	measure func()
	written *int
}

func (w measuringWriter) Write(p []byte) (int, error) {
	w.measure()
	*w.written += len(p)
	return len(p), nil
}

func TestTemplate(t *testing.T) {
	var out bytes.Buffer
	types := []string{"Full Time Student", "=Visitor", `Staff, "casual"`}
	if err := report.WriteTemplate(&out, report.Template{UserTypes: types}); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close() // only read
	rows, err := book.GetRows("People")
	if err != nil || len(rows) != 1 || len(rows[0]) != 24 {
		t.Fatalf("the sheet has %v, %v; want the header alone", rows, err)
	}
	if got := rows[0][:3]; !slices.Equal(got, []string{"Unique ID (required)", "Login Source (required)", "First Name"}) || !slices.Contains(rows[0], "Date of Birth (YYYY-MM-DD)") {
		t.Errorf("the header is %q", rows[0])
	}
	validations, err := book.GetDataValidations("People")
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string]string{}
	for _, v := range validations {
		if v.Type == "list" {
			lists[v.Sqref] = v.Formula1
		}
	}
	column := slices.Index(rows[0], "User Type")
	name, err := excelize.ColumnNumberToName(column + 1)
	if err != nil {
		t.Fatal(err)
	}
	list := fmt.Sprintf("'opscom-import choices'!$%s$1:$%s$3", name, name)
	if got := lists[fmt.Sprintf("%s2:%s1048576", name, name)]; got != list || len(lists) != 4 {
		t.Errorf("the drop-downs are %v, want that of the user types to be %s", lists, list)
	}
	for i, want := range types {
		if got, err := book.GetCellValue("opscom-import choices", fmt.Sprintf("%s%d", name, i+1)); err != nil || got != want {
			t.Errorf("choice %d is %q, %v; want %q", i, got, err, want)
		}
	}
	if visible, err := book.GetSheetVisible("opscom-import choices"); err != nil || visible {
		t.Errorf("the lists are visible: %v, %v", visible, err)
	}

	if err := report.WriteTemplate(io.Discard, report.Template{LoginSource: "SSO"}); err != nil {
		t.Error(err)
	}
}
