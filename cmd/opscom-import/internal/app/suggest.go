package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
)

// Suggestion is what the columns of a file seem to hold.
type Suggestion struct {
	Columns []suggest.Suggestion
	Text    []byte // the same as a mapping file
}

// Suggest suggests a mapping for the file. It asks the Controller for its user types;
// without them the meaning of values is left open.
func Suggest(ctx context.Context, env Env, file string) (s Suggestion, err error) {
	err = env.withInput(ctx, file, func(in *input) error {
		checker, err := newChecker(ctx, env)
		if err != nil {
			return err
		}
		s, err = env.suggest(in, checker.userTypes)
		return errors.Join(err, checker.Close())
	})
	return s, err
}

func (e Env) suggest(in *input, types userTypes) (s Suggestion, err error) {
	t := &table{in: in}
	if e.Settings.Mapping != "" { // its source section says how to read the file
		if _, err := e.readMapping(t); err != nil && !errors.Is(err, os.ErrNotExist) {
			return s, err
		}
	}
	first, err := e.readFirstPass(in, t.mapping)
	if err != nil {
		return s, err
	}
	s.Columns = first.suggestions(types)
	s.Text, err = suggest.Format(e.sourceSection(), s.Columns)
	return s, err
}

// sourceSection is what the settings say of the source, for a mapping file.
func (e Env) sourceSection() mapping.SourceSection {
	s := e.Settings
	return mapping.SourceSection{Sheet: s.Sheet, HeaderRow: s.HeaderRow, NoHeader: s.NoHeader, Delimiter: s.Delimiter, Encoding: s.Encoding}
}

// UncertainError says that a file's headers are not certain enough to be used
// without a person's word.
type UncertainError struct {
	file       string
	saveAs     string
	suggestion []byte
}

func (e *UncertainError) Error() string {
	return fmt.Sprintf("%s has no mapping file, and its headers are not all clear; nothing was sent. This is the suggestion:\n\n%s\n"+
		"Save it with:  opscom-import map %s --output %s\nthen answer its questions, and run the command again.",
		e.file, strings.TrimRight(string(e.suggestion), "\n"), e.file, e.saveAs)
}

// suggestMapping makes a mapping of headers that are certain, or returns an
// *UncertainError. births is what is known of the dates of birth.
func (e Env) suggestMapping(in *input, types userTypes) (m *mapping.File, births *mapping.DateFormatDetector, err error) {
	first, err := e.readFirstPass(in, nil)
	if err != nil {
		return nil, nil, err
	}
	suggestions := first.suggestions(types)
	if e.areCertain(suggestions) {
		if columns := birthColumns(suggestions); len(columns) == 1 {
			births = first.dates[columns[0]]
		}
		return suggest.File(e.sourceSection(), suggestions, suggest.Certain), births, nil
	}
	for i := range suggestions {
		suggestions[i].Samples = nil // an error may end up in a log
	}
	text, err := suggest.Format(e.sourceSection(), suggestions)
	if err != nil {
		return nil, nil, err
	}
	if e.Settings.LoginSource != "" {
		text = bytes.Replace(text, []byte(suggest.NoLoginSource), nil, 1)
	}
	return nil, nil, &UncertainError{in.shown, in.base + mappingSuffix, text}
}

// areCertain reports whether the suggestions can be used without a person's word:
// none is a guess, and nothing that every profile needs is missing.
func (e Env) areCertain(suggestions []suggest.Suggestion) bool {
	given := map[mapping.Attribute]bool{mapping.LoginSource: e.Settings.LoginSource != ""}
	for _, s := range suggestions {
		if s.Confidence == suggest.Likely {
			return false
		}
		given[s.Attribute] = true
	}
	return given[mapping.UniqueID] && given[mapping.LoginSource]
}

// sampleRows is how many rows a suggestion looks at.
const sampleRows = 200

// firstPass is what one pass over a table has found before its plan.
type firstPass struct {
	header  []string
	samples [][]mapping.Cell              // the first rows, and of the others those that prove how a column writes its dates
	dates   []*mapping.DateFormatDetector // by column
}

// readFirstPass reads the first rows of the file, and more of them for as long as a
// column leaves open how it writes its dates. A column that may be the date of birth
// leaves that open, too, while no date was seen in it. The mapping says how to read the
// file; nil for none.
func (e Env) readFirstPass(in *input, m *mapping.File) (first *firstPass, err error) {
	t, err := e.openCorrected(in.path, m)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	first = &firstPass{header: t.Header().Names}
	var open []int // columns
	for column := range first.header {
		first.dates = append(first.dates, mapping.NewDateFormatDetector([]int{column}, time.Now()))
		open = append(open, column)
	}
	births := birthColumns(suggest.Columns(first.header, nil))
	return first, eachRow(t, func(row *importer.Row) (more bool) {
		proves := false
		for _, column := range open {
			proves = first.dates[column].Add(row.Number, row.Cells) || proves
		}
		if len(first.samples) < sampleRows || proves {
			first.samples = append(first.samples, slices.Clone(row.Cells))
		}
		if len(first.samples) < sampleRows {
			return true
		}
		open = slices.DeleteFunc(open, func(column int) bool {
			format, question := first.dates[column].Format()
			if slices.Contains(births, column) && format == "" {
				return first.dates[column].Done()
			}
			return question == ""
		})
		return len(open) > 0
	})
}

// eachRow gives every row to f in turn, as long as f wants more. The row's memory is
// used again.
func eachRow(t importer.Source, f func(*importer.Row) (more bool)) error {
	row := new(importer.Row)
	for {
		if err := t.Next(row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if !f(row) {
			return nil
		}
	}
}

// birthColumns returns the columns that may be the date of birth.
func birthColumns(suggestions []suggest.Suggestion) (columns []int) {
	for _, s := range suggestions {
		if s.Attribute == mapping.DateOfBirth {
			columns = append(columns, s.Column)
		}
	}
	return columns
}

// suggestions matches the columns with attributes.
func (p *firstPass) suggestions(types userTypes) []suggest.Suggestion {
	suggestions := suggest.Columns(p.header, p.samples)
	if types.known {
		suggestions = suggest.WithUserTypes(suggestions, types.list)
	}
	return suggestions
}

// detectDateFormat finds out how the dates are written when the mapping does not say
// so. For a suggested mapping the first pass has found births; else it reads the
// table, unless its dates need no format.
func (e Env) detectDateFormat(t *table, births *mapping.DateFormatDetector) error {
	detector := t.mapping.DateFormatDetector(t.Header().Names, time.Now())
	if detector == nil {
		return nil
	}
	if births != nil {
		return t.mapping.SetDateFormat(births)
	}
	rows, err := e.openCorrected(t.in.path, t.mapping)
	if err != nil {
		return err
	}
	err = eachRow(rows, func(row *importer.Row) (more bool) {
		detector.Add(row.Number, row.Cells)
		return !detector.Done()
	})
	if err = errors.Join(err, rows.Close()); err != nil {
		return err
	}
	return t.mapping.SetDateFormat(detector)
}
