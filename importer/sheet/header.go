package sheet

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// errNoRows says that a sheet has nothing in it.
var errNoRows = errors.New("no rows")

// headerPlace is where the header is among the first rows of a sheet.
type headerPlace struct {
	at     int          // index of the row that names the columns, the lower one of two
	groups []int        // indexes of the rows above it that name groups of columns, from the top
	merged []rows.Range // cells of these rows
	below  int          // index of the first row below the header, repetitions of it left out
	known  int          // columns whose names mean an attribute
	fits   bool         // it has the names of all columns that are needed
	sure   bool
	none   bool // no row names the columns
}

// header looks for the header among the rows of a preview. It is the row with the names of
// all columns that are needed, where these are known. Else it is the first row that is
// about as wide as the table, and all of whose cells are names: above values, or known as
// what student systems call things. Where the row that should be the header has values
// itself, there is none, and the user is asked: a header must never become a person, and a
// person never a header.
func (p *preview) header(fits func([]string) bool) (headerPlace, error) {
	first := p.firstWide()
	if i := p.fitting(fits); i >= 0 {
		if i > first && !p.areTitles(first, i) {
			return headerPlace{}, p.askBetween(first, i)
		}
		return headerPlace{at: i, below: p.belowHeader(i), known: p.known(i), fits: true, sure: true}, nil
	}
	if f, err := p.mergedHeader(); err != nil || f.at > 0 {
		return f, err
	}
	chosen, sure := first, p.isHeader(first)
	for i := first + 1; i < len(p.rows) && i <= first+maxTitleRows; i++ {
		if i == first+1 && p.follows(i) && p.fillsGaps(first, i) {
			continue // perhaps a header of two rows
		}
		if p.shapes[i].values == 0 && p.known(i) >= 2 && p.known(i) > p.known(chosen)+1 {
			if !p.allSparser(first, i) && (sure == notHeader || p.known(first) == 0) {
				return headerPlace{}, p.askBetween(first, i)
			}
			if p.allSparser(first, i) {
				chosen, sure = i, surelyHeader
			}
			break
		}
	}
	if sure == notHeader {
		return headerPlace{}, noHeader(&p.rows[chosen])
	}
	f := headerPlace{at: chosen, known: p.known(chosen), sure: sure == surelyHeader}
	if err := p.findGroups(&f); err != nil {
		return headerPlace{}, err
	}
	f.below = p.belowHeader(f.at)
	return f, nil
}

// belowHeader returns the index of the first row below the header, repetitions of it left
// out.
func (p *preview) belowHeader(header int) int {
	below := header + 1
	for below < len(p.rows) && sameTexts(&p.rows[header], &p.rows[below]) {
		below++
	}
	return below
}

// fitting returns the index of the first row with the names of all columns that are needed,
// -1 when there is none or they are not known.
func (p *preview) fitting(fits func([]string) bool) int {
	if fits == nil {
		return -1
	}
	return slices.IndexFunc(p.rows, func(row importer.Row) bool {
		names := make([]string, len(row.Cells))
		for c := range names {
			names[c] = rows.TextAt(&row, c)
		}
		return len(row.Problems) == 0 && fits(names)
	})
}

// areTitles reports whether none of the rows from first on may be a person above a header
// that was sorted with them: they have fewer cells, or words where the rows below the
// header have values.
func (p *preview) areTitles(first, header int) bool {
	columns := countColumns(p.shapes[header+1:])
	return !slices.ContainsFunc(p.shapes[first:header], func(s rowShape) bool {
		unlike, alike := columns.contrast(s)
		return s.filled*4 > p.shapes[header].filled*3 && (alike > 0 || unlike == 0)
	})
}

// maxTitleRows is how many rows as wide as the table may precede its header.
const maxTitleRows = 20

// firstWide returns the first row that has at least half as many cells as the table is
// wide, and two where the table has several columns: titles and notes have fewer. A few
// rows that are wider than the others do not count.
func (p *preview) firstWide() int {
	var widths []int
	for _, shape := range p.shapes {
		widths = append(widths, shape.filled)
	}
	slices.Sort(widths)
	width := widths[len(widths)-1-min(2, len(widths)/3)]
	return slices.IndexFunc(p.shapes, func(s rowShape) bool { return s.filled*2 >= width && (s.filled >= 2 || width < 2) })
}

// certainty is how sure it is that a row is a header.
type certainty uint8

const (
	notHeader   certainty = iota // it has values, as the rows below it have
	maybeHeader                  // it is all words, and so are the rows below it
	surelyHeader
)

// isHeader judges a row by itself and by the rows below it.
func (p *preview) isHeader(i int) certainty {
	row := p.shapes[i]
	if (row.filled-row.values)*2 >= row.filled && p.known(i) >= 2 {
		return surelyHeader
	}
	unlike, alike := countColumns(p.shapes[i+1:]).contrast(row)
	switch {
	case row.values == 0 && (unlike > 0 || p.known(i) > 0):
		return surelyHeader
	case row.values == 0:
		return maybeHeader
	case row.values*3 <= row.filled && unlike >= 2 && unlike >= 2*alike:
		return surelyHeader
	}
	return notHeader
}

