package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
)

// mappingSuffix follows the file's name without its extension in the name of the
// mapping file beside it.
const mappingSuffix = ".mapping.yaml"

// suggestionSamples is how many rows a suggestion looks at.
const suggestionSamples = 200

// table is an input with the mapping that applies to it.
type table struct {
	*sheet.Table
	in          *input
	mapping     *mapping.File
	mapper      *mapping.Mapper // once it is compiled
	mappingName string          // as a person knows it
	fileHash    string          // of the input, in a push
	planHash    string          // of the mapping and of all settings that shape the plan
}

// openTable finds the mapping, then opens the table that it speaks of.
func (s *session) openTable(in *input) (*table, error) {
	t := &table{in: in}
	text, err := s.readMapping(t)
	if err != nil {
		return nil, err
	}
	if text == nil {
		if t.mapping, err = s.suggestMapping(in); err != nil {
			return nil, err
		}
		t.mappingName = "the file's own headers"
		if text, err = t.mapping.Format(); err != nil {
			return nil, err
		}
	}
	if t.planHash, err = s.planHash(text); err != nil {
		return nil, err
	}
	if t.Table, err = s.openSheet(in.path, t.mapping); err != nil {
		return nil, err
	}
	if err := s.settleDate(t); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// settleDate finds out how the dates are written when the mapping does not say it:
// it reads the whole table for that, unless its dates need no form.
func (s *session) settleDate(t *table) error {
	survey, err := t.mapping.DateSurvey(t.Header().Names, time.Now())
	if survey == nil || err != nil {
		return err
	}
	again, err := s.openSheet(t.in.path, t.mapping)
	if err != nil {
		return err
	}
	err = eachRow(again, func(row *importer.Row) (more bool) {
		survey.Add(row.Number, row.Cells)
		return !survey.Done()
	})
	if err = errors.Join(err, again.Close()); err != nil {
		return err
	}
	return t.mapping.SettleDate(survey)
}

// eachRow gives every row to f in turn, as long as f wants more. The row's memory is
// used again.
func eachRow(t *sheet.Table, f func(*importer.Row) (more bool)) error {
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

// readMapping reads the mapping file: the one that was asked for, else the one
// beside the input. It returns no text when there is none.
func (s *session) readMapping(t *table) ([]byte, error) {
	names := []string{s.settings.Mapping}
	if s.settings.Mapping == "" {
		names = []string{t.in.base + mappingSuffix}
		if original, isFix := strings.CutSuffix(t.in.base, ".fix"); isFix { // a workbook of rows that were fixed
			names = append(names, original+mappingSuffix)
		}
	}
	var text []byte
	err := os.ErrNotExist
	for i := 0; i < len(names) && errors.Is(err, os.ErrNotExist); i++ {
		t.mappingName = names[i]
		text, err = os.ReadFile(names[i])
	}
	if errors.Is(err, os.ErrNotExist) && s.settings.Mapping == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the mapping file %s cannot be read: %w", t.mappingName, errors.Unwrap(err))
	}
	t.mapping, err = mapping.Parse(t.mappingName, text)
	return text, err
}

// planHash tells two plans of one file apart: by the mapping and by every setting
// that shapes a plan.
func (s *session) planHash(mappingText []byte) (string, error) {
	shape, err := json.Marshal(struct {
		Mapping                               []byte
		Sheet, Delimiter, Encoding, LoginFrom string
		HeaderRow                             int
		OnlyChanges                           bool
	}{mappingText, s.settings.Sheet, string(s.settings.Delimiter), s.settings.Encoding, s.settings.LoginSource, s.settings.HeaderRow, s.settings.OnlyChanges})
	if err != nil {
		return "", fmt.Errorf("hash the mapping: %w", err)
	}
	sum := sha256.Sum256(shape)
	return hex.EncodeToString(sum[:]), nil
}

// openSheet opens a file by what the settings, and the mapping file, say of it.
func (s *session) openSheet(path string, m *mapping.File) (*sheet.Table, error) {
	o := s.sheetOptions(m)
	var err error
	if o.Password, err = s.settings.Password(); err != nil {
		return nil, err
	}
	return sheet.Open(path, o)
}

// sheetOptions joins the settings with what the mapping file says of the source.
func (s *session) sheetOptions(m *mapping.File) sheet.Options {
	o := sheet.Options{
		Format: s.settings.Format, Sheet: s.settings.Sheet, HeaderRow: s.settings.HeaderRow,
		Delimiter: s.settings.Delimiter, Encoding: s.settings.Encoding,
	}
	if m != nil && o.Sheet == "" {
		o.Sheet = m.Source.Sheet
	}
	if m != nil && o.HeaderRow == 0 {
		o.HeaderRow = m.Source.HeaderRow
	}
	return o
}

// suggestionError says that a file's headers are not certain enough to be used
// without a person's word.
type suggestionError struct {
	file       string
	saveAs     string
	suggestion []byte
}

func (e *suggestionError) Error() string {
	return fmt.Sprintf("%s has no mapping file, and its headers leave questions; nothing was sent. This is the suggestion:\n\n%s\n"+
		"Save it with:  opscom-import map %s --output %s\nthen answer what it asks, and run the command again.",
		e.file, strings.TrimRight(string(e.suggestion), "\n"), e.file, e.saveAs)
}

// suggestMapping makes a mapping of headers that are certain, or returns a
// *suggestionError.
func (s *session) suggestMapping(in *input) (*mapping.File, error) {
	suggestions, err := s.suggest(in)
	if err != nil {
		return nil, err
	}
	if !s.certain(suggestions) {
		for i := range suggestions {
			suggestions[i].Samples = nil // an error may end up in a log
		}
		text, err := mapping.FormatSuggestion(s.sourceSection(), suggestions)
		if err != nil {
			return nil, err
		}
		return nil, &suggestionError{in.shown, in.base + mappingSuffix, text}
	}
	return mapping.SuggestedFile(s.sourceSection(), suggestions, mapping.Certain), nil
}

// certain reports whether the suggestions can be used without a person's word: none
// is a guess, and nothing that every profile needs is missing.
func (s *session) certain(suggestions []mapping.Suggestion) bool {
	given := map[mapping.Attribute]bool{mapping.LoginSource: s.settings.LoginSource != ""}
	for _, suggestion := range suggestions {
		if suggestion.Confidence == mapping.Likely {
			return false
		}
		given[suggestion.Attribute] = true
	}
	return given[mapping.UniqueID] && given[mapping.LoginSource]
}

// sourceSection is what the settings say of the source, for a mapping file.
func (s *session) sourceSection() mapping.SourceSection {
	return mapping.SourceSection{Sheet: s.settings.Sheet, HeaderRow: s.settings.HeaderRow}
}

// suggest reads the header and the first rows, and matches the columns.
func (s *session) suggest(in *input) (suggestions []mapping.Suggestion, err error) {
	t, err := s.openSheet(in.path, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	samples, err := sampleRows(t)
	if err != nil {
		return nil, err
	}
	suggestions = mapping.Suggest(t.Header().Names, samples)
	if s.userTypes != nil && s.userTypes.known {
		suggestions = mapping.WithUserTypes(suggestions, s.userTypes.list)
	}
	return suggestions, nil
}

// sampleRows returns the first rows, and from the rest those that prove how a
// column writes its dates.
func sampleRows(t *sheet.Table) (samples [][]mapping.Cell, err error) {
	var surveys []*mapping.DateSurvey
	for column := range t.Header().Names {
		survey, err := mapping.NewDateSurvey([]int{column}, time.Now())
		if err != nil {
			return nil, err
		}
		surveys = append(surveys, survey)
	}
	err = eachRow(t, func(row *importer.Row) (more bool) {
		proves := false
		for _, survey := range surveys {
			proves = survey.Add(row.Number, row.Cells) || proves
		}
		if len(samples) < suggestionSamples || proves {
			samples = append(samples, slices.Clone(row.Cells))
		}
		if len(samples) < suggestionSamples {
			return true
		}
		surveys = slices.DeleteFunc(surveys, func(survey *mapping.DateSurvey) bool {
			_, question := survey.Form()
			return question == ""
		})
		return len(surveys) > 0
	})
	return samples, err
}

// compile brings the mapping and the table's header together.
func (s *session) compile(t *table) (err error) {
	t.mapper, err = mapping.Compile(t.mapping, t.Header().Names, mapping.Options{
		LoginSource: s.settings.LoginSource,
		UserTypes:   s.userTypes.list, UserTypesKnown: s.userTypes.known,
		Today: time.Now(),
	})
	return err
}

// plan plans the compiled table into the store.
func (s *session) plan(ctx context.Context, t *table, store importer.PlanStore, acceptances importer.Acceptances, salt []byte) (importer.Plan, error) {
	planner := importer.Planner{
		Source: t, Mapper: t.mapper, Store: store, Salt: salt,
		Target: s.target(), Acceptances: acceptances,
	}
	plan, err := planner.Make(ctx)
	if err != nil {
		return plan, err
	}
	for _, note := range append(t.Notes(), plan.Notes...) {
		s.say("%s", note)
	}
	if plan.Rows == 0 {
		return plan, fmt.Errorf("%s has no rows below its header (row %d); was the export cut short?", t.in.shown, t.Header().Row)
	}
	return plan, t.in.unchanged()
}
