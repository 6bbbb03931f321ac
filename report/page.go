package report

import (
	"bytes"
	"cmp"
	_ "embed" // the page's template
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// pageProblems is the number of kinds of problems that the page shows.
const pageProblems = 12

// Page is the account of one FILE on a page that can be mailed: a [Receipt] with
// what somebody wants to know who was not there. It shows no personal data: no
// value, no message about one, and no folder.
type Page struct {
	Receipt
	Mapping    string    // mapping in effect, as a person knows it; "" for none
	Settings   []Setting // that shaped the run
	Changes    *Changes  // nil when unchanged rows were not told apart
	StartedAt  time.Time // zero when it is not known
	FinishedAt time.Time // likewise
	Timeline   []TimelinePoint
	Version    string    // of the program
	WrittenAt  time.Time // its location is the one in which all times are told
}

// Setting is a setting that shaped a run, such as the limit of invalid rows.
type Setting struct {
	Name  string
	Value string
}

// Changes counts rows by what the Controller last accepted of the same people.
type Changes struct {
	New       int // nothing was accepted before
	Changed   int
	Unchanged int
}

//go:embed page.html
var pageTemplate string

// WriteSummary writes the page to the file at path, whole, or on any error leaves
// path as it was. A page whose rows do not add up is written too, says so, and the
// error is an [ErrReceipt].
func WriteSummary(path string, page Page) error {
	text, err := page.render()
	if err != nil {
		return err
	}
	if err := WriteFile(path, text); err != nil {
		return err
	}
	return page.Check()
}

// WriteSummaryTo writes to w what WriteSummary writes to a file, such as to
// standard output.
func WriteSummaryTo(w io.Writer, page Page) error {
	text, err := page.render()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return page.Check()
}

func (p *Page) render() ([]byte, error) {
	parsed, err := template.New("page").Funcs(template.FuncMap{"number": thousands}).Parse(pageTemplate)
	if err != nil {
		return nil, fmt.Errorf("read the page's template: %w", err)
	}
	var b bytes.Buffer
	if err := parsed.Execute(&b, p.view()); err != nil {
		return nil, fmt.Errorf("fill in the page: %w", err)
	}
	return b.Bytes(), nil
}

// pageView is what the template shows: numbers and finished sentences.
type pageView struct {
	File     string // without its folder
	Target   string
	Command  string
	Run      int64
	Verdict  verdict
	Shares   []share
	Lines    []countLine
	Rows     int
	Effort   string
	Problems []problemView
	More     int // kinds of problems that are not shown
	Held     []string
	Changes  *Changes
	Steps    []string
	Plot     *plot
	Facts    []Setting
	Settings []Setting
	Files    []fileView
	Version  string
	Written  string
}

// verdict is the first sentence of the page.
type verdict struct {
	Mood string // good, ask or bad
	Text string
	More string
}

// share is a part of the rows that a director asks for.
type share struct {
	Kind  string // how it is coloured
	Rows  int
	Label string
}

// countLine is the number of rows with one status.
type countLine struct {
	Kind   string
	Rows   int
	Status string
	Note   string
}

// problemView is one kind of problem.
type problemView struct {
	Rows    int
	Title   string
	Warning bool
	Where   string
	Row     int
	Advice  string
	Rule    mapping.Rule // to look it up; "" when there is nothing about it
}

// fileView is one of the other reports.
type fileView struct{ Name, Content string }

func (p *Page) view() *pageView {
	v := &pageView{
		File: fileName(p.File), Target: p.Target, Command: p.Command, Run: p.Run,
		Verdict: p.verdict(), Shares: p.shares(), Rows: p.Rows, Effort: p.effort(),
		Held: p.Held, Changes: p.Changes, Steps: p.steps(),
		Plot: newPlot(p.Timeline, p.WrittenAt.Location()), Facts: p.facts(), Settings: p.Settings,
		Files: p.files(), Version: p.Version, Written: p.clock(p.WrittenAt),
	}
	for _, status := range importer.Statuses() {
		if n := p.Counts[status]; n != 0 {
			v.Lines = append(v.Lines, countLine{kindOf(status), n, label(status), cmp.Or(p.note(status), "accepted by the Controller")})
		}
	}
	for _, problem := range p.Problems[:min(len(p.Problems), pageProblems)] {
		v.Problems = append(v.Problems, viewOf(problem))
	}
	v.More = len(p.Problems) - len(v.Problems)
	return v
}

func viewOf(p importer.ProblemCount) problemView {
	where := "the whole row"
	switch {
	case strings.TrimSpace(p.Header) != "":
		where = p.Header
	case p.Column != mapping.NoColumn:
		where = "column " + mapping.ColumnLetter(p.Column)
	}
	view := problemView{
		Rows: p.Count, Title: ruleTitle(p.Rule), Warning: p.Severity == mapping.SeverityWarning,
		Where: where, Row: p.Row, Advice: advice(p.Rule), Rule: p.Rule,
	}
	if view.Advice == "" { // not a rule of ours
		view.Advice, view.Rule = "The results say why, row by row.", ""
	}
	return view
}

// fileName takes the folders off a path, which may name people.
func fileName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// kindOf returns the colour of a status: those of one kind belong together.
func kindOf(status importer.Status) string {
	switch status {
	case importer.StatusPushed, importer.StatusValid:
		return "sent"
	case importer.StatusUnchanged, importer.StatusDuplicate, importer.StatusSkipped:
		return "left"
	case importer.StatusFailed:
		return "failed"
	case importer.StatusUnknown, importer.StatusNotSent:
		return "open"
	default:
		return "fault"
	}
}

// sum returns the number of rows with these statuses.
func (p *Page) sum(statuses ...importer.Status) int {
	n := 0
	for _, status := range statuses {
		n += p.Counts[status]
	}
	return n
}

// needPerson returns the number of rows that somebody has to look at.
func (p *Page) needPerson() int {
	return p.sum(importer.StatusInvalid, importer.StatusRejected, importer.StatusFailed)
}

// open returns the number of rows that are still to be sent.
func (p *Page) open() int { return p.sum(importer.StatusUnknown, importer.StatusNotSent) }

// shares parts the rows, so that the parts add up to the rows read.
func (p *Page) shares() []share {
	sent := share{"sent", p.sum(importer.StatusPushed, importer.StatusValid), "arrived"}
	if p.Command == CheckCommand {
		sent.Label = "can be sent"
	}
	shares := []share{sent}
	for _, s := range []share{
		{"left", p.sum(importer.StatusUnchanged, importer.StatusDuplicate, importer.StatusSkipped), "left as they are"},
		{"fault", p.sum(importer.StatusInvalid, importer.StatusRejected), "to be fixed"},
		{"failed", p.Counts[importer.StatusFailed], "had no answer"},
		{"open", p.open(), "still to be sent"},
	} {
		if s.Rows > 0 {
			shares = append(shares, s)
		}
	}
	return shares
}

// verdict says how it went.
func (p *Page) verdict() verdict {
	need := plural(p.needPerson(), "row") + " " + needs(p.needPerson()) + " a person"
	switch {
	case p.Check() != nil:
		return verdict{"bad", "The rows do not add up", "This is a failure of the program, not of the file. Please report it."}
	case len(p.Held) > 0 && p.Command == CheckCommand:
		return verdict{"ask", "A push would be held", "A check sends nothing. A safety limit would hold this file."}
	case len(p.Held) > 0:
		return verdict{"ask", "Held: nothing was sent", "A safety limit holds the run until somebody approves it."}
	case p.Command == CheckCommand && p.needPerson() > 0:
		return verdict{"ask", need, "This was a check: nothing was sent."}
	case p.Command == CheckCommand:
		return verdict{"good", "Every row is fine", "This was a check: nothing was sent."}
	case p.open() > 0:
		return verdict{"ask", "The run is not complete", plural(p.open(), "row") + " " + are(p.open()) + " still to be sent."}
	case p.needPerson() > 0:
		return verdict{"ask", need, "The run is complete: all other rows are settled."}
	default:
		return verdict{"good", "Every row is settled", "The run is complete, and no row needs a person."}
	}
}

func needs(n int) string {
	if n == 1 {
		return "needs"
	}
	return "need"
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// steps says what to do next.
func (p *Page) steps() []string {
	var steps []string
	if len(p.Held) > 0 && p.Command != CheckCommand {
		steps = append(steps, fmt.Sprintf("Look at the reasons and the problems. If all is as it should be: opscom-import approve %d", p.Run))
	} else if p.open() > 0 {
		steps = append(steps, "Run the same command again. It goes on where the run stopped, and sends no row twice without need.")
	}
	if p.Counts[importer.StatusFailed] > 0 {
		steps = append(steps, "Push the file again for the rows that had no answer.")
	}
	if fix := p.sum(importer.StatusInvalid, importer.StatusRejected); fix > 0 && isFile(p.Reports.Fix) {
		steps = append(steps, fmt.Sprintf("Fix the rows in %s, save it, and push it. The other rows stay as they are.", fileName(p.Reports.Fix)))
	} else if fix > 0 {
		steps = append(steps, "Fix the rows in the file, and push it again.")
	}
	return steps
}

// isFile reports whether a report was written to a file.
func isFile(path string) bool { return path != "" && path != "-" }

func (p *Page) files() []fileView {
	var files []fileView
	for _, f := range []fileView{
		{p.Reports.Results, "what became of each row"},
		{p.Reports.Problems, "each problem, with its value"},
		{p.Reports.Fix, "the rows to be fixed, as a workbook"},
	} {
		if isFile(f.Name) {
			files = append(files, fileView{fileName(f.Name), f.Content})
		}
	}
	return files
}

// facts says what ran, and when.
func (p *Page) facts() []Setting {
	facts := []Setting{{"File", fileName(p.File)}, {"Target", p.Target}}
	add := func(name, value string) { facts = append(facts, Setting{name, value}) }
	if p.Mapping != "" {
		add("Mapping", fileName(p.Mapping))
	}
	if p.Run != 0 {
		add("Run", fmt.Sprint(p.Run))
	}
	if !p.StartedAt.IsZero() {
		add("Begun", p.clock(p.StartedAt))
	}
	if !p.FinishedAt.IsZero() {
		add("Ended", p.clock(p.FinishedAt))
	}
	if p.Attempts > 0 {
		add("Requests", thousands(p.Attempts))
	}
	return facts
}

// clock tells a time as a person does.
func (p *Page) clock(t time.Time) string {
	return t.In(p.WrittenAt.Location()).Format("2 January 2006, 15:04:05 MST")
}
