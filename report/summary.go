package report

import (
	"bytes"
	_ "embed" // the page's template
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
)

// summaryProblems is the number of kinds of problems that the page shows.
const summaryProblems = 12

// Summary is the result of one FILE as an HTML page that can be mailed: a [Receipt]
// with what a reader who was not there wants to know. It shows no personal data: no
// value, no message about one, and no folder.
type Summary struct {
	Receipt
	Mapping    string    // mapping in effect, as a person knows it; "" for none
	Settings   []Fact    // that shaped the run
	Changes    *Changes  // nil when unchanged rows were not looked for
	StartedAt  time.Time // zero when it is not known
	FinishedAt time.Time // likewise
	Timeline   []TimelinePoint
	Version    string    // of the program
	WrittenAt  time.Time // all times are shown in its location
}

// Fact is a name and a value, such as the limit of invalid rows.
type Fact struct {
	Name  string
	Value string
}

// Changes counts rows by what the Controller last accepted of the same people.
type Changes struct {
	New       int // nothing was accepted before
	Changed   int
	Unchanged int
	Doubted   int // sent again, because it is not certain that the same was accepted last
}

//go:embed summary.html
var summaryTemplate string

// WriteSummary writes the page. A file is written whole, or on any error stays as it
// was. A page whose rows do not add up is written too, says so, and the error is an
// [ErrReceipt].
func WriteSummary(to Destination, summary Summary) error {
	if err := to.write(KindSummary, summary.render); err != nil {
		return err
	}
	return summary.Check()
}

