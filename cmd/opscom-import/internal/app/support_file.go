package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
)

// supportFile adds what a FILE is like: how it is read, its columns, what its mapping makes
// of them, and what a check without the Controller finds.
func (e Env) supportFile(ctx context.Context, b *SupportBundle, name string) error {
	return e.withInput(ctx, name, func(in *input) error {
		t := &table{in: in}
		if _, err := e.readMapping(t); err != nil && t.mapping == nil {
			b.add("mapping.txt", "there is a mapping, which cannot be used", func(w *supportText) { w.say("The mapping file cannot be used; \"opscom-import check\" says why.") })
		}
		options, err := sheetOptions(e.Settings, t.mapping)
		if err != nil {
			return err
		}
		preview, err := sheet.ReadPreview(in.path, options)
		if err != nil {
			return err
		}
		columns := &fileColumns{mapping: t.mapping, sure: preview.Sure}
		ended := columns.read(ctx, in.path, options)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b.Headers = columns.shownHeaders()
		b.add("file.txt", "how the file is read, and the shapes of its values, column by column", func(w *supportText) {
			w.line("ending", cmp.Or(strings.ToLower(maskName(filepath.Ext(name))), "-"))
			w.line("bytes", in.found.Size())
			w.line("can be read", preview.Problem == nil && ended == nil)
			if preview.IsText {
				w.line("delimiter", fmt.Sprintf("%q", preview.Delimiter), "encoding "+cmp.Or(preview.Encoding, "in doubt"))
			}
			w.line("sheets", len(preview.Sheets))
			w.line("header row", preview.Header.Row, fmt.Sprintf("sure: %t", preview.Sure))
			w.line("rows read", columns.rows)
			columns.write(w)
		})
		if t.mapping != nil {
			b.add("mapping.txt", "what each attribute is made of, without names and values", func(w *supportText) { supportMapping(w, t.mapping, columns.header) })
		}
		return e.supportCheck(ctx, b, in)
	})
}

// fileColumns is what is counted of a file.
type fileColumns struct {
	mapping *mapping.File // nil for none
	sure    bool          // of the header
	header  []string
	shown   []bool // headers that may be shown
	columns []*columnShapes
	rows    int
}

