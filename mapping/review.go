package mapping

import (
	"cmp"
	"slices"
)

// Review is what only the whole table shows of its rows.
type Review struct {
	Findings []Finding // in the rows' order
	Notes    []string  // what was found out about columns, a sentence each, without any row's value
}

// Finding is a problem of one row that its neighbours bring to light.
type Finding struct {
	Sequence int // of the row among those that were mapped; the first is 0
	Problem  Problem
}

// Review returns what the rows mapped so far show together: ids that are shorter
// than nearly all others of their column, ids whose last digits are zeros
// throughout, and the order of day and month. row gives the number of a row by
// its sequence, for messages.
//
// The error is a *FileError, or several joined, when the rows show that the
// mapping cannot be right or that nobody can know: then none of them is fit to be
// sent.
func (m *Mapper) Review(row func(sequence int) int) (Review, error) {
	var review Review
	var mistakes []*FileError
	reviewed := map[int]bool{NoColumn: false}
	for i := range m.fields {
		f := &m.fields[i]
		if f.ids != nil && !reviewed[f.onlyColumn()] { // one column often gives several ids
			reviewed[f.onlyColumn()] = f.onlyColumn() != NoColumn
			if question := f.ids.review(f, &review); question != "" {
				mistakes = append(mistakes, &FileError{File: m.file, Line: f.line, Key: f.check.spec.Attribute.String(), Message: question})
			}
		}
		if f.order != nil {
			note, question := f.order.review(f.origin, row)
			if question != "" {
				mistakes = append(mistakes, &FileError{File: m.file, Line: f.line, Key: f.check.spec.Attribute.String() + ".date", Message: question})
			}
			if note != "" {
				review.Notes = append(review.Notes, note)
			}
		}
	}
	slices.SortStableFunc(review.Findings, func(a, b Finding) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return review, joinMistakes(mistakes)
}

// Restate returns the row's cells with its date written YYYY-MM-DD where the
// mapping can read it: what proves the form of a table's dates may not be among
// the rows that are taken out of it. The cells themselves are not changed.
func (m *Mapper) Restate(cells []Cell) []Cell {
	restated := slices.Clone(cells)
	for i := range m.fields {
		f := &m.fields[i]
		if f.dates == nil || f.expression != nil {
			continue
		}
		cell, column, flaw := f.pick(cells)
		if flaw != nil || cell.Text == "" {
			continue
		}
		if date, flaw := f.dates.read(cell.Kind, cell.Text); flaw == nil {
			restated[column] = Cell{Text: date, Kind: cell.Kind}
		}
	}
	return restated
}
