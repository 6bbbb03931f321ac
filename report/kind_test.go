package report_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"opscom-import/importer"
	"opscom-import/report"
)

// writers returns a function for each kind that writes a report with something in it, or
// with nothing.
func writers() map[report.Kind]func(path string, isEmpty bool) error {
	students, faulty := students(), faultyStudents()
	return map[report.Kind]func(string, bool) error{
		report.KindResults: func(path string, _ bool) error {
			_, err := report.WriteResults(report.To(path, nil), yielding([]importer.Result{{Row: 2}}, nil))
			return err
		},
		report.KindProblems: func(path string, isEmpty bool) error {
			problems := []importer.RowProblem{{Row: 2}}
			if isEmpty {
				problems = nil
			}
			_, err := report.WriteProblems(report.To(path, nil), yielding(problems, nil))
			return err
		},
		report.KindFix: func(path string, isEmpty bool) error {
			rows := faulty
			if isEmpty {
				rows = nil
			}
			_, err := report.WriteFix(report.To(path, nil), students, yielding(rows, nil))
			return err
		},
		report.KindSummary: func(path string, _ bool) error {
			return report.WriteSummary(report.To(path, nil), report.Summary{Receipt: report.Receipt{Rows: 1, Counts: importer.Counts{importer.StatusPushed: 1}}})
		},
	}
}

// Each kind replaces and removes a file of its own kind, and an empty one, as mktemp
// makes it; nothing else, also not another report.
func TestOnlyOwnReportsAreReplaced(t *testing.T) {
	others := t.TempDir()
	files := map[string]func(path string) error{
		"notes.txt":  func(path string) error { return os.WriteFile(path, []byte("mine"), 0o600) },
		"thesis.csv": func(path string) error { return os.WriteFile(path, []byte("row,unique_id,status\n1,2,3\n"), 0o600) },
		"page.html": func(path string) error {
			return os.WriteFile(path, []byte("<!DOCTYPE html><footer>Written by me</footer>"), 0o600)
		},
		"broken.xlsx": func(path string) error { return os.WriteFile(path, []byte("PK\x03\x04 and no more"), 0o600) },
		"book.xlsx":   func(path string) error { return excelize.NewFile().SaveAs(path) },
	}
	kinds := writers()
	for kind, write := range kinds {
		files[string(kind)] = func(path string) error { return write(path, false) }
	}
	for kind, write := range kinds {
		for name, create := range files {
			for _, isEmpty := range []bool{false, true} {
				path := filepath.Join(t.TempDir(), name)
				if strings.Contains(name, " ") {
					path += ".xlsx"
				}
				if err := create(path); err != nil {
					t.Fatal(err)
				}
				before, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				early, late := report.To(path, nil).CanWrite(kind), write(path, isEmpty)
				if isOwn := name == string(kind); (early == nil) != isOwn || (late == nil) != isOwn {
					t.Errorf("%s over %s: before the run %v, at its end %v", kind, name, early, late)
				} else if isOwn {
					continue
				}
				if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
					t.Errorf("%s has changed %s: %v", kind, name, err)
				}
				if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
					t.Errorf("%s over %s leaves %v, %v", kind, name, entries, err)
				}
			}
		}
		empty := filepath.Join(others, string(kind))
		if err := errors.Join(os.WriteFile(empty, nil, 0o600), report.To(empty, nil).CanWrite(kind), write(empty, false), write(empty, true)); err != nil {
			t.Errorf("%s over an empty file: %v", kind, err)
		}
	}
}

// A fix workbook that a person has saved is kept, whatever their program keeps of its
// properties.
func TestAnEditedFixWorkbookIsKept(t *testing.T) {
	saves := map[string]func(*excelize.File) error{
		"Excel": func(f *excelize.File) error {
			return f.SetAppProps(&excelize.AppProperties{Application: "Microsoft Excel"})
		},
		"Google Sheets": func(f *excelize.File) error {
			f.Pkg.Delete("docProps/app.xml")
			f.Pkg.Delete("docProps/core.xml")
			return nil
		},
		"no advice": func(f *excelize.File) error {
			return errors.Join(f.RemoveCol("Students", "G"), f.SetAppProps(&excelize.AppProperties{Application: "LibreOffice/25.2"}))
		},
	}
	for name, save := range saves {
		path := written(t, students(), faultyStudents())
		for i, want := range []string{"a.fix-edited.xlsx", "a.fix-edited-2.xlsx"} {
			book, err := excelize.OpenFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(book.SetCellStr("Students", "D2", "ada@example.org"), save(book), book.Save(), book.Close()); err != nil {
				t.Fatal(err)
			}
			mine, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := report.To(path, nil).CanWrite(report.KindFix); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			var told string
			rows := faultyStudents()[i*len(faultyStudents()):] // the second time there are none
			n, err := report.WriteFix(report.To(path, nil).OnKept(func(kept string) { told = filepath.Base(kept) }), students(), yielding(rows, nil))
			if n != len(rows) || err != nil || told != want {
				t.Fatalf("%s: %d rows, %v; kept as %q, want %q", name, n, err, told, want)
			}
			if kept, err := os.ReadFile(filepath.Join(filepath.Dir(path), want)); err != nil || string(kept) != string(mine) {
				t.Errorf("%s: what was kept differs: %v", name, err)
			}
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) != (n == 0) {
				t.Errorf("%s: with %d rows: %v", name, n, err)
			}
			if n > 0 && i == 0 {
				told = ""
				if _, err := report.WriteFix(report.To(path, nil).OnKept(func(kept string) { told = kept }), students(), yielding(rows, nil)); err != nil || told != "" {
					t.Errorf("%s: untouched: %v, kept as %q", name, err, told)
				}
			}
		}
	}
}

func TestRemove(t *testing.T) {
	path := written(t, students(), faultyStudents())
	if err := report.To(path, nil).Remove(report.KindProblems); err == nil {
		t.Error("a fix workbook was removed as problems")
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	for range 2 { // the second time there is none
		if err := report.To(path, nil).Remove(report.KindFix); err != nil {
			t.Error(err)
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) > 0 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	}
	path = written(t, students(), faultyStudents())
	book, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(book.SetAppProps(&excelize.AppProperties{Application: "Microsoft Excel"}), book.Save(), book.Close()); err != nil {
		t.Fatal(err)
	}
	var told string
	if err := report.To(path, nil).OnKept(func(kept string) { told = kept }).Remove(report.KindFix); err != nil || filepath.Base(told) != "a.fix-edited.xlsx" {
		t.Errorf("an edited workbook: %v, kept as %q", err, told)
	}
	if _, err := os.Stat(told); err != nil {
		t.Error(err)
	}
	var out bytes.Buffer
	if err := errors.Join(report.To("-", &out).Remove(report.KindFix), report.To("", nil).Remove(report.KindFix)); err != nil || out.Len() > 0 {
		t.Errorf("no file: %v, %d bytes", err, out.Len())
	}
}

func TestAnUnreadableFileIsNotReplaced(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root can read every file")
	}
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("x"), 0o000); err != nil {
		t.Fatal(err)
	}
	if err := report.To(path, nil).CanWrite(report.KindResults); err == nil || !strings.Contains(err.Error(), "cannot tell whether") {
		t.Errorf("error %v", err)
	}
}
