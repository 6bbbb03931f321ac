package answers

import (
	"slices"
	"strings"

	"opscom-import/mapping"
)

// Changes is what is different in a table from the one that the answers were about.
type Changes struct {
	New     []string            `json:"new,omitempty"`     // names of the columns that were not there
	Gone    []string            `json:"gone,omitempty"`    // names of the columns that are no longer there and gave something
	Renamed []Rename            `json:"renamed,omitempty"` // columns that seem to have got another name: each is a question
	Lost    []mapping.Attribute `json:"lost,omitempty"`    // what was made of columns that are gone
}

// Rename is a column that seems to have got another name.
type Rename struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Any reports whether there is a change that a person should see.
func (c *Changes) Any() bool { return len(c.New)+len(c.Gone)+len(c.Renamed)+len(c.Lost) > 0 }

// Fit carries the answers over to another table: columns may have moved, come, gone, or
// got another name. What no longer fits is not kept, and becomes a question again.
func (a *Answers) Fit(t Table) (Answers, Changes) {
	fitted := New(t)
	var changes Changes
	if len(a.Headers) == 0 {
		return fitted, changes
	}
	if a.Changed != nil && a.IsFor(t.Header) { // what was asked about the change is asked on
		same := *a
		same.Dates = fitted.Dates
		return same, *a.Changed
	}
	to := matchColumns(a.Headers, t.Header) // old column → new one
	renamed := a.takeRenames(&fitted, to, &changes)
	var taken []int
	for _, column := range renamed {
		taken = append(taken, column)
	}
	for old, column := range to {
		if column == mapping.NoColumn {
			if _, isRenamed := renamed[old]; !isRenamed && len(a.givesFor(old)) > 0 {
				changes.Gone = append(changes.Gone, a.name(old))
			}
			continue
		}
		taken = append(taken, column)
		fitted.Said[column] = a.Said[old].clone()
	}
	for column := range t.Header {
		if !slices.Contains(taken, column) {
			changes.New = append(changes.New, fitted.name(column))
		}
	}
	for _, f := range a.Fields {
		if !fitted.takeField(f, to, renamed) {
			changes.Lost = append(changes.Lost, f.Attribute)
		}
	}
	fitted.forgetDisproved()
	fitted.tidy()
	if changes.Any() {
		fitted.Changed = &changes
	}
	return fitted, changes
}

func (s Said) clone() Said { return Said{s.Answered, slices.Clone(s.Gives), slices.Clone(s.Not)} }

// forgetDisproved takes back the order of day and month where the rows of this table
// prove another.
func (a *Answers) forgetDisproved() {
	s := a.source(mapping.DateOfBirth)
	if s.field == nil || len(s.columns) == 0 {
		return
	}
	if formats := a.Dates[s.columns[0]]; len(formats) == 1 {
		s.field.Rule.Date = ""
	}
}

// takeField takes a field of other answers, and reports whether it fits. Where one of
// its columns has another name, it is a question whether all of them are still meant.
func (a *Answers) takeField(f Field, to []int, renamed map[int]int) (fits bool) {
	was := f.Columns
	if full := f.fullName(); full != mapping.NoColumn && to[full] == mapping.NoColumn {
		f.Split = WholeCell
	}
	f.Columns, f.Reads, fits = nil, nil, true
	var all []int
	for _, old := range was {
		if column, ok := renamed[old]; ok {
			all = append(all, column)
		} else if to[old] != mapping.NoColumn {
			f.Columns = append(f.Columns, to[old])
			all = append(all, to[old])
		}
	}
	switch {
	case len(all) > len(f.Columns) && len(all) > 1:
		kind := WhichColumn
		if f.Join {
			kind = JoinColumns
		}
		a.Questions = slices.DeleteFunc(a.Questions, func(q Question) bool { return q.Attribute == f.Attribute })
		a.Questions = append(a.Questions, Question{f.Attribute, all, kind})
		f.forget()
	case len(f.Columns) < len(was) && (len(f.Columns) == 0 || f.Join):
		fits = len(all) > 0 && !f.Join
		f.forget()
	}
	if f.Rule.Expr != "" {
		var err error
		if f.Reads, err = mapping.ExpressionColumns(f.Rule.Expr, a.Headers); err != nil {
			f.forget()
			fits = false
		}
	}
	a.Fields = append(a.Fields, f)
	return fits
}

// givesFor returns what a column gave, by an answer or certainly.
func (a *Answers) givesFor(column int) []mapping.Attribute {
	attributes := a.uses(column)
	for _, g := range a.Guesses {
		if g.Column == column && g.Certain && !a.Said[column].Answered {
			attributes = append(attributes, g.Attribute)
		}
	}
	for _, f := range a.Fields {
		if slices.Contains(f.Reads, column) {
			attributes = append(attributes, f.Attribute)
		}
	}
	return attributes
}