// known returns how many names of the row are known. Each row is looked up once.
func (p *preview) known(i int) int {
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
	return !slices.ContainsFunc(p.shapes[first:header], func(s rowShape) bool { return s.filled*4 > p.shapes[header].filled*3 })
}

// namesInEachRow refuses a table whose rows all begin with, or have among their values,
// the names of the columns, as Crystal Reports exports page headers:
//
//	Student List,Student ID,First Name,900123401,Ann
//	Student List,Student ID,First Name,900123402,Bo
func (p *preview) namesInEachRow(i int) error {
	row := &p.rows[i]
	if p.shapes[i].values == 0 || len(p.rows)-i < 2 {
		return nil
	}
	same := importer.Row{}
	for c, cell := range row.Cells[:min(len(row.Cells), maxClassified)] {
		isSame := p.shapes[i].at(c) == labelCell && !slices.ContainsFunc(p.rows[i+1:], func(below importer.Row) bool {
			return rows.TextAt(&below, c) != rows.TextAt(row, c)
		})
		if isSame {
			same.Cells = append(same.Cells, cell)
		}
	}
	if len(same.Cells) < 2 || len(same.Cells) == len(row.Cells) || knownNames(&same) < 2 {
		return nil
	}
	return rows.ErrorAt(row.Number, nil, "The names of the columns are in every row, as Crystal Reports writes them. "+
		"Export the file again without them: leave out the report and page headers in the options of its CSV export.").Asking(rows.AskHeader)
}

func noHeader(row *importer.Row) error {
	if len(row.Problems) > 0 {
		return rows.ErrorAt(row.Number, nil, "The header cannot be read. %s If it is another row, give its number with --header-row.", row.Problems[0].Text()).Asking(rows.AskHeader)
	}
	return rows.ErrorAt(row.Number, nil, "No row with the names of the columns was found: this one has values, such as numbers, dates or e-mail addresses. "+
		"Add a row with the names of the columns above it, or, if there is one, give its number with --header-row. With --header-row none the columns are named by their letters.").Asking(rows.AskHeader)
}

func (p *preview) askBetween(first, second int) error {
	return rows.ErrorAt(p.rows[second].Number, nil, "This row looks like the header, but the rows above it, from row %d on, look like rows of the table. "+
		"Give the number of the row with the names of the columns with --header-row.", p.rows[first].Number).Asking(rows.AskHeader)
}

// sameTexts reports whether two rows have the same texts, as a header has that is printed
// on every page.
func sameTexts(a, b *importer.Row) bool {
	for i := range max(len(a.Cells), len(b.Cells)) {
		if !strings.EqualFold(rows.TextAt(a, i), rows.TextAt(b, i)) {
			return false
		}
	}
	return true
}

// names returns the names of the columns, preceded by those of their groups. Blank ones at
// the end are cut, except above values: such a column is known to have no name.
func (p *preview) names(f headerPlace, counted bool) ([]string, error) {
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
	for _, group := range slices.Backward(f.groups) {
		names = joinGroups(&p.rows[group], names, f.merged)
	}
	width := 0
	for i, name := range names {
		if name != "" {
			width = i + 1
		}
	}
	if width == 0 {
		return nil, rows.ErrorAt(row.Number, nil, "The header has no names, only formulas without a result. Open the file in Excel, save it, and use that copy.").Asking(rows.AskHeader)
	}
	below := p.shapes[f.below:]
	columns := countColumns(below)
	most := len(columns)
	if counted {
		most = min(most, len(row.Cells)) // an extra cell shifts the others
	}
	for i := width; i < most; i++ {
		if columns[i].filled >= 2 && columns[i].filled*2 > len(below) {
			width = i + 1
		}
	}
	return append(names, make([]string, max(0, width-len(names)))...)[:width], nil
}

// findHeader finds the header among the first rows, or takes the row that was asked for,
// which always wins. The body begins with the row below.
func (t *Table) findHeader(o Options) error {
	p, f, err := locateHeader(t.rows, o)
	if err != nil {
		return err
	}
	return t.setHeader(p, f, o)
}

// locateHeader reads the first rows of a sheet and finds its header among them.
func locateHeader(source rows.Source, o Options) (*preview, headerPlace, error) {
	asked := o.HeaderRow
	if o.NoHeader {
		asked = 0
	}
	p := readPreview(source, asked)
	switch {
	case len(p.rows) == 0 && p.err != io.EOF:
		return nil, headerPlace{}, p.err
	case asked > 0 && (len(p.rows) == 0 || p.rows[0].Number != asked):
		return nil, headerPlace{}, rows.ErrorAt(asked, nil, "This row was given as the header, but it is blank. Give the number of the row with the names of the columns.").Asking(rows.AskHeader)
	case asked > 0:
		return p, headerPlace{below: 1, known: p.known(0), sure: true}, nil
	case len(p.rows) == 0:
		return nil, headerPlace{}, errNoRows
	case o.NoHeader:
		return p, p.noHeaderPlace(), nil
	}
	if err := p.namesInEachRow(p.firstWide()); err != nil {
		return p, headerPlace{}, err
	}
	f, err := p.header(o.FitsHeader)
	return p, f, err
}

