package answers

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"opscom-import/mapping"
)

// State says how it stands with one column.
type State uint8

// The states of a column.
const (
	Unmatched State = iota // it is not sent: nothing is known about it
	Open                   // it is a question
	InCard                 // a card asks about it
	Certain                // its header and values leave no doubt
	Answered               // a person said what it becomes
)

// Line is what a page shows of one column.
type Line struct {
	Column   int
	Letter   string
	Header   string
	Samples  []string            // up to three different values; personal data
	State    State               //
	Gives    []mapping.Attribute // what it becomes so far, or helps to become
	IsFull   bool                // it holds first and last name
	Possible []mapping.Attribute // what it may become as well, in an Open line
	Why      []Text              // clauses
	How      []Text              // what is done beyond taking the column as it is, in clauses
}

// IsLeftOut reports whether nothing of the column is sent.
func (l *Line) IsLeftOut() bool {
	return len(l.Gives) == 0 && (l.State == Unmatched || l.State == Answered)
}

// Lines returns a line for each column, with its samples from the table.
func (a *Answers) Lines(t Table) []Line {
	samples := make(map[int][]string)
	for _, s := range t.Suggestions {
		samples[s.Column] = s.Samples
	}
	lines := a.lines()
	for i := range lines {
		lines[i].Samples = samples[lines[i].Column]
	}
	return lines
}

func (a *Answers) lines() []Line {
	lines := make([]Line, len(a.Headers))
	sources := make([]source, 0, len(mapping.Attributes()))
	for _, spec := range mapping.Attributes() {
		sources = append(sources, a.source(spec.Attribute))
	}
	for column := range lines {
		l := &lines[column]
		*l = Line{Column: column, Letter: mapping.ColumnLetter(column), Header: a.Headers[column]}
		for i, spec := range mapping.Attributes() {
			s := &sources[i]
			switch {
			case slices.Contains(s.open, column) && !slices.Contains(a.Said[column].Gives, spec.Attribute) || a.isAskedAbout(column, spec.Attribute):
				l.State = InCard
				l.Gives = append(l.Gives, spec.Attribute)
			case slices.Contains(s.columns, column), s.field != nil && slices.Contains(s.field.Reads, column), slices.Contains(a.Said[column].Gives, spec.Attribute):
				l.Gives = append(l.Gives, spec.Attribute)
				for _, how := range a.howUsed(spec.Attribute, s) {
					if !slices.ContainsFunc(l.How, func(t Text) bool { return t.String() == how.String() }) {
						l.How = append(l.How, how)
					}
				}
			}
		}
		a.judge(l, sources)
		full, _ := a.fullName()
		l.IsFull = full == column
	}
	return lines
}

// isAskedAbout reports whether the card for a full name asks about the column.
func (a *Answers) isAskedAbout(column int, attribute mapping.Attribute) bool {
	if attribute != mapping.LastName && attribute != mapping.FirstName {
		return false
	}
	asked, open := a.fullName()
	return open && asked == column
}

// judge says how it stands with a line's column, and why.
func (a *Answers) judge(l *Line, sources []source) {
	said := a.Said[l.Column].Answered
	if !a.Said[l.Column].isSilent() && l.State != InCard {
		l.State = Answered
	}
	for _, g := range a.Guesses {
		if g.Column != l.Column {
			continue
		}
		s := source{}
		if g.Attribute != mapping.NoAttribute {
			s = sources[g.Attribute-mapping.UniqueID]
		}
		switch {
		case l.State == InCard && g.Attribute == mapping.NoAttribute: // the card says it
			continue
		case said || l.State == InCard || a.Said[l.Column].denies(g.Attribute):
		case g.Attribute == mapping.NoAttribute:
			l.Why = append(l.Why, clauses(g.Why)...)
			continue
		case g.Certain && slices.Contains(l.Gives, g.Attribute):
			l.State = max(l.State, Certain)
		case a.isAnswered(g.Attribute, s) && !(g.Attribute == mapping.FirstName && s.field != nil && s.field.Split != WholeCell): // a preferred name may go before a full one
			l.Why = append(l.Why, a.givenElsewhere(g.Attribute, s)...)
			continue
		case !slices.Contains(l.Gives, g.Attribute):
			l.State = Open
			l.Possible = append(l.Possible, g.Attribute)
		}
		for _, clause := range clauses(g.Why) {
			if !said && !slices.ContainsFunc(l.Why, func(t Text) bool { return t.String() == clause.String() }) {
				l.Why = append(l.Why, clause)
			}
		}
	}
	if l.State == Unmatched && len(l.Gives) > 0 {
		l.State = Certain // the second of province and state
	}
	if len(l.Possible) > 0 && l.State != InCard {
		l.State = Open
	}
}

