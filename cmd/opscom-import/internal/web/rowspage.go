package web

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/mapping"
)

// rowsShown is how many rows a page of the step Rows has.
const rowsShown = 100

// wholeRow is the column of what is said about a row as a whole.
const wholeRow = -1

// cellRef is a cell as the form of the step Rows names it: "43.14".
type cellRef struct{ Row, Column int }

func (c cellRef) String() string { return strconv.Itoa(c.Row) + "." + strconv.Itoa(c.Column) }

func (c cellRef) compare(other cellRef) int {
	return cmp.Or(cmp.Compare(c.Row, other.Row), cmp.Compare(c.Column, other.Column))
}

// parseRef reads a cell, and what follows it after another dot: the rule of a problem.
func parseRef(text string) (ref cellRef, rule mapping.Rule, ok bool) {
	row, rest, _ := strings.Cut(text, ".")
	column, word, _ := strings.Cut(rest, ".")
	var err1, err2 error
	ref.Row, err1 = strconv.Atoi(row)
	ref.Column, err2 = strconv.Atoi(column)
	return ref, mapping.Rule(word), err1 == nil && err2 == nil
}

// oneLine is a cell's text as an input shows it: browsers take out line breaks.
func oneLine(text string) string { return strings.NewReplacer("\r", "", "\n", "").Replace(text) }

// rowsAnswer is what somebody has said on the step Rows.
type rowsAnswer struct {
	Corrections []importer.Correction
	AsIs        []mapping.Attribute // whose values are right whatever they look like
	Back        []cellRef           // cells, or whole rows, that become as the file has them
	At          cellRef             // what was answered last: what is next after it gets the focus
	Elsewhere   int                 // cells that somebody changed in another window meanwhile
	NoText      bool                // all alike are to be changed, but no text was typed
}

