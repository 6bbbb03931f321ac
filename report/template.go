package report

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"

	"opscom-import/mapping"
)

const (
	templateTitle = programName + " template"

	peopleSheet = "People"
	helpSheet   = "How to fill it in"
)

// Template says what a blank workbook is for.
type Template struct {
	LoginSource string   // of everybody, which then has no column; "" for a column of its own
	UserTypes   []string // to choose from, as a mapping calls them; none when the Controller did not list them
}

// templateColumn is one column of the template.
type templateColumn struct {
	mapping.AttributeSpec
	header  string
	hint    string   // what to write in it, a sentence or two
	choices []string // to choose from; other values can be typed as well
}

// WriteTemplate writes a blank workbook to be filled in with people: a column for each
// attribute, in the Controller's order and with its names, the required ones first and
// marked; all cells are text, so that ids keep their zeros; user types, provinces and
// states can be chosen. A second sheet explains the columns. Filled in, the workbook can
// be pushed without a mapping file.
func WriteTemplate(w io.Writer, t Template) (err error) {
	b, err := newWorkbook(peopleSheet, templateTitle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	columns := t.columns()
	for _, step := range []func() error{
		func() error { return b.writePeople(columns) },
		func() error { return b.writeHelp(t, columns) },
		func() error { return b.writeTo(w) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("write the template: %w", err)
		}
	}
	return nil
}

// columns returns the columns, the required ones first.
func (t Template) columns() (columns []templateColumn) {
	for _, required := range []bool{true, false} {
		for _, spec := range mapping.Attributes() {
			if spec.Required == required && (spec.Attribute != mapping.LoginSource || t.LoginSource == "") {
				columns = append(columns, t.column(spec))
			}
		}
	}
	return columns
}

// column describes the column of one attribute. Notes in brackets do not hide a header's
// name from mapping/suggest.
func (t Template) column(spec mapping.AttributeSpec) templateColumn {
	c := templateColumn{AttributeSpec: spec, header: spec.Label}
	if spec.Required {
		c.header += " (required)"
	}
	switch {
	case spec.Attribute == mapping.UniqueID:
		c.hint = "The person's own number at your institution, with all its zeros. No two people have the same one."
	case spec.Attribute == mapping.LoginSource:
		c.hint = "Where the person logs in, as your OPS-COM calls it, such as SSO."
	case spec.Kind == mapping.DateKind:
		c.header += " (YYYY-MM-DD)"
		c.hint = "Year, month, day, such as 2004-09-30."
	case spec.Kind == mapping.EmailKind:
		c.hint = "One address, such as ann@college.example."
	case spec.Kind == mapping.RegionKind:
		c.hint = "The two letters, such as ON or NY, or the name."
		for _, region := range mapping.Regions() {
			c.choices = append(c.choices, region.Code)
		}
	case spec.Kind == mapping.UserTypeKind && len(t.UserTypes) > 0:
		c.hint = "One of OPS-COM's user types: choose it from the list."
		c.choices = t.UserTypes
	case spec.Kind == mapping.UserTypeKind, spec.Kind == mapping.LockerUserTypeKind:
		c.hint = "The number that OPS-COM has for the type."
	}
	if spec.MaxChars > 0 && spec.Kind == mapping.TextKind {
		c.hint = strings.TrimSpace(c.hint + fmt.Sprintf(" At most %d characters.", spec.MaxChars))
	}
	return c
}

// writePeople writes the header of the sheet to fill in. Whole columns are text; there
// are no cells below the header, so that nothing but what is typed is read.
func (b *workbook) writePeople(columns []templateColumn) error {
	stream, err := b.file.NewStreamWriter(peopleSheet)
	if err != nil {
		return err
	}
	plain, err := b.file.NewStyle(&excelize.Style{NumFmt: textFormat})
	if err != nil {
		return err
	}
	if err := stream.SetColStyle(1, len(columns), plain); err != nil {
		return err
	}
	var names []string
	for i, c := range columns {
		names = append(names, c.header)
		if err := stream.SetColWidth(i+1, i+1, float64(min(max(len(c.header)+3, 14), 32))); err != nil {
			return err
		}
	}
	if err := stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	if err := stream.SetRow("A1", styled(b.header, names...)); err != nil {
		return err
	}
	if err := b.textsAreRight(peopleSheet, len(columns), excelize.TotalRows); err != nil {
		return err
	}
	if err := b.addChoices(columns); err != nil { // once the sheet is flushed they would be lost without an error
		return err
	}
	return stream.Flush()
}

// writeHelp writes the sheet that explains the columns.
func (b *workbook) writeHelp(t Template, columns []templateColumn) error {
	if _, err := b.file.NewSheet(helpSheet); err != nil {
		return err
	}
	stream, err := b.file.NewStreamWriter(helpSheet)
	if err != nil {
		return err
	}
	for i, width := range []float64{36, 70} {
		if err := stream.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	lines := [][]string{
		{"Write one person in each row of the sheet " + peopleSheet + ". Columns that you do not need can stay blank or be removed."},
		{"All cells are text: a number keeps the zeros at its beginning."},
	}
	if t.LoginSource != "" {
		lines = append(lines, []string{"Everybody gets the login source " + t.LoginSource + "."})
	}
	lines = append(lines, nil)
	row := 0
	write := func(style int, texts ...string) error {
		row++
		return stream.SetRow(fmt.Sprintf("A%d", row), styled(style, texts...))
	}
	for _, line := range lines {
		if err := write(0, line...); err != nil {
			return err
		}
	}
	if err := write(b.header, "Column", "What to write"); err != nil {
		return err
	}
	for _, c := range columns {
		if err := write(b.text, c.header, c.hint); err != nil {
			return err
		}
	}
	return stream.Flush()
}

// addChoices gives the columns their drop-downs, and shows what to write beside a chosen
// cell. The lists are on a hidden sheet: in the cell's own list Excel allows few.
func (b *workbook) addChoices(columns []templateColumn) error {
	if _, err := b.file.NewSheet(choicesSheet); err != nil {
		return err
	}
	if err := b.file.SetSheetVisible(choicesSheet, false); err != nil {
		return err
	}
	for i, c := range columns {
		letter := mapping.ColumnLetter(i)
		validation := excelize.NewDataValidation(true)
		validation.SetSqref(fmt.Sprintf("%s2:%s%d", letter, letter, excelize.TotalRows))
		if c.hint != "" {
			validation.SetInput(promptTitle(c.Label), c.hint)
		}
		if len(c.choices) > 0 {
			if err := b.file.SetSheetCol(choicesSheet, letter+"1", &c.choices); err != nil {
				return err
			}
			validation.SetSqrefDropList(fmt.Sprintf("'%s'!$%s$1:$%s$%d", choicesSheet, letter, letter, len(c.choices)))
		}
		if c.hint == "" && len(c.choices) == 0 {
			continue
		}
		if err := b.file.AddDataValidation(peopleSheet, validation); err != nil {
			return err
		}
	}
	return nil
}

// promptTitle shortens a label to what the title of a hint beside a cell may have.
func promptTitle(label string) string {
	const most = 32
	if runes := []rune(label); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return label
}
