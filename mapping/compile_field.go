package mapping

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/transform"
)

// compileField makes one attribute's mapper, or works out its constant.
func (c *compiler) compileField(f *Field) {
	before := len(c.list)
	spec := f.Attribute.Spec()
	m := fieldMapper{
		line:     f.Line,
		fallback: chars.Trim(f.Default),
		check:    validator{spec: spec, types: c.types, births: c.births},
	}
	c.compileSource(f, &m)
	c.compileDate(f, &m)
	c.compileDamage(f, &m)
	for _, word := range f.Apply {
		t, isKnown := c.findTransform(f, word)
		if !isKnown {
			continue
		}
		if f.Attribute == LastName && strings.TrimSpace(word) == "title" {
			t = transform.TitleSurname
		}
		m.transforms = append(m.transforms, t)
		m.fixZIP = m.fixZIP || strings.TrimSpace(word) == "postal_code"
	}
	c.compileValues(f, &m)
	c.compileMissing(f, &m)
	if f.Attribute == UserTypeID && c.types.onlyIDs {
		m.evidence = append(m.evidence, &typeNames{})
	}
	c.compileCountry(f, &m)
	c.checkResult(f, &m, "default", f.lineOf("default"), m.fallback)
	c.compileBlank(f, &m)
	if len(c.list) > before {
		return
	}
	if f.Value != nil {
		c.compileConstant(f, &m)
		return
	}
	if m.expression == nil {
		m.cache = &valueCache{}
	}
	m.plain = m.isMappedPlain()
	c.mapper.fields = append(c.mapper.fields, m)
}

// lineOf returns the line of one of the field's keys, or that of the field.
func (f *Field) lineOf(key string) int {
	if line, ok := f.Lines[key]; ok {
		return line
	}
	return f.Line
}

// failField adds a mistake in one of the field's keys.
// findTransform returns the transform that a field applies.
func (c *compiler) findTransform(f *Field, word string) (t transform.Func, isKnown bool) {
	t, err := c.transforms.Find(strings.TrimSpace(word))
	if err != nil {
		c.failField(f, "apply", err)
	}
	return t, err == nil
}

func (c *compiler) failField(f *Field, key string, err error) {
	c.fail(f.lineOf(key), f.Attribute.String()+"."+key, err.Error())
}

// compileSource finds the field's columns, or compiles its expression.
func (c *compiler) compileSource(f *Field, m *fieldMapper) {
	switch {
	case f.Value != nil:
		return
	case f.Expr != "":
		e, err := newText(f.Expr, c.header)
		if err != nil {
			c.failField(f, "expr", err)
			return
		}
		if !f.AsIs {
			e.missing = c.file.Source.MissingValues
		}
		m.expression, m.columns = e, e.columns
	case len(f.Columns) > 0:
		for _, name := range f.Columns {
			column, err := FindColumn(c.header, name)
			if err != nil {
				c.fail(f.lineOf("column"), f.Attribute.String(), err.Error())
				continue
			}
			m.columns = append(m.columns, column)
		}
		if len(m.columns) > 1 && !f.AsIs {
			m.accepted = c.acceptedNames(f.Attribute, m.columns)
		}
	default:
		c.fail(f.Line, f.Attribute.String(), noSource)
	}
	names := make([]string, len(m.columns))
	for i, column := range m.columns {
		names[i] = "the column " + chars.Quote(ColumnName(c.header, column))
	}
	m.source = cmp.Or(english.WordSeries(names, "or"), "what its expression reads")
}

// acceptedNames returns the headers of columns that are called by the names that the
// Controller accepts for the attribute, such as province and state; nil for others.
func (c *compiler) acceptedNames(attribute Attribute, columns []int) []string {
	names := make([]string, len(columns))
	for i, column := range columns {
		if AcceptedName(c.header[column]) != attribute {
			return nil
		}
		names[i] = strings.TrimSpace(c.header[column])
	}
	return names
}

// compileDate prepares the reader of a date attribute, whether or not the mapping
// gives the format.
func (c *compiler) compileDate(f *Field, m *fieldMapper) {
	if m.check.spec.Kind != DateKind {
		if f.Date != "" {
			c.failField(f, "date", errors.New("only date_of_birth is a date; delete this key"))
		}
		return
	}
	dates, err := newDateReader(m.check.spec.Label, f.Date, c.opts.Today)
	if err != nil {
		c.failField(f, "date", err)
		return
	}
	m.dates = dates
	if order := newDateOrder(dates.format, c.opts.Today); order != nil {
		m.evidence = append(m.evidence, order)
	}
	if !f.AsIs {
		m.evidence = append(m.evidence, &dateTimes{})
	}
}