// isAnswered reports whether a person said where an attribute comes from.
func (a *Answers) isAnswered(attribute mapping.Attribute, s source) bool {
	return s.field.isDecided() || slices.ContainsFunc(a.Said, func(said Said) bool { return slices.Contains(said.Gives, attribute) })
}

// givenElsewhere says where an attribute comes from that a column was thought to give.
func (a *Answers) givenElsewhere(attribute mapping.Attribute, s source) []Text {
	label := Text{Format: attribute.Spec().Label}
	switch {
	case len(s.columns) > 0:
		return []Text{{"%s comes from %s", []any{label, a.name(s.columns[0])}}}
	case s.field != nil && s.field.Rule.Value != nil:
		return []Text{{"%s is the same for everybody", []any{label}}}
	}
	return []Text{{"%s comes from elsewhere", []any{label}}}
}

// name is what a person calls a column.
func (a *Answers) name(column int) string {
	return cmp.Or(strings.TrimSpace(mapping.ColumnName(a.Headers, column)), mapping.ColumnLetter(column))
}

func (a *Answers) names(columns []int) []any {
	names := make([]any, len(columns))
	for i, column := range columns {
		names[i] = a.name(column)
	}
	return names
}

// howUsed says what is done to make an attribute, nil where it is one column as it is.
func (a *Answers) howUsed(attribute mapping.Attribute, s *source) []Text {
	rule := a.rule(attribute, *s)
	if f := s.field; f.isDecided() && len(f.Columns) > 0 && rule.Expr != "" {
		return append([]Text{a.assembled(f)}, Words(rule)[1:]...)
	}
	if !s.isGiven() {
		return nil
	}
	if len(s.columns) == 1 && rule.Expr == "" {
		return Words(rule)[1:]
	}
	return Words(rule)
}

// assembled says how an attribute is made of several columns, or of a part of one.
func (a *Answers) assembled(f *Field) Text {
	names := a.names(f.Columns)
	if f.Join {
		return Text{"%s, then " + strings.Join(slices.Repeat([]string{"%s"}, len(names)-1), ", then ") + ", in one line", names}
	}
	part := Text{"a part of “%s”", []any{names[len(names)-1]}}
	if len(names) == 1 {
		return part
	}
	names[len(names)-1] = part
	if len(names) == 2 {
		return Text{"%s, and where it is blank %s", names}
	}
	return Text{"the first that is not blank: " + strings.Join(slices.Repeat([]string{"%s"}, len(names)), ", "), names}
}

// Open returns the number of questions that are left.
func (a *Answers) Open() int {
	open := 0
	for _, line := range a.lines() {
		if line.State == Open {
			open++
		}
	}
	for _, card := range a.cards() {
		if card.IsOpen {
			open++
		}
	}
	return open
}

// CardKind is what a card asks.
type CardKind string

// The kinds of cards.
const (
	NoColumn    CardKind = "column" // no column gives an attribute that OPS-COM requires: which is it?
	LoginSource CardKind = "login"  // the login source of everybody
	WhichColumn CardKind = "which"  // which of several columns, or the first that is not blank
	JoinColumns CardKind = "join"   // the same, where joining them is likely
	DateOrder   CardKind = "date"   // the order of day and month
	SplitName   CardKind = "name"   // the order of a full name
	KeptRule    CardKind = "rule"   // how an attribute is worked out, to read only
)

