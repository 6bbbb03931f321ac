// Package answers turns what a person says about a table's columns into a mapping
// file, and says which questions are still open.
//
// What goes in is a [Table]: a header with what package suggest makes of it. What is
// certain is taken; every guess is a question:
//
//	| Banner ID      | Student No             | Pref Name | First Name | Notes    |
//	| Unique ID      | Student Number?        | First Name: which of the two?  | left out |
//
// [New] begins with the suggestions, [FromFile] with a mapping file whose fields are
// answers already. The Set methods take a person's answers. What comes out are the
// [Answers.Lines] of the columns, the [Answers.Cards] with the questions that a line
// cannot ask, the number of questions that are [Answers.Open], and [Answers.File],
// the mapping file.
//
// Answers are kept by column, not by header, so that headers may be blank or repeated.
// [Answers.Fit] carries them over to a file with other columns, and says what changed.
// They hold no cell of the table except what a person typed, and can be stored as JSON.
package answers

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
)

// Table is what answers are about. It holds personal data: the samples, and the dates.
type Table struct {
	Header      []string
	Suggestions []suggest.Suggestion
	Dates       []*mapping.DateFormatDetector // by column; nil where nothing is known
	LoginSource string                        // of the settings, for a table without one; "" for none
}

// Answers is what is known about the columns of a table: what they seem to be, and what
// a person said. Its zero value is that of no table.
type Answers struct {
	Headers     []string   `json:"headers,omitempty"`
	LoginSource string     `json:"login_source,omitempty"` // of the settings
	Guesses     []Guess    `json:"guesses,omitempty"`      // in the columns' order
	Said        []Said     `json:"said,omitempty"`         // by column
	Fields      []Field    `json:"fields,omitempty"`       // what is more than "this column", one an attribute
	Dates       [][]string `json:"dates,omitempty"`        // by column: no format, the only one, or the two that are possible
	Questions   []Question `json:"questions,omitempty"`    // those that were found with the suggestions, not one column's
	Changed     *Changes   `json:"changed,omitempty"`      // what Fit found to be different, for a person to see; nil for nothing
}

// Guess is what one column seems to be, without a sample.
type Guess struct {
	Column    int               `json:"column"`
	Attribute mapping.Attribute `json:"attribute"`
	Certain   bool              `json:"certain,omitempty"`
	Why       string            `json:"why,omitempty"`
	Date      string            `json:"date,omitempty"`
	Columns   []int             `json:"columns,omitempty"` // of which the first that is not blank counts, this one first; nil for this one alone
}

// Said is what a person said about one column.
type Said struct {
	Answered bool                `json:"answered,omitempty"` // of the whole column: it gives this and nothing else
	Gives    []mapping.Attribute `json:"gives,omitempty"`
	Not      []mapping.Attribute `json:"not,omitempty"` // what it does not give, though it seems so
}

// denies reports whether the column does not give the attribute.
func (s *Said) denies(attribute mapping.Attribute) bool {
	return !slices.Contains(s.Gives, attribute) && (s.Answered || slices.Contains(s.Not, attribute))
}

// isSilent reports whether nothing was said.
func (s *Said) isSilent() bool { return !s.Answered && len(s.Gives)+len(s.Not) == 0 }

// Field is what an attribute is made of where that is more than one column as it is.
type Field struct {
	Attribute mapping.Attribute `json:"attribute"`
	Columns   []int             `json:"columns,omitempty"` // several columns in the order that counts
	Join      bool              `json:"join,omitempty"`    // they are joined, instead of taking the first that is not blank
	Split     NamePart          `json:"split,omitempty"`   // the part of the full name in the last of Columns
	Reads     []int             `json:"reads,omitempty"`   // the columns that Rule.Expr reads
	Rule      mapping.Field     `json:"rule"`              // all but its columns
}

// Question is about several columns together.
type Question struct {
	Attribute mapping.Attribute `json:"attribute"`
	Columns   []int             `json:"columns"`
	Kind      CardKind          `json:"kind"`
}

