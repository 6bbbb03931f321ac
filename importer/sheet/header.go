package sheet

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"opscom-import/importer/sheet/internal/rows"

	"opscom-import/importer"
)

// errNoRows says that a sheet has nothing in it.
var errNoRows = errors.New("no rows")

// finding says where the header stands among the first rows of a sheet.
type finding struct {
	at    int // index of the row that names the columns, the lower one of two
	group int // index of the row above it that names groups of columns; -1 for none
	below int // index of the first row below the header, repetitions of it left out
	known int // columns whose names mean an attribute
	sure  bool
}

// header looks for the header among the rows of a preview. It is the first row
// that is about as wide as the table, and all of whose cells are names: above
// values, or known as what student systems call things. Where the row that ought
// to be the header holds values itself, there is none, and a person is asked: a
// header must never become a person, and a person never a header.
func (p *preview) header() (finding, error) {
	first := p.firstWide()
	chosen, sure := first, p.isHeader(first)
	for i := first + 1; i < len(p.rows) && i <= first+maxTitleRows; i++ {
		if i == first+1 && p.follows(i) && p.fillsGaps(first, i) {
			continue // perhaps a header of two rows
		}
		if p.looks[i].values == 0 && p.known(i) >= 2 && p.known(i) > p.known(chosen)+1 {
			if !p.allSparser(first, i) && (sure == isNone || p.known(first) == 0) {
				return finding{}, p.askBetween(first, i)
			}
			if p.allSparser(first, i) {
				chosen, sure = i, isSure
			}
			break
		}
	}
	if sure == isNone {
		return finding{}, noHeader(&p.rows[chosen])
	}
	f := finding{at: chosen, group: -1, known: p.known(chosen), sure: sure == isSure}
	if err := p.findGroups(&f); err != nil {
		return finding{}, err
	}
	f.below = f.at + 1
	for f.below < len(p.rows) && sameTexts(&p.rows[f.at], &p.rows[f.below]) {
		f.below++
	}
	return f, nil
}

// maxTitleRows is how many rows as wide as the table may stand above its header.
const maxTitleRows = 20

// firstWide returns the first row that has at least half as many cells as the
// table is wide, and two where the table has several columns: titles and notes
// have fewer. A few rows that are wider than the others do not count.
func (p *preview) firstWide() int {
	filled := make([]int, len(p.looks))
	for i, l := range p.looks {
		filled[i] = l.filled
	}
	sorted := slices.Sorted(slices.Values(filled))
	width := sorted[len(sorted)-1-min(2, len(sorted)/3)]
	return slices.IndexFunc(filled, func(n int) bool { return n*2 >= width && (n >= 2 || width < 2) })
}

// certainty reports whether a row is a header.
type certainty uint8

const (
	isNone     certainty = iota // it has values, as the rows below it have
	isPossible                  // all of it are words, and so is all below it
	isSure
)

// isHeader judges a row by itself and by what stands below it.
func (p *preview) isHeader(i int) certainty {
	row := p.looks[i]
	if (row.filled-row.values)*2 >= row.filled && p.known(i) >= 2 {
		return isSure
	}
	unlike, alike := lookDown(p.looks[i+1:]).contrast(row)
	switch {
	case row.values == 0 && (unlike > 0 || p.known(i) > 0):
		return isSure
	case row.values == 0:
		return isPossible
	case row.values*3 <= row.filled && unlike >= 2 && unlike >= 2*alike:
		return isSure
	}
	return isNone
}

// known returns how many names of the row are known. It is worked out once.
func (p *preview) known(i int) int {
	if p.knownNames == nil {
		p.knownNames = make(map[int]int)
	}
	n, ok := p.knownNames[i]
	if !ok {
		n = knownNames(&p.rows[i])
		p.knownNames[i] = n
	}
	return n
}

// allSparser reports whether all rows from first on have fewer cells than the
// header, as titles have.
func (p *preview) allSparser(first, header int) bool {
	return !slices.ContainsFunc(p.looks[first:header], func(l rowLook) bool { return l.filled*4 > p.looks[header].filled*3 })
}

func noHeader(row *importer.Row) error {
	if len(row.Problems) > 0 {
		return rows.ErrorAt(row.Number, nil, "The header cannot be read. %s If it is another row, give its number with --header-row.", row.Problems[0].Text())
	}
	return rows.ErrorAt(row.Number, nil, "No row was found that names the columns: this one holds values, such as numbers, dates or e-mail addresses. "+
		"Add a row with the columns' names above it, or, if there is one, give its number with --header-row.")
}

func (p *preview) askBetween(first, second int) error {
	return rows.ErrorAt(p.rows[second].Number, nil, "This row looks like the header, but the rows from %d on above it look like rows of the table. "+
		"Give the number of the row that names the columns with --header-row.", p.rows[first].Number)
}

// sameTexts reports whether two rows say the same, as a header does that is
// printed on every page.
func sameTexts(a, b *importer.Row) bool {
	for i := range max(len(a.Cells), len(b.Cells)) {
		if !strings.EqualFold(rows.TextAt(a, i), rows.TextAt(b, i)) {
			return false
		}
	}
	return true
}

