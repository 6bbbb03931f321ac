package mapping

import (
	"strings"

	"opscom-import/mapping/internal/chars"
)

// otherValue finds a column after the chosen one whose value is another than the one
// that will be sent: province and state, or zip and postal_code, of one row. The
// Controller takes both names for one attribute, so nobody can know which is meant.
func (f *fieldMapper) otherValue(cells []Cell, chosen int, value string) *Problem {
	isAfter := false
	for i, column := range f.columns {
		if column == chosen {
			isAfter = true
			continue
		}
		other := cellAt(cells, column)
		text := chars.Trim(other.Text)
		if !isAfter || text == "" && !other.isBroken() {
			continue
		}
		if other.isBroken() {
			return brokenCell(f.check.spec.Label, other)
		}
		if f.missing.judge(text) != isValue || f.isEqual(Cell{text, other.Kind}, value) {
			continue
		}
		return refuse(RuleColumnsDiffer, about(f.check.spec.Label, value)+"differs from "+chars.Quote(text)+" in the column "+chars.Quote(f.accepted[i])+".", "")
	}
	return nil
}

// isEqual reports whether a cell becomes the value, whatever its capitals, spaces and
// punctuation.
func (f *fieldMapper) isEqual(cell Cell, value string) bool {
	if strings.EqualFold(cell.Text, value) {
		return true
	}
	other, send, _ := f.convert(cell)
	return send && chars.Fold(other) == chars.Fold(value)
}