// New begins with what the columns seem to be.
func New(t Table) Answers {
	a := Answers{Headers: slices.Clone(t.Header), LoginSource: strings.TrimSpace(t.LoginSource), Said: make([]Said, len(t.Header))}
	for _, s := range t.Suggestions {
		if s.Confidence > suggest.Unmatched && s.Column < len(t.Header) {
			a.addGuess(s)
		} else if s.Column < len(t.Header) {
			a.Guesses = append(a.Guesses, Guess{Column: s.Column, Why: s.Why})
		}
	}
	a.askFullNames()
	a.takeDates()
	a.Dates = make([][]string, len(t.Header))
	for column, d := range t.Dates {
		if column >= len(t.Header) || d == nil {
			continue
		}
		for _, reading := range d.Readings() {
			a.Dates[column] = append(a.Dates[column], reading.Pattern)
		}
		if pattern, _ := d.Format(); pattern != "" {
			a.Dates[column] = []string{pattern}
		}
	}
	return a
}

// addGuess takes a suggestion, and the question that it is where several columns are
// meant.
func (a *Answers) addGuess(s suggest.Suggestion) {
	g := Guess{Column: s.Column, Attribute: s.Attribute, Certain: s.Confidence == suggest.Certain, Why: s.Why, Date: s.Date}
	ask := func(kind CardKind, columns []int) {
		i := slices.IndexFunc(a.Questions, func(q Question) bool { return q.Attribute == s.Attribute && q.Kind == kind })
		if i < 0 {
			a.Questions = append(a.Questions, Question{Attribute: s.Attribute, Kind: kind})
			i = len(a.Questions) - 1
		}
		for _, column := range columns {
			if q := &a.Questions[i]; !slices.Contains(q.Columns, column) {
				q.Columns = append(q.Columns, column)
			}
		}
	}
	switch {
	case s.Expr != "" && (strings.HasPrefix(s.Expr, "family_name(") || strings.HasPrefix(s.Expr, "given_name(")):
		if s.Attribute == mapping.LastName { // the first name is asked about with it
			ask(SplitName, []int{s.Column})
		}
	case s.Expr != "":
		if columns, err := mapping.ExpressionColumns(s.Expr, a.Headers); err == nil && len(columns) > 1 {
			ask(JoinColumns, columns)
		}
	case len(s.Or) > 0:
		ask(WhichColumn, a.columnsOf(s.Or))
	case len(s.Columns) > 1 && g.Certain:
		g.Columns = a.columnsOf(s.Columns)
	case len(s.Columns) > 1:
		ask(WhichColumn, a.columnsOf(s.Columns))
	}
	a.Guesses = append(a.Guesses, g)
}

// askFullNames asks in which order a column writes full names where no other column
// seems to have the last name.
func (a *Answers) askFullNames() {
	for _, g := range a.Guesses {
		if g.Attribute == mapping.LastName {
			return
		}
	}
	for _, g := range a.Guesses {
		if g.Attribute == mapping.NoAttribute && strings.HasPrefix(g.Why, "it holds the full name") {
			a.Questions = append(a.Questions, Question{mapping.LastName, []int{g.Column}, SplitName})
		}
	}
}

// takeDates makes certain the only column for the date of birth where all that is in
// doubt is the order of day and month: a card asks for it.
func (a *Answers) takeDates() {
	only := mapping.NoColumn
	for i, g := range a.Guesses {
		switch {
		case g.Attribute != mapping.DateOfBirth:
		case only != mapping.NoColumn:
			return
		default:
			only = i
		}
	}
	if only == mapping.NoColumn {
		return
	}
	g := &a.Guesses[only]
	if rest, ok := strings.CutPrefix(g.Why, "a usual name for it; the sample dates may be read as "); ok && strings.HasSuffix(rest, "; which is it? Add date:") && !strings.Contains(rest, "or is it") {
		g.Certain, g.Why = true, "a usual name for it"
	}
}

// columnsOf finds columns by their headers; those that cannot be told apart are left out.
func (a *Answers) columnsOf(headers []string) []int {
	var columns []int
	for _, header := range headers {
		if column, err := mapping.FindColumn(a.Headers, header); err == nil {
			columns = append(columns, column)
		}
	}
	return columns
}

// IsFor reports whether the answers are about a table with exactly this header.
func (a *Answers) IsFor(header []string) bool { return slices.Equal(a.Headers, header) }

