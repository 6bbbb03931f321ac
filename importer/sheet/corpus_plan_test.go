package sheet

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
)

// planned says what the whole program finds in the file, which for some faults is
// what is wanted: duplicates, and dates that are none. The mapping is the one that a
// person would make who had to import the file: whatever may be meant is, the first
// column holds the ids unless another one does, and one that is called a date holds
// dates of birth.
func (s specimen) planned(t *testing.T, got reading) importer.Plan {
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
	mapper, err := mapping.Compile(file, got.header.Names, mapping.Options{LoginSource: "X", Today: time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	table, err := openUnhurried(s.path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	planner := importer.Planner{Source: table, Mapper: mapper, Store: noStore{}}
	plan, err := planner.Make(t.Context())
	if err := errors.Join(err, table.Close()); err != nil {
		t.Fatal(err)
	}
	return plan
}

// namesDates reports whether the plan names rows with dates that are doubtful.
func namesDates(plan importer.Plan) bool {
	return slices.ContainsFunc(plan.Problems, func(p importer.ProblemCount) bool { return p.Rule == mapping.RuleBadDate })
}

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

// noStore is a plan's store that keeps nothing.
type noStore struct{}

func (noStore) Append(context.Context, []importer.PlannedRow) error { return nil }
func (noStore) Amend(context.Context, []importer.Amendment) error   { return nil }
