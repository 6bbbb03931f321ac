package mapping

import (
	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/transform"
)

// Mapper turns rows into profiles as a mapping file says. It keeps memory from
// row to row, so it is for one goroutine at a time.
type Mapper struct {
	file      string  // the mapping file's name
	constants Profile // what every profile begins with
	where     *expression
	fields    []fieldMapper // in the attributes' order
	rows      int           // mapped so far
}

// Result is what one row was mapped to.
type Result struct {
	// Profile holds what could be mapped. After an error it must not be sent, and
	// for a skipped row it holds what identifies the person.
	Profile Profile

	// Problems are in the attributes' order, those of the whole row first.
	Problems []Problem

	// Skipped reports whether the mapping's where excludes the row. A skipped row
	// has no problems.
	Skipped bool
}

// add adds a problem, if there is one, with its place.
func (r *Result) add(attribute Attribute, column int, value string, p *Problem) {
	if p != nil {
		p.Attribute, p.Column, p.Value = attribute, column, value
		r.Problems = append(r.Problems, *p)
	}
}

// Map fills r with a row's profile and problems. Cells are from column A on; those
// that a short row lacks are blank. What r held before is lost, and its memory is
// used again.
func (m *Mapper) Map(cells []Cell, r *Result) {
	r.Profile = m.constants
	r.Problems = r.Problems[:0]
	r.Skipped = m.where != nil && !m.selects(cells, r)
	for i := range m.fields {
		f := &m.fields[i]
		if r.Skipped && f.check.spec.Attribute > LoginSource {
			break
		}
		f.mapField(cells, r, m.rows)
	}
	if r.Skipped {
		r.Problems = r.Problems[:0]
	}
	m.rows++
}

// Column returns the column that gives an attribute, the first of several;
// NoColumn when none does.
func (m *Mapper) Column(a Attribute) int {
	for i := range m.fields {
		if f := &m.fields[i]; f.check.spec.Attribute == a && len(f.columns) > 0 {
			return f.columns[0]
		}
	}
	return NoColumn
}

// selects reports whether the mapping's where keeps the row. A row for which it
// cannot be evaluated is kept, with the problem.
func (m *Mapper) selects(cells []Cell, r *Result) bool {
	if column := firstBroken(cells, m.where.columns); column != NoColumn {
		r.add(NoAttribute, column, cells[column].Text, brokenCell("the mapping's where", cells[column]))
		return true
	}
	selected, err := m.where.holds(cells)
	if err != nil {
		r.add(NoAttribute, m.where.onlyColumn(), "", evaluationFailed("The mapping's where", err))
		return true
	}
	return selected
}

// evaluationFailed is the problem of a row for which an expression has no result.
func evaluationFailed(subject string, err error) *Problem {
	return refuse(RuleExpressionFailed, subject+" cannot be evaluated for this row: "+err.Error()+".", "")
}

// fieldMapper maps one attribute of a row. The steps are those of convert.
type fieldMapper struct {
	columns    []int           // the first that is not blank counts
	expression *expression     // instead of columns
	source     string          // what to fill in when the result is blank, such as `the column "DOB"`
	line       int             // of the attribute in the mapping file
	damage     *damageDetector // nil for values that are right as they are
	dates      *dateReader     // of a date attribute
	order      *dateOrder      // of a date attribute whose format the rows must prove
	ids        *idLengths      // of an attribute that identifies people
	fixZIP     bool            // the mapping wants postal codes in their usual format
	transforms []transform.Func
	values     *valueTable
	fallback   string // the mapping's default
	blank      blankPolicy
	check      validator
}

// blankPolicy says what a blank result means.
type blankPolicy uint8

const (
	blankOmit  blankPolicy = iota // the attribute is not sent
	blankClear                    // the attribute is sent blank, which clears it in the Controller
	blankError                    // the attribute must have a value
)

// mapField maps the attribute of one row, which has this sequence.
func (f *fieldMapper) mapField(cells []Cell, r *Result, sequence int) {
	attribute := f.check.spec.Attribute
	cell, column, problem := f.sourceCell(cells)
	raw := cellAt(cells, column).Text
	if problem == nil && f.damage != nil {
		cell.Text, problem = f.repair(cell, &r.Profile)
	}
	r.add(attribute, column, raw, problem)
	if problem.isError() {
		return
	}
	value, send, problems := f.convert(cell)
	for _, p := range problems {
		r.add(attribute, column, raw, p)
	}
	if send {
		r.Profile.Set(attribute, value)
	}
	if r.Skipped {
		return
	}
	switch {
	case f.ids != nil && send:
		f.ids.add(sequence, value)
	case f.order != nil && cell.Text != "":
		f.order.add(sequence, cell, value)
	}
}

// repair returns a cell's text with what is safe to fix fixed. An error is about
// damage that a person must fix.
func (f *fieldMapper) repair(cell Cell, profile *Profile) (string, *Problem) {
	text, problem := f.damage.repair(cell)
	if a := f.check.spec.Attribute; problem == nil && (a == PostalCode || a == PostalCode2) {
		return f.repairZIP(text, profile)
	}
	return text, problem
}

// sourceCell returns the cell that the attribute is made of, its text trimmed, and
// its column. The result of an expression has a column only when it reads just
// one. A blank one is that of the first column, which a person would fill in.
func (f *fieldMapper) sourceCell(cells []Cell) (Cell, int, *Problem) {
	if f.expression != nil {
		return f.evaluate(cells)
	}
	for _, column := range f.columns {
		cell := cellAt(cells, column)
		if cell.isBroken() {
			return Cell{}, column, brokenCell(f.check.spec.Label, cell)
		}
		if text := chars.Trim(cell.Text); text != "" {
			return Cell{text, cell.Kind}, column, nil
		}
	}
	return Cell{}, f.columns[0], nil
}

// evaluate returns the result of the field's expression as a cell.
func (f *fieldMapper) evaluate(cells []Cell) (Cell, int, *Problem) {
	label := f.check.spec.Label
	if column := firstBroken(cells, f.expression.columns); column != NoColumn {
		return Cell{}, column, brokenCell(label, cells[column])
	}
	column := f.expression.onlyColumn()
	text, err := f.expression.text(cells)
	if err != nil {
		return Cell{}, column, evaluationFailed(label, err)
	}
	return Cell{Text: chars.Trim(text)}, column, nil
}

// convert takes a source cell through the field's steps: date, apply, values,
// default, blank, validation. It reports whether the value is to be sent.
func (f *fieldMapper) convert(cell Cell) (value string, send bool, problems []*Problem) {
	value = cell.Text
	var problem *Problem
	if f.dates != nil && value != "" {
		if value, problem = f.dates.read(cell.Kind, value); problem != nil {
			problems = append(problems, problem)
		}
		if problem.isError() {
			return "", false, problems
		}
	}
	for _, t := range f.transforms {
		value = t(value)
	}
	if f.values != nil && value != "" {
		if value, problem = f.values.lookUp(f.check.spec.Label, value); problem != nil {
			return "", false, append(problems, problem)
		}
	}
	if value == "" {
		value = f.fallback
	}
	if value == "" {
		if f.blank == blankError {
			problems = append(problems, refuse(RuleRequired, f.check.spec.Label+" is blank.", "Fill in "+f.source+"."))
		}
		return "", f.blank == blankClear, problems
	}
	if value, problem = f.check.check(value); problem != nil {
		problems = append(problems, problem)
	}
	return value, !problem.isError(), problems
}