// Clone returns a copy that can be changed without changing the answers.
func (a *Answers) Clone() Answers {
	c := *a
	c.Said, c.Fields = slices.Clone(a.Said), slices.Clone(a.Fields)
	for i := range c.Said {
		c.Said[i] = c.Said[i].clone()
	}
	for i := range c.Fields {
		c.Fields[i].Columns = slices.Clone(c.Fields[i].Columns)
	}
	return c
}

// IsTouched reports whether a person said anything yet.
func (a *Answers) IsTouched() bool {
	return len(a.Fields) > 0 || slices.ContainsFunc(a.Said, func(said Said) bool { return !said.isSilent() })
}

// SetColumn says what a column becomes; no attribute: it is left out. Another answer
// that this makes wrong is taken back.
func (a *Answers) SetColumn(column int, attributes ...mapping.Attribute) {
	if column < 0 || column >= len(a.Said) {
		return
	}
	before := a.uses(column)
	a.Said[column] = Said{Answered: true, Gives: slices.Clone(attributes)}
	for _, attribute := range before {
		if !slices.Contains(attributes, attribute) {
			a.drop(attribute, column)
		}
	}
	for _, attribute := range attributes {
		f := a.field(attribute)
		switch {
		case f == nil || len(f.Columns) == 1 && f.Split == WholeCell || slices.Contains(f.Columns, column) && f.Split == WholeCell:
		case attribute == mapping.FirstName && f.Split != WholeCell && f.fullName() != column:
			f.prefer(column)
		default:
			f.forget()
		}
	}
	a.tidy()
}

// uses returns the attributes that a column gives, or helps to give, by a person's answer.
func (a *Answers) uses(column int) []mapping.Attribute {
	attributes := slices.Clone(a.Said[column].Gives)
	for i := range a.Fields {
		if f := &a.Fields[i]; slices.Contains(f.Columns, column) && !slices.Contains(attributes, f.Attribute) {
			attributes = append(attributes, f.Attribute)
		}
	}
	return attributes
}

// drop takes a column out of an attribute.
func (a *Answers) drop(attribute mapping.Attribute, column int) {
	f := a.field(attribute)
	if f == nil || !slices.Contains(f.Columns, column) {
		return
	}
	if column == f.fullName() {
		f.Split = WholeCell
	}
	f.Columns = slices.DeleteFunc(f.Columns, func(c int) bool { return c == column })
	if len(f.Columns) == 0 {
		f.forget()
	}
	if len(f.Columns) == 1 {
		f.Join = false
	}
}

// SetColumns says which columns give an attribute, in the order that counts: the first
// that is not blank, or all of them joined. The columns of the question that are not
// among them are left out, unless they give something else.
func (a *Answers) SetColumns(attribute mapping.Attribute, columns []int, join bool) {
	columns = slices.DeleteFunc(slices.Clone(columns), func(c int) bool { return c < 0 || c >= len(a.Said) })
	if len(columns) == 0 {
		return
	}
	others := a.claims(attribute)
	for _, q := range a.Questions {
		if q.Attribute == attribute {
			others = append(others, q.Columns...)
		}
	}
	is := func(g mapping.Attribute) bool { return g == attribute }
	for _, column := range others {
		if said := &a.Said[column]; !slices.Contains(columns, column) && !said.denies(attribute) {
			said.Gives = slices.DeleteFunc(said.Gives, is)
			said.Not = append(said.Not, attribute)
		}
	}
	for _, column := range columns {
		said := &a.Said[column]
		said.Not = slices.DeleteFunc(said.Not, is)
		if !slices.Contains(said.Gives, attribute) {
			said.Gives = append(said.Gives, attribute)
		}
	}
	f := a.makeField(attribute)
	split, full := f.Split, f.fullName()
	f.forget()
	f.Columns, f.Join = columns, join && len(columns) > 1
	if columns[len(columns)-1] == full && !f.Join {
		f.Split = split
	}
	a.tidy()
}

