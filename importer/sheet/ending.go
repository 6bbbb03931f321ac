package sheet

import (
	"fmt"
	"slices"
	"strings"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/importer/sheet/internal/text"
	"opscom-import/mapping"
)

// ending judges whether a text file that ends without a line end was cut off in its
// last row. Many programs write no line end there, so that this alone proves nothing:
// the row is compared with those above it.
//
//	900000001,SSO,2004-02-29
//	…
//	900000599,SSO,2003-1         shorter than all others: cut off
//	900000599,SSO,2003-11-04     as long as all others: whole
type ending struct {
	source *text.Reader
	column int // the last one that has a name
	width  int // cells that a row has at least

	row    int // number of the last row; 0 for none
	cells  int // that it has
	broken bool
	value  string

	rows, blank      int // above it that are not broken, and that have no value
	wereBroken       int
	shortest, widest int             // value, in bytes
	suffix           string          // that the values share
	values           map[string]*int // how often each occurs; nil when there are too many
}

const (
	enoughRows = 10   // above the last one, to tell what its value should look like
	maxValues  = 1000 // that are told apart
)

// observe looks at the next row, which had so many cells in the file.
func (e *ending) observe(row *importer.Row, cells int) {
	if e.row > 0 {
		e.count()
	}
	e.row, e.cells, e.value = row.Number, cells, rows.TextAt(row, e.column)
	e.broken = slices.ContainsFunc(row.Problems, func(p mapping.Problem) bool {
		return p.Rule == mapping.RuleBadQuotes || p.Rule == mapping.RuleRaggedRow
	})
}

// count counts the row that turned out not to be the last.
func (e *ending) count() {
	if e.broken {
		e.wereBroken++
		return
	}
	e.rows++
	size := len(e.value)
	switch {
	case size == 0:
		e.blank++
		return
	case e.rows-e.blank == 1:
		e.shortest, e.widest, e.suffix, e.values = size, size, strings.Clone(e.value), map[string]*int{}
	}
	e.shortest, e.widest = min(e.shortest, size), max(e.widest, size)
	for !strings.HasSuffix(e.value, e.suffix) {
		e.suffix = e.suffix[1:]
	}
	if e.values == nil {
		return
	}
	if count := e.values[e.value]; count != nil {
		*count++
		return
	}
	if len(e.values) == maxValues {
		e.values = nil
		return
	}
	e.values[strings.Clone(e.value)] = new(1) // else the whole line would stay in memory
}

// judge reports, once the text was read, whether it was cut off in its last row, or
// may have been: then only a person can tell.
func (e *ending) judge() (isCut, mayBe bool) {
	end := e.source.Ending()
	if !end.Unended || e.row == 0 || e.row != end.Row {
		return false, false
	}
	others := e.rows - e.blank
	switch {
	case e.broken:
		return e.wereBroken == 0 && (e.cells < e.width || end.Unclosed == e.row), false // else it is a row to fix like others
	case end.Quoted, e.cells > e.column+1:
		return false, false // what closes the value is there
	case e.value == "" && e.blank > 0, e.values[e.value] != nil:
		return false, false // as further up
	case e.rows < enoughRows || others < enoughRows:
		return false, true
	case e.value == "":
		return true, false
	case e.shortest == e.widest && e.widest > 1:
		return len(e.value) < e.widest, false
	case strings.ContainsAny(e.suffix, "@."): // of addresses
		return !strings.HasSuffix(e.value, e.suffix), false
	case e.values != nil && len(e.values)*5 <= others:
		for value := range e.values {
			if strings.HasPrefix(value, e.value) {
				return true, false
			}
		}
		return false, false
	}
	return false, true
}

// note says that nobody can tell whether the last value is whole.
func (e *ending) note() string {
	if _, mayBe := e.judge(); mayBe {
		return fmt.Sprintf("The last line, row %d, has no line end. If the export was cut short there, its last value is not whole.", e.row)
	}
	return ""
}

// LastLine returns the last line of a text, zero for other files. It is known once Next
// has returned io.EOF.
func (t *Table) LastLine() importer.LastLine {
	if t.ending == nil {
		return importer.LastLine{}
	}
	end := t.ending.source.Ending()
	return importer.LastLine{Row: end.Row, IsEnded: !end.Unended}
}

// CutRow returns the number of the row in the middle of which the file ends, 0 when
// there is none. It is known once Next has returned io.EOF.
func (t *Table) CutRow() int {
	if t.ending == nil {
		return 0
	}
	if isCut, _ := t.ending.judge(); isCut {
		return t.ending.row
	}
	return 0
}
