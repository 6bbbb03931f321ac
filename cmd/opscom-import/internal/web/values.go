package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
)

// valuesStep is the body of the step Values.
type valuesStep struct {
	Problem string // why the values could not be counted
	Open    int    // questions that are left
	Columns int    // questions that are left in the step before
	Tables  []valueTable
	Words   []missingWord
	Out     leaveOut
}

// valueTable asks what the values of one attribute become.
type valueTable struct {
	mapping.AttributeSpec
	Choices  []choice // user types; none: numbers are typed
	Problem  string   // why there is nothing to choose from
	Values   []valueLine
	Open     int
	Guesses  int // of the open ones, those with a proposal
	TooMany  bool
	ByMaking bool // a colleague's rule makes the values
}

// choice is one of the answers to a question.
type choice struct {
	Value string
	Label string
}

// valueLine is one value, and what it becomes.
type valueLine struct {
	app.TypeValue
	Index   int
	Answer  string // typeAnswer and what it becomes, or one of the others; "" when it is open
	IsOpen  bool
	IsGuess bool   // it is open, and Becomes proposes an answer
	Typed   string // what it becomes, where that is typed
	IsGone  bool   // it becomes a user type that OPS-COM does not have any more
}

// The answers to what a value becomes. A user type follows typeAnswer, so that none can be
// taken for another answer.
const (
	typeAnswer  = "type:"
	blankAnswer = "blank"
	outAnswer   = "out"
	keepAnswer  = "keep" // as it is
)

// missingWord asks whether a word of a column stands for no value.
type missingWord struct {
	Text      string
	Attribute mapping.Attribute
}

// leaveOut is the card in which rows are left out by the values of a column.
type leaveOut struct {
	Rule    bool // a colleague's rule says which rows are used
	IsLost  bool // what was said does not fit the file any more
	Left    int  // rows that are left out
	Rows    int  // of the file
	Columns []outColumn
	Chosen  *outColumn // its values can be ticked; nil when no column is chosen
}

// outColumn is a column by whose values rows can be left out.
type outColumn struct {
	Column int
	Name   string
	Out    int // values of it that are left out
	Values []outValue
}

type outValue struct {
	Text  string // "" for blank cells
	Index int
	Rows  int
	IsOut bool
}

// maxTicks is how many values of a column can be ticked: more are no choice.
const maxTicks = 60

// showValues shows the step. With ?skip the next step is shown where there is nothing to
// answer.
func (s *Server) showValues(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	if !s.canOpen(d, stepValues) {
		s.redirect(w, r, "/files/%d/columns", d.ID)
		return
	}
	var words []missingWord
	if s.canOpen(d, stepRows) {
		v, release := s.checked(w, r, d, stepValues)
		if v == nil {
			return
		}
		words = missingWords(v.Err)
		release()
	}
	values, types, err := s.valuesOf(r.Context(), d)
	if err != nil {
		s.showStep(w, r, d, stepValues, valuesStep{Problem: s.explain(language(r), err)})
		return
	}
	body := valuesStep{Tables: valueTables(d, values, types), Words: words, Out: leaveOutOf(d, values, r.FormValue("column"))}
	body.Open, body.Columns = len(words), d.Answers.Open()
	if body.Out.IsLost {
		body.Open++
	}
	for i := range body.Tables {
		t := &body.Tables[i]
		body.Open += t.Open
		if t.Attribute == mapping.UserTypeID {
			t.Problem = typesProblem(s, r, types)
		}
	}
	if r.FormValue("skip") != "" && body.Open == 0 {
		s.redirect(w, r, "/files/%d/rows", d.ID)
		return
	}
	s.showStep(w, r, d, stepValues, body)
}

// typesProblem says why user types have to be typed; "" when they can be chosen.
func typesProblem(s *Server, r *http.Request, types app.UserTypes) string {
	l := language(r)
	switch {
	case types.Denied:
		return l.T("OPS-COM does not list its user types for this program. Type the number of each, which OPS-COM shows beside its name.")
	case !types.Known:
		return l.T("OPS-COM cannot be asked for its user types now. Type the number of each, or come back to this step later.")
	case types.Problem != "":
		return l.T("OPS-COM cannot be asked for its user types now. These are the ones that it had the last time.")
	}
	return ""
}

