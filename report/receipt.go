package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// ErrReceipt is returned when the rows read and the rows accounted for differ: a bug
// in the program, never a fault of the file.
var ErrReceipt = errors.New("this is a failure of the program, not of your file; please report it")

// CheckCommand is the command whose receipt has valid rows in place of pushed ones.
const CheckCommand = "check"

// Receipt is what became of one FILE.
type Receipt struct {
	Command  string // as typed, such as push, check or approve
	Run      int64  // 0 for a check, which stores no run
	File     string // as given
	Source   string // its absolute path, or "-" for standard input; "" for a check
	Target   string // what it is pushed to, such as "the sandbox"
	Rows     int    // read below the header
	Counts   importer.Counts
	Leavers  *importer.Leavers       // counted too, though they are not in the file; nil when they were not to be looked for
	Problems []importer.ProblemCount // the most common first
	Attempts int                     // requests sent, every attempt counted
	Seconds  float64                 // from the first byte read to the last answer
	Held     []string                // why a safety limit holds the run, a sentence each
	Reports  importer.Reports        // those that were written
	Exit     int                     // exit code
	Waiting  bool                    // others push what is not sent
}

// Check makes sure that every row that was read has exactly one status that a
// report may show. The error is an ErrReceipt.
func (r Receipt) Check() error {
	accounted := 0
	for _, status := range importer.Statuses() {
		accounted += r.Counts[status]
	}
	if accounted == r.Leavers.AllRows(r.Rows) && accounted == r.Counts.Sum() {
		return nil
	}
	return fmt.Errorf("%s: %s read, but %d accounted for and %d in no known status: %w",
		r.File, plural(r.Rows, "row"), accounted, r.Counts.Sum()-accounted, ErrReceipt)
}

// CountLine is the number of rows with one status, in words.
type CountLine struct {
	Rows  int
	Label string
	Kind  importer.StatusKind
	Note  string // what the status means, and what to do
}

// CountLines returns a line for each status that rows have. isHeld is whether a
// safety limit holds the run.
func CountLines(counts importer.Counts, isHeld bool) []CountLine {
	var lines []CountLine
	for _, status := range importer.Statuses() {
		if counts[status] == 0 {
			continue
		}
		spec := status.Spec()
		note := spec.Note
		if spec.Advice != "" {
			note += "; " + spec.Advice
		}
		if isHeld && status == importer.StatusNotSent {
			note = "held by a safety limit"
		}
		lines = append(lines, CountLine{counts[status], status.Label(), spec.Kind, note})
	}
	return lines
}

// effort says how long it took and how many requests were sent.
func (r Receipt) effort() string {
	if r.Attempts == 0 {
		return ""
	}
	took := " in under a second"
	switch {
	case r.Seconds == 0: // a run that is not finished
		took = ""
	case r.Seconds >= 1:
		took = " in " + span(time.Duration(r.Seconds*float64(time.Second)))
	}
	return took + " with " + plural(r.Attempts, "request")
}

// shownProblems is the number of kinds of problems that the text shows.
const shownProblems = 5

// WriteText writes the receipt for the person at the terminal, at most 80 columns
// wide except for long paths. Only that of a check contains values, as examples. It
// is written even when it does not add up, and then that is the error.
func (r Receipt) WriteText(w io.Writer, style Style) error {
	t := receiptText{Receipt: r, style: style}
	t.addTitle()
	t.addCounts()
	t.addLeavers()
	t.addProblems()
	t.addHeld()
	t.addWaiting()
	t.addPaths()
	wrong := r.Check()
	if wrong != nil {
		t.line("\n%s", style.Bad(Printable(wrong.Error())))
	}
	if _, err := w.Write(t.text.Bytes()); err != nil {
		return fmt.Errorf("write the receipt of %s: %w", r.File, err)
	}
	return wrong
}

// receiptText is a receipt as text.
type receiptText struct {
	Receipt
	style Style
	text  bytes.Buffer
}

func (t *receiptText) line(format string, values ...any) {
	fmt.Fprintf(&t.text, format+"\n", values...)
}

func (t *receiptText) addTitle() {
	title := t.style.bold(Printable(t.File)) + " → " + Printable(t.Target)
	switch {
	case t.Command == CheckCommand:
		title += ", checked: nothing was sent"
	case t.Run != 0:
		title += fmt.Sprintf(", run %d", t.Run)
	}
	t.line("%s", title)
}