// Card is a question that one column's line cannot ask, or its answer.
type Card struct {
	Kind      CardKind
	Attribute mapping.Attribute
	Columns   []int
	Names     []string // of the columns
	IsOpen    bool
	Options   []Option
	Value     string // of LoginSource: what is typed there
	Words     []Text // of KeptRule
}

// ID names the card for Answers.Answer.
func (c *Card) ID() string { return string(c.Kind) + " " + c.Attribute.String() }

// Option is one answer to a card.
type Option struct {
	Value    string
	Text     Text
	Example  string // what the answer makes of a sample; personal data
	IsChosen bool
}

// Cards returns the questions about more than one column, with examples from the table,
// those that are open first.
func (a *Answers) Cards(t Table) []Card {
	samples := make(map[int][]string)
	for _, s := range t.Suggestions {
		samples[s.Column] = s.Samples
	}
	cards := a.cards()
	for i := range cards {
		c := &cards[i]
		for j := range c.Options {
			o := &c.Options[j]
			switch {
			case c.Kind == DateOrder && c.Columns[0] < len(t.Dates) && t.Dates[c.Columns[0]] != nil:
				for _, reading := range t.Dates[c.Columns[0]].Readings() {
					if reading.Pattern == o.Value && !reading.Date.IsZero() {
						o.Text, o.Example = dateText(reading), reading.Text
					}
				}
			case c.Kind == SplitName && len(samples[c.Columns[0]]) > 0:
				o.Example = NameOrder(o.Value).example(samples[c.Columns[0]][0])
			case c.Kind == NoColumn:
				if column, err := strconv.Atoi(strings.TrimPrefix(o.Value, "first:")); err == nil {
					o.Example = strings.Join(samples[column], ", ")
				}
			}
		}
	}
	slices.SortStableFunc(cards, func(x, y Card) int {
		switch {
		case x.IsOpen == y.IsOpen:
			return 0
		case x.IsOpen:
			return -1
		}
		return 1
	})
	return cards
}

// cards returns the cards in the attributes' order.
func (a *Answers) cards() []Card {
	var cards []Card
	for _, spec := range mapping.Attributes() {
		s := a.source(spec.Attribute)
		switch f := s.field; {
		case f.isDecided() && f.Rule.Expr != "":
			cards = append(cards, Card{Kind: KeptRule, Columns: f.Reads, Words: Words(a.rule(spec.Attribute, s))})
		case spec.Attribute == mapping.LoginSource && (!s.isGiven() && s.open == nil && !a.isPossible(spec.Attribute) || f.isDecided() && f.Rule.Value != nil):
			cards = append(cards, a.loginCard(s))
		case f.isDecided() && f.Rule.Value != nil:
			cards = append(cards, Card{Kind: KeptRule, Words: Words(a.rule(spec.Attribute, s))})
		case s.open != nil:
			cards = append(cards, a.whichCard(s.kind, s.open, nil, false))
		case f.isDecided() && (len(f.Columns) > 1 || f.Split == WholeCell && a.hasQuestion(spec.Attribute)):
			cards = append(cards, a.settledCard(spec.Attribute, f))
		case spec.Required && !s.isGiven() && !a.isPossible(spec.Attribute):
			cards = append(cards, a.columnCard())
		}
		if spec.Attribute == mapping.LastName {
			if column, open := a.fullName(); column != mapping.NoColumn {
				cards = append(cards, a.nameCard(column, open))
			}
		}
		if spec.Attribute == mapping.DateOfBirth {
			if card, ok := a.dateCard(s); ok {
				cards = append(cards, card)
			}
		}
		for i := range cards {
			c := &cards[i]
			if c.Attribute == mapping.NoAttribute {
				c.Attribute = spec.Attribute
				c.Names = nil
				for _, column := range c.Columns {
					c.Names = append(c.Names, a.name(column))
				}
			}
		}
	}
	return cards
}