// readRows reads the form of the step Rows. Typed cells count whichever button was
// pressed, so that nothing typed is lost.
func readRows(i *app.Inspection, form url.Values) (a rowsAnswer, err error) {
	typed := map[cellRef]string{}
	var refs []cellRef
	for name := range form {
		if ref, _, ok := parseRef(strings.TrimPrefix(name, "v.")); ok && strings.HasPrefix(name, "v.") {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, cellRef.compare)
	for _, ref := range refs {
		text, shown := strings.TrimSpace(form.Get("v."+ref.String())), form.Get("o."+ref.String())
		if text == strings.TrimSpace(shown) {
			continue
		}
		row, ok, err := i.Row(ref.Row)
		if err != nil {
			return a, err
		}
		switch now := oneLine(row.Cell(ref.Column)); {
		case !ok || now != shown && now != text:
			a.Elsewhere++
		case now != text:
			typed[ref] = text
			a.set(row.Correct(ref.Column, text))
		}
	}
	if err := a.readButton(i, form, typed); err != nil {
		return a, err
	}
	return a, nil
}

// readButton reads which button was pressed, besides the one that only saves.
func (a *rowsAnswer) readButton(i *app.Inspection, form url.Values, typed map[cellRef]string) error {
	var found []importer.Correction
	for _, button := range []string{"use", "useall", "alike", "take", "outall", "out", "stands", "reset", "right"} {
		ref, rule, ok := parseRef(form.Get(button))
		if !ok {
			continue
		}
		a.At = ref
		if button == "take" {
			var err error
			if found, err = i.TakeProposals(app.ProblemPlace{Rule: rule, Column: ref.Column}); err != nil {
				return err
			}
			break
		}
		if button == "outall" {
			var err error
			if found, err = i.LeaveOut(rule); err != nil {
				return err
			}
			break
		}
		row, ok, err := i.Row(ref.Row)
		if err != nil {
			return err
		}
		if !ok {
			a.Elsewhere++
			return nil
		}
		at := slices.IndexFunc(row.Problems, func(p importer.RowProblem) bool { return p.Column == ref.Column && p.Rule == rule })
		switch {
		case button == "out":
			found = []importer.Correction{row.Whole(importer.LeaveOut)}
		case button == "stands":
			found = []importer.Correction{row.Whole(importer.AsItStands)}
		case button == "reset":
			a.Back = append(a.Back, ref)
		case at < 0:
			a.Elsewhere++
		case button == "right":
			a.AsIs = append(a.AsIs, row.Problems[at].Attribute)
		case button == "use":
			found = []importer.Correction{row.Correct(ref.Column, row.Problems[at].Proposal)}
		case button == "useall":
			found, err = i.ReplaceAlike(row.Problems[at], row.Problems[at].Proposal)
		default:
			text, ok := typed[ref]
			if a.NoText = !ok; ok {
				found, err = i.ReplaceAlike(row.Problems[at], text)
			}
		}
		if err != nil {
			return err
		}
		break
	}
	for _, c := range found {
		a.set(c)
	}
	return nil
}

// set adds a correction, in place of one of the same cell.
func (a *rowsAnswer) set(c importer.Correction) {
	if a.At.Row == 0 {
		a.At = cellRef{c.Row, max(c.Column, wholeRow)}
	}
	same := func(other importer.Correction) bool { return other.Row == c.Row && other.Column == c.Column }
	if at := slices.IndexFunc(a.Corrections, same); at >= 0 {
		a.Corrections[at] = c
		return
	}
	a.Corrections = append(a.Corrections, c)
}

// rowsPage is the body of the step Rows.
type rowsPage struct {
	Tabs        []rowsTab
	Tab         app.Tab
	Rows        []rowView
	Header      []string // of the columns, where all cells are shown
	Columns     int      // of the table
	First, Last int      // of the rows shown, among those of the tab, from 1 on
	Total       int      // rows in the tab
	From        int      // number of the first row shown
	Previous    int      // number of the row that the previous page begins with; 0 for none
	Next        int      // likewise
	Bulk        []rowsBulk
	Groups      []rowsGroup
	HasCells    bool // that can be changed
}

type rowsTab struct {
	app.Tab
	Count   int
	Current bool
}

// rowsBulk is a kind of problem for which every row has its own proposal.
type rowsBulk struct {
	app.ProblemPlace
	Header string
	Count  int
}

// rowsGroup are rows that may be no people of this file, and can be left out together.
type rowsGroup struct {
	mapping.Rule
	Title string // in words
	Count int
}

// addGroups adds the groups of several rows.
func (p *rowsPage) addGroups(l lang.Lang, i *app.Inspection) {
	for _, rule := range []mapping.Rule{mapping.RuleSecondTable, mapping.RuleUnlikelyID, mapping.RuleRaggedRow} {
		count := 0
		for _, problems := range i.Receipt.Problems {
			if problems.Rule == rule && problems.Severity == mapping.SeverityError {
				count += problems.Count
			}
		}
		if count > 1 {
			p.Groups = append(p.Groups, rowsGroup{rule, engineText(l, rule.Spec().Title), count})
		}
	}
}

// rowView is a row as the step Rows shows it.
type rowView struct {
	File        int // the draft
	Tab         app.Tab
	From        int // of the page
	Number      int
	Status      importer.Status
	Person      string // who it is, as far as that is known
	DuplicateOf int
	About       []string   // problems of the row as a whole, in words
	Cells       []cellView // that can be changed
	All         []string   // every cell's text, where all are shown
	Faulty      []bool     // of those
	Open        bool       // every cell can be changed
	IsLeftOut   bool       // by a person
	CanLeaveOut bool
	CanStand    bool // its shape is wrong, and a person can say that it is right
}

// cellView is a cell that can be changed.
type cellView struct {
	cellRef
	Header   string // never ""
	Text     string
	Says     []cellProblem
	Was      string   // what the file has
	Changed  bool     // by a person
	IsFaulty bool     // it keeps the row from being sent
	Choices  []string // to choose from; nil to type
	HasFocus bool
}

// cellProblem is a problem of a cell, in words.
type cellProblem struct {
	mapping.Rule
	Text       string
	Proposal   string
	CanBeRight bool // somebody can say that the whole column is right as it is
	Alike      int  // rows with the same; 0 where changing them together makes no sense
}

// showsAll reports whether the tab shows every cell of its rows.
func showsAll(tab app.Tab) bool {
	return tab == app.TabAll || tab == app.TabLeftOut || tab == app.TabDuplicates
}

// newRowsPage makes the page of the rows in a tab, from a row's number on. open is the row
// of which every cell can be changed, 0 for none, and at is where the last answer was.
func newRowsPage(l lang.Lang, i *app.Inspection, file int, tab app.Tab, from, open int, at cellRef) (*rowsPage, error) {
	if !slices.Contains(app.Tabs(), tab) {
		if tab = app.TabAll; i.Count(app.TabToFix) > 0 {
			tab = app.TabToFix
		}
	}
	p := &rowsPage{Tab: tab, Total: i.Count(tab)}
	for _, t := range app.Tabs() {
		p.Tabs = append(p.Tabs, rowsTab{t, i.Count(t), t == tab})
	}
	offset := i.Offset(tab, max(from, open))
	if open > 0 {
		offset -= offset % rowsShown
	}
	if offset >= p.Total {
		offset = max(0, p.Total-1)
		offset -= offset % rowsShown
	}
	rows, err := i.Rows(tab, offset, rowsShown)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return p, nil
	}
	p.First, p.Last, p.From = offset+1, offset+len(rows), rows[0].Number
	for _, edge := range []struct {
		offset int
		number *int
	}{{offset - rowsShown, &p.Previous}, {offset + rowsShown, &p.Next}} {
		if start := max(edge.offset, 0); edge.offset > -rowsShown && start != offset && start < p.Total {
			first, err := i.Rows(tab, start, 1)
			if err != nil {
				return nil, err
			}
			*edge.number = first[0].Number
		}
	}
	if showsAll(tab) {
		p.Header, p.Columns = i.Header.Names, len(i.Header.Names)+2
	}
	for r := range rows {
		view := newRowView(l, i, &rows[r], tab, open == rows[r].Number)
		p.HasCells = p.HasCells || len(view.Cells) > 0
		view.File, view.Tab, view.From = file, tab, p.From
		p.Rows = append(p.Rows, view)
	}
	if tab == app.TabToFix {
		p.addBulk(i)
		p.addGroups(l, i)
	}
	p.focus(at, open)
	return p, nil
}