// SetFullName says that a column holds the full name, and in which order. A column that
// a person called the first name, such as a preferred one, goes before its part of it.
func (a *Answers) SetFullName(column int, order NameOrder) {
	if column < 0 || column >= len(a.Said) || order == NoOrder {
		return
	}
	var preferred []int
	for other := range a.Said {
		if other != column && slices.Contains(a.Said[other].Gives, mapping.FirstName) {
			preferred = append(preferred, other)
		}
	}
	for _, attribute := range []mapping.Attribute{mapping.LastName, mapping.FirstName} {
		a.deny(attribute, func(other int) bool {
			return other == column || attribute == mapping.LastName || !slices.Contains(preferred, other)
		})
		f := a.makeField(attribute)
		f.forget()
		f.Columns, f.Split = []int{column}, order.part(attribute)
	}
	a.Said[column] = Said{Answered: true, Gives: append(a.Said[column].Gives, mapping.LastName, mapping.FirstName)}
	for _, other := range slices.Backward(preferred) {
		a.field(mapping.FirstName).prefer(other)
	}
	a.tidy()
}

// deny says that none of the columns that gave the attribute gives it any longer. What
// a column only seems to be stays a question.
func (a *Answers) deny(attribute mapping.Attribute, isMeant func(column int) bool) {
	for _, column := range a.claims(attribute) {
		if !isMeant(column) {
			continue
		}
		said := &a.Said[column]
		said.Gives = slices.DeleteFunc(said.Gives, func(g mapping.Attribute) bool { return g == attribute })
		if !said.denies(attribute) {
			said.Not = append(said.Not, attribute)
		}
	}
}

// AskFullName makes it a question in which order a column writes full names. Columns
// that gave a name no longer do; those that seem to give one are still asked about.
func (a *Answers) AskFullName(column int) {
	if column < 0 || column >= len(a.Said) {
		return
	}
	for _, attribute := range []mapping.Attribute{mapping.LastName, mapping.FirstName} {
		a.deny(attribute, func(int) bool { return true })
		a.makeField(attribute).forget()
	}
	a.SetColumn(column)
	a.Said[column] = Said{}
	a.Questions = slices.DeleteFunc(a.Questions, func(q Question) bool { return q.Kind == SplitName })
	a.Questions = append(a.Questions, Question{mapping.LastName, []int{column}, SplitName})
}

// SetConstant says what everybody has; "" takes it back.
func (a *Answers) SetConstant(attribute mapping.Attribute, value string) {
	value = strings.TrimSpace(value)
	for column := range a.Said {
		gives := &a.Said[column].Gives
		*gives = slices.DeleteFunc(*gives, func(g mapping.Attribute) bool { return g == attribute })
	}
	f := a.makeField(attribute)
	f.forget()
	if value != "" {
		f.Rule.Value = &value
	}
	a.tidy()
}

// SetDateFormat says how the dates of birth are written; "" takes it back.
func (a *Answers) SetDateFormat(pattern string) {
	a.makeField(mapping.DateOfBirth).Rule.Date = pattern
	a.tidy()
}

// SetValues says what the values of an attribute become. Values that are not listed stay
// as they are: they may be user types already.
func (a *Answers) SetValues(attribute mapping.Attribute, pairs []mapping.ValuePair) {
	f := a.makeField(attribute)
	f.Rule.Values = slices.DeleteFunc(slices.Clone(pairs), func(p mapping.ValuePair) bool { return strings.TrimSpace(p.From) == "" })
	if len(f.Rule.Values) == 0 {
		f.Rule.Otherwise = ""
	} else {
		f.Rule.Otherwise = cmp.Or(f.Rule.Otherwise, "keep")
	}
	a.tidy()
}

// Values returns what the values of an attribute become.
func (a *Answers) Values(attribute mapping.Attribute) []mapping.ValuePair {
	if f := a.field(attribute); f != nil {
		return f.Rule.Values
	}
	return nil
}

// OpenValues returns those of a column's values for which nobody said what they become,
// and which are no user type by number or by the name of only one.
func (a *Answers) OpenValues(attribute mapping.Attribute, values []string, types []mapping.UserType) []string {
	known := make(map[string]bool)
	ids := make(map[string]string) // folded name → the id that has it, "" for several
	for _, t := range types {
		known[t.ID] = true
		name := foldValue(t.Name)
		if id, twice := ids[name]; twice && id != t.ID {
			ids[name] = ""
			continue
		}
		ids[name] = t.ID
	}
	for name, id := range ids {
		known[name] = known[name] || id != ""
	}
	for _, pair := range a.Values(attribute) {
		known[foldValue(pair.From)] = true
	}
	var open []string
	for _, value := range values {
		if folded := foldValue(value); folded != "" && !known[folded] {
			open = append(open, value)
		}
	}
	return open
}