func (s *Summary) render(w io.Writer) error {
	parsed, err := template.New("summary").Funcs(template.FuncMap{"number": thousands, "place": place}).Parse(summaryTemplate)
	if err != nil {
		return fmt.Errorf("read the template of the summary: %w", err)
	}
	var b bytes.Buffer
	if err := parsed.Execute(&b, s.view()); err != nil {
		return fmt.Errorf("fill in the summary: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// summaryView is what the template shows: numbers and finished sentences.
type summaryView struct {
	*Summary
	File     string // without its folder
	Headline headline
	Shares   []share
	Lines    []CountLine
	Effort   string
	Problems []importer.ProblemCount
	More     int // kinds of problems that are not shown
	Steps    []string
	Plot     *plot
	Facts    []Fact
	Files    []Fact
	Written  string
}

// headline is the first sentence of the page.
type headline struct {
	Mood string // good, ask or bad
	Text string
	More string
}

// share is the number of rows of one kind.
type share struct {
	Kind  importer.StatusKind
	Rows  int
	Label string
}

func (s *Summary) view() *summaryView {
	v := &summaryView{
		Summary: s, File: fileName(s.File), Headline: s.headline(), Shares: s.shares(), Lines: CountLines(s.Counts, len(s.Held) > 0),
		Effort: s.effort(), Steps: s.steps(), Plot: newPlot(s.Timeline, s.WrittenAt.Location()), Facts: s.facts(), Files: s.files(),
		Written: s.localTime(s.WrittenAt),
	}
	v.Problems = s.Problems[:min(len(s.Problems), summaryProblems)]
	v.More = len(s.Problems) - len(v.Problems)
	return v
}

// fileName takes the folders off a path, which may name people.
func fileName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// needAttention returns the number of rows that a person has to do something about.
func (s *Summary) needAttention() int { return s.Counts.Of(importer.KindToFix, importer.KindFailed) }

// shares groups the rows by kind, so that the groups add up to the rows read.
func (s *Summary) shares() []share {
	done := "accepted"
	if s.Command == CheckCommand {
		done = "ready to be pushed"
	}
	var shares []share
	for _, part := range []share{
		{Kind: importer.KindDone, Label: done},
		{Kind: importer.KindLeft, Label: "not needed"},
		{Kind: importer.KindToFix, Label: "to fix"},
		{Kind: importer.KindFailed, Label: "no answer"},
		{Kind: importer.KindOpen, Label: "still to be sent"},
	} {
		if part.Rows = s.Counts.Of(part.Kind); part.Rows > 0 || part.Kind == importer.KindDone {
			shares = append(shares, part)
		}
	}
	return shares
}

// headline says how the run went.
func (s *Summary) headline() headline {
	need, open := s.needAttention(), s.Counts.Of(importer.KindOpen)
	needs := plural(need, "row") + " " + english.PluralWord(need, "needs", "need") + " attention"
	const checked = "This was a check: nothing was sent."
	switch {
	case s.Check() != nil:
		return headline{"bad", "The rows do not add up", "This is a failure of the program, not of the file. Please report it."}
	case len(s.Held) > 0 && s.Command == CheckCommand:
		return headline{"ask", "A push would be held", "A check sends nothing. A safety limit would hold this file."}
	case len(s.Held) > 0:
		return headline{"ask", "Held: nothing was sent", "A safety limit holds the run until somebody approves it."}
	case s.Command == CheckCommand && need > 0:
		return headline{"ask", needs, checked}
	case s.Command == CheckCommand:
		return headline{"good", "Every row is fine", checked}
	case open > 0:
		return headline{"ask", "The run is not complete", plural(open, "row") + " " + english.PluralWord(open, "is", "are") + " still to be sent."}
	case need > 0:
		return headline{"ask", needs, "The run is complete: nothing has to be done about the other rows."}
	default:
		return headline{"good", "Every row is done", "The run is complete, and no row needs attention."}
	}
}

// steps says what to do next.
func (s *Summary) steps() []string {
	var steps []string
	if len(s.Held) > 0 && s.Command != CheckCommand {
		steps = append(steps, fmt.Sprintf("Look at the reasons and the problems. If everything is as it should be: opscom-import approve %d", s.Run))
	} else if s.Counts.Of(importer.KindOpen) > 0 {
		steps = append(steps, "Run the same command again: it resumes where the run stopped, and skips the rows that were accepted.")
	}
	if s.Counts.Of(importer.KindFailed) > 0 {
		steps = append(steps, "Push the file again for the rows that had no answer.")
	}
	toFix, isPart := s.fixIsPart()
	switch {
	case toFix == 0:
	case isFile(s.Reports.Fix) && isPart:
		steps = append(steps, fmt.Sprintf("Find out why so many rows are wrong, such as a column that has moved or a mapping that does not fit. %s has only the first %s of the %s to fix.",
			fileName(s.Reports.Fix), thousands(MaxFixRows), plural(toFix, "row")))
	case isFile(s.Reports.Fix):
		steps = append(steps, fmt.Sprintf("Fix the rows in %s, save it, and push it. No action is needed for the other rows.", fileName(s.Reports.Fix)))
	case s.Leavers.AllRows(0) > 0: // perhaps only they were refused
		steps = append(steps, "The results say what is wrong. Fix the rows that are in the file, and push it again.")
	default:
		steps = append(steps, "Fix the rows in the file, and push it again.")
	}
	return steps
}

// files returns the other reports, and what is in them.
func (s *Summary) files() []Fact {
	rowsToFix := "the rows to fix, as a workbook"
	if _, isPart := s.fixIsPart(); isPart {
		rowsToFix = fmt.Sprintf("the first %s rows to fix, as a workbook", thousands(MaxFixRows))
	}
	var files []Fact
	for _, f := range []Fact{
		{s.Reports.Results, "the result of each row"},
		{s.Reports.Problems, "each problem, with its value"},
		{s.Reports.Fix, rowsToFix},
		{s.Reports.Leavers, "the people who left"},
	} {
		if isFile(f.Name) {
			files = append(files, Fact{fileName(f.Name), f.Value})
		}
	}
	return files
}

// facts says what ran, and when.
func (s *Summary) facts() []Fact {
	facts := []Fact{
		{"File", fileName(s.File)}, {"Target", s.Target}, {"Mapping", fileName(s.Mapping)}, {"Run", fmt.Sprint(s.Run)},
		{"Started", s.localTime(s.StartedAt)}, {"Ended", s.localTime(s.FinishedAt)}, {"Requests", thousands(s.Attempts)},
	}
	if s.Leavers != nil {
		facts = append(facts, Fact{"People who left", LeaversInWords(s.Leavers, s.WrittenAt.Location())})
	}
	return slices.DeleteFunc(facts, func(f Fact) bool { return f.Value == "" || f.Value == "0" })
}

// localTime writes a time for a person, "" for none.
func (s *Summary) localTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(s.WrittenAt.Location()).Format("2 January 2006, 15:04:05 MST")
}