// addBulk adds the kinds of problems of which several can be solved with one click.
func (p *rowsPage) addBulk(i *app.Inspection) {
	for place, count := range i.Proposals {
		if count > 1 {
			p.Bulk = append(p.Bulk, rowsBulk{place, columnName(i, place.Column), count})
		}
	}
	slices.SortFunc(p.Bulk, func(a, b rowsBulk) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule))
	})
}

// focus gives the focus to the faulty cell that is next after the one that was answered, or
// to that one if it is still faulty. A row that is opened gets it with its first cell.
func (p *rowsPage) focus(at cellRef, open int) {
	if at.Row == 0 && open == 0 {
		return
	}
	for r := range p.Rows {
		for c := range p.Rows[r].Cells {
			if cell := &p.Rows[r].Cells[c]; at.Row == 0 && cell.Row == open || at.Row > 0 && cell.IsFaulty && cell.compare(at) >= 0 {
				cell.HasFocus = true
				return
			}
		}
	}
}

func newRowView(l lang.Lang, i *app.Inspection, row *app.InspectedRow, tab app.Tab, open bool) rowView {
	v := rowView{Number: row.Number, Status: row.Status, Person: personOf(i, row), DuplicateOf: row.DuplicateOf, Open: open}
	cells := map[int]*cellView{}
	cell := func(column int) *cellView {
		c := cells[column]
		if c == nil {
			c = &cellView{cellRef: cellRef{row.Number, column}, Header: columnName(i, column), Text: oneLine(row.Cell(column)), Choices: i.Choices[column]}
			cells[column] = c
		}
		return c
	}
	for at := range row.Problems {
		problem := &row.Problems[at]
		isError := problem.Severity == mapping.SeverityError
		switch text := problemText(l, problem); {
		case problem.Rule == mapping.RuleCorrected && problem.Column < 0:
			v.IsLeftOut = true
			v.About = append(v.About, text)
		case problem.Rule == mapping.RuleCorrected:
			cell(problem.Column).Was, cell(problem.Column).Changed = problem.Value, true
		case problem.Column < 0:
			v.About = append(v.About, text)
			v.CanStand = v.CanStand || isError && problem.Rule != mapping.RuleSecondTable && isOfShape(problem.Rule)
		default:
			c := cell(problem.Column)
			c.IsFaulty = c.IsFaulty || isError
			said := cellProblem{Rule: problem.Rule, Text: text, Proposal: problem.Proposal, CanBeRight: isError && canBeRight(problem)}
			if problem.Value != "" && !isAboutOthers(problem.Rule) {
				said.Alike = i.Alike(*problem)
			}
			c.Says = append(c.Says, said)
			v.CanStand = v.CanStand || isError && problem.Rule == mapping.RuleRaggedRow
		}
	}
	v.About = slices.DeleteFunc(v.About, func(text string) bool { // a cell says it
		for _, c := range cells {
			if slices.ContainsFunc(c.Says, func(said cellProblem) bool { return said.Text == text }) {
				return true
			}
		}
		return false
	})
	v.Open = v.Open || v.CanStand
	v.CanLeaveOut = row.Status == importer.StatusInvalid || open && row.Status != importer.StatusSkipped
	if v.Open && !v.IsLeftOut {
		for column := range max(len(i.Header.Names), len(row.Cells)) {
			cell(column)
		}
	}
	for _, c := range cells {
		if v.Open || len(c.Says) > 0 || c.Changed {
			v.Cells = append(v.Cells, *c)
		}
	}
	slices.SortFunc(v.Cells, func(a, b cellView) int { return cmp.Compare(a.Column, b.Column) })
	if showsAll(tab) {
		for column := range i.Header.Names {
			c := cells[column]
			v.All = append(v.All, row.Cell(column))
			v.Faulty = append(v.Faulty, c != nil && c.IsFaulty)
		}
		if !v.Open {
			v.Cells = nil
		}
	}
	return v
}