// takeRenames asks about the columns that have a new name: what they gave under the old
// one is a guess. It returns their new places by the old ones.
func (a *Answers) takeRenames(fitted *Answers, to []int, changes *Changes) map[int]int {
	renames := make(map[int]int)
	var taken []int
	for old, column := range to {
		attributes := a.givesFor(old)
		if column != mapping.NoColumn || len(attributes) == 0 {
			continue
		}
		var free []string
		for candidate, header := range fitted.Headers {
			if !slices.Contains(to, candidate) && !slices.Contains(taken, candidate) && strings.TrimSpace(header) != "" {
				free = append(free, header)
			}
		}
		renamed, err := mapping.FindColumn(fitted.Headers, mapping.Nearest(a.Headers[old], free))
		if err != nil && old < len(fitted.Headers) && slices.Contains(free, fitted.Headers[old]) && a.neighboursStay(old, to) {
			renamed, err = old, nil
		}
		if err != nil {
			continue
		}
		taken = append(taken, renamed)
		renames[old] = renamed
		changes.Renamed = append(changes.Renamed, Rename{a.name(old), fitted.name(renamed)})
		fitted.Guesses = slices.DeleteFunc(fitted.Guesses, func(g Guess) bool { return g.Column == renamed })
		for _, attribute := range attributes {
			fitted.Guesses = append(fitted.Guesses, Guess{Column: renamed, Attribute: attribute, Why: "it seems to be the column that was called " + a.name(old)})
		}
	}
	return renames
}

// neighboursStay reports whether the columns beside one are where they were.
func (a *Answers) neighboursStay(old int, to []int) bool {
	return (old == 0 || to[old-1] == old-1) && (old+1 >= len(to) || to[old+1] == old+1)
}

// matchColumns says where each column is now, NoColumn for those that are gone. Columns
// with the same header, or none, are matched in their order if there are as many.
func matchColumns(before, now []string) []int {
	to := make([]int, len(before))
	for old := range to {
		to[old] = mapping.NoColumn
	}
	used := make([]bool, len(now))
	for _, fold := range []func(string) string{strings.TrimSpace, foldHeader} {
		places := func(headers []string, skip func(int) bool) map[string][]int {
			found := make(map[string][]int)
			for column, header := range headers {
				if !skip(column) {
					found[fold(header)] = append(found[fold(header)], column)
				}
			}
			return found
		}
		old := places(before, func(c int) bool { return to[c] != mapping.NoColumn })
		for header, columns := range places(now, func(c int) bool { return used[c] }) {
			if len(old[header]) != len(columns) {
				continue
			}
			for i, column := range columns {
				to[old[header][i]], used[column] = column, true
			}
		}
	}
	return to
}

// foldHeader ignores case and white space.
func foldHeader(header string) string {
	return strings.ToLower(strings.Join(strings.Fields(header), ""))
}

// FromFile begins with a mapping file: its fields are answers. What it does not use is
// left out if the file is all that was decided, as that of an earlier push is; otherwise
// it is a question where the column seems to give something. Lost are the attributes
// whose columns this table does not have.
func FromFile(f *mapping.File, t Table, isAll bool) (a Answers, lost []mapping.Attribute) {
	a = New(t)
	given := make(map[mapping.Attribute]bool)
	for _, rule := range f.Fields {
		field, err := a.fromRule(rule)
		if err != nil {
			lost = append(lost, rule.Attribute)
			continue
		}
		given[rule.Attribute] = true
		a.Fields = append(a.Fields, field)
		for _, column := range slices.Concat(field.Columns, field.Reads) {
			said := &a.Said[column]
			said.Answered = true
			if len(field.Reads) == 0 {
				said.Gives = append(said.Gives, rule.Attribute)
			}
		}
	}
	known := func(column int) bool {
		return len(f.Source.Headers) == 0 || slices.ContainsFunc(f.Source.Headers, func(h string) bool { return foldHeader(h) == foldHeader(t.Header[column]) })
	}
	for i := range a.Guesses {
		if g := &a.Guesses[i]; g.Certain && known(g.Column) && !given[g.Attribute] {
			g.Certain, g.Why = false, "the mapping that you chose does not use it"
		} else if given[g.Attribute] {
			g.Certain = false
		}
	}
	if isAll {
		for column := range a.Said {
			a.Said[column].Answered = a.Said[column].Answered || known(column)
		}
	}
	a.tidy()
	return a, lost
}

// fromRule fits a field of a mapping file to the table. The error says which column is
// missing, or what is wrong with an expression.
func (a *Answers) fromRule(rule mapping.Field) (f Field, err error) {
	f = Field{Attribute: rule.Attribute, Rule: rule}
	f.Rule.Columns, f.Rule.Line, f.Rule.Lines = nil, 0, nil
	f.Rule.Values = slices.Clone(rule.Values)
	for i := range f.Rule.Values {
		f.Rule.Values[i].Line = 0
	}
	if rule.Expr != "" {
		f.Reads, err = mapping.ExpressionColumns(rule.Expr, a.Headers)
		if err == nil {
			a.recognize(&f)
		}
		return f, err
	}
	for _, name := range rule.Columns {
		column, err := mapping.FindColumn(a.Headers, name)
		if err != nil {
			return f, err
		}
		f.Columns = append(f.Columns, column)
	}
	return f, nil
}

// recognize finds the expressions that a card can show: columns that are joined, and
// parts of a full name.
func (a *Answers) recognize(f *Field) {
	names := make([]string, len(f.Reads))
	for i, column := range f.Reads {
		names[i] = mapping.ColumnName(a.Headers, column)
	}
	if len(names) > 1 && f.Rule.Expr == joined(names) {
		f.Columns, f.Join, f.Reads, f.Rule.Expr = f.Reads, true, nil, ""
		return
	}
	if len(names) == 0 || len(names) > 1 && f.Attribute != mapping.FirstName {
		return
	}
	for _, order := range NameOrders() {
		if part := order.part(f.Attribute); (f.Attribute == mapping.LastName || f.Attribute == mapping.FirstName) && f.Rule.Expr == part.after(names) {
			f.Columns, f.Split, f.Reads, f.Rule.Expr = f.Reads, part, nil, ""
			return
		}
	}
}