func (t *receiptText) addCounts() {
	width, labels := len(thousands(t.Rows)), 0
	lines := CountLines(t.Counts, len(t.Held) > 0)
	for i, l := range lines {
		if t.Waiting && l.Label == importer.StatusNotSent.Label() {
			lines[i].Note = "waiting to be pushed"
		}
		if t.Waiting && l.Label == importer.StatusUnknown.Label() {
			lines[i].Note = "being pushed, or about to be"
		}
		width = max(width, len(thousands(l.Rows)))
		labels = max(labels, len(l.Label))
	}
	for _, l := range lines {
		t.line("%s", t.style.of(l.Kind, fmt.Sprintf("  %*s  %-*s  %s", width, thousands(l.Rows), labels, l.Label, l.Note)))
	}
	t.line("  %s", t.style.faint(strings.Repeat("─", width)))
	t.line("  %*s  %s read%s", width, thousands(t.Rows), english.PluralWord(t.Rows, "row", ""), t.andLeavers()+t.effort())
}

func (t *receiptText) addProblems() {
	if len(t.Problems) == 0 {
		return
	}
	shown := t.Problems[:min(len(t.Problems), shownProblems)]
	width := 0
	for _, p := range shown {
		width = max(width, len(thousands(p.Count)))
	}
	t.line("\n%s", t.style.bold("Most common problems"))
	for _, p := range shown {
		t.line("  %*s  %s", width, thousands(p.Count), inWords(p))
		if text := t.example(p); text != "" {
			t.line("%s", t.style.faint(hang(text, width+4)))
		}
	}
	if more := len(t.Problems) - len(shown); more > 0 {
		t.line("  and %s", plural(more, "more kind"))
	}
}

// example tells the person who checks a file what is wrong in the first of the rows,
// with its value. A push shows no values: what it prints may end up in a log or in
// the mail of a scheduled run.
func (t *receiptText) example(p importer.ProblemCount) string {
	if t.Command == CheckCommand && p.Message != "" {
		return Printable(p.Message)
	}
	return p.Rule.Spec().Advice
}

// inWords says what is wrong, in which column, and in which row to look.
func inWords(p importer.ProblemCount) string {
	text := string(p.Rule)
	if p.Severity == mapping.SeverityWarning {
		text += " (a warning)"
	}
	if column := place(p); column != "" {
		text += " in " + Printable(column)
	}
	return text + fmt.Sprintf(", as in row %d", p.Row)
}

// place returns the column of the problem in words, "" when no single cell is meant.
func place(p importer.ProblemCount) string {
	if strings.TrimSpace(p.Header) == "" && p.Column != mapping.NoColumn {
		return "column " + mapping.ColumnLetter(p.Column)
	}
	return strings.TrimSpace(p.Header)
}

func (t *receiptText) addHeld() {
	if len(t.Held) == 0 {
		return
	}
	heading := "Held by a safety limit: nothing was sent."
	if t.Command == CheckCommand {
		heading = "A push would be held by a safety limit."
	}
	t.line("\n%s", t.style.caution(heading))
	for _, reason := range t.Held {
		t.line("%s", hang(Printable(reason), 2))
	}
	if t.Command != CheckCommand {
		t.line("To push exactly this anyway: %s", t.style.bold(fmt.Sprintf("opscom-import approve %d", t.Run)))
	}
}

// addWaiting says how to hear of a run that others push, or how to stop it.
func (t *receiptText) addWaiting() {
	if !t.Waiting {
		return
	}
	if t.Command == "runs show" {
		t.line("\nIt is in progress. To stop it: %s", t.style.bold(fmt.Sprintf("opscom-import runs stop %d", t.Run)))
		return
	}
	t.line("\nThe workers push it. How far it is: %s", t.style.bold(fmt.Sprintf("opscom-import runs show %d", t.Run)))
	t.line("In the end its reports are written by %s", t.style.bold(fmt.Sprintf("opscom-import runs report %d", t.Run)))
}

// addPaths says where the reports are.
func (t *receiptText) addPaths() {
	start := "\n"
	for _, report := range []struct{ what, path string }{
		{"Each row's result:", t.Reports.Results}, {"Each problem:", t.Reports.Problems},
		{"To fix and push again:", t.Reports.Fix}, {"Each leaver:", t.Reports.Leavers}, {"A page to share:", t.Reports.Summary},
	} {
		if isFile(report.path) {
			t.line("%s%s %s", start, report.what, Printable(report.path))
			start = ""
			if toFix, isPart := t.fixIsPart(); isPart && report.path == t.Reports.Fix {
				t.line("  It has only the first %s of the %s to fix.", thousands(MaxFixRows), plural(toFix, "row"))
			}
		}
	}
}

// fixIsPart returns how many rows are to fix, and whether the fix workbook has only the
// first MaxFixRows.
func (r *Receipt) fixIsPart() (toFix int, isPart bool) {
	toFix = r.Counts.Of(importer.KindToFix)
	return toFix, toFix > MaxFixRows
}