// read reads the whole file. It returns why that ended early, if it did.
func (f *fileColumns) read(ctx context.Context, path string, o sheet.Options) (err error) {
	t, err := sheet.Open(path, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	f.header = t.Header().Names
	for range f.header {
		f.columns = append(f.columns, newColumnShapes())
	}
	defer func() { f.shown = f.judgeHeader() }()
	row := new(importer.Row)
	for ctx.Err() == nil {
		if err := t.Next(row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		f.rows++
		for i, cell := range row.Cells {
			if i < len(f.columns) {
				f.columns[i].add(cell, f.header[i])
			}
		}
	}
	return ctx.Err()
}

// looksLikeValue matches what the name of a column hardly has.
var looksLikeValue = regexp.MustCompile(`@|\d{3}`)

// judgeHeader says which headers may be shown. In a file without a header the first row
// could be a person, so that it has to be known as a header: by its mapping, or by several
// of its names. Even then what looks like a value, or is one of the column's, is left out.
func (f *fileColumns) judgeHeader() []bool {
	shown := make([]bool, len(f.header))
	certain := 0
	for _, s := range suggest.Columns(f.header, nil) {
		if s.Confidence == suggest.Certain {
			certain++
		}
	}
	filled := len(slices.DeleteFunc(slices.Clone(f.header), func(name string) bool { return name == "" }))
	known := certain >= 3 || certain >= 2 && 2*certain >= filled || f.mapping != nil && !f.mapping.Source.NoHeader && f.mapping.FitsHeader(f.header)
	if !f.sure || !known {
		return shown
	}
	const longest = 60
	for i, name := range f.header {
		shown[i] = name != "" && utf8.RuneCountInString(name) <= longest && !looksLikeValue.MatchString(name) && !f.columns[i].header
	}
	return shown
}

func (f *fileColumns) shownHeaders() (names []string) {
	for i, name := range f.header {
		if f.shown[i] {
			names = append(names, name)
		}
	}
	return names
}

func (f *fileColumns) write(w *supportText) {
	guesses := make(map[int][]string)
	for _, s := range suggest.Columns(f.header, nil) {
		if s.Confidence != suggest.Unmatched {
			guesses[s.Column] = append(guesses[s.Column], fmt.Sprintf("%s, %s", s.Attribute, s.Confidence))
		}
	}
	for i, column := range f.columns {
		header := "(header not shown: it may be a value)"
		switch {
		case f.header[i] == "":
			header = "(no header)"
		case f.shown[i]:
			header = fmt.Sprintf("%q", f.header[i])
		}
		w.say("")
		w.say("Column %s  %s  %s", mapping.ColumnLetter(i), header, strings.Join(guesses[i], "; "))
		column.write(w, f.rows)
	}
}

// supportMapping says what each attribute is made of.
func supportMapping(w *supportText, m *mapping.File, header []string) {
	w.line("rows are left out by an expression", m.Source.Where != "")
	w.line("ATTRIBUTE", "FROM", "DATE", "TRANSFORMS", "VALUES", "REQUIRED")
	for _, field := range m.Fields {
		var from []string
		for _, name := range field.Columns {
			letter := mapping.ColumnLetter(slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), strings.TrimSpace(name)) }))
			from = append(from, "column "+cmp.Or(letter, "of another name"))
		}
		switch {
		case field.Value != nil:
			from = []string{"a constant"}
		case field.Expr != "":
			from = []string{"an expression"}
		}
		w.line(field.Attribute, strings.Join(from, ", "), cmp.Or(field.Date, "-"), len(field.Apply), len(field.Values), field.Required)
	}
}

// supportCheck adds what a check finds that compares no user types, as it asks nobody.
func (e Env) supportCheck(ctx context.Context, b *SupportBundle, in *input) (err error) {
	e.Settings.OnlyChanges = false
	plan, err := e.planForSupport(ctx, in)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	b.add("check.txt", "what a check finds, without the Controller's user types", func(w *supportText) {
		if err != nil {
			w.say("The file cannot be checked (%s); \"opscom-import check\" says more.", whyNotChecked(err))
			return
		}
		w.line("ROWS", "STATUS")
		for _, status := range importer.Statuses() {
			n := plan.Counts[status]
			if status == importer.StatusValid {
				n = plan.Counts[importer.StatusPending]
			}
			if n > 0 {
				w.line(n, status)
			}
		}
		w.line()
		problems := make(map[problemKind]int)
		for _, p := range plan.Problems {
			problems[problemKind{p.Rule, p.Severity, p.Column}] += p.Count
		}
		writeProblemKinds(w, problems)
	})
	return nil
}

func (e Env) planForSupport(ctx context.Context, in *input) (plan importer.Plan, err error) {
	opened, err := e.openTable(in, userTypes{})
	if err != nil {
		return plan, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	t, err := opened.withUserTypes(e.Settings, userTypes{})
	if err != nil {
		return plan, err
	}
	store := journal.NewTempStore(false)
	defer func() { err = errors.Join(err, store.Close()) }()
	return e.plan(ctx, t, importer.Planner{Store: store})
}

// whyNotChecked says of what kind an error is, which itself may hold names.
func whyNotChecked(err error) string {
	var (
		uncertain *UncertainError
		ofMapping *mapping.FileError
		ofFile    *sheet.FileError
	)
	switch {
	case errors.As(err, &uncertain):
		return "there is no mapping, and the headers are not all clear"
	case errors.As(err, &ofMapping):
		return "its mapping does not fit"
	case errors.As(err, &ofFile):
		return "it cannot be read to its end"
	default:
		return "another error"
	}
}