// canBeRight reports whether the problem is only a doubt, which a person can dispel.
func canBeRight(p *importer.RowProblem) bool {
	return p.Attribute != mapping.NoAttribute && strings.Contains(cmp.Or(p.Advice, p.Rule.Spec().Advice), "as_is: true")
}

// isOfShape reports whether a rule is about the row as it was read, not about a value.
func isOfShape(rule mapping.Rule) bool {
	return rule == mapping.RuleRaggedRow || rule == mapping.RuleBadQuotes || rule == mapping.RuleBadCharacter
}

// isAboutOthers reports whether a rule compares the row with other rows, so that writing one
// text into all of them makes no sense.
func isAboutOthers(rule mapping.Rule) bool {
	return rule == mapping.RuleDuplicateKey || rule == mapping.RuleDuplicateEmail || rule == mapping.RuleDuplicateUser
}

// columnName is how a person finds a column.
func columnName(i *app.Inspection, column int) string {
	if column < len(i.Header.Names) {
		if name := strings.TrimSpace(i.Header.Names[column]); name != "" {
			return name
		}
	}
	return mapping.ColumnLetter(column)
}

// personOf names the person of a row by its own cells.
func personOf(i *app.Inspection, row *app.InspectedRow) string {
	var words []string
	for _, a := range []mapping.Attribute{mapping.FirstName, mapping.LastName, mapping.UniqueID} {
		for _, column := range i.Columns[a] {
			if text := strings.TrimSpace(row.Cell(column)); text != "" {
				if !slices.Contains(words, text) {
					words = append(words, text)
				}
				break
			}
		}
	}
	return strings.Join(words, " ")
}
