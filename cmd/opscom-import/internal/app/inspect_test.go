package app

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/xuri/excelize/v2"

	"opscom-import/importer"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
	"opscom-import/report"
)

// sample is a copy of a sample and its mapping file in a folder of its own.
func sample(t *testing.T, name string) string {
	t.Helper()
	folder := t.TempDir()
	base := strings.TrimSuffix(name, filepath.Ext(name))
	for _, file := range []string{name, base + mappingSuffix} {
		text, err := os.ReadFile(filepath.Join("../../../../samples", file))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, file), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, name)
}

func inspected(t testing.TB, env Env, file string) *Inspection {
	t.Helper()
	i, err := Inspect(t.Context(), env, file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

func rowsOf(t testing.TB, i *Inspection, tab Tab) []InspectedRow {
	t.Helper()
	rows, err := i.Rows(tab, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// An inspection says what a check of the same file says, and shows the rows that make it
// say so.
func TestInspectionIsACheck(t *testing.T) {
	env, file := newEnv(t, "--sandbox"), sample(t, "with-faults.csv")
	var checked report.Receipt
	if err := Check(t.Context(), env, []string{file}, func(r report.Receipt) error { checked = r; return nil }); err != nil {
		t.Fatal(err)
	}
	i := inspected(t, env, file)
	got := i.Receipt
	got.Seconds, checked.Seconds, checked.Reports = 0, 0, importer.Reports{}
	if diff := cmp.Diff(checked, got); diff != "" {
		t.Errorf("receipt (-check +inspection):\n%s", diff)
	}
	for tab, want := range map[Tab]int{TabAll: 304, TabToFix: 24, TabWarnings: 1, TabCorrected: 0, TabLeftOut: 9, TabDuplicates: 2} {
		rows := rowsOf(t, i, tab)
		if len(rows) != want || i.Count(tab) != want {
			t.Errorf("%s has %d rows and counts %d, want %d", tab, len(rows), i.Count(tab), want)
		}
		if !slices.IsSortedFunc(rows, func(a, b InspectedRow) int { return a.Number - b.Number }) {
			t.Errorf("%s is not in the file's order", tab)
		}
	}
	row, ok, err := i.Row(65)
	if err != nil || !ok || row.Status != importer.StatusInvalid || row.Cell(11) != "Ontari-ari-o" || row.Problems[0].Proposal != "ON" || row.Problems[0].Column != 11 {
		t.Errorf("row 65: %+v, %t, %v", row, ok, err)
	}
	if row, _, _ := i.Row(304); len(row.Problems) != 1 || row.Problems[0].Rule != mapping.RuleDuplicateKey {
		t.Errorf("row 304, which only the end of the file shows to be wrong: %+v", row)
	}
	if _, ok, _ := i.Row(1); ok {
		t.Error("the header is a row")
	}
	if diff := cmp.Diff([]string{"Term", "Parking Permit"}, i.NotSent); diff != "" {
		t.Errorf("columns that are not sent (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(strings.TrimSuffix(file, ".csv") + ".fix.xlsx"); err != nil {
		t.Error("the check wrote no workbook, so the next test proves nothing")
	}
	if err := errors.Join(i.Close(), i.Close()); err != nil {
		t.Error(err)
	}
	if _, err := i.Rows(TabAll, 0, 1); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestInspectWritesNothing(t *testing.T) {
	env, file := newEnv(t, "--sandbox"), sample(t, "with-faults.csv")
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	inspected(t, env, file)
	if files, err := os.ReadDir(filepath.Dir(file)); err != nil || len(files) != 2 {
		t.Errorf("files beside it: %v, %v", files, err)
	}
}

// Each answer takes away what it is about, in the inspection and in a push, and the file
// stays as it is.
func TestCorrectionsUntilNothingIsLeft(t *testing.T) {
	env, file := newEnv(t, "--rate", "0", "--sandbox"), sample(t, "with-faults.csv")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[mapping.Rule]string{
		mapping.RuleRequired: "new%d", mapping.RuleBadEmail: "new%d@example.ca", mapping.RuleDuplicateEmail: "new%d@example.ca", mapping.RuleDuplicateUser: "new%d",
		mapping.RuleBadDate: "2004-02-28", mapping.RuleUnlikelyDate: "2004-02-28", mapping.RuleUnknownValue: "FT", mapping.RuleTooLong: "Ottawa", mapping.RuleBadRegion: "QC",
	}
	steps := 0
	for {
		i := inspected(t, env, file)
		rows := rowsOf(t, i, TabToFix)
		if len(rows) == 0 {
			break
		}
		if steps++; steps > 40 {
			t.Fatalf("still to fix: %+v", rows)
		}
		row := rows[0]
		at := slices.IndexFunc(row.Problems, func(p importer.RowProblem) bool { return p.Severity == mapping.SeverityError })
		p := row.Problems[at]
		c := importer.Correction{Row: row.Number, Column: p.Column, Old: row.Cell(p.Column), New: p.Proposal}
		if c.New == "" {
			c.New = strings.ReplaceAll(texts[p.Rule], "%d", fmt.Sprint(row.Number))
		}
		switch {
		case p.Rule == mapping.RuleDuplicateKey:
			c = importer.Correction{Row: row.Number, Column: importer.LeaveOut, Old: row.AsRead}
		case p.Rule == mapping.RuleRequired && i.Header.Names[p.Column] == "E-mail":
			c.New = "given@example.ca"
		}
		env.Corrections = append(env.Corrections, c)
	}
	i := inspected(t, env, file)
	if len(i.Void) > 0 || i.Count(TabCorrected) != len(env.Corrections) || i.Receipt.Exit != 0 || i.Changes.New != 291 {
		t.Errorf("void %v, %d corrected of %d, receipt %+v, changes %+v", i.Void, i.Count(TabCorrected), len(env.Corrections), i.Receipt, i.Changes)
	}
	env.Settings.Results = new(string)
	*env.Settings.Results = file + ".results"
	if err := Push(t.Context(), t.Context(), env, []string{file}, func(r report.Receipt) error {
		if r.Counts[importer.StatusPushed] != 289 || r.Counts[importer.StatusRejected] != 2 { // the sandbox knows two of the addresses
			t.Errorf("pushed %v, inspected %v", r.Counts, i.Receipt.Counts)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	results, err := os.ReadFile(file + ".results")
	if err != nil || strings.Count(string(results), "was corrected on the page") != i.Count(TabCorrected)-leftOut(env.Corrections) {
		t.Errorf("results, %v:\n%s", err, results)
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed, %v", err)
	}
	again := inspected(t, env, file)
	if diff := cmp.Diff(report.Changes{New: 2, Unchanged: 289}, again.Changes); diff != "" || again.Receipt.Counts[importer.StatusValid] != 291 {
		t.Errorf("changes after the push (-want +got):\n%s\n%v", diff, again.Receipt.Counts)
	}
	env.Settings.OnlyChanges = true
	if only := inspected(t, env, file).Receipt.Counts; only[importer.StatusUnchanged] != 289 || only[importer.StatusValid] != 2 {
		t.Errorf("with only changes: %v", only)
	}
}

func leftOut(corrections []importer.Correction) (n int) {
	for _, c := range corrections {
		if c.Column == importer.LeaveOut {
			n++
		}
	}
	return n
}

// A plan with other corrections is another plan, so that a run is not resumed with them.
func TestCorrectionsArePartOfThePlan(t *testing.T) {
	env := newEnv(t)
	hash := func(corrections ...importer.Correction) string {
		text, err := planHash(env.Settings, []byte("mapping"), corrections)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	one, two := importer.Correction{Row: 2, Column: 1, Old: "a", New: "b"}, importer.Correction{Row: 2, Column: 1, Old: "a", New: "c"}
	if hash() == hash(one) || hash(one) == hash(two) || hash(one, two) == hash(two, one) {
		t.Error("the hash does not tell corrections apart")
	}
}

// A file that was exported again keeps the corrections that still fit it, and says which
// do not.
func TestCorrectionsOfAChangedFile(t *testing.T) {
	env, file := newEnv(t, "--sandbox"), sample(t, "with-faults.csv")
	env.Corrections = []importer.Correction{{Row: 65, Column: 11, Old: "Ontari-ari-o", New: "ON"}, {Row: 221, Column: 11, Old: "XX", New: "QC"}}
	i := inspected(t, env, file)
	if diff := cmp.Diff(env.Corrections[1:], i.Void); diff != "" {
		t.Errorf("void (-want +got):\n%s", diff)
	}
	if want := "1 correction made on the page does not apply any more: the file has another value there now."; !slices.Contains(i.Notes, want) {
		t.Errorf("notes %q", i.Notes)
	}
}

// The first pass, for the suggestion and the date format, sees the corrected cells too.
func TestTheFirstPassIsCorrected(t *testing.T) {
	env := newEnv(t, "--sandbox")
	file := writeBirths(t, []string{"01/02/2004", "13/02/2004", "14/02/2004"})
	i, err := Inspect(t.Context(), env, file)
	if err != nil || i.Count(TabToFix) != 0 {
		t.Fatalf("as it is: %v", err)
	}
	column := i.Columns[mapping.DateOfBirth][0]
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	for row, day := range map[int]string{3: "13/02/2004", 4: "14/02/2004"} {
		env.Corrections = append(env.Corrections, importer.Correction{Row: row, Column: column, Old: day, New: "01/02/2004"})
	}
	i, err = Inspect(t.Context(), env, file)
	if err == nil {
		t.Errorf("no order of day and month is left that the file proves, and it was checked: %v", i.Close())
	}
}

func TestAlike(t *testing.T) {
	env := newEnv(t, "--sandbox")
	file := filepath.Join(t.TempDir(), "a.csv")
	text := "unique_id,login_source,first_name,last_name,email,province\n"
	for n := range 40 {
		text += fmt.Sprintf("9000%02d,SSO,Ann,Lee%s,p%d@example.ca,%s\n", n, "abcdefghij"[n%10:n%10+1], n, []string{"Ontarioo", "ON", "Quebecc", "ZZ"}[n%4])
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	i := inspected(t, env, file)
	row, _, err := i.Row(2)
	if err != nil || len(row.Problems) != 1 || i.Alike(row.Problems[0]) != 10 {
		t.Fatalf("row %+v, %v; want 10 alike", row, err)
	}
	p := row.Problems[0]
	alike, err := i.ReplaceAlike(p, "ON")
	if err != nil || len(alike) != 10 || alike[1].Row != 6 || alike[1].Column != 5 || alike[1].Old != "Ontarioo" || alike[1].New != "ON" || alike[1].Line == "" {
		t.Errorf("alike: %v, %v", alike, err)
	}
	place := ProblemPlace{p.Rule, p.Column}
	proposed, err := i.TakeProposals(place)
	if err != nil || len(proposed) != 20 || i.Proposals[place] != 20 {
		t.Errorf("%d proposed, %d counted, %v", len(proposed), i.Proposals[place], err)
	}
	env.Corrections = proposed
	if left := inspected(t, env, file).Count(TabToFix); left != 10 {
		t.Errorf("%d rows are left, want 10", left)
	}
}

// edited writes the inspection's workbook, lets somebody edit it, and saves it.
func edited(t *testing.T, i *Inspection, edit func(book *excelize.File, sheet string)) string {
	t.Helper()
	var b bytes.Buffer
	if err := i.WriteFix(&b); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	edit(book, book.GetSheetName(0))
	path := filepath.Join(t.TempDir(), "back.xlsx")
	if err := errors.Join(book.SaveAs(path), book.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

var withoutLines = cmpopts.IgnoreFields(importer.Correction{}, "Line")

// manyToFix writes a file whose rows all need fixing, from row 2 on.
func manyToFix(t *testing.T, rows int) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("unique_id,login_source,email\n")
	for n := range rows {
		fmt.Fprintf(&text, "9%05d,SSO,p%d at example.ca\n", n, n)
	}
	file := filepath.Join(t.TempDir(), "many.csv")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Of very many rows to fix the workbook has the first. What comes back in it changes no
// other row, and the next workbook has the next rows.
func TestFixOfVeryManyRowsComesBack(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const more = 7
	env, file := newEnv(t, "--sandbox"), manyToFix(t, report.MaxFixRows+more)
	fix := func(domain string, rows ...int) func(*excelize.File, string) {
		return func(book *excelize.File, sheet string) {
			for _, row := range rows {
				if err := book.SetCellStr(sheet, fmt.Sprintf("C%d", row), fmt.Sprintf("p%d@%s", row, domain)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	i := inspected(t, env, file)
	if i.Count(TabToFix) != report.MaxFixRows+more || i.FixRows() != report.MaxFixRows {
		t.Fatalf("%d to fix, %d in the workbook", i.Count(TabToFix), i.FixRows())
	}
	path := edited(t, i, fix("example.ca", 2, 3, 9))
	if numbers := rowsIn(t, path); len(numbers) != report.MaxFixRows || numbers[0] != 2 || numbers[len(numbers)-1] != report.MaxFixRows+1 {
		t.Errorf("the workbook has %d rows, from %d to %d", len(numbers), numbers[0], numbers[len(numbers)-1])
	}
	corrections, err := i.ReadFix(path)
	if err != nil || len(corrections) != 3 {
		t.Fatalf("%d corrections, %v; want 3", len(corrections), err)
	}

	env.Corrections = corrections
	i = inspected(t, env, file)
	if n := i.Count(TabToFix); n != report.MaxFixRows+more-3 || len(i.Void) > 0 {
		t.Errorf("%d rows are to fix, and %d corrections void", n, len(i.Void))
	}
	first := make([]int, report.MaxFixRows)
	for n := range first {
		first[n] = n + 2
	}
	path = edited(t, i, fix("example.org", first...))
	numbers := rowsIn(t, path)
	if want := []int{4, 5, 6, 7, 8, 10}; len(numbers) != report.MaxFixRows || !slices.Equal(numbers[:len(want)], want) || numbers[len(numbers)-1] != report.MaxFixRows+4 {
		t.Errorf("the next workbook has %d rows, from %v to %d", len(numbers), numbers[:6], numbers[len(numbers)-1])
	}
	if corrections, err = i.ReadFix(path); err != nil || len(corrections) != report.MaxFixRows {
		t.Fatalf("%d corrections, %v", len(corrections), err)
	}

	env.Corrections = append(env.Corrections, corrections...)
	i = inspected(t, env, file)
	path = edited(t, i, func(book *excelize.File, _ string) {
		if sheets := book.GetSheetList(); len(sheets) != 1 {
			t.Errorf("the last workbook has the sheets %q: it has all rows", sheets)
		}
	})
	if numbers := rowsIn(t, path); i.Count(TabToFix) != more-3 || len(numbers) != more-3 || numbers[0] != report.MaxFixRows+5 {
		t.Errorf("%d rows are to fix, and the last workbook has %v", i.Count(TabToFix), numbers)
	}
}

// rowsIn returns the numbers of the file's rows that are in the workbook.
func rowsIn(t *testing.T, path string) (numbers []int) {
	t.Helper()
	table, err := sheet.Open(path, sheet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	}()
	advice := slices.Index(table.Header().Names, report.AdviceHeader)
	if err := eachRow(table, func(row *importer.Row) bool {
		number, ok := report.AdvisedRow(row.Cells[advice].Text)
		if !ok {
			t.Errorf("row %d is about no row of the file", row.Number)
		}
		numbers = append(numbers, number)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return numbers
}

func TestFixComesBack(t *testing.T) {
	env, file := newEnv(t, "--sandbox"), sample(t, "with-faults.csv")
	env.Corrections = []importer.Correction{{Row: 26, Column: 6, Old: "tcote03 at example.ca", New: "tcote at example"}, {Row: 65, Column: 11, Old: "Ontari-ari-o", New: "ON"}}
	i := inspected(t, env, file)
	set := func(book *excelize.File, sheet, cell string, value any) {
		t.Helper()
		if err := book.SetCellValue(sheet, cell, value); err != nil {
			t.Fatal(err)
		}
	}
	path := edited(t, i, func(*excelize.File, string) {})
	if corrections, err := i.ReadFix(path); err != nil || len(corrections) != 0 {
		t.Errorf("not edited: %v, %v", corrections, err)
	}
	path = edited(t, i, func(book *excelize.File, sheet string) {
		if got, err := book.GetCellValue(sheet, "G4"); err != nil || got != "tcote at example" {
			t.Errorf("the workbook has %q, %v; want what was corrected", got, err)
		}
		set(book, sheet, "B3", "000599999") // row 19: a blank id
		set(book, sheet, "G4", "tcote03@example.ca")
		set(book, sheet, "I4", "1 New Street")
	})
	want := []importer.Correction{
		{Row: 19, Column: 1, Old: "", New: "000599999"},
		{Row: 26, Column: 6, Old: "tcote at example", New: "tcote03@example.ca"},
		{Row: 26, Column: 8, Old: "1110 Old Mill Lane", New: "1 New Street"},
	}
	got, err := i.ReadFix(path)
	if diff := cmp.Diff(want, got, withoutLines); diff != "" || err != nil {
		t.Errorf("corrections, %v (-want +got):\n%s", err, diff)
	}
	env.Corrections = append(env.Corrections, got...)
	after := inspected(t, env, file)
	if after.Count(TabToFix) != i.Count(TabToFix)-2 || len(after.Void) > 0 {
		t.Errorf("%d left of %d, void %v", after.Count(TabToFix), i.Count(TabToFix), after.Void)
	}
	// The workbook as it was downloaded undoes nothing of what was corrected since.
	if back, err := after.ReadFix(edited(t, i, func(*excelize.File, string) {})); err != nil || len(back) > 0 {
		t.Errorf("an older workbook: %v, %v", back, err)
	}
}

func TestFixOfAnotherFile(t *testing.T) {
	env := newEnv(t, "--sandbox")
	i := inspected(t, env, sample(t, "with-faults.csv"))
	for name, tc := range map[string]struct {
		edit func(book *excelize.File, sheet string)
		want string
	}{
		"no advice":     {func(b *excelize.File, s string) { _ = b.SetCellValue(s, "R1", "Notes") }, `it has no column "What to do`},
		"a column":      {func(b *excelize.File, s string) { _ = b.SetCellValue(s, "D1", "Given Name") }, `column D is called "Given Name", and that of`},
		"no row number": {func(b *excelize.File, s string) { _ = b.SetCellValue(s, "R3", "done") }, "its row 3 does not say which row"},
		"too far":       {func(b *excelize.File, s string) { _ = b.SetCellValue(s, "R3", "Row 9000: x") }, "a row 9000, which"},
		"twice":         {func(b *excelize.File, s string) { _ = b.SetCellValue(s, "R3", "Row 14: x") }, "it has the row 14 twice"},
		"others": {func(b *excelize.File, s string) {
			for row := 2; row < 26; row++ {
				for column := 2; column < 13; column++ {
					cell, _ := excelize.CoordinatesToCellName(column, row)
					_ = b.SetCellValue(s, cell, "other")
				}
			}
		}, "about other people"},
	} {
		t.Run(name, func(t *testing.T) {
			corrections, err := i.ReadFix(edited(t, i, tc.edit))
			if !errors.As(err, new(*WrongWorkbookError)) || !strings.Contains(err.Error(), tc.want) || len(corrections) > 0 {
				t.Errorf("%v, %v; want an error with %q", corrections, err, tc.want)
			}
		})
	}
	csv := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(csv, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := i.ReadFix(csv); !errors.As(err, new(*WrongWorkbookError)) {
		t.Errorf("another CSV file: %v", err)
	}
}

// The values of a row that may have moved stand right of the advice, until somebody puts
// each into its column. Then the row is as it stands.
func TestFixOfAMovedRow(t *testing.T) {
	env := newEnv(t, "--sandbox")
	file := filepath.Join(t.TempDir(), "a.csv")
	text := "unique_id,login_source,first_name,last_name,city\n1,SSO,Ann,Lee,Hull\n2,SSO,Bo,Ng\n3,SSO,Cy,Roy,Perth\n4,SSO,Di,St. John's, Hull,Perth\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	i := inspected(t, env, file)
	if n := i.Count(TabToFix); n != 2 {
		t.Fatalf("%d rows to fix, want 2", n)
	}
	move := func(values ...string) func(book *excelize.File, sheet string) {
		return func(book *excelize.File, sheet string) {
			for at, value := range values {
				cell, _ := excelize.CoordinatesToCellName(at+1, 2)
				_ = book.SetCellValue(sheet, cell, value)
			}
		}
	}
	if got, err := i.ReadFix(edited(t, i, move())); err != nil || len(got) > 0 {
		t.Errorf("not moved: %v, %v", got, err)
	}
	if _, err := i.ReadFix(edited(t, i, move("2", "SSO"))); !errors.As(err, new(*WrongWorkbookError)) {
		t.Errorf("partly moved: %v", err)
	}
	got, err := i.ReadFix(edited(t, i, move("2", "SSO", "Bo", "Ng", "Ottawa", "Row 3: moved", "", "", "", "")))
	if err != nil {
		t.Fatal(err)
	}
	want := []importer.Correction{{Row: 3, Column: 4, New: "Ottawa"}, {Row: 3, Column: importer.AsItStands, Old: "2\tSSO\tBo\tNg"}}
	if diff := cmp.Diff(want, got, withoutLines); diff != "" {
		t.Errorf("corrections (-want +got):\n%s", diff)
	}
	env.Corrections = got
	after := inspected(t, env, file)
	if row, _, _ := after.Row(3); row.Status != importer.StatusValid || row.AsRead != "2\tSSO\tBo\tNg" || len(after.Void) > 0 {
		t.Errorf("afterwards %+v, void %v", row, after.Void)
	}
}

// The page warns of a value that somebody else has, and the row stays one that is sent.
func TestInspectionWarnsOfTakenValues(t *testing.T) {
	env, folder := newEnv(t, "--sandbox", "--rate", "0"), t.TempDir()
	write := func(name, rows string) string {
		path := filepath.Join(folder, name)
		text := "unique_id,login_source,first_name,last_name,email\n" + rows
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	before := write("before.csv", "1,SSO,Ann,Roy,ann@example.edu\n2,SSO,Bo,Roy,bo@example.edu\n3,SSO,Cy,Roy,cy@example.edu\n")
	if err := Push(t.Context(), t.Context(), env, []string{before}, func(report.Receipt) error { return nil }); err != nil {
		t.Fatal(err)
	}
	now := write("now.csv", "1,SSO,Ann,Roy,bo@example.edu\n2,SSO,Bo,Roy,bo.new@example.edu\n4,SSO,Di,Roy,cy@example.edu\n")
	for _, onlyChanges := range []bool{false, true} {
		env.Settings.OnlyChanges = onlyChanges
		i := inspected(t, env, now)
		warned := rowsOf(t, i, TabWarnings)
		if len(warned) != 1 || warned[0].Number != 4 || warned[0].Status != importer.StatusValid ||
			len(warned[0].Problems) != 1 || warned[0].Problems[0].Rule != mapping.RuleEmailTaken {
			t.Errorf("only changes: %v; warnings: %+v", onlyChanges, warned)
		}
		if i.Receipt.Counts[importer.StatusValid] != 3 || i.Receipt.Exit != ExitDone {
			t.Errorf("only changes: %v; receipt: %+v", onlyChanges, i.Receipt)
		}
	}
}