// valuesOf counts the values of the draft's file, and lists the user types. Where the rule
// about rows does not fit the file, all rows count.
func (s *Server) valuesOf(ctx context.Context, d draft.Draft) (app.FileValues, app.UserTypes, error) {
	env := s.quiet(d)
	if !ruleFits(d) {
		d.Source.Where = ""
	}
	values, err := app.Values(ctx, env, d.Path(), d.Answers.File(d.Source))
	if err != nil {
		return values, app.UserTypes{}, err
	}
	types, err := s.userTypes.of(ctx, env)
	return values, types, err
}

// openValues returns how many values are open that a check of the rows cannot find: it
// finds user types that OPS-COM does not have, but not where OPS-COM cannot be asked.
func (s *Server) openValues(ctx context.Context, d draft.Draft) (open int) {
	types, err := s.userTypes.of(ctx, s.quiet(d))
	if err != nil || types.Known || types.Denied {
		return 0
	}
	values, _, err := s.valuesOf(ctx, d)
	if err != nil {
		return 0 // the check says why
	}
	for _, t := range valueTables(d, values, types) {
		open += t.Open
	}
	return open
}

// ruleFits reports whether the rule about which rows are used fits the file's columns: they
// may be others since the file was replaced.
func ruleFits(d draft.Draft) bool {
	_, err := mapping.NewFilter(d.Source, d.Answers.Headers)
	return err == nil
}

// userTypeCache remembers for a short time what OPS-COM's user types are, so that not every
// click asks there.
type userTypeCache struct {
	mu    sync.Mutex
	types map[bool]app.UserTypes // of the sandbox or not
	until map[bool]time.Time
}

func (c *userTypeCache) of(ctx context.Context, env app.Env) (app.UserTypes, error) {
	const fresh, failed = time.Minute, 20 * time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	sandbox := env.Settings.Sandbox
	if time.Now().Before(c.until[sandbox]) {
		return c.types[sandbox], nil
	}
	types, err := app.ListUserTypes(ctx, env)
	if err != nil {
		return types, err
	}
	age := fresh
	if types.Problem != "" { // it takes long to find out that nobody answers
		age = failed
	}
	if c.types == nil {
		c.types, c.until = map[bool]app.UserTypes{}, map[bool]time.Time{}
	}
	c.types[sandbox], c.until[sandbox] = types, time.Now().Add(age)
	return types, nil
}

// valueTables asks about the values of the attributes that have few.
func valueTables(d draft.Draft, values app.FileValues, types app.UserTypes) []valueTable {
	var tables []valueTable
	for _, field := range d.Answers.File(d.Source).Fields {
		spec := field.Attribute.Spec()
		isType := spec.Kind == mapping.UserTypeKind
		if !isType && spec.Kind != mapping.LockerUserTypeKind || field.Value != nil {
			continue
		}
		t := valueTable{AttributeSpec: spec, ByMaking: field.Expr != "" || len(field.Apply) > 0}
		var columns []app.ColumnValues
		for _, name := range field.Columns {
			if column, err := mapping.FindColumn(d.Answers.Headers, name); err == nil && column < len(values.Columns) {
				columns = append(columns, values.Columns[column])
			}
		}
		for _, c := range columns {
			t.TooMany = t.TooMany || c.TooMany
		}
		if isType {
			for _, u := range types.List {
				t.Choices = append(t.Choices, choice{suggest.UserTypeName(u, types.List), u.Name})
			}
		} else {
			types = app.UserTypes{Denied: true} // only numbers, which nobody can check
		}
		if !t.ByMaking && !t.TooMany {
			t.add(d, columns, types)
		}
		tables = append(tables, t)
	}
	return tables
}

// add adds the lines of the values.
func (t *valueTable) add(d draft.Draft, columns []app.ColumnValues, types app.UserTypes) {
	pairs := d.Answers.Values(t.Attribute)
	out := leftOutOf(d)
	for i, value := range app.TypeValues(columns, types) {
		if slices.Contains(d.Source.MissingValues, value.Text) {
			continue
		}
		line := valueLine{TypeValue: value, Index: i}
		at := slices.IndexFunc(pairs, func(p mapping.ValuePair) bool { return strings.EqualFold(p.From, value.Text) })
		isOut := len(columns) > 0 && slices.ContainsFunc(out, func(o mapping.Without) bool {
			return o.Column == columns[0].Name && slices.Contains(o.Values, value.Text)
		})
		switch {
		case isOut:
			line.Answer = outAnswer
		case value.Kept == 0: // left out by another column
			continue
		case at >= 0 && pairs[at].To == "":
			line.Answer = blankAnswer
		case at >= 0:
			line.Typed = pairs[at].To
			if name, sure := suggest.UserTypeOf(line.Typed, types.List); sure {
				line.Typed = name // a colleague's mapping may have the number
			} else if len(types.List) > 0 {
				line.IsGone, line.IsOpen = true, true
				t.Open++
			}
			line.Answer = typeAnswer + line.Typed
		case value.IsSure:
			line.Answer, line.Typed = keepAnswer, value.Text
		case mapping.MayBeMissing(t.Attribute, value.Text):
			line.Answer = blankAnswer // as the rows are read
		default:
			line.IsOpen, line.IsGuess = true, value.Becomes != ""
			t.Open++
			if line.IsGuess {
				t.Guesses++
			}
		}
		t.Values = append(t.Values, line)
	}
}

