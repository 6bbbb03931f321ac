package mapping

import (
	"errors"
	"strings"
)

// compileField makes one attribute's mapper, or settles a constant for good.
func (c *compiler) compileField(f *Field) {
	before := len(c.mistakes)
	spec := f.Attribute.Spec()
	m := fieldMapper{
		line:     f.Line,
		fallback: trim(f.Default),
		check:    validator{spec: spec, regions: c.regions, types: c.types, births: c.births},
	}
	c.compileOrigin(f, &m)
	c.compileDate(f, &m)
	c.compileGuard(f, &m)
	for _, word := range f.Apply {
		t, err := newTransform(strings.TrimSpace(word), c.transforms)
		if err != nil {
			c.failField(f, "apply", err)
			continue
		}
		m.transforms = append(m.transforms, t)
		m.zips = m.zips || strings.TrimSpace(word) == "postal_code"
	}
	c.compileValues(f, &m)
	c.checkOutcome(f, &m, "default", f.lineOf("default"), m.fallback)
	c.compileBlank(f, &m)
	if len(c.mistakes) > before {
		return
	}
	if f.Value != nil {
		c.settle(f, &m)
		return
	}
	c.mapper.fields = append(c.mapper.fields, m)
}

// lineOf returns the line of one of the field's keys, or that of the field.
func (f *Field) lineOf(key string) int {
	if line, ok := f.Lines[key]; ok {
		return line
	}
	return f.Line
}

// failField notes a mistake in one of the field's keys.
func (c *compiler) failField(f *Field, key string, err error) {
	c.fail(f.lineOf(key), f.Attribute.String()+"."+key, err.Error())
}

// compileOrigin finds the field's columns, or compiles its expression.
func (c *compiler) compileOrigin(f *Field, m *fieldMapper) {
	switch {
	case f.Value != nil:
		return
	case f.Expr != "":
		e, err := newText(f.Expr, c.header)
		if err != nil {
			c.failField(f, "expr", err)
			return
		}
		m.expression, m.columns = e, e.columns
	case len(f.Columns) > 0:
		for _, name := range f.Columns {
			column, err := findColumn(c.header, name)
			if err != nil {
				c.fail(f.lineOf("column"), f.Attribute.String(), err.Error())
				continue
			}
			m.columns = append(m.columns, column)
		}
	default:
		c.fail(f.Line, f.Attribute.String(), "nothing says where the value comes from; add column, value or expr")
	}
	names := make([]string, len(m.columns))
	for i, column := range m.columns {
		names[i] = "the column " + quote(strings.TrimSpace(c.header[column]))
	}
	m.origin = orList(names, "what its expression reads")
}

// compileDate prepares the reader of a date attribute, whether or not the mapping
// gives the form.
func (c *compiler) compileDate(f *Field, m *fieldMapper) {
	if m.check.spec.Kind != DateKind {
		if f.Date != "" {
			c.failField(f, "date", errors.New("only date_of_birth is a date; take this key out"))
		}
		return
	}
	dates, err := newDateReader(m.check.spec.Label, f.Date, c.ctx.Today)
	if err != nil {
		c.failField(f, "date", err)
		return
	}
	m.dates = dates
	if m.order, err = newDateOrder(dates.form, c.ctx.Today); err != nil {
		c.failField(f, "date", err)
	}
}

// compileGuard decides which damage is looked for in the field's values.
func (c *compiler) compileGuard(f *Field, m *fieldMapper) {
	if f.AsIs || f.Value != nil {
		return
	}
	kind := kindOfValues(f.Attribute)
	m.guard = &guard{label: m.check.spec.Label, kind: kind}
	if kind == idValue && f.Attribute != DriverLicenceNumber {
		m.ids = &idShape{}
	}
}

// compileValues prepares the table of values, and checks what each becomes.
func (c *compiler) compileValues(f *Field, m *fieldMapper) {
	if len(f.Values) == 0 {
		return
	}
	values, err := newValueTable(f.Values, trim(f.Otherwise))
	if err != nil {
		c.failField(f, "values", err)
		return
	}
	m.values = values
	for _, pair := range f.Values {
		c.checkOutcome(f, m, "values", pair.Line, trim(pair.To))
	}
	switch values.otherwise {
	case "error", "keep", "blank":
	default:
		c.checkOutcome(f, m, "otherwise", f.lineOf("otherwise"), values.otherwise)
	}
}

// checkOutcome notes a mistake when a value that the mapping itself gives cannot
// be sent: every row would fail in the same way.
func (c *compiler) checkOutcome(f *Field, m *fieldMapper, key string, line int, value string) {
	if value == "" {
		return
	}
	if _, flaw := m.check.check(value); flaw != nil && flaw.severity == SeverityError {
		c.fail(line, f.Attribute.String()+"."+key, asClause(flaw.message))
	}
}

func (c *compiler) compileBlank(f *Field, m *fieldMapper) {
	required := f.Required || m.check.spec.Required
	switch f.Blank {
	case "", "omit":
		m.blank = omitBlank
	case "clear":
		m.blank = clearBlank
		if required {
			c.failField(f, "blank", errors.New("a required attribute cannot be cleared; take this key out, or required"))
		}
	case "error":
		m.blank = refuseBlank
	default:
		c.failField(f, "blank", errors.New(quote(f.Blank)+" is not understood; write omit, clear or error"))
	}
	if required {
		m.blank = refuseBlank
	}
}

// settle works a constant out once. A warning about it would be the same in every
// row, so there is none.
func (c *compiler) settle(f *Field, m *fieldMapper) {
	m.origin = "the value in the mapping"
	value, send, faults := m.convert(Cell{Text: trim(*f.Value)})
	for _, flaw := range faults {
		if flaw.severity == SeverityError {
			c.failField(f, "value", errors.New(asClause(flaw.message)))
			return
		}
	}
	if send {
		c.mapper.constants.Set(f.Attribute, value)
	}
}
