package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// yielding yields the items, and after them the error if there is one.
func yielding[T any](items []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
		if err != nil {
			yield(*new(T), err)
		}
	}
}

// someProblems has text that CSV and spreadsheets trip over.
func someProblems() []importer.RowProblem {
	return []importer.RowProblem{
		{Row: 4, Header: "E-mail", Problem: mapping.Problem{Rule: mapping.RuleBadEmail, Attribute: mapping.Email, Column: 6, Value: "none", Message: `Email "none" is not an e-mail address. Write it as name@example.ca.`}},
		{Row: 4, Header: "DOB, as given", Problem: mapping.Problem{Rule: mapping.RuleBadDate, Severity: mapping.SeverityWarning, Attribute: mapping.DateOfBirth, Column: 27, Value: "2004-02-29 10:00", Message: "There is a time of day."}},
		{Row: 5, Header: "=Name", Problem: mapping.Problem{Rule: mapping.RuleBadCharacter, Attribute: mapping.LastName, Column: 0, Value: "=HYPERLINK(\"http://example.org\",\"Zoë\")\nx", Message: "-1+1 is odd"}},
		{Row: 1048576, Problem: mapping.Problem{Rule: mapping.RuleDuplicateKey, Column: mapping.NoColumn, Message: "the same person has other values in row 5"}},
		{Row: 1048577, Header: "Apt", Problem: mapping.Problem{Rule: "a_newer_rule", Column: 16383, Value: "-12.5"}},
	}
}

func TestWriteProblemsGolden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.problems.csv")
	n, err := WriteProblems(To(path, nil), yielding(someProblems(), nil))
	if err != nil || n != len(someProblems()) {
		t.Fatalf("wrote %d problems, %v", n, err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "problems.csv", got)

	var streamed bytes.Buffer
	if _, err := WriteProblems(To("-", &streamed), yielding(someProblems(), nil)); err != nil || !bytes.Equal(streamed.Bytes(), got) {
		t.Errorf("standard output and the file differ (%v)", err)
	}
}

// A report of problems from an earlier run would mislead.
func TestNoProblemsLeaveNoFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.problems.csv")
	for range 2 {
		if n, err := WriteProblems(To(path, nil), yielding[importer.RowProblem](nil, nil)); err != nil || n != 0 {
			t.Fatalf("wrote %d problems, %v", n, err)
		}
		wantFolder(t, folder, nil)
		if _, err := WriteProblems(To(path, nil), yielding(someProblems(), nil)); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if _, err := WriteProblems(To("-", &out), yielding[importer.RowProblem](nil, nil)); err != nil || out.String() != "\uFEFFrow,column,header,field,severity,rule,value,message\r\n" {
		t.Errorf("wrote %q, %v; want the header alone", out.String(), err)
	}
}

func TestFailingProblemsLeaveTheOldFile(t *testing.T) {
	broken := errors.New("the journal is gone")
	folder := t.TempDir()
	path := filepath.Join(folder, "a.problems.csv")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	for _, lines := range []int{0, 1, 256, 10_000} {
		n, err := WriteProblems(To(path, nil), yielding(make([]importer.RowProblem, lines), broken))
		if !errors.Is(err, broken) || n != 0 {
			t.Errorf("after %d problems: %d, %v", lines, n, err)
		}
		wantFolder(t, folder, map[string]string{"a.problems.csv": "old"})
	}
}

func TestProblemsReadBack(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[=+\-@\t'"]{0,2}[0-9.,;\n é]{0,6}`)).Filter(func(s string) bool { return !strings.Contains(s, "\r") })
	problem := rapid.Custom(func(t *rapid.T) importer.RowProblem {
		return importer.RowProblem{
			Row:    rapid.IntRange(1, 1<<20).Draw(t, "row"),
			Header: text.Draw(t, "header"),
			Problem: mapping.Problem{
				Rule:     mapping.Rule(text.Draw(t, "rule")),
				Severity: rapid.SampledFrom([]mapping.Severity{mapping.SeverityError, mapping.SeverityWarning}).Draw(t, "severity"),
				Column:   rapid.IntRange(mapping.NoColumn, 800).Draw(t, "column"),
				Value:    text.Draw(t, "value"),
				Message:  text.Draw(t, "message"),
			},
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		problems := rapid.SliceOfN(problem, 1, 300).Draw(t, "problems")
		var out bytes.Buffer
		if n, err := WriteProblems(To("-", &out), yielding(problems, nil)); err != nil || n != len(problems) {
			t.Fatalf("wrote %d of %d, %v", n, len(problems), err)
		}
		records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\uFEFF"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range problems {
			want := []string{strconv.Itoa(p.Row), mapping.ColumnLetter(p.Column), p.Header, "", p.Severity.String(), string(p.Rule), p.Value, p.Text()}
			for j, cell := range want {
				want[j] = formulaSafe(cell)
			}
			if diff := cmp.Diff(want, records[i+1]); diff != "" {
				t.Fatalf("line %d (-want +got):\n%s", i+2, diff)
			}
		}
	})
}