// foldValue ignores what the mapping ignores when it looks up a value.
func foldValue(value string) string { return strings.ToLower(strings.Join(strings.Fields(value), " ")) }

// Replace takes back how an attribute is made, such as an expression of a mapping file,
// so that columns can be chosen for it.
func (a *Answers) Replace(attribute mapping.Attribute) {
	if f := a.field(attribute); f != nil {
		for _, column := range slices.Concat(f.Columns, f.Reads) {
			gives := &a.Said[column].Gives
			*gives = slices.DeleteFunc(*gives, func(g mapping.Attribute) bool { return g == attribute })
		}
		f.forget()
	}
	a.tidy()
}

func (a *Answers) field(attribute mapping.Attribute) *Field {
	i := slices.IndexFunc(a.Fields, func(f Field) bool { return f.Attribute == attribute })
	if i < 0 {
		return nil
	}
	return &a.Fields[i]
}

func (a *Answers) makeField(attribute mapping.Attribute) *Field {
	if f := a.field(attribute); f != nil {
		return f
	}
	a.Fields = append(a.Fields, Field{Attribute: attribute, Rule: mapping.Field{Attribute: attribute}})
	return &a.Fields[len(a.Fields)-1]
}

// forget takes back where the attribute comes from, but not what is done with it.
func (f *Field) forget() {
	f.Columns, f.Join, f.Split, f.Reads = nil, false, WholeCell, nil
	f.Rule.Value, f.Rule.Expr = nil, ""
}

// fullName returns the column of which the attribute is a part, NoColumn for none.
func (f *Field) fullName() int {
	if f.Split == WholeCell || len(f.Columns) == 0 {
		return mapping.NoColumn
	}
	return f.Columns[len(f.Columns)-1]
}

// prefer takes the column where it is not blank, before the part of the full name.
func (f *Field) prefer(column int) {
	if !slices.Contains(f.Columns, column) {
		f.Columns = append([]int{column}, f.Columns...)
	}
}

// isDecided reports whether it is said where the attribute comes from.
func (f *Field) isDecided() bool {
	return f != nil && (len(f.Columns) > 0 || f.Rule.Value != nil || f.Rule.Expr != "")
}

// tidy removes fields that say nothing, and sorts the others.
func (a *Answers) tidy() {
	a.Fields = slices.DeleteFunc(a.Fields, func(f Field) bool {
		r := &f.Rule
		return !f.isDecided() && len(r.Apply)+len(r.Values) == 0 && r.Date+r.Otherwise+r.Default+r.Blank == "" && !r.Required && !r.AsIs
	})
	slices.SortFunc(a.Fields, func(x, y Field) int { return cmp.Compare(x.Attribute, y.Attribute) })
}

// claims returns the columns that give an attribute by a person's answer, or certainly,
// each once.
func (a *Answers) claims(attribute mapping.Attribute) []int {
	var columns []int
	add := func(column int) {
		if !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
	}
	for column, said := range a.Said {
		if slices.Contains(said.Gives, attribute) {
			add(column)
		}
	}
	for _, g := range a.Guesses {
		if g.Attribute != attribute || !a.isTaken(g) {
			continue
		}
		add(g.Column)
		for _, column := range g.Columns {
			if !a.Said[column].denies(attribute) {
				add(column)
			}
		}
	}
	slices.Sort(columns)
	return columns
}

// isTaken reports whether a guess is certain, and nobody said otherwise.
func (a *Answers) isTaken(g Guess) bool { return g.Certain && !a.Said[g.Column].denies(g.Attribute) }

// source is where an attribute comes from.
type source struct {
	columns []int // the first that is not blank, unless join
	field   *Field
	open    []int    // the columns among which a person has to choose; nil when it is settled
	kind    CardKind // of that question
}

func (s *source) isGiven() bool { return len(s.columns) > 0 || s.field.isDecided() }

