package suggest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"opscom-import/mapping"
)

// headerSystem is a file of testdata/headers; its README says what the parts mean.
type headerSystem struct {
	System string
	Rows   []headerRow
}

// headerRow is the header of one table, as a public source has it.
type headerRow struct {
	Title, Source, Address string
	Names                  string     // "read" or "known"
	Columns                [][]string // header, expectation, values
}

// expectation is what a registrar would take a column for.
type expectation struct {
	wanted  []mapping.Attribute // one of them is to be suggested; none: nothing has to be
	allowed []mapping.Attribute // what may be suggested, the wanted ones included
}

func newExpectation(t *testing.T, text string) expectation {
	t.Helper()
	var e expectation
	if text == "-" {
		return e
	}
	for word := range strings.FieldsSeq(text) {
		name, optional := strings.CutSuffix(word, "?")
		attribute := mapping.AttributeNamed(name)
		if attribute == mapping.NoAttribute {
			t.Fatalf("%q expects the attribute %q, which does not exist", text, name)
		}
		e.allowed = append(e.allowed, attribute)
		if !optional {
			e.wanted = append(e.wanted, attribute)
		}
	}
	return e
}

// headerScore counts columns.
type headerScore struct{ rows, wanted, found, wrong int }

func (s headerScore) String() string {
	return fmt.Sprintf("%3d rows  %4d columns to find  %4d found  %5.1f %%  %d wrong", s.rows, s.wanted, s.found, s.recall(), s.wrong)
}

func (s headerScore) recall() float64 { return 100 * float64(s.found) / float64(max(s.wanted, 1)) }

// TestHeaderRows compares the suggestions with the header rows of student systems: at
// least 99 in 100 of the columns that give an attribute are found, and nothing is
// suggested that a registrar would not suggest.
func TestHeaderRows(t *testing.T) {
	const leastRows, leastRecall = 150, 99.0
	files, err := filepath.Glob(filepath.Join("testdata", "headers", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var total headerScore
	for _, file := range files {
		system := readHeaderSystem(t, file)
		var score headerScore
		for _, row := range system.Rows {
			score.add(t, system.System, row)
		}
		t.Logf("%-45s %s", system.System, score)
		total.rows += score.rows
		total.wanted += score.wanted
		total.found += score.found
		total.wrong += score.wrong
	}
	t.Logf("%-45s %s", "all", total)
	if total.rows < leastRows || total.recall() < leastRecall || total.wrong > 0 {
		t.Errorf("want at least %d rows, %.0f %% found and nothing wrong", leastRows, leastRecall)
	}
}

func readHeaderSystem(t *testing.T, file string) headerSystem {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var system headerSystem
	if err := yaml.Load(text, &system, yaml.WithKnownFields(), yaml.WithUniqueKeys()); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return system
}

// add compares one row with what is suggested for it.
func (s *headerScore) add(t *testing.T, system string, row headerRow) {
	t.Helper()
	if row.Title == "" || row.Source == "" || row.Address == "" || row.Names != "read" && row.Names != "known" {
		t.Errorf("%s, %q: a row says its title, source and address, and whether its names were read or are known", system, row.Title)
	}
	header := make([]string, len(row.Columns))
	var samples [][]mapping.Cell
	for i, column := range row.Columns {
		if len(column) < 2 {
			t.Fatalf("%s, %s: the column %q has no expectation", system, row.Title, column)
		}
		header[i] = column[0]
		for line, value := range column[2:] {
			if line == len(samples) {
				samples = append(samples, make([]mapping.Cell, len(row.Columns)))
			}
			samples[line][i] = mapping.Cell{Text: value}
		}
	}
	suggestions := Columns(header, samples)
	checkSuggestions(t, header, suggestions)
	s.rows++
	for i, column := range row.Columns {
		want := newExpectation(t, column[1])
		found := false
		for _, suggestion := range suggestions {
			if suggestion.Column != i || suggestion.Attribute == mapping.NoAttribute {
				continue
			}
			found = found || slices.Contains(want.wanted, suggestion.Attribute)
			if !slices.Contains(want.allowed, suggestion.Attribute) {
				s.wrong++
				t.Logf("wrong: %s, %s: %q is %s %s, want %s (%s)", system, row.Title, header[i], suggestion.Confidence, suggestion.Attribute, column[1], suggestion.Why)
			}
		}
		if len(want.wanted) > 0 {
			s.wanted++
			if found {
				s.found++
			} else {
				t.Logf("missed: %s, %s: %q, want %s", system, row.Title, header[i], column[1])
			}
		}
	}
}
