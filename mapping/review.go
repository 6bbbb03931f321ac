package mapping

import (
	"cmp"
	"slices"
)

// Review is what only the whole table shows about its rows.
type Review struct {
	Problems []ReviewProblem // in the rows' order
	Notes    []string        // what was found out about columns, a sentence each, without any row's value
}

// ReviewProblem is a problem of one row that only the other rows reveal.
type ReviewProblem struct {
	Sequence int // of the row among those that were mapped; the first is 0
	Problem  Problem
}

// Review returns what the rows mapped so far show together: ids that are shorter
// than nearly all others of their column, ids whose last digits are all zeros, and
// the order of day and month. row returns the number of a row by its sequence, for
// messages.
//
// The error is a *FileError, or several joined, when the rows show that the
// mapping cannot be right, or that nobody can know: then none of the rows must be
// sent.
func (m *Mapper) Review(row func(sequence int) int) (Review, error) {
	var review Review
	questions := mistakes{name: m.file}
	reviewed := map[int]bool{NoColumn: false}
	for i := range m.fields {
		f := &m.fields[i]
		ask := func(key, question string) {
			if question != "" {
				questions.fail(f.line, f.check.spec.Attribute.String()+key, question)
			}
		}
		if f.ids != nil && !reviewed[f.onlyColumn()] { // one column often gives several ids
			reviewed[f.onlyColumn()] = f.onlyColumn() != NoColumn
			ask("", f.ids.review(f, &review))
		}
		if f.order != nil {
			note, question := f.order.review(f.source, row)
			ask(".date", question)
			if note != "" {
				review.Notes = append(review.Notes, note)
			}
		}
	}
	slices.SortStableFunc(review.Problems, func(a, b ReviewProblem) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return review, questions.err()
}

// WithISODates returns a copy of the row's cells with its date written YYYY-MM-DD
// where the mapping can read it: the rows that prove the format of a table's dates
// may not be among those that are taken out of it.
func (m *Mapper) WithISODates(cells []Cell) []Cell {
	rewritten := slices.Clone(cells)
	for i := range m.fields {
		f := &m.fields[i]
		if f.dates == nil || f.expression != nil {
			continue
		}
		cell, column, problem := f.sourceCell(cells)
		if problem != nil || cell.Text == "" {
			continue
		}
		if date, problem := f.dates.read(cell.Kind, cell.Text); problem == nil {
			rewritten[column] = Cell{Text: date, Kind: cell.Kind}
		}
	}
	return rewritten
}
