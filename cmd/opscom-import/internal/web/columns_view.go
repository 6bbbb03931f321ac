package web

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/mapping"
	"opscom-import/mapping/answers"
)

// columnsStep is the body of the step Columns.
type columnsStep struct {
	Columns  string // identifies the file's columns in a form
	Open     int    // questions that are left
	Cards    []columnCard
	Lines    []columnLine
	NotSent  string   // the columns of which nothing is sent
	Mistakes []string // those that are about no column
	Changed  *columnChanges
	Offer    *columnOffer
	Person   *examplePerson // nil when none can be shown
	Nth      int            // the person's place, from 0
	Blocked  bool           // the next step has to wait
}

// columnLine is one column with what it can become.
type columnLine struct {
	Column              int
	Letter, Name        string
	Samples             []string
	IsOpen, IsInCard    bool
	IsCertain, IsByHand bool
	Becomes             string // what it becomes, in words; "" for nothing
	Why                 []string
	How                 []string
	Groups              []optionGroup // of the select
	IsDouble            bool          // it becomes two things
	Also                []optionGroup // of the select for a second thing; nil where that is unusual
	Yes                 []option      // answers with one click
	Mistakes            []string
}

// optionGroup is a part of a select.
type optionGroup struct {
	Label   string
	Choices []option
}

// option is one option of a select, or a button.
type option struct {
	Value, Label string
	IsChosen     bool
}

// columnCard is a question that a line cannot ask.
type columnCard struct {
	ID, Name, Kind, Label string
	Columns               string // by name
	IsOpen                bool
	Options               []cardOption
	Value                 string
	Words                 []string
	Mistakes              []string
}

type cardOption struct {
	Value, Text, Example string
	IsChosen             bool
}

// columnChanges says how the file's columns differ from those that were answered.
type columnChanges struct {
	New, Gone, Renamed, Lost string
}

// columnOffer are the answers that were given for such a file before.
type columnOffer struct {
	Layout  string
	Kept    time.Time
	Changes *columnChanges // nil when the columns are the same
}

// examplePerson is one row as it would be sent.
type examplePerson struct {
	Row            int
	Values         []personLine
	Problems       []string
	Previous, Next int // -1 for none
}

type personLine struct{ Label, Value string }

// The values of a line's select that are no attribute, and of its buttons.
const (
	leftOut       = "-"
	noChoice      = "?"
	fullNameHere  = "full_name"
	attributeList = "," // between two attributes of one answer
)

// speaker says texts in the person's language.
type speaker struct{ lang.Lang }

// say translates a text of package answers, and the texts in it. What else stands in it,
// such as the name of a column, stays as it is, whatever it means elsewhere.
func (l speaker) say(text answers.Text) string {
	args, places := slices.Clone(text.Args), []string(nil)
	for i, arg := range args {
		inner, isText := arg.(answers.Text)
		if isText {
			arg = l.say(inner)
		}
		if said, ok := arg.(string); ok {
			place := fmt.Sprintf("\uE000%d\uE001", i) // of the private use area: no catalogue has it
			places = append(places, place, said)
			args[i] = place
		}
	}
	return strings.NewReplacer(places...).Replace(l.Engine(answers.Text{Format: text.Format, Args: args}.String()))
}

func (l speaker) all(texts []answers.Text) []string {
	said := make([]string, len(texts))
	for i, text := range texts {
		said[i] = l.say(text)
	}
	return said
}

// mistake says what is wrong with how something is made. What can be understood only in a
// mapping file is for the colleague who wrote it.
func (l speaker) mistake(m answers.Mistake) string {
	text := engineText(l.Lang, m.Text)
	if text == "" || forColleagues.MatchString(text) {
		return l.T("The rule for this does not work with this file. Choose a column instead, or ask the colleague who wrote the rule.")
	}
	return text
}

// forColleagues are words that only somebody who writes mapping files knows.
var forColleagues = regexp.MustCompile("`|--[a-z]|(?i)mapping|expression|yaml|character \\d")