// isPossible reports whether a line asks whether its column gives the attribute.
func (a *Answers) isPossible(attribute mapping.Attribute) bool {
	return slices.ContainsFunc(a.Guesses, func(g Guess) bool { return g.Attribute == attribute && !a.Said[g.Column].denies(attribute) })
}

func (a *Answers) hasQuestion(attribute mapping.Attribute) bool {
	return slices.ContainsFunc(a.Questions, func(q Question) bool { return q.Attribute == attribute && q.Kind != SplitName })
}

func (a *Answers) loginCard(s source) Card {
	c := Card{Kind: LoginSource, Value: a.LoginSource}
	if s.field.isDecided() {
		c.Value = *s.field.Rule.Value
	}
	c.IsOpen = c.Value == ""
	return c
}

// columnCard asks for a column, whatever it is called.
func (a *Answers) columnCard() Card {
	c := Card{Kind: NoColumn, IsOpen: true}
	for column := range a.Headers {
		c.Options = append(c.Options, Option{Value: "first:" + strconv.Itoa(column), Text: Text{"%s", []any{a.name(column)}}})
	}
	return c
}

// settledCard shows how a question about several columns was answered.
func (a *Answers) settledCard(attribute mapping.Attribute, f *Field) Card {
	columns, kind := slices.Clone(f.Columns), WhichColumn
	for _, q := range a.Questions {
		if q.Attribute == attribute && q.Kind != SplitName {
			columns, kind = slices.Clone(q.Columns), q.Kind
		}
	}
	for _, column := range f.Columns {
		if !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
	}
	if f.Join {
		kind = JoinColumns
	}
	card := a.whichCard(kind, columns, f.Columns, f.Join)
	if full := f.fullName(); full != mapping.NoColumn { // it has a name for everybody, so it cannot go first
		card.Options = slices.DeleteFunc(card.Options, func(o Option) bool {
			_, text, _ := strings.Cut(o.Value, ":")
			columns, _ := unlist(text, len(a.Headers))
			return !o.IsChosen && len(columns) > 1 && columns[len(columns)-1] != full
		})
	}
	return card
}

// whichCard offers the columns by themselves, as first and second choice, and joined.
func (a *Answers) whichCard(kind CardKind, columns, chosen []int, join bool) Card {
	c := Card{Kind: kind, Columns: columns, IsOpen: chosen == nil}
	add := func(how string, columns []int, format string) {
		c.Options = append(c.Options, Option{
			Value: how + ":" + list(columns), Text: Text{format, a.names(columns)},
			IsChosen: slices.Equal(chosen, columns) && join == (how == "join"),
		})
	}
	back := slices.Clone(columns)
	slices.Reverse(back)
	if kind == JoinColumns && len(columns) > 1 {
		add("join", columns, "%s, then "+strings.Join(slices.Repeat([]string{"%s"}, len(columns)-1), ", then ")+", in one line")
	}
	if len(columns) == 2 {
		add("first", columns, "%s, and where it is blank %s")
		add("first", back, "%s, and where it is blank %s")
	} else {
		add("first", columns, "the first that is not blank: "+strings.Join(slices.Repeat([]string{"%s"}, len(columns)), ", "))
		add("first", back, "the first that is not blank: "+strings.Join(slices.Repeat([]string{"%s"}, len(columns)), ", "))
	}
	for _, column := range columns {
		add("first", []int{column}, "only %s")
	}
	known := slices.ContainsFunc(c.Options, func(o Option) bool { return o.IsChosen })
	if !known && len(chosen) > 0 && !join {
		add("first", chosen, "the first that is not blank: "+strings.Join(slices.Repeat([]string{"%s"}, len(chosen)), ", "))
	}
	return c
}

