package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
	"opscom-import/report"
)

// mappingSuffix follows the file's name without its extension in the name of the
// mapping file beside it.
const mappingSuffix = ".mapping.yaml"

// table is an input opened at its header, with the mapping that applies to it.
type table struct {
	*correctedTable
	in          *input
	mapping     *mapping.File
	mappingName string // as a person knows it
	mappingText []byte // of the mapping file, or of the suggestion
	planHash    string // of the mapping and of all settings that shape the plan
}

// mappedTable is a table whose mapping fits its header.
type mappedTable struct {
	*table
	mapper    *mapping.Mapper
	userTypes []mapping.UserType
}

// asIs returns the table: it is still open.
func (t *mappedTable) asIs() *mappedTable { return t }

// openTable finds the mapping and opens the table that it describes. The user types
// are for a suggestion.
//
// This is where the passes over a file are decided. Reading a file is most of the
// work of a check, so each pass is made only when it is needed:
//
//  1. the hash of the bytes: in a push, which needs it before the plan, to find a run
//     of the same file that can be resumed ([input.hash]); and when a stored run's
//     file is opened again
//  2. a first pass over the rows, only as far as it must: without a mapping file, for
//     the suggestion and the date format together; with a mapping file that does not
//     give the date format, for that format ([Env.suggestMapping], [Env.detectDateFormat])
//  3. the plan ([Env.plan])
//  4. the workbook of rows to fix, only when rows need a person ([reporter.writeFix])
func (e Env) openTable(in *input, types userTypes) (t *table, err error) {
	t = &table{in: in}
	text, err := e.readMapping(t)
	if err != nil {
		return nil, err
	}
	var births *mapping.DateFormatDetector
	if text == nil {
		if t.mapping, births, err = e.suggestMapping(in, types); err != nil {
			return nil, err
		}
		t.mappingName = "the file's own headers"
		if text, err = t.mapping.Format(); err != nil {
			return nil, err
		}
	}
	t.mappingText = text
	if t.planHash, err = planHash(e.Settings, text, e.Corrections); err != nil {
		return nil, err
	}
	if t.correctedTable, err = e.openCorrected(in.path, t.mapping); err != nil {
		return nil, err
	}
	if err := e.detectDateFormat(t, births); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// withTable opens a FILE and the table in it, and calls f.
func (e Env) withTable(ctx context.Context, name string, types userTypes, f func(*table) (report.Receipt, error)) (receipt report.Receipt, err error) {
	err = e.withInput(ctx, name, func(in *input) error {
		if err := in.checkAge(time.Now(), e.Settings.MinAge); err != nil {
			return err
		}
		t, err := e.openTable(in, types)
		if err != nil {
			return err
		}
		receipt, err = f(t)
		return errors.Join(err, t.Close())
	})
	return receipt, err
}

// withUserTypes brings the mapping, the table's header and the user types together.
func (t *table) withUserTypes(settings config.Settings, types userTypes) (*mappedTable, error) {
	mapper, err := mapping.Compile(t.mapping, t.Header().Names, mapping.Options{
		LoginSource: settings.LoginSource, UserTypes: types.list, UserTypesKnown: types.known, UserTypesByID: types.denied != nil,
		Today: time.Now(),
	})
	if err != nil {
		return nil, err
	}
	return &mappedTable{t, mapper, types.list}, nil
}

// readMapping reads the mapping file: the one that was asked for, else the one
// beside the input. It returns no text when there is none.
func (e Env) readMapping(t *table) ([]byte, error) {
	names := []string{e.Settings.Mapping}
	if e.Settings.Mapping == "" {
		names = mappingsBeside(t.in.base)
	}
	var text []byte
	err := os.ErrNotExist
	for i := 0; i < len(names) && errors.Is(err, os.ErrNotExist); i++ {
		t.mappingName = names[i]
		text, err = os.ReadFile(names[i])
	}
	if errors.Is(err, os.ErrNotExist) && e.Settings.Mapping == "" {
		return nil, nil
	}
	if err != nil {
		return nil, &notOfFileError{fmt.Errorf("the mapping file %s cannot be read: %w", t.mappingName, errors.Unwrap(err))}
	}
	if t.mapping, err = mapping.Parse(t.mappingName, text); err != nil {
		return nil, &notOfFileError{err}
	}
	return text, nil
}

// planHash tells two plans of one file apart: by the mapping, by every setting that
// shapes a plan, and by a person's corrections.
func planHash(s config.Settings, mappingText []byte, corrections []importer.Correction) (string, error) {
	shape, err := json.Marshal(struct {
		Mapping                               []byte
		Sheet, Delimiter, Encoding, LoginFrom string
		HeaderRow                             int
		NoHeader                              bool `json:",omitempty"` // so that plans of earlier versions keep their hash
		OnlyChanges                           bool
		Leavers                               string                `json:",omitempty"`
		Corrections                           []importer.Correction `json:",omitempty"`
	}{mappingText, s.Sheet, string(s.Delimiter), s.Encoding, s.LoginSource, s.HeaderRow, s.NoHeader, s.OnlyChanges, leaverPart(s), corrections})
	if err != nil {
		return "", fmt.Errorf("hash the mapping: %w", err)
	}
	sum := sha256.Sum256(shape)
	return hex.EncodeToString(sum[:]), nil
}

// leaverPart is what the setting leavers adds to the hash of a plan.
func leaverPart(s config.Settings) string {
	if !s.Leavers.IsOn() {
		return "" // so that plans of earlier versions keep their hash
	}
	return s.Leavers.String()
}

// correctedTable is a table of a file with a person's corrections applied to its rows.
type correctedTable struct {
	*sheet.Table
	rows *importer.CorrectedSource
}

// Next fills row with the next one, corrected.
func (t *correctedTable) Next(row *importer.Row) error { return t.rows.Next(row) }

// openCorrected opens a file as openSheet does. Every pass over its rows begins here, so
// that all of them see the same cells.
func (e Env) openCorrected(path string, m *mapping.File) (*correctedTable, error) {
	t, err := openSheet(e.Settings, path, m)
	if err != nil {
		return nil, err
	}
	return &correctedTable{t, importer.NewCorrectedSource(t, e.Corrections)}, nil
}

// openSheet opens a file as the settings, and then the mapping file, say; m may be nil.
func openSheet(s config.Settings, path string, m *mapping.File) (*sheet.Table, error) {
	o, err := sheetOptions(s, m)
	if err != nil {
		return nil, err
	}
	return sheet.Open(path, o)
}

// sheetOptions says how to read a file.
func sheetOptions(s config.Settings, m *mapping.File) (sheet.Options, error) {
	password, err := s.Password()
	if err != nil {
		return sheet.Options{}, err
	}
	o := sheet.Options{
		Format: s.Format, Sheet: s.Sheet, HeaderRow: s.HeaderRow, NoHeader: s.NoHeader,
		Delimiter: s.Delimiter, Encoding: s.Encoding, Password: password,
	}
	if m == nil {
		return o, nil
	}
	o.FitsHeader = m.FitsHeader
	o.Sheet = cmp.Or(o.Sheet, m.Source.Sheet)
	o.Delimiter = cmp.Or(o.Delimiter, m.Source.Delimiter)
	if o.HeaderRow == 0 && !o.NoHeader {
		o.HeaderRow, o.NoHeader = m.Source.HeaderRow, m.Source.NoHeader
	}
	if o.Encoding == "" && m.Source.Encoding != "" {
		if o.Encoding, err = sheet.EncodingName(m.Source.Encoding); err != nil {
			return o, &mapping.FileError{File: m.Name, Line: m.Source.Lines["encoding"], Key: "source.encoding",
				Message: fmt.Sprintf("%q is not an encoding; give a name such as utf-8, windows-1252, macintosh, cp850 or utf-16le", m.Source.Encoding)}
		}
	}
	return o, nil
}
