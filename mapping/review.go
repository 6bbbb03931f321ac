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

// Review returns what the rows mapped so far show together: cells in other columns
// than their headers, words for no value, ids that seem to have lost zeros or are no
// ids, and the order of day and month. row returns the number of a row by its
// sequence, for messages.
//
// The error is a *FileError, or several joined, when the rows show that the
// mapping cannot be right, or that nobody can know: then none of the rows must be
// sent.
func (m *Mapper) Review(row func(sequence int) int) (Review, error) {
	var review Review
	questions := mistakes{name: m.file}
	if question := m.shifted.review(m); question != "" {
		questions.fail(0, "fields", question)
	}
	for i := range m.fields {
		f := &m.fields[i]
		ask := func(key, question string) {
			if question != "" && !m.isAsked(questions.list, question) {
				questions.fail(f.line, f.check.spec.Attribute.String()+key, question)
				asked := questions.list[len(questions.list)-1]
				asked.Attribute, asked.Ways = f.check.spec.Attribute, waysOf(question)
			}
		}
		ask("", f.missing.review(f, &review, func(text string) bool { return m.isMissingElsewhere(f, text) }))
		if f.damage != nil {
			ask("", f.damage.review(f, &review))
		}
		for _, e := range f.evidence {
			ask(e.review(f, row, &review))
		}
		if m.people != nil && f.check.spec.Attribute == UniqueID {
			ask("", m.people.review(f, &review))
		}
	}
	review.sort()
	return review, questions.err()
}

// isAsked reports whether the same is asked already: one column often gives several
// attributes.
func (m *Mapper) isAsked(asked []*FileError, question string) bool {
	return slices.ContainsFunc(asked, func(e *FileError) bool { return e.Message == question })
}

// isMissingElsewhere reports whether a text stands for no value in another column
// than the field's. As names are written there, Na or in a column of capitals NA, it
// is no evidence what another column of names has.
func (m *Mapper) isMissingElsewhere(f *fieldMapper, text string) bool {
	for i := range m.fields {
		other := &m.fields[i]
		if other.missing == nil || other.onlyColumn() != NoColumn && other.onlyColumn() == f.onlyColumn() {
			continue
		}
		if word := other.missing.words[text]; word != nil && other != f && (word.missing > 0 || other.missing.isTechnical(text)) {
			return true
		}
	}
	return false
}

// sort puts the problems in the rows' order, and keeps one of those that are the
// same but for the attribute.
func (r *Review) sort() {
	slices.SortStableFunc(r.Problems, func(a, b ReviewProblem) int { return cmp.Compare(a.Sequence, b.Sequence) })
	r.Problems = slices.CompactFunc(r.Problems, func(a, b ReviewProblem) bool {
		return a.Sequence == b.Sequence && a.Problem.Rule == b.Problem.Rule && a.Problem.Column == b.Problem.Column && a.Problem.Column != NoColumn
	})
}

// report adds an error about a value of the row with this sequence.
func (f *fieldMapper) report(review *Review, sequence int, value string, rule Rule, message, advice string) {
	f.reportProposing(review, sequence, value, "", rule, message, advice)
}

// reportProposing is report with what may stand in the cell instead.
func (f *fieldMapper) reportProposing(review *Review, sequence int, value, proposal string, rule Rule, message, advice string) {
	review.Problems = append(review.Problems, ReviewProblem{Sequence: sequence, Problem: Problem{
		Rule: rule, Attribute: f.check.spec.Attribute, Column: f.onlyColumn(), Value: value, Message: message, Advice: advice, Proposal: proposal,
	}})
}

// onlyColumn returns the column that gives the attribute, NoColumn when there are several.
func (f *fieldMapper) onlyColumn() int {
	if len(f.columns) != 1 {
		return NoColumn
	}
	return f.columns[0]
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
		var source sourceValue
		f.findSource(cells, &source)
		if source.problem != nil || source.cell.Text == "" {
			continue
		}
		if date, problem := f.dates.read(source.cell.Kind, source.cell.Text); problem == nil {
			rewritten[source.column] = Cell{Text: date, Kind: source.cell.Kind}
		}
	}
	return rewritten
}
