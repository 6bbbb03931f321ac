package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/report"
)

// The rows that need a person are written as a workbook; fixed, saved and pushed
// it completes them, with the mapping of the file that they come from.
func TestFixWorkbookRoundTrip(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("OPSCOM_STATE", filepath.Join(folder, "state"))
	file := filepath.Join(folder, "students.csv")
	writeText(t, file, "Number,Given,Mail\r\n001,Ann,ann@example.ca\r\n002,Zo\u00eb,zoe at example.ca\r\n003,Bo,bo@example.ca\r\n")
	writeText(t, filepath.Join(folder, "students.mapping.yaml"),
		"version: 1\nfields:\n  unique_id: Number\n  login_source: {value: SSO}\n  first_name: Given\n  email: Mail\n")

	pushSandbox(t, app.ExitRows, file)
	problems := readText(t, filepath.Join(folder, "students.problems.csv"))
	if !strings.Contains(problems, "3,C,Mail,email,error,bad_email,zoe at example.ca,") {
		t.Errorf("the problems are\n%s", problems)
	}
	fix := filepath.Join(folder, "students.fix.xlsx")
	book, err := excelize.OpenFile(fix)
	if err != nil {
		t.Fatal(err)
	}
	sheet := book.GetSheetList()[0]
	if id, err := book.GetCellValue(sheet, "A2"); id != "002" || err != nil {
		t.Errorf("the row to fix has the number %q, %v; want 002 with its zeros", id, err)
	}
	if err := book.SetCellValue(sheet, "C2", "zoe@example.ca"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(book.Save(), book.Close()); err != nil {
		t.Fatal(err)
	}

	pushSandbox(t, app.ExitDone, fix)
	if results := readText(t, filepath.Join(folder, "students.fix.results.csv")); !strings.Contains(results, ",002,SSO,pushed,1003,") &&
		!strings.Contains(results, "2,002,SSO,pushed,") || strings.Count(results, "pushed") != 1 {
		t.Errorf("the results of the fixed rows are\n%s", results)
	}
	// A file that is well again leaves no report of an earlier run behind.
	writeText(t, file, "Number,Given,Mail\r\n001,Ann,ann@example.ca\r\n")
	pushSandbox(t, app.ExitDone, file)
	for _, stale := range []string{fix, filepath.Join(folder, "students.problems.csv")} {
		if _, err := os.Stat(stale); !os.IsNotExist(err) {
			t.Errorf("%s of an earlier run is still there (%v)", filepath.Base(stale), err)
		}
	}
}

// Of very many rows to fix the workbook has the first, which is said, and no row is lost:
// the other reports have all, and the file's next workbook has the next rows once the
// first are right.
func TestFixWorkbookOfVeryManyRows(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	folder := t.TempDir()
	t.Setenv("OPSCOM_STATE", filepath.Join(folder, "state"))
	file, fix := filepath.Join(folder, "students.csv"), filepath.Join(folder, "students.fix.xlsx")
	const rows = report.MaxFixRows + 5
	export := func(right int) {
		var text strings.Builder
		text.WriteString("unique_id,login_source,email\r\n")
		for n := range rows {
			at := " at "
			if n < right {
				at = "@"
			}
			fmt.Fprintf(&text, "9%05d,SSO,p%d%sexample.ca\r\n", n, n, at)
		}
		writeText(t, file, text.String())
	}
	push := func(want int, file string) string {
		t.Helper()
		out, _ := runFor(t, want, "push", "--sandbox", "--rate", "0", "--max-bad", "100%", file)
		return out
	}
	const said = "It has only the first 10,000 of the 10,005 rows to fix."

	export(0)
	if out := push(app.ExitRows, file); !strings.Contains(out, said) {
		t.Errorf("it is not said:\n%s", out)
	}
	for _, name := range []string{"problems", "results"} {
		if n := strings.Count(readText(t, filepath.Join(folder, "students."+name+".csv")), "\n"); n != rows+1 {
			t.Errorf("the %s have %d lines, want %d", name, n, rows+1)
		}
	}
	const noted = "students.fix.xlsx has only the first 10000 of the 10005 rows to fix.\n"
	if _, messages := runFor(t, app.ExitDone, "runs", "report", "1"); !strings.Contains(messages, noted) {
		t.Errorf("runs report says\n%s", messages)
	}
	if _, messages := runFor(t, app.ExitRows, "check", "--json", "--max-bad", "100%", file); !strings.Contains(messages, noted) {
		t.Errorf("check --json says\n%s", messages)
	}
	// A row of the workbook is fixed, and the workbook is pushed: it is a file of 10,000 rows.
	if first, last := fixRow(t, fix, "p0@example.ca"); first != "900000" || last != "909999" {
		t.Errorf("the workbook has the people %s to %s", first, last)
	}
	if out := push(app.ExitRows, fix); strings.Contains(out, "only the first") || !strings.Contains(out, "9,999  invalid") || !strings.Contains(out, "  1  pushed") {
		t.Errorf("the push of the workbook:\n%s", out)
	}
	// The first rows are right in the next export. Its workbook has the others.
	export(7)
	if out := push(app.ExitRows, file); strings.Contains(out, "only the first") {
		t.Errorf("all rows to fix are in the workbook:\n%s", out)
	}
	if first, last := fixRow(t, fix, "p7@example.ca"); first != "900007" || last != "910004" {
		t.Errorf("the next workbook has the people %s to %s", first, last)
	}
}

// runFor runs a command that is to end with the code, and returns what it writes to standard output and error.
func runFor(t *testing.T, want int, arguments ...string) (out, messages string) {
	t.Helper()
	out, messages, code := runCommand(t, arguments...)
	if code != want {
		t.Fatalf("%s: exit code %d, want %d\n%s%s", arguments[0], code, want, out, messages)
	}
	return out, messages
}

// fixRow fixes the first row of a fix workbook, and returns the ids of the first and the
// last one.
func fixRow(t *testing.T, path, mail string) (first, last string) {
	t.Helper()
	book, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sheet := book.GetSheetList()[0]
	rows, err := book.GetRows(sheet)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(book.SetCellStr(sheet, "C2", mail), book.Save(), book.Close()); err != nil {
		t.Fatal(err)
	}
	return rows[1][0], rows[len(rows)-1][0]
}

// The page can be mailed: it has the counts and no value of any cell.
func TestSummaryPage(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("OPSCOM_STATE", filepath.Join(folder, "state"))
	file, page := filepath.Join(folder, "students.csv"), filepath.Join(folder, "students.summary.html")
	writeText(t, file, "unique_id,login_source,email\r\ncanary-1,SSO,canary at example.ca\r\ncanary-2,SSO,canary2@example.ca\r\n"+
		"canary-3,SSO,canary3@example.ca\r\ncanary-4,SSO,canary4@example.ca\r\n")
	pushSandbox(t, app.ExitRows, file, "--summary", page)
	text := readText(t, page)
	if strings.Contains(text, "canary") {
		t.Error("the page holds a cell's value")
	}
	for _, want := range []string{"students.csv", "Not an e-mail address", "rows read"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func pushSandbox(t *testing.T, want int, file string, flags ...string) {
	t.Helper()
	var out, messages bytes.Buffer
	if code := run(context.Background(), append([]string{"push", "--sandbox", "--rate", "0", file}, flags...), streams{strings.NewReader(""), &out, &messages}); code != want {
		t.Fatalf("push %s: exit code %d, want %d\n%s%s", filepath.Base(file), code, want, out.String(), messages.String())
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
