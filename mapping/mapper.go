package mapping

import (
	"slices"
	"strings"

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
	people    *unlikelyIDs  // nil for ids that are right as they are
	rows      int           // mapped so far
	shifted   shiftedColumns
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
func (m *Mapper) Map(cells []Cell, r *Result) { m.mapRow(cells, r, false) }

// Skip does what Map does for a row that the mapping's where excludes: a person has left
// the row out.
func (m *Mapper) Skip(cells []Cell, r *Result) { m.mapRow(cells, r, true) }

func (m *Mapper) mapRow(cells []Cell, r *Result, skip bool) {
	r.Profile = m.constants
	r.Problems = r.Problems[:0]
	r.Skipped = skip || m.where != nil && !m.selects(cells, r)
	for i := range m.fields {
		f := &m.fields[i]
		if r.Skipped && f.check.spec.Attribute > LoginSource {
			break
		}
		f.mapField(cells, r, m.rows)
	}
	if r.Skipped {
		r.Problems = r.Problems[:0]
	} else if m.people != nil {
		m.people.add(m.rows, &r.Profile)
	}
	if slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Rule == RuleMissingValue }) {
		for i := range m.fields {
			m.fields[i].missing.markBlanks(m.rows)
		}
	}
	if !r.Skipped {
		m.shifted.add(r.Problems)
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

// Columns returns the columns that give an attribute: the first that is not blank counts.
func (m *Mapper) Columns(a Attribute) []int {
	for i := range m.fields {
		if f := &m.fields[i]; f.check.spec.Attribute == a {
			return f.columns
		}
	}
	return nil
}

// Uses reports whether anything is made of a column's cells, or decided by them.
func (m *Mapper) Uses(column int) bool {
	if m.where != nil && slices.Contains(m.where.columns, column) {
		return true
	}
	return slices.ContainsFunc(m.fields, func(f fieldMapper) bool {
		return slices.Contains(f.columns, column) || f.expression != nil && slices.Contains(f.expression.columns, column)
	})
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
	accepted   []string        // the columns' headers where all are accepted names of the attribute, so that a row's values must be equal; nil for others
	expression *expression     // instead of columns
	source     string          // what to fill in when the result is blank, such as `the column "DOB"`
	line       int             // of the attribute in the mapping file
	missing    *missingValues  // nil for values that are right as they are
	damage     *damageDetector // nil for values that are right as they are
	dates      *dateReader     // of a date attribute
	fixZIP     bool            // the mapping wants postal codes in their usual format
	zips       *zipLengths     // of a postal code, nil where its state is known
	country    *addressCountry // of a province or state beside a country
	transforms []transform.Func
	values     *valueTable
	fallback   string // the mapping's default
	blank      blankPolicy
	check      validator
	evidence   []columnEvidence // what the values show together
	plain      bool             // a value may be mapped by mapPlain
	cache      *valueCache      // nil for an expression
}

// columnEvidence collects what the values of a field show only together.
type columnEvidence interface {
	// add takes the cell of one row, which is not blank, and the value made of it, ""
	// for none. An unlikely date is a value, though it is not sent.
	add(sequence int, cell Cell, value string)
	// review adds to the review what is wrong with rows, or returns a question about
	// the column, and the key that answers it, such as ".date".
	review(f *fieldMapper, row func(sequence int) int, review *Review) (key, question string)
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
	if f.mapPlain(cells, r, sequence) || f.mapKnown(cells, r, sequence) {
		return
	}
	var source sourceValue
	f.findSource(cells, &source)
	cell, problem := source.cell, source.problem
	if source.missing {
		f.reportMissing(cells, r, sequence)
	}
	sound := source.found == isValue
	if problem == nil && f.damage != nil && cell.Text != "" {
		if !r.Skipped {
			f.missing.add(sequence, cell.Text, source.found)
		}
		var isRight bool
		cell.Text, isRight, problem = f.repair(cell, cells, r, sequence)
		sound = sound && isRight
	}
	f.add(cells, r, source.column, problem)
	if problem.isError() {
		return
	}
	value, send, problems := f.convert(cell)
	if f.cache != nil && sound && problem == nil && problems == nil && cell.Text != "" && cell == cells[source.column] {
		f.cache.put(cachedValue{text: cell.Text, value: value, kind: cell.Kind, style: styleOf(cell.Text), send: send})
	}
	f.take(cells, r, sequence, mappedValue{source.column, cell, value, send}, problems)
}

// mappedValue is what became of a cell.
type mappedValue struct {
	column int  // NoColumn for an expression that reads several
	cell   Cell // as it was converted
	value  string
	send   bool
}

// take puts the value of one row into the profile where the rest of the row agrees. The
// problems are the value's.
func (f *fieldMapper) take(cells []Cell, r *Result, sequence int, m mappedValue, problems []*Problem) {
	if f.accepted != nil && m.send {
		if p := f.otherValue(cells, m.column, m.value); p != nil {
			m.send, problems = false, append(problems, p)
		}
	}
	if f.country != nil && m.cell.Text != "" {
		if keep, p := f.country.check(cells, m.cell.Text, m.value); !keep {
			m.send, problems = false, []*Problem{p}
		} else if m.send && p != nil {
			problems = append(problems, p)
		}
	}
	for _, p := range problems {
		f.add(cells, r, m.column, p)
	}
	if m.send {
		r.Profile.Set(f.check.spec.Attribute, m.value)
	}
	if r.Skipped || m.cell.Text == "" {
		return
	}
	for _, e := range f.evidence {
		e.add(sequence, m.cell, m.value)
	}
}

// add adds a problem, if there is one, with its place.
func (f *fieldMapper) add(cells []Cell, r *Result, column int, p *Problem) {
	if p == nil {
		return
	}
	raw := ""
	if column >= 0 && column < len(cells) {
		raw = cells[column].Text
	}
	r.add(f.check.spec.Attribute, column, raw, p)
}

// reportMissing warns of each cell that counts as blank because of what stands in it.
func (f *fieldMapper) reportMissing(cells []Cell, r *Result, sequence int) {
	for _, column := range f.columns {
		cell := cellAt(cells, column)
		text := chars.Trim(cell.Text)
		if text == "" {
			continue
		}
		if !f.isPassedOver(column, f.missing.judge(text), text) {
			return
		}
		r.add(f.check.spec.Attribute, column, cell.Text, f.missing.warning(text))
		if !r.Skipped {
			f.missing.add(sequence, text, isMissing)
		}
	}
}

// isPassedOver reports whether a column's text counts as blank. A word written as
// programs write it does where another column can give the value.
func (f *fieldMapper) isPassedOver(column int, found missingness, text string) bool {
	return found == isMissing || found == mayBeWord && styleOf(text) != titleStyle && column != f.columns[len(f.columns)-1]
}

// repair returns the text of a cell of a row with what is safe to fix fixed. An error is
// about damage that a person must fix. A text that is sound is right whatever its row.
func (f *fieldMapper) repair(cell Cell, row []Cell, r *Result, sequence int) (text string, sound bool, problem *Problem) {
	text, sound, problem = f.damage.repair(cell, row, sequence)
	if a := f.check.spec.Attribute; problem == nil && (a == PostalCode || a == PostalCode2) {
		var isWhole bool
		text, isWhole, problem = f.repairZIP(text, row, &r.Profile)
		sound = sound && isWhole
	}
	return text, sound, problem
}

// sourceValue is what an attribute of one row is made of.
type sourceValue struct {
	cell    Cell        // its text trimmed, "" for none
	column  int         // NoColumn for an expression that reads several
	found   missingness // whether the text may be a word for no value
	missing bool        // a cell was passed over because it stands for no value
	problem *Problem
}

// findSource finds the cell that the attribute is made of: the first that is not
// blank. The result of an expression has a column only when it reads just one. A
// blank one is that of the first column, which a person would fill in.
func (f *fieldMapper) findSource(cells []Cell, s *sourceValue) {
	if f.expression != nil {
		f.evaluate(cells, s)
		return
	}
	for _, column := range f.columns {
		cell := cellAt(cells, column)
		if cell.isBroken() {
			s.column, s.problem = column, brokenCell(f.check.spec.Label, cell)
			return
		}
		text := chars.Trim(cell.Text)
		if text == "" {
			continue
		}
		if f.missing != nil {
			if s.found = f.missing.judge(text); s.found != isValue && f.isPassedOver(column, s.found, text) {
				s.missing = true
				continue
			}
		}
		s.cell, s.column = Cell{text, cell.Kind}, column
		return
	}
	s.column = f.columns[0]
}

// evaluate finds the result of the field's expression as a cell.
func (f *fieldMapper) evaluate(cells []Cell, s *sourceValue) {
	label := f.check.spec.Label
	if column := firstBroken(cells, f.expression.columns); column != NoColumn {
		s.column, s.problem = column, brokenCell(label, cells[column])
		return
	}
	s.column = f.expression.onlyColumn()
	text, err := f.expression.text(cells)
	if err != nil {
		s.problem = evaluationFailed(label, err)
		return
	}
	s.cell.Text = chars.Trim(text)
	if f.missing == nil || s.cell.Text == "" {
		return
	}
	if s.found = f.missing.judge(s.cell.Text); s.found == isMissing {
		s.problem, s.cell.Text = f.missing.warning(s.cell.Text), ""
		return
	}
	s.problem = f.missingInside(cells, s.cell.Text)
}

// missingInside finds a word for no value that an expression made a part of its
// result: "NULL, Ann" of the columns Last and First.
func (f *fieldMapper) missingInside(cells []Cell, result string) *Problem {
	for _, column := range f.expression.columns {
		text := chars.Trim(cellAt(cells, column).Text)
		if len(text) < 2 || text == result || !strings.Contains(result, text) {
			continue
		}
		if found := f.missing.judge(text); found == isMissing || found == mayBeWord && styleOf(text) != titleStyle && styleOf(result) != styleOf(text) {
			return refuse(RuleMissingValue, about(f.check.spec.Label, result)+"is made of "+chars.Quote(text)+", which stands for no value.", "")
		}
	}
	return nil
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