// noHeaderPlace returns where the rows of a sheet without a header begin: titles and notes
// above them have fewer cells. A row of the names that such columns get is their header, as
// in the workbook of the rows to fix.
func (p *preview) noHeaderPlace() headerPlace {
	first := p.firstWide()
	if rows.TextAt(&p.rows[first], 0) == mapping.ByLetter(0) {
		return headerPlace{at: first, below: first + 1, sure: true}
	}
	return headerPlace{below: first, sure: true, none: true}
}

// setNoHeader names the columns by their letters.
func (t *Table) setNoHeader(p *preview, f headerPlace) {
	people := p.rows[f.below:]
	t.headerCells = commonWidth(people)
	if t.counted && t.widths[0] > 0 {
		t.headerCells = t.widths[0]
	}
	width := 0
	for _, row := range people {
		if t.counted && len(row.Cells) != t.headerCells {
			continue // a delimiter is missing or extra
		}
		for c := width; c < len(row.Cells); c++ {
			if rows.HasValue(row.Cells[c]) {
				width = c + 1
			}
		}
	}
	for c := range width {
		t.header.Names = append(t.header.Names, mapping.ByLetter(c))
	}
	t.widths = append(t.widths, t.headerCells)
	t.body = newBody(rowQueue{Source: t.rows, ahead: people, err: p.err}, &t.header, p.shapes[f.below:])
	t.last = people[0].Number - 1
	t.body.last = t.last
	if f.below > 0 {
		var left []int
		for _, row := range p.rows[:f.below] {
			left = append(left, row.Number)
		}
		t.notes = append(t.notes, fmt.Sprintf("The text above the table in %s was treated as titles or notes and skipped.", rows.Numbers(left)))
	}
}

// commonWidth returns how many cells most of the rows have.
func commonWidth(list []importer.Row) int {
	counts, best := map[int]int{}, 0
	for _, row := range list {
		n := len(row.Cells)
		if counts[n]++; counts[n] > counts[best] || counts[n] == counts[best] && n > best {
			best = n
		}
	}
	return best
}

// setHeader makes the header of what was found, and notes what was left out above it and
// what is odd in it.
func (t *Table) setHeader(p *preview, f headerPlace, o Options) error {
	t.sure = f.sure
	if f.none {
		t.setNoHeader(p, f)
		return nil
	}
	names, err := p.names(f, t.counted)
	if err != nil {
		return err
	}
	t.header = importer.Header{Row: p.rows[f.at].Number, Names: names}
	for _, group := range f.groups {
		t.joined = append(t.joined, p.rows[group].Number)
	}
	t.headerCells = len(p.rows[f.at].Cells)
	t.widths = append(t.widths, t.headerCells)
	t.last = t.header.Row
	t.body = newBody(rowQueue{Source: t.rows, ahead: p.rows[f.below:], err: p.err}, &t.header, p.shapes[f.below:])
	t.body.words = t.body.words || f.fits
	if o.HeaderRow == 0 {
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

func (p *preview) headerNotes(f headerPlace) []string {
	var notes []string
	above := f.at
	if len(f.groups) > 0 {
		above = f.groups[0]
		var joined []int
		for _, row := range p.rows[above : f.at+1] {
			joined = append(joined, row.Number)
		}
		notes = append(notes, fmt.Sprintf("The header was joined from %s.", rows.Numbers(joined)))
	}
	if above > 0 {
		var left []int
		for _, row := range p.rows[:above] {
			left = append(left, row.Number)
		}
		notes = append(notes, fmt.Sprintf("The header was found in row %d. The text above it in %s was treated as titles or notes and skipped.", p.rows[above].Number, rows.Numbers(left)))
	}
	if !f.sure && f.below < len(p.rows) {
		notes = append(notes, fmt.Sprintf("Row %d was used as the header, although none of its names is known and it looks like the rows below it.", p.rows[f.at].Number))
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
			notes = append(notes, fmt.Sprintf("%d more names are used for several columns each.", len(order)-len(notes)))
			break
		}
		same := columns[key]
		notes = append(notes, fmt.Sprintf("%s the same name in the header, %q. Give them different ones, or name the one that is meant with its letter in a mapping, as in %q.",
			rows.Columns(same, "has", "have"), strings.TrimSpace(names[same[0]]), mapping.ColumnName(names, same[0])))
	}
	return notes
}