// leftOutOf returns which rows the draft leaves out by values.
func leftOutOf(d draft.Draft) []mapping.Without {
	out, _ := mapping.WithoutOf(d.Source.Where)
	return out
}

// leaveOutOf fills the card in which rows are left out.
func leaveOutOf(d draft.Draft, values app.FileValues, chosen string) leaveOut {
	out, isList := mapping.WithoutOf(d.Source.Where)
	card := leaveOut{Rule: !isList, IsLost: !ruleFits(d), Left: values.Rows - values.Kept, Rows: values.Rows}
	if card.Rule || card.IsLost {
		return card
	}
	for _, c := range values.Columns {
		o := outColumn{Column: c.Column, Name: c.Name}
		at := slices.IndexFunc(out, func(w mapping.Without) bool { return w.Column == c.Name })
		if at >= 0 {
			o.Out = len(out[at].Values)
		}
		if o.Out == 0 && !hasChoice(c) {
			continue
		}
		card.Columns = append(card.Columns, o)
		if strconv.Itoa(c.Column) != chosen && (chosen != "" || o.Out == 0 || card.Chosen != nil) {
			continue
		}
		for i, v := range append(slices.Clone(c.Values), c.Blank) {
			if v.Rows > 0 {
				o.Values = append(o.Values, outValue{v.Text, i, v.Rows, at >= 0 && slices.Contains(out[at].Values, v.Text)})
			}
		}
		card.Chosen = &o
	}
	return card
}

// hasChoice reports whether a column has few values, and more than one, that repeat: what
// every row has only once is no kind of row.
func hasChoice(c app.ColumnValues) bool {
	different := len(c.Values)
	if c.Blank.Rows > 0 {
		different++
	}
	return different > 1 && len(c.Values) <= maxTicks && (c.Blank.Rows > 1 || len(c.Values) > 0 && c.Values[0].Rows > 1)
}

// errStale says that a form was made for an earlier state of the draft.
var errStale = errors.New("the form is of an earlier state")