func (l speaker) label(a mapping.Attribute) string { return l.Engine(a.Spec().Label) }

func (l speaker) labels(attributes []mapping.Attribute) []string {
	labels := make([]string, len(attributes))
	for i, a := range attributes {
		labels[i] = l.label(a)
	}
	return labels
}

// newColumnsStep makes the page of the answers about a table.
func newColumnsStep(l speaker, a *answers.Answers, table answers.Table, mistakes []answers.Mistake) columnsStep {
	b := columnsStep{Open: a.Open(), Changed: l.changes(a.Changed)}
	placed := make([]bool, len(mistakes))
	take := func(gives []mapping.Attribute) (texts []string) {
		for i, m := range mistakes {
			if !placed[i] && m.Attribute != mapping.NoAttribute && slices.Contains(gives, m.Attribute) {
				placed[i] = true
				texts = append(texts, l.mistake(m))
			}
		}
		return texts
	}
	var notSent []string
	for _, column := range a.Lines(table) {
		line := l.line(&column)
		line.Mistakes = take(column.Gives)
		b.Lines = append(b.Lines, line)
		if column.IsLeftOut() {
			notSent = append(notSent, line.Name)
		}
	}
	b.NotSent = strings.Join(notSent, ", ")
	for _, c := range a.Cards(table) {
		card := l.card(&c)
		card.Mistakes = take([]mapping.Attribute{c.Attribute})
		b.Cards = append(b.Cards, card)
	}
	for i, m := range mistakes {
		if !placed[i] {
			b.Mistakes = append(b.Mistakes, l.mistake(m))
		}
	}
	b.Blocked = b.Open > 0 || len(mistakes) > 0
	return b
}

func (t speaker) line(l *answers.Line) columnLine {
	name := cmp.Or(strings.TrimSpace(l.Header), t.T("column %s", l.Letter))
	line := columnLine{
		Column: l.Column, Letter: l.Letter, Name: name, Samples: l.Samples,
		IsOpen: l.State == answers.Open, IsInCard: l.State == answers.InCard, IsCertain: l.State == answers.Certain, IsByHand: l.State == answers.Answered,
		Becomes: strings.Join(t.labels(l.Gives), t.T(" and ")), Why: t.all(l.Why), How: t.all(l.How),
	}
	first, second := mapping.NoAttribute, mapping.NoAttribute
	if len(l.Gives) > 0 {
		first = l.Gives[0]
	}
	if len(l.Gives) > 1 {
		second, line.IsDouble = l.Gives[1], true
	}
	asked := line.IsOpen && first == mapping.NoAttribute
	line.Groups = t.groups(first, asked)
	if l.IsFull {
		line.Groups, first, line.IsDouble = t.groupsOfFullName(), mapping.NoAttribute, false
	}
	if first != mapping.NoAttribute && !line.IsInCard {
		line.Also = t.alsoGroups(second)
	}
	if line.IsOpen {
		line.Yes = t.yes(l)
	}
	return line
}

// groups are the options of a line's select: what OPS-COM requires first.
func (t speaker) groups(chosen mapping.Attribute, asked bool) []optionGroup {
	top := optionGroup{Choices: []option{{leftOut, t.T("leave out"), chosen == mapping.NoAttribute && !asked}}}
	if asked {
		top.Choices = append([]option{{noChoice, t.T("please choose"), true}}, top.Choices...)
	}
	required, others := optionGroup{Label: t.T("Everybody needs it")}, optionGroup{Label: t.T("Others")}
	for _, spec := range mapping.Attributes() {
		c := option{spec.Attribute.String(), t.label(spec.Attribute), spec.Attribute == chosen}
		if spec.Required {
			required.Choices = append(required.Choices, c)
			continue
		}
		others.Choices = append(others.Choices, c)
		if spec.Attribute == mapping.LastName {
			others.Choices = append(others.Choices, option{fullNameHere, t.T("First and last name in one cell"), false})
		}
	}
	return []optionGroup{top, required, others}
}

