package importer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"opscom-import/mapping"
)

// Correction is a change that a person made to one cell of the source, or to one row.
// It lies over the source, which nobody touches.
type Correction struct {
	Row    int    `json:"row"`    // its number in the source
	Column int    `json:"column"` // index in the sheet; or LeaveOut or AsItStands, for the row as a whole
	Old    string `json:"old"`    // the cell's text, as earlier corrections have left it; for a row the RowText that was read
	New    string `json:"new"`    // the cell's text from now on; "" for a row

	// Line is the LineSum of the row that was read: the text that a blank cell gets must not
	// go to the person who stands in that row of a newer file. "" for any row.
	Line string `json:"line,omitempty"`
}

// What a correction of a whole row says, in place of a column.
const (
	LeaveOut   = -1 // the row is not sent
	AsItStands = -2 // somebody looked: the values are in their columns, whatever is wrong with the row's shape
)

// RowText returns a row's cells as one text, by which a correction of the whole row
// knows it again.
func RowText(cells []mapping.Cell) string {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = c.Text
	}
	return strings.TrimRight(strings.Join(texts, "\t"), "\t")
}

// LineSum is a short sum of a RowText.
func LineSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// CorrectedSource is a source with corrections applied to its rows. A corrected cell
// is text, whatever it was in the file, and has a warning that says so.
type CorrectedSource struct {
	Source
	list []Correction // by row, those of one row in the order in which they were made
	next int          // the first of the list that is not passed
	void []Correction
}

// NewCorrectedSource returns the source with the corrections. Those of one cell are
// applied in order.
func NewCorrectedSource(s Source, corrections []Correction) *CorrectedSource {
	list := slices.Clone(corrections)
	slices.SortStableFunc(list, func(a, b Correction) int { return cmp.Compare(a.Row, b.Row) })
	return &CorrectedSource{Source: s, list: list}
}

// Next fills row as the source does, and corrects it.
func (s *CorrectedSource) Next(row *Row) error {
	row.LeftOut = false
	if err := s.Source.Next(row); err != nil {
		return err
	}
	for ; s.next < len(s.list) && s.list[s.next].Row < row.Number; s.next++ {
		s.void = append(s.void, s.list[s.next]) // there is no such row
	}
	first := s.next
	for s.next < len(s.list) && s.list[s.next].Row == row.Number {
		s.next++
	}
	if first < s.next {
		s.correct(row, s.list[first:s.next])
	}
	return nil
}

// Void returns the corrections that could not be applied, because their row or their
// old value is not in the source: it is not the file that was corrected. Once Next has
// returned io.EOF none is missing.
func (s *CorrectedSource) Void() []Correction {
	return slices.Concat(s.void, s.list[s.next:])
}

func (s *CorrectedSource) correct(row *Row, corrections []Correction) {
	asRead, stands := RowText(row.Cells), false
	width := max(len(s.Header().Names), len(row.Cells))
	was := map[int]string{} // what the file has, by corrected column
	for _, c := range corrections {
		switch {
		case c.Column < 0 && c.Old != asRead || c.Column >= width || c.Column < AsItStands || c.Line != "" && c.Line != LineSum(asRead):
			s.void = append(s.void, c)
		case c.Column == LeaveOut:
			row.LeftOut = true
		case c.Column == AsItStands:
			stands = true
		default:
			if !replaceCell(row, c, was) {
				s.void = append(s.void, c)
			}
		}
	}
	if stands {
		row.Cells, row.Problems = row.Cells[:min(len(row.Cells), len(s.Header().Names))], row.Problems[:0]
	}
	row.Problems = slices.DeleteFunc(row.Problems, func(p mapping.Problem) bool { // a value beyond the header that is gone
		_, corrected := was[p.Column]
		return corrected && strings.TrimSpace(row.Cells[p.Column].Text) == ""
	})
	for column := range row.Cells {
		if old, ok := was[column]; ok {
			row.Problems = append(row.Problems, mapping.Corrected(column, old))
		}
	}
	if row.LeftOut {
		row.Problems = []mapping.Problem{mapping.LeftOut()}
	}
}

// replaceCell gives the cell its new text, and notes what the file has there. It
// reports whether the cell had the old one.
func replaceCell(row *Row, c Correction, was map[int]string) bool {
	old := ""
	if c.Column < len(row.Cells) {
		old = row.Cells[c.Column].Text
	}
	if old != c.Old {
		return false
	}
	for len(row.Cells) <= c.Column {
		row.Cells = append(row.Cells, mapping.Cell{})
	}
	if _, again := was[c.Column]; !again {
		was[c.Column] = old
	}
	row.Cells[c.Column] = mapping.Cell{Text: c.New}
	return true
}
