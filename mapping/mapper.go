package mapping

// Mapper turns rows into profiles as a mapping file says. It keeps memory from
// row to row, so it is for one goroutine at a time.
type Mapper struct {
	file      string  // the mapping file's name
	constants Profile // what every profile begins with
	where     *expression
	fields    []fieldMapper // in the attributes' order
	rows      int           // mapped so far
}

// Result is what became of one row.
type Result struct {
	// Profile holds what could be mapped. Of a row with an Error it is not fit to
	// be sent, and of a skipped row it holds what identifies the person.
	Profile Profile

	// Problems are in the attributes' order, those of the row as a whole first.
	Problems []Problem

	// Skipped says that the mapping's where leaves the row out. A skipped row has
	// no problems.
	Skipped bool
}

func (r *Result) add(attribute Attribute, column int, value string, f *fault) {
	r.Problems = append(r.Problems, Problem{
		Rule: f.rule, Severity: f.severity, Attribute: attribute, Column: column, Value: value, Message: f.message,
	})
}

// Map fills r with the profile that a row stands for, and with what is wrong in
// it. Cells are from column A on; those that a short row lacks are blank. What r
// held before is gone, and its memory is used again.
func (m *Mapper) Map(cells []Cell, r *Result) {
	r.Profile = m.constants
	r.Problems = r.Problems[:0]
	r.Skipped = m.where != nil && !m.selects(cells, r)
	for i := range m.fields {
		f := &m.fields[i]
		if r.Skipped && f.check.spec.Attribute > LoginSource {
			break
		}
		f.mapInto(cells, r, m.rows)
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

// selects reports whether the mapping's where keeps the row. A row for which that
// cannot be known is kept, with the problem.
func (m *Mapper) selects(cells []Cell, r *Result) bool {
	if column := firstBroken(cells, m.where.columns); column != NoColumn {
		r.add(NoAttribute, column, cells[column].Text, brokenCell("the mapping's where", cells[column]))
		return true
	}
	selected, err := m.where.holds(cells)
	if err != nil {
		r.add(NoAttribute, m.where.onlyColumn(), "", refuse(RuleExpressionFailed,
			"The mapping's where cannot be worked out for this row: "+err.Error()+". Correct the row, or the expression in the mapping."))
		return true
	}
	return selected
}

// fieldMapper makes one attribute of a row. The steps are those of convert.
type fieldMapper struct {
	columns    []int       // the first that is not blank counts
	expression *expression // in place of columns
	origin     string      // what to fill in when the result is blank, as in `the column "DOB"`
	line       int         // of the attribute in the mapping file
	guard      *guard      // nil for values that are right as they are
	dates      *dateReader // of a date attribute
	order      *dateOrder  // of a date attribute whose form needs a proof
	ids        *idShape    // of an attribute that tells people apart
	zips       bool        // the mapping wants postal codes in their usual form
	transforms []transform
	values     *valueTable
	fallback   string // the mapping's default
	blank      blankRule
	check      validator
}

// blankRule says what a blank result means.
type blankRule uint8

const (
	omitBlank   blankRule = iota // the attribute is not sent
	clearBlank                   // the attribute is sent blank, which empties it in the Controller
	refuseBlank                  // the attribute must have a value
)

// mapInto makes the attribute of one row, which has this sequence.
func (f *fieldMapper) mapInto(cells []Cell, r *Result, sequence int) {
	attribute := f.check.spec.Attribute
	cell, column, flaw := f.pick(cells)
	raw := cellAt(cells, column).Text
	if flaw != nil {
		r.add(attribute, column, raw, flaw)
		return
	}
	text, sound := f.restore(cell, column, r)
	if !sound {
		return
	}
	cell.Text = text
	value, send, faults := f.convert(cell)
	for i := range faults {
		r.add(attribute, column, raw, &faults[i])
	}
	if send {
		r.Profile.Set(attribute, value)
	}
	if !r.Skipped {
		f.observe(sequence, cell, value, send)
	}
}

// restore returns a cell's text with what is safe to fix fixed. It is not sound
// when it was damaged in a way that a person must see.
func (f *fieldMapper) restore(cell Cell, column int, r *Result) (text string, sound bool) {
	if f.guard == nil {
		return cell.Text, true
	}
	attribute := f.check.spec.Attribute
	text, flaw := f.guard.inspect(cell)
	if flaw == nil && (attribute == PostalCode || attribute == PostalCode2) {
		text, flaw = f.restoreZIP(text, &r.Profile)
	}
	if flaw == nil {
		return text, true
	}
	r.add(attribute, column, cell.Text, flaw)
	return text, flaw.severity == SeverityWarning
}

// observe notes what a row adds to the picture of the whole column.
func (f *fieldMapper) observe(sequence int, cell Cell, value string, send bool) {
	switch {
	case f.ids != nil && send:
		f.ids.add(sequence, value)
	case f.order != nil && cell.Text != "":
		f.order.add(sequence, cell, value)
	}
}

// pick returns the cell that the attribute is made of, its text trimmed, and its
// column. The result of an expression has a column only when it reads just one.
// A blank one is that of the first column, which a person would fill in.
func (f *fieldMapper) pick(cells []Cell) (Cell, int, *fault) {
	if f.expression != nil {
		return f.workOut(cells)
	}
	for _, column := range f.columns {
		cell := cellAt(cells, column)
		if cell.Kind == ErrorCell || cell.Kind == NoValueCell {
			return Cell{}, column, brokenCell(f.check.spec.Label, cell)
		}
		if text := trim(cell.Text); text != "" {
			return Cell{text, cell.Kind}, column, nil
		}
	}
	return Cell{}, f.columns[0], nil
}

// workOut returns the result of the field's expression as a cell.
func (f *fieldMapper) workOut(cells []Cell) (Cell, int, *fault) {
	label := f.check.spec.Label
	if column := firstBroken(cells, f.expression.columns); column != NoColumn {
		return Cell{}, column, brokenCell(label, cells[column])
	}
	column := f.expression.onlyColumn()
	text, err := f.expression.text(cells)
	if err != nil {
		return Cell{}, column, refuse(RuleExpressionFailed, label+" cannot be worked out for this row: "+err.Error()+". Correct the row, or the expression in the mapping.")
	}
	return Cell{Text: trim(text)}, column, nil
}

// convert takes a picked cell through the field's steps: date, apply, values,
// default, blank, validation. It reports whether the value is to be sent.
func (f *fieldMapper) convert(cell Cell) (value string, send bool, faults []fault) {
	value = cell.Text
	var flaw *fault
	if f.dates != nil && value != "" {
		if value, flaw = f.dates.read(cell.Kind, value); flaw != nil {
			faults = append(faults, *flaw)
			if flaw.severity == SeverityError {
				return "", false, faults
			}
		}
	}
	for _, t := range f.transforms {
		value = t(value)
	}
	if f.values != nil && value != "" {
		if value, flaw = f.values.lookUp(f.check.spec.Label, value); flaw != nil {
			return "", false, append(faults, *flaw)
		}
	}
	if value == "" {
		value = f.fallback
	}
	if value == "" {
		if f.blank == refuseBlank {
			faults = append(faults, *refuse(RuleRequired, f.check.spec.Label+" is blank. Fill in "+f.origin+"."))
		}
		return "", f.blank == clearBlank, faults
	}
	if value, flaw = f.check.check(value); flaw != nil {
		faults = append(faults, *flaw)
		return value, flaw.severity == SeverityWarning, faults
	}
	return value, true, faults
}

// cellAt returns the cell of a column, a blank one where the row has none. An
// error that was saved as text, as in a CSV file, is an error all the same.
func cellAt(cells []Cell, column int) Cell {
	if column < 0 || column >= len(cells) {
		return Cell{}
	}
	cell := cells[column]
	if cell.Text != "" && (cell.Text[0] == '#' || !isPlain(cell.Text[0])) && isErrorText(trim(cell.Text)) {
		cell.Kind = ErrorCell
	}
	return cell
}

// isErrorText reports whether a text is one of the errors that spreadsheets show.
func isErrorText(text string) bool {
	switch text {
	case "#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA":
		return true
	}
	return false
}

// firstBroken returns the first of the columns whose cell has no value to go on
// with, or NoColumn.
func firstBroken(cells []Cell, columns []int) int {
	for _, column := range columns {
		if kind := cellAt(cells, column).Kind; kind == ErrorCell || kind == NoValueCell {
			return column
		}
	}
	return NoColumn
}

// brokenCell says what is wrong with a cell that has no value; purpose is what
// needs it.
func brokenCell(purpose string, cell Cell) *fault {
	if cell.Kind == NoValueCell {
		return refuse(RuleNoCachedValue, "The cell for "+purpose+" holds a formula that was saved without its result. Open the file in the spreadsheet program, let it calculate, and save it again.")
	}
	return refuse(RuleCellError, "The cell for "+purpose+" shows the error "+quote(cell.Text)+". Fix its formula, or write the value in its place.")
}
