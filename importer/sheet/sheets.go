package sheet

import (
	"errors"
	"fmt"
	"strings"

	"opscom-import/importer/sheet/internal/excel"
	"opscom-import/importer/sheet/internal/rows"
)

// book is a file of several sheets.
type book interface {
	Sheets() []excel.Sheet
	Open(excel.Sheet) (rows.Source, error)
}

// sheetList is the sheets of a book in their order.
type sheetList []excel.Sheet

// named returns the sheet of that name, whatever its case.
func (l sheetList) named(name string) (excel.Sheet, error) {
	for _, s := range l {
		if !strings.EqualFold(strings.TrimSpace(s.Name), strings.TrimSpace(name)) {
			continue
		}
		if s.Part == "" {
			return s, rows.Errorf("The sheet %q holds a chart and no cells. %s", s.Name, l)
		}
		return s, nil
	}
	return excel.Sheet{}, rows.Errorf("There is no sheet %q. %s", name, l)
}

// visible returns the sheets that a person sees, charts left out.
func (l sheetList) visible() sheetList {
	var found sheetList
	for _, s := range l {
		if s.Part != "" && !s.Hidden {
			found = append(found, s)
		}
	}
	return found
}

// String names every sheet in a sentence.
func (l sheetList) String() string { return "The workbook's sheets are " + l.names() + "." }

// names returns the names in quotes: at most 20 of them.
func (l sheetList) names() string {
	const shown = 20
	var names []string
	for _, s := range l[:min(len(l), shown)] {
		name := fmt.Sprintf("%q", s.Name)
		if s.Hidden {
			name += " (hidden)"
		}
		names = append(names, name)
	}
	if more := len(l) - shown; more > 0 {
		return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// without returns the other sheets.
func (l sheetList) without(chosen excel.Sheet) sheetList {
	var others sheetList
	for _, s := range l {
		if s != chosen {
			others = append(others, s)
		}
	}
	return others
}

// openBook takes the sheet that was asked for, or among those that can be seen the
// one that looks most like a list of people.
func (t *Table) openBook(b book, o Options) error {
	all := sheetList(b.Sheets())
	if o.Sheet != "" {
		sheet, err := all.named(o.Sheet)
		if err != nil {
			return err
		}
		t.sheet = sheet.Name
		if t.rows, err = b.Open(sheet); err != nil {
			return err
		}
		err = t.findHeader(o.HeaderRow)
		if errors.Is(err, errNoRows) {
			return rows.Errorf("The sheet is empty: it has no header and no rows. %s", all)
		}
		t.noteChoice(sheet, all, nil)
		return err
	}
	best, alike, err := t.choose(b, all.visible(), o.HeaderRow)
	if err != nil {
		return err
	}
	if best == nil {
		t.sheet = ""
		return rows.Errorf("No visible sheet of the workbook has rows. %s A hidden one is read when it is asked for by name.", all)
	}
	t.sheet = best.sheet.Name
	if best.err != nil {
		return best.err
	}
	t.noteChoice(best.sheet, all, alike)
	return t.takeHeader(best.preview, best.finding, o.HeaderRow)
}

// candidate is a sheet whose first rows were looked at.
type candidate struct {
	sheet   excel.Sheet
	preview *preview
	finding finding
	err     error // a question to a person: which row is the header
}

// looksLikePeople reports whether the sheet has names that profiles need.
func (c *candidate) looksLikePeople() bool { return c.err == nil && c.finding.known >= 2 }

// better reports whether the sheet looks more like a list of people than another.
func (c *candidate) better(than *candidate) bool {
	if than == nil {
		return true
	}
	if c.looksLikePeople() != than.looksLikePeople() {
		return c.looksLikePeople()
	}
	return c.looksLikePeople() && c.hasRows() != than.hasRows() && c.hasRows() ||
		c.looksLikePeople() && c.hasRows() == than.hasRows() && c.finding.known > than.finding.known
}

func (c *candidate) hasRows() bool { return c.finding.below < len(c.preview.rows) }

// maxSheetsSeen is how many sheets are looked at before one is chosen.
const maxSheetsSeen = 40

// choose looks at the first rows of each sheet. It leaves the chosen one open as
// the table's rows, and names those that look just as much like people.
func (t *Table) choose(b book, sheets sheetList, headerRow int) (best *candidate, alike sheetList, err error) {
	for _, sheet := range sheets[:min(len(sheets), maxSheetsSeen)] {
		t.sheet = sheet.Name
		source, err := b.Open(sheet)
		if err != nil {
			return nil, nil, err
		}
		c := &candidate{sheet: sheet}
		c.preview, c.finding, c.err = lookForHeader(source, headerRow)
		var question *rows.FileError
		if damaged := c.err != nil && !errors.Is(c.err, errNoRows) && !(errors.As(c.err, &question) && question.Unwrap() == nil); damaged {
			return nil, nil, errors.Join(c.err, source.Close())
		}
		drop := source
		switch {
		case errors.Is(c.err, errNoRows):
		case c.better(best):
			drop, t.rows = t.rows, source
			best, alike = c, nil
		case c.looksLikePeople() && c.hasRows():
			alike = append(alike, sheet)
		}
		if drop != nil {
			if err := drop.Close(); err != nil {
				return nil, nil, err
			}
		}
	}
	return best, alike, nil
}

// noteChoice says which sheet was chosen where there are several.
func (t *Table) noteChoice(chosen excel.Sheet, all, alike sheetList) {
	if others := all.without(chosen); len(others) > 0 {
		t.notes = append(t.notes, fmt.Sprintf("The sheet %q was read, and these were not: %s.", chosen.Name, others.names()))
	}
	if len(alike) > 0 {
		t.notes = append(t.notes, fmt.Sprintf("Other sheets look like lists of people too: %s. To read another one, name it with --sheet.", alike.names()))
	}
}