// names returns the columns' names, those of a group put before them. Blank ones
// at the end are cut, except above values: such a column is known to have no name.
func (p *preview) names(f finding, merges []rows.Range, counted bool) ([]string, error) {
	row := &p.rows[f.at]
	if len(row.Problems) > 0 {
		return nil, noHeader(row)
	}
	names := make([]string, len(row.Cells))
	for i, cell := range row.Cells {
		if strings.TrimSpace(cell.Text) != "" {
			names[i] = cell.Text
		}
	}
	if f.group >= 0 {
		names = joinGroups(&p.rows[f.group], names, merges)
	}
	width := 0
	for i, name := range names {
		if name != "" {
			width = i + 1
		}
	}
	if width == 0 {
		return nil, rows.ErrorAt(row.Number, nil, "The header holds no names, only formulas without a result. Open the file in Excel, save it, and use that copy.")
	}
	below := p.looks[f.below:]
	columns := lookDown(below)
	most := len(columns)
	if counted {
		most = min(most, len(row.Cells)) // a cell too many shifts the others
	}
	for i := width; i < most; i++ {
		if columns[i].filled >= 2 && columns[i].filled*2 > len(below) {
			width = i + 1
		}
	}
	for len(names) < width {
		names = append(names, "")
	}
	return names[:width], nil
}

// findHeader finds the header among the first rows, or takes the row that was
// asked for, which always wins. It leaves the body standing on the row below.
func (t *Table) findHeader(asked int) error {
	p, f, err := lookForHeader(t.rows, asked)
	if err != nil {
		return err
	}
	return t.takeHeader(p, f, asked)
}

// lookForHeader reads the first rows of a sheet and says where its header stands.
func lookForHeader(source rows.Source, asked int) (*preview, finding, error) {
	p := readPreview(source, asked)
	if asked > 0 {
		if len(p.rows) == 0 && p.err != nil && p.err != io.EOF {
			return nil, finding{}, p.err
		}
		if len(p.rows) == 0 || p.rows[0].Number != asked {
			return nil, finding{}, rows.ErrorAt(asked, nil, "This row was given as the header, but there is nothing in it. Give the number of the row with the columns' names.")
		}
		return p, finding{group: -1, below: 1, known: p.known(0), sure: true}, nil
	}
	switch {
	case len(p.rows) == 0 && p.err == io.EOF:
		return nil, finding{}, errNoRows
	case len(p.rows) == 0:
		return nil, finding{}, p.err
	}
	f, err := p.header()
	return p, f, err
}

// takeHeader makes the header of what was found, and notes what was left out
// above it and what is odd in it.
func (t *Table) takeHeader(p *preview, f finding, asked int) error {
	var merges []rows.Range
	if f.group >= 0 {
		var err error
		if merges, err = p.mergesOf(f.group, f.at); err != nil {
			return err
		}
	}
	names, err := p.names(f, merges, t.counted)
	if err != nil {
		return err
	}
	t.header = importer.Header{Row: p.rows[f.at].Number, Names: names}
	t.widths = append(t.widths, len(p.rows[f.at].Cells))
	t.last = t.header.Row
	t.body = newBody(rowQueue{Source: t.rows, ahead: p.rows[f.below:], err: p.err}, &t.header, p.looks[f.below:])
	if asked == 0 {
		t.notes = append(t.notes, p.headerNotes(f)...)
	}
	for _, row := range p.rows[f.at+1 : f.below] {
		t.body.repeated = append(t.body.repeated, row.Number)
		t.last, t.body.last = row.Number, row.Number
	}
	if cells := len(p.rows[f.at].Cells); t.counted && cells > len(names) {
		var unnamed []int
		for c := len(names); c < cells; c++ {
			unnamed = append(unnamed, c)
		}
		t.notes = append(t.notes, rows.Columns(unnamed, "has no name in the header, and was left out.", "have no name in the header, and were left out."))
	}
	t.notes = append(t.notes, duplicateNames(names)...)
	return nil
}

func (p *preview) headerNotes(f finding) []string {
	var notes []string
	above := f.at
	if f.group >= 0 {
		above = f.group
		notes = append(notes, fmt.Sprintf("The header was joined from rows %d and %d.", p.rows[f.group].Number, p.rows[f.at].Number))
	}
	if above > 0 {
		var left []int
		for _, row := range p.rows[:above] {
			left = append(left, row.Number)
		}
		notes = append(notes, fmt.Sprintf("The header was found in row %d. What stands above it in %s was taken for titles or notes, and left out.", p.rows[above].Number, rows.Numbers(left)))
	}
	if !f.sure && f.below < len(p.rows) {
		notes = append(notes, fmt.Sprintf("Row %d was taken for the header, although none of its names is known, and it looks like the rows below it.", p.rows[f.at].Number))
	}
	return notes
}

// duplicateNames names the columns that cannot be told apart by their names.
func duplicateNames(names []string) []string {
	columns := map[string][]int{}
	var order []string
	for c, name := range names {
		key := strings.ToLower(strings.TrimSpace(name))
		if key == "" {
			continue
		}
		if len(columns[key]) == 1 {
			order = append(order, key)
		}
		columns[key] = append(columns[key], c)
	}
	var notes []string
	for _, key := range order {
		if len(notes) == 5 {
			notes = append(notes, fmt.Sprintf("%d more names stand above several columns each.", len(order)-len(notes)))
			break
		}
		same := columns[key]
		notes = append(notes, fmt.Sprintf("%s the same name in the header, %q. Give them different ones, or a mapping cannot tell them apart.", rows.Columns(same, "has", "have"), strings.TrimSpace(names[same[0]])))
	}
	return notes
}