// groupsOfFullName are the options of a column that holds first and last name.
func (t speaker) groupsOfFullName() []optionGroup {
	groups := t.groups(mapping.NoAttribute, true)
	groups[0].Choices = groups[0].Choices[1:] // without "please choose"
	for _, group := range groups {
		for i := range group.Choices {
			group.Choices[i].IsChosen = group.Choices[i].Value == fullNameHere
		}
	}
	return groups
}

// alsoGroups are the options for what a column gives besides.
func (t speaker) alsoGroups(chosen mapping.Attribute) []optionGroup {
	group := optionGroup{Choices: []option{{leftOut, t.T("nothing else"), chosen == mapping.NoAttribute}}}
	for _, spec := range mapping.Attributes() {
		group.Choices = append(group.Choices, option{spec.Attribute.String(), t.label(spec.Attribute), spec.Attribute == chosen})
	}
	return []optionGroup{group}
}

// yes are the answers to a line's question with one click.
func (t speaker) yes(l *answers.Line) []option {
	var buttons []option
	with := func(attributes []mapping.Attribute) string {
		names := make([]string, len(attributes))
		for i, a := range attributes {
			names[i] = a.String()
		}
		return strings.Join(names, attributeList)
	}
	for _, possible := range l.Possible {
		label := t.T("Yes, it is %s", t.label(possible))
		if len(l.Possible) > 1 {
			label = t.T("It is %s", t.label(possible))
		}
		if len(l.Gives) > 0 {
			label = t.T("Yes, it is %s too", t.label(possible))
		}
		buttons = append(buttons, option{Value: with(slices.Concat(l.Gives, []mapping.Attribute{possible})), Label: label})
	}
	if len(l.Possible) == 2 && len(l.Gives) == 0 {
		buttons = append(buttons, option{Value: with(l.Possible), Label: t.T("It is both")})
	}
	if len(l.Gives) > 0 {
		return append(buttons, option{Value: with(l.Gives), Label: t.T("No, only %s", strings.Join(t.labels(l.Gives), t.T(" and ")))})
	}
	return append(buttons, option{Value: leftOut, Label: t.T("No, leave it out")})
}

func (t speaker) card(c *answers.Card) columnCard {
	card := columnCard{ID: c.ID(), Name: c.Attribute.String(), Kind: string(c.Kind), Label: t.label(c.Attribute), Columns: strings.Join(c.Names, ", "), IsOpen: c.IsOpen, Value: c.Value, Words: t.all(c.Words)}
	for _, o := range c.Options {
		card.Options = append(card.Options, cardOption{o.Value, t.say(o.Text), o.Example, o.IsChosen})
	}
	return card
}

func (t speaker) changes(c *answers.Changes) *columnChanges {
	if c == nil || !c.Any() {
		return nil
	}
	var renamed []string
	for _, r := range c.Renamed {
		renamed = append(renamed, t.T("%s is now %s", r.From, r.To))
	}
	return &columnChanges{
		New: strings.Join(c.New, ", "), Gone: strings.Join(c.Gone, ", "), Renamed: strings.Join(renamed, ", "), Lost: strings.Join(t.labels(c.Lost), ", "),
	}
}

// person shows a row. What is wrong with it waits for the questions about the same thing.
func (t speaker) person(p app.Person, n int, asked []columnCard) *examplePerson {
	e := &examplePerson{Row: p.Row, Previous: n - 1, Next: n + 1}
	if p.IsLast {
		e.Next = -1
	}
	for _, v := range p.Values {
		e.Values = append(e.Values, personLine{t.label(v.Attribute), v.Value})
	}
	for _, problem := range p.Problems {
		isAsked := func(c columnCard) bool { return c.IsOpen && c.Name == problem.Attribute.String() }
		if text := ofOPSCOM(t.Engine(problem.Message)); !slices.ContainsFunc(asked, isAsked) && !slices.Contains(e.Problems, text) {
			e.Problems = append(e.Problems, text)
		}
	}
	return e
}
