package sheet

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
)

// planning is what the whole program finds in a file, which for some faults is what
// is wanted: duplicates, and dates that are none.
type planning struct {
	importer.Plan
	problems []importer.RowProblem // of its rows
	err      error                 // a question, or a mapping that does not fit
}

var advisedDate = regexp.MustCompile(`mapping: date: (\S*[A-Z])`)

// planned plans the file with the mapping that a person would make who had to import
// it: whatever may be meant is, the first column holds the ids unless another one does,
// and one that is called a date holds dates of birth. Advice on the form of these is
// followed.
func (s specimen) planned(t *testing.T, got reading) planning {
	t.Helper()
	suggestions := suggest.Columns(got.header.Names, samplesOf(got))
	file := suggest.File(mapping.SourceSection{}, suggestions, suggest.Likely)
	give := func(a mapping.Attribute, isIt func(name string) bool) {
		has := slices.ContainsFunc(file.Fields, func(f mapping.Field) bool { return f.Attribute == a })
		if i := slices.IndexFunc(got.header.Names, isIt); !has && i >= 0 {
			file.Fields = append(file.Fields, mapping.Field{Attribute: a, Columns: []string{got.header.Names[i]}})
		}
	}
	give(mapping.UniqueID, func(name string) bool { return name != "" })
	give(mapping.DateOfBirth, func(name string) bool { return strings.EqualFold(name, "date") })
	p := s.planWith(t, got, file)
	birth := slices.IndexFunc(file.Fields, func(f mapping.Field) bool { return f.Attribute == mapping.DateOfBirth })
	if advice := advisedDate.FindStringSubmatch(p.text()); advice != nil && birth >= 0 && file.Fields[birth].Date == "" {
		file.Fields[birth].Date = advice[1]
		return s.planWith(t, got, file)
	}
	return p
}

func (s specimen) planWith(t *testing.T, got reading, file *mapping.File) (p planning) {
	t.Helper()
	mapper, err := mapping.Compile(file, got.header.Names, mapping.Options{LoginSource: "X", Today: time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		return planning{err: err}
	}
	table, err := openUnhurried(s.path, Options{HeaderRow: got.header.Row})
	if err != nil {
		t.Fatal(err)
	}
	planner := importer.Planner{Source: table, Mapper: mapper, Store: &p}
	p.Plan, p.err = planner.Make(t.Context())
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	if wrong := new(mapping.FileError); p.err != nil && !errors.As(p.err, &wrong) {
		t.Fatal(p.err)
	}
	return p
}

// text is all that the plan says.
func (p *planning) text() string {
	var b strings.Builder
	for _, problem := range p.problems {
		b.WriteString(problem.Text() + "\n")
	}
	if p.Counts[importer.StatusDuplicate] > 0 {
		b.WriteString("duplicate rows\n")
	}
	if p.err != nil {
		b.WriteString(p.err.Error())
	}
	return b.String()
}

// atFault returns the rows that are not sent, or if all are those whose date is doubted.
func (p *planning) atFault() map[int]bool {
	invalid, doubted := map[int]bool{}, map[int]bool{}
	for _, problem := range p.problems {
		if problem.Severity == mapping.SeverityError {
			invalid[problem.Row] = true
		} else if problem.Rule == mapping.RuleBadDate {
			doubted[problem.Row] = true
		}
	}
	if len(invalid) == 0 {
		return doubted
	}
	return invalid
}

// whichIDs is what the program asks, in short, where no column holds ids for certain.
const whichIDs = "which column holds the ids"

// asksForMapping reports whether the program sends nothing of the file before a
// person has said which column holds the ids.
func asksForMapping(got reading) bool {
	return !slices.ContainsFunc(suggest.Columns(got.header.Names, samplesOf(got)), func(s suggest.Suggestion) bool {
		return s.Attribute == mapping.UniqueID && s.Confidence == suggest.Certain
	})
}

func samplesOf(got reading) [][]mapping.Cell {
	var samples [][]mapping.Cell
	for _, row := range got.rows[:min(len(got.rows), 200)] {
		samples = append(samples, row.Cells)
	}
	return samples
}

// Append makes the planning the plan's store, which keeps only problems.
func (p *planning) Append(_ context.Context, rows []importer.PlannedRow) error {
	for _, row := range rows {
		p.problems = append(p.problems, row.Problems...)
	}
	return nil
}

// Amend takes what the whole file shows of a row.
func (p *planning) Amend(_ context.Context, amendments []importer.Amendment) error {
	for _, a := range amendments {
		if a.Problem != nil {
			p.problems = append(p.problems, *a.Problem)
		}
	}
	return nil
}

// said is all that the program says of the file, without its name. A question which
// row is the header is answered by the row that it names.
func (s specimen) said(t *testing.T, got reading) string {
	t.Helper()
	var b strings.Builder
	if got.err != nil {
		fe := asFileError(got.err)
		fmt.Fprintln(&b, fe.Message)
		if fe.Row == 0 || !isQuestion(fe) {
			return b.String()
		}
		answered, err := readAll(s.path, Options{HeaderRow: fe.Row}, false)
		if err != nil || answered.err != nil {
			return b.String()
		}
		got = answered
	}
	for _, note := range got.notes {
		fmt.Fprintln(&b, note)
	}
	for _, row := range got.rows {
		for _, problem := range row.Problems {
			fmt.Fprintln(&b, problem.Text())
		}
	}
	plan := s.planned(t, got)
	return b.String() + plan.text()
}