// fullName returns the column that holds the full name, NoColumn for none, and whether
// its order is a question.
func (a *Answers) fullName() (column int, open bool) {
	last, first := a.field(mapping.LastName), a.field(mapping.FirstName)
	for _, f := range []*Field{last, first} {
		if f != nil && f.Split != WholeCell {
			return f.fullName(), false
		}
	}
	for _, q := range a.Questions {
		if q.Kind == SplitName && !a.Said[q.Columns[0]].Answered && !last.isDecided() && !first.isDecided() &&
			len(a.claims(mapping.LastName)) == 0 && !a.isCertain(mapping.FirstName) {
			return q.Columns[0], true
		}
	}
	return mapping.NoColumn, false
}

// isCertain reports whether a column gives the attribute without a person's answer.
func (a *Answers) isCertain(attribute mapping.Attribute) bool {
	return slices.ContainsFunc(a.Guesses, func(g Guess) bool { return g.Attribute == attribute && a.isTaken(g) })
}

func (a *Answers) nameCard(column int, open bool) Card {
	c := Card{Kind: SplitName, Columns: []int{column}, IsOpen: open}
	last, first := a.field(mapping.LastName), a.field(mapping.FirstName)
	for _, order := range NameOrders() {
		c.Options = append(c.Options, Option{Value: string(order), Text: order.text(),
			IsChosen: !open && last != nil && first != nil && last.Split == order.part(mapping.LastName) && (first.Split == WholeCell || first.Split == order.part(mapping.FirstName))})
	}
	return c
}

// dateCard asks for the order of day and month, or shows the answer.
func (a *Answers) dateCard(s source) (Card, bool) {
	pattern, open := a.date(s)
	if len(s.columns) == 0 || open == nil && len(a.Dates[s.columns[0]]) < 2 { // the rows prove it
		return Card{}, false
	}
	c := Card{Kind: DateOrder, Columns: s.columns[:1], IsOpen: open != nil}
	patterns := slices.Clone(a.Dates[s.columns[0]])
	if pattern != "" && !slices.Contains(patterns, pattern) {
		patterns = append(patterns, pattern)
	}
	for _, p := range patterns {
		c.Options = append(c.Options, Option{Value: p, Text: Text{"%s", []any{p}}, IsChosen: p == pattern})
	}
	return c, true
}

// Answer takes a person's answer to a card. The error says that the card or the answer
// is not known.
func (a *Answers) Answer(id, value string) error {
	word, name, _ := strings.Cut(id, " ")
	attribute := mapping.AttributeNamed(name)
	if attribute == mapping.NoAttribute {
		return fmt.Errorf("there is no question %q", id)
	}
	switch kind := CardKind(word); kind {
	case LoginSource:
		a.SetConstant(attribute, value)
		if value == "" {
			a.LoginSource = ""
		}
		return nil
	case KeptRule:
		a.Replace(attribute)
		return nil
	case DateOrder:
		for _, card := range a.cards() {
			for _, o := range card.Options {
				if card.Kind == DateOrder && o.Value == value {
					a.SetDateFormat(value)
					return nil
				}
			}
		}
	case SplitName:
		column, _ := a.fullName()
		if column != mapping.NoColumn && slices.Contains(NameOrders(), NameOrder(value)) {
			a.SetFullName(column, NameOrder(value))
			return nil
		}
	case WhichColumn, JoinColumns, NoColumn:
		how, text, _ := strings.Cut(value, ":")
		if columns, ok := unlist(text, len(a.Headers)); ok && (how == "first" || how == "join") {
			a.SetColumns(attribute, columns, how == "join")
			return nil
		}
	}
	return fmt.Errorf("%q is not an answer to the question %q", value, id)
}

// list writes columns for the value of an option.
func list(columns []int) string {
	words := make([]string, len(columns))
	for i, column := range columns {
		words[i] = strconv.Itoa(column)
	}
	return strings.Join(words, ",")
}

// unlist reads what list wrote: different columns of a table of that width.
func unlist(text string, width int) (columns []int, ok bool) {
	for word := range strings.SplitSeq(text, ",") {
		column, err := strconv.Atoi(word)
		if err != nil || column < 0 || column >= width || slices.Contains(columns, column) {
			return nil, false
		}
		columns = append(columns, column)
	}
	return columns, true
}