// answerValues takes the answers of one of the step's forms.
func (s *Server) answerValues(w http.ResponseWriter, r *http.Request, d draft.Draft) {
	l := language(r)
	if err := r.ParseForm(); err != nil {
		s.fail(w, r, http.StatusRequestEntityTooLarge, s.explain(l, err))
		return
	}
	values, types, err := s.valuesOf(r.Context(), d)
	if err != nil {
		s.fail(w, r, http.StatusUnprocessableEntity, s.explain(l, err))
		return
	}
	next := s.link("/files/%d/values", d.ID)
	if column := r.PostForm.Get("column"); column != "" {
		next += "?" + url.Values{"column": {column}}.Encode()
	}
	seen := r.PostForm.Get("revision")
	_, err = s.drafts.Change(d.ID, func(now *draft.Draft) error {
		if seen != strconv.Itoa(now.Revision) || now.Revision != d.Revision {
			return errStale // the values are meant by their numbers in the form
		}
		switch r.PostForm.Get("form") {
		case "types":
			takeValues(now, valueTables(d, values, types), r.PostForm)
		case "out":
			takeOut(now, values, r.PostForm)
		case "all":
			now.Source.Where = ""
		case "word":
			takeWord(now, r.PostForm)
		}
		return nil
	})
	switch {
	case errors.Is(err, errStale):
		s.fail(w, r, http.StatusConflict, l.T("The file was changed since you saw this page, perhaps in another tab. Nothing was saved. Open the step again."))
	case err != nil:
		s.fail(w, r, http.StatusConflict, s.explain(l, err))
	default:
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

// takeValues takes the answers about the values of one attribute. The button Yes takes
// the proposal for one value, or for all of them.
func takeValues(d *draft.Draft, tables []valueTable, form url.Values) {
	i := slices.IndexFunc(tables, func(t valueTable) bool { return t.Attribute.String() == form.Get("attribute") })
	if i < 0 {
		return
	}
	t := tables[i]
	pairs := slices.Clone(d.Answers.Values(t.Attribute))
	for _, line := range t.Values {
		answer := form.Get("becomes" + strconv.Itoa(line.Index))
		if yes := form.Get("yes"); line.IsGuess && (yes == "all" && answer == "" || yes == strconv.Itoa(line.Index)) {
			answer = typeAnswer + line.Becomes
		}
		if typed := strings.TrimSpace(form.Get("typed" + strconv.Itoa(line.Index))); answer == "" && typed != "" {
			answer = typeAnswer + typed
			if typed == line.Text {
				answer = keepAnswer
			}
		}
		if answer == line.Answer {
			continue
		}
		pairs = slices.DeleteFunc(pairs, func(p mapping.ValuePair) bool { return strings.EqualFold(p.From, line.Text) })
		setOut(d, t.Attribute, line.Spellings, answer == outAnswer)
		if to, ok := strings.CutPrefix(answer, typeAnswer); ok && to != "" {
			pairs = append(pairs, mapping.ValuePair{From: line.Text, To: to})
		} else if answer == blankAnswer {
			pairs = append(pairs, mapping.ValuePair{From: line.Text})
		}
	}
	d.Answers.SetValues(t.Attribute, pairs)
}

// setOut leaves the rows with a value of the attribute out, or no longer.
func setOut(d *draft.Draft, attribute mapping.Attribute, spellings []string, isOut bool) {
	list, ok := mapping.WithoutOf(d.Source.Where)
	if !ok { // a colleague's rule stays
		return
	}
	for _, field := range d.Answers.File(d.Source).Fields {
		if field.Attribute != attribute || len(field.Columns) == 0 {
			continue
		}
		column, err := mapping.FindColumn(d.Answers.Headers, field.Columns[0])
		if err != nil {
			return
		}
		name := mapping.ColumnName(d.Answers.Headers, column)
		i := slices.IndexFunc(list, func(w mapping.Without) bool { return w.Column == name })
		if i < 0 {
			i, list = len(list), append(list, mapping.Without{Column: name})
		}
		list[i].Values = slices.DeleteFunc(list[i].Values, func(v string) bool { return slices.Contains(spellings, v) })
		if isOut {
			list[i].Values = append(list[i].Values, spellings...)
		}
	}
	d.Source.Where = mapping.WhereWithout(list)
}

// takeOut takes which values of a column leave rows out.
func takeOut(d *draft.Draft, values app.FileValues, form url.Values) {
	card := leaveOutOf(*d, values, form.Get("column"))
	if card.Chosen == nil {
		return
	}
	list := slices.DeleteFunc(leftOutOf(*d), func(w mapping.Without) bool { return w.Column == card.Chosen.Name })
	ticked := mapping.Without{Column: card.Chosen.Name}
	for _, v := range card.Chosen.Values {
		if slices.Contains(form["out"], strconv.Itoa(v.Index)) {
			ticked.Values = append(ticked.Values, v.Text)
		}
	}
	d.Source.Where = mapping.WhereWithout(append(list, ticked))
}

// takeWord takes whether a word stands for no value.
func takeWord(d *draft.Draft, form url.Values) {
	word, attribute := form.Get("word"), mapping.AttributeNamed(form.Get("attribute"))
	switch {
	case word == "" || attribute == mapping.NoAttribute:
	case form.Get("answer") == blankAnswer && !slices.Contains(d.Source.MissingValues, word):
		d.Source.MissingValues = append(slices.Clip(d.Source.MissingValues), word)
	case form.Get("answer") == keepAnswer:
		d.Answers.SetAsIs(attribute, true)
	}
}

// missingWords finds in the error of a check the words about which a person is asked.
func missingWords(err error) (words []missingWord) {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range many.Unwrap() {
			words = append(words, missingWords(one)...)
		}
		return words
	}
	if asked, ok := errors.AsType[*mapping.FileError](err); ok {
		for _, way := range asked.Ways {
			if way.Missing != "" {
				words = append(words, missingWord{way.Missing, asked.Attribute})
			}
		}
	}
	return words
}