// compileDamage decides which damage is looked for in the field's values.
func (c *compiler) compileDamage(f *Field, m *fieldMapper) {
	if f.AsIs || f.Value != nil {
		return
	}
	kind := valueKindOf(f.Attribute)
	m.damage = &damageDetector{label: m.check.spec.Label, kind: kind}
	if kind == idValue && f.Attribute != DriverLicenceNumber && f.Attribute != LoginSource {
		m.evidence = append(m.evidence, &idLengths{})
	}
	if kind == postalValue {
		c.compileZIPs(f, m)
	}
	m.damage.quotes.ignored = slices.ContainsFunc(f.Apply, func(word string) bool { return strings.TrimSpace(word) == "unquote" })
}

// compileMissing decides which of the field's texts stand for no value.
func (c *compiler) compileMissing(f *Field, m *fieldMapper) {
	if f.AsIs || f.Value != nil {
		return
	}
	m.damage.values = m.values
	m.missing = newMissingValues(m.check.spec.Label, valueKindOf(f.Attribute), c.file.Source.MissingValues, m.values)
}

// compileValues prepares the table of values, and checks what each becomes.
func (c *compiler) compileValues(f *Field, m *fieldMapper) {
	if len(f.Values) == 0 {
		return
	}
	values, err := newValueTable(f.Values, chars.Trim(f.Otherwise))
	if err != nil {
		c.failField(f, "values", err)
		return
	}
	m.values = values
	for _, pair := range f.Values {
		c.checkResult(f, m, "values", pair.Line, chars.Trim(pair.To))
	}
	switch values.otherwise {
	case "error", "keep", "blank":
	default:
		c.checkResult(f, m, "otherwise", f.lineOf("otherwise"), values.otherwise)
	}
}

// checkResult adds a mistake when a value that the mapping itself gives cannot be
// sent: every row would fail in the same way.
func (c *compiler) checkResult(f *Field, m *fieldMapper, key string, line int, value string) {
	if value == "" {
		return
	}
	_, problem := m.check.check(value)
	if !problem.isError() {
		return
	}
	message := problem.clause()
	switch types := m.check.types; {
	case problem.Rule != RuleUnknownUserType:
	case types.lacks(value):
		message = c.unknownUserType(types, value)
	case types.onlyIDs && c.typesListed:
		message = chars.Quote(value) + " is not the number of a user type"
	case types.onlyIDs:
		c.typesListed = true
	}
	c.fail(line, f.Attribute.String()+"."+key, message)
}

// unknownUserType says that the mapping itself gives a user type that the Controller
// does not have. Only the first such mistake lists the types.
func (c *compiler) unknownUserType(types *userTypeList, value string) string {
	message := chars.Quote(value) + " is not one of the Controller's user types"
	if !c.typesListed {
		c.typesListed = true
		message += " (" + types.listed() + ")"
	}
	return message + types.hint(value) + ". Write one of them in its place"
}

func (c *compiler) compileBlank(f *Field, m *fieldMapper) {
	policy, known := map[string]blankPolicy{"": blankOmit, "omit": blankOmit, "clear": blankClear, "error": blankError}[f.Blank]
	required := f.Required || m.check.spec.Required
	switch {
	case !known:
		c.failField(f, "blank", errors.New(chars.Quote(f.Blank)+" is not understood; write omit, clear or error"))
	case required && policy == blankClear:
		c.failField(f, "blank", errors.New("a required attribute cannot be cleared; delete this key, or required"))
	case required:
		policy = blankError
	}
	m.blank = policy
}

// compileConstant converts a constant once. A warning about it would be the same in
// every row, so there is none.
func (c *compiler) compileConstant(f *Field, m *fieldMapper) {
	m.source = "the value in the mapping"
	value, send, problems := m.convert(Cell{Text: chars.Trim(*f.Value)})
	for _, problem := range problems {
		if problem.isError() {
			c.failField(f, "value", errors.New(problem.clause()))
			return
		}
	}
	if send {
		c.mapper.constants.Set(f.Attribute, value)
	}
}