// source finds where an attribute comes from, and whether that is a question.
func (a *Answers) source(attribute mapping.Attribute) source {
	f := a.field(attribute)
	s := source{field: f}
	if f.isDecided() {
		s.columns = f.Columns
		return s
	}
	claims := a.claims(attribute)
	columns, kind := slices.Clone(claims), WhichColumn
	for _, q := range a.Questions {
		if q.Attribute != attribute || q.Kind == SplitName {
			continue
		}
		var possible []int
		for _, column := range q.Columns {
			if !a.Said[column].denies(attribute) {
				possible = append(possible, column)
			}
		}
		if len(possible) < 2 {
			continue
		}
		kind = q.Kind
		for _, column := range claims {
			if !slices.Contains(possible, column) {
				possible = append(possible, column)
			}
		}
		columns = possible
	}
	switch {
	case len(columns) > 1 && !(slices.Equal(columns, claims) && a.areOneGuess(attribute, claims)):
		s.open, s.kind = columns, kind
		if attribute == mapping.Street || attribute == mapping.Street2 {
			s.kind = JoinColumns
		}
		if len(claims) == 1 {
			s.columns = claims
		}
	default:
		s.columns = claims
	}
	return s
}

// areOneGuess reports whether the columns are those of one certain guess: province and
// state, of which the first that is not blank counts.
func (a *Answers) areOneGuess(attribute mapping.Attribute, columns []int) bool {
	return slices.ContainsFunc(a.Guesses, func(g Guess) bool {
		if g.Attribute != attribute || !a.isTaken(g) {
			return false
		}
		for _, column := range columns {
			if !slices.Contains(g.Columns, column) {
				return false
			}
		}
		return len(columns) > 1
	})
}

// date returns the format of the dates of a column, or those that are possible when a
// person has to say it.
func (a *Answers) date(s source) (pattern string, open []string) {
	if s.field != nil && s.field.Rule.Date != "" {
		return s.field.Rule.Date, nil
	}
	if s.field != nil && (s.field.Rule.Expr != "" || s.field.Rule.Value != nil) || len(s.columns) == 0 {
		return "", nil
	}
	column := s.columns[0]
	switch formats := a.Dates[column]; {
	case len(formats) == 1:
		return formats[0], nil
	case len(formats) > 1:
		return "", formats
	}
	for _, g := range a.Guesses {
		if g.Column == column && g.Attribute == mapping.DateOfBirth && g.Date != "" {
			return g.Date, nil
		}
	}
	return "", nil
}

// File returns the mapping file of the answers so far. The source says which table is
// meant; its headers become those of the answers. What is open is not in it.
func (a *Answers) File(section mapping.SourceSection) *mapping.File {
	section.Headers = slices.Clone(a.Headers)
	section.Lines = nil
	f := &mapping.File{Source: section}
	for _, spec := range mapping.Attributes() {
		if s := a.source(spec.Attribute); s.isGiven() {
			f.Fields = append(f.Fields, a.rule(spec.Attribute, s))
		} else if spec.Attribute == mapping.LoginSource && a.LoginSource != "" {
			f.Fields = append(f.Fields, mapping.Field{Attribute: spec.Attribute, Value: &a.LoginSource})
		}
	}
	return f
}

// rule writes an attribute's source as a field of a mapping file.
func (a *Answers) rule(attribute mapping.Attribute, s source) mapping.Field {
	var rule mapping.Field
	if s.field != nil {
		rule = s.field.Rule
		rule.Line, rule.Lines = 0, nil
	}
	rule.Attribute = attribute
	if attribute == mapping.DateOfBirth {
		rule.Date, _ = a.date(s)
	}
	var names []string
	for _, column := range s.columns {
		names = append(names, mapping.ColumnName(a.Headers, column))
	}
	switch {
	case len(names) == 0:
	case s.field != nil && s.field.Split != WholeCell:
		rule.Expr = s.field.Split.after(names)
		if attribute == mapping.FirstName && s.field.Split.isOfWords() {
			rule.Blank = cmp.Or(rule.Blank, "error") // of a single word nobody knows which name it is
		}
	case s.field != nil && s.field.Join:
		rule.Expr = joined(names)
	default:
		rule.Columns = names
	}
	return rule
}

// joined is the expression that joins columns with spaces, as many as are not blank.
func joined(names []string) string {
	terms := make([]string, len(names))
	for i, name := range names {
		terms[i] = "col(" + strconv.Quote(name) + ")"
	}
	return `trim(` + strings.Join(terms, ` + " " + `) + `)`
}
