package sheet

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"opscom-import/importer/sheet/internal/excel"
	"opscom-import/importer/sheet/internal/rows"
)

// book is a file of several sheets.
type book interface {
	Sheets() []excel.Sheet
	Open(excel.Sheet) (rows.Source, error)
}

// sheetNames lists sheets in a sentence.
func sheetNames(sheets []excel.Sheet) string {
	return rows.List(sheets, 20, func(s excel.Sheet) string {
		if s.Hidden {
			return fmt.Sprintf("%q (hidden)", s.Name)
		}
		return fmt.Sprintf("%q", s.Name)
	})
}

// listSheets names every sheet of a workbook.
func listSheets(sheets []excel.Sheet) string {
	if len(sheets) == 1 {
		return "The only sheet is " + sheetNames(sheets) + "."
	}
	return "The workbook's sheets are " + sheetNames(sheets) + "."
}

// namesOf returns the names of the sheets that have cells.
func namesOf(sheets []excel.Sheet) (names []string) {
	for _, s := range sheets {
		if s.Part != "" {
			names = append(names, s.Name)
		}
	}
	return names
}

// findSheet returns the sheet with the name, whatever its case.
func findSheet(sheets []excel.Sheet, name string) (excel.Sheet, error) {
	i := slices.IndexFunc(sheets, func(s excel.Sheet) bool {
		return strings.EqualFold(strings.TrimSpace(s.Name), strings.TrimSpace(name))
	})
	if i < 0 {
		return excel.Sheet{}, rows.Errorf("There is no sheet %q. %s", name, listSheets(sheets)).Asking(rows.AskSheet, namesOf(sheets)...)
	}
	if sheets[i].Lost {
		return excel.Sheet{}, lostSheet(sheets[i])
	}
	if sheets[i].Part == "" {
		return excel.Sheet{}, rows.Errorf("The sheet %q is a chart without cells. %s", sheets[i].Name, listSheets(sheets)).Asking(rows.AskSheet, namesOf(sheets)...)
	}
	return sheets[i], nil
}

// lostSheet returns the error of a sheet whose part is not in the file.
func lostSheet(sheet excel.Sheet) *FileError {
	return rows.Errorf("The workbook is damaged: it lists the sheet %q, but the part with its rows is not in the file. Open the workbook in Excel, which may repair it, and save it again, or export it again.", sheet.Name)
}

// openBook opens the sheet that was asked for, or of the visible ones the one that looks
// most like a list of people.
func (t *Table) openBook(b book, o Options) error {
	all := b.Sheets()
	if t.preview != nil {
		for _, s := range all {
			if s.Part != "" {
				t.preview.Sheets = append(t.preview.Sheets, SheetInfo{s.Name, s.Hidden})
			}
		}
	}
	if o.Sheet != "" {
		sheet, err := findSheet(all, o.Sheet)
		if err != nil {
			return err
		}
		t.sheet = sheet.Name
		if t.rows, err = t.recorded(b.Open(sheet)); err != nil {
			return err
		}
		err = t.findHeader(o)
		if errors.Is(err, errNoRows) {
			return rows.Errorf("The sheet is empty: it has no header and no rows. %s", listSheets(all)).Asking(rows.AskSheet, namesOf(all)...)
		}
		t.noteChoice(sheet, all, nil)
		return err
	}
	best, alike, err := t.choose(b, o)
	if err != nil {
		return err
	}
	if best == nil {
		t.sheet = ""
		return rows.Errorf("No visible sheet of the workbook has rows. %s To read a hidden one, name it with --sheet.", listSheets(all)).Asking(rows.AskSheet, namesOf(all)...)
	}
	t.sheet = best.sheet.Name
	if best.err != nil {
		return best.err
	}
	t.noteChoice(best.sheet, all, alike)
	return t.setHeader(best.preview, best.place, o)
}

// candidate is a sheet whose first rows were looked at.
type candidate struct {
	sheet   excel.Sheet
	preview *preview
	place   headerPlace
	err     error // a question to the user: which row is the header
}

// isPeople reports whether the sheet has columns that profiles need.
func (c *candidate) isPeople() bool { return c.err == nil && (c.place.fits || c.place.known >= 2) }

func (c *candidate) hasRows() bool { return c.place.below < len(c.preview.rows) }

// isBetter reports whether the sheet looks more like a list of people than the other.
func (c *candidate) isBetter(other *candidate) bool {
	switch {
	case other == nil:
		return true
	case c.isPeople() != other.isPeople() || !c.isPeople():
		return c.isPeople() && !other.isPeople()
	case c.place.fits != other.place.fits:
		return c.place.fits
	case c.hasRows() != other.hasRows():
		return c.hasRows()
	}
	return c.place.known > other.place.known
}

// choose looks at the first rows of each visible sheet. It leaves the best one open as
// the table's rows, and returns those that look just as much like people.
func (t *Table) choose(b book, o Options) (best *candidate, alike []excel.Sheet, err error) {
	const maxSheets = 40
	visible := slices.DeleteFunc(slices.Clone(b.Sheets()), func(s excel.Sheet) bool { return s.Part == "" && !s.Lost || s.Hidden })
	if i := slices.IndexFunc(visible, func(s excel.Sheet) bool { return s.Lost }); i >= 0 {
		return nil, nil, lostSheet(visible[i])
	}
	for _, sheet := range visible[:min(len(visible), maxSheets)] {
		t.sheet = sheet.Name
		source, err := t.recorded(b.Open(sheet))
		if err != nil {
			return nil, nil, err
		}
		c := &candidate{sheet: sheet}
		c.preview, c.place, c.err = locateHeader(source, o)
		var question *FileError
		if damaged := c.err != nil && !errors.Is(c.err, errNoRows) && !(errors.As(c.err, &question) && question.Unwrap() == nil); damaged {
			return nil, nil, errors.Join(c.err, source.Close())
		}
		rejected := source
		switch {
		case errors.Is(c.err, errNoRows):
		case c.isBetter(best):
			rejected, t.rows = t.rows, source
			best, alike = c, nil
		case c.isPeople() && c.hasRows() && c.place.fits == best.place.fits:
			alike = append(alike, sheet)
		}
		if rejected != nil {
			if err := rejected.Close(); err != nil {
				return nil, nil, err
			}
		}
	}
	return best, alike, nil
}

// noteChoice notes which sheet was chosen where there are several.
func (t *Table) noteChoice(chosen excel.Sheet, all, alike []excel.Sheet) {
	others := slices.DeleteFunc(slices.Clone(all), func(s excel.Sheet) bool { return s == chosen })
	if len(others) > 0 {
		t.notes = append(t.notes, fmt.Sprintf("The sheet %q was read, and these were not: %s.", chosen.Name, sheetNames(others)))
	}
	if len(alike) > 0 {
		t.alike = namesOf(alike)
		t.notes = append(t.notes, fmt.Sprintf("Other sheets look like lists of people too: %s. To read another one, name it with --sheet.", sheetNames(alike)))
	}
}
