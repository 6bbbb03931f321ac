package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// ErrReceipt says that the rows read and the rows accounted for differ: a fault
// of the program, never of the file.
var ErrReceipt = errors.New("this is a failure of the program, not of your file; please report it")

// shownProblems is the number of kinds of problems that the receipt shows.
const shownProblems = 5

// Receipt is the account of one FILE for the person at the terminal.
type Receipt struct {
	Summary
	Target   string                  // what it is pushed to, such as "the sandbox"
	Problems []importer.ProblemCount // the most common first
	Style    Style
}

// Check makes sure that every row that was read has exactly one status that a
// report may show. The error is an ErrReceipt.
func (s Summary) Check() error {
	accounted := 0
	for _, status := range importer.Statuses() {
		accounted += s.Counts[status]
	}
	if accounted == s.Rows && accounted == s.Counts.Sum() {
		return nil
	}
	return fmt.Errorf("%s: %s read, but %d accounted for and %d in no known status: %w",
		s.File, plural(s.Rows, "row"), accounted, s.Counts.Sum()-accounted, ErrReceipt)
}

// Write writes the receipt, at most 80 columns wide but for long paths. Only that of
// a check holds values, as examples. It is written even when it does not add up, and then
// that is the error.
func (r Receipt) Write(w io.Writer) error {
	var b bytes.Buffer
	r.writeTitle(&b)
	r.writeCounts(&b)
	r.writeProblems(&b)
	r.writeHeld(&b)
	r.writePaths(&b)
	wrong := r.Check()
	if wrong != nil {
		fmt.Fprintf(&b, "\n%s\n", r.Style.Bad(printable(wrong.Error())))
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the receipt of %s: %w", r.File, err)
	}
	return wrong
}

// writePaths says where the reports are.
func (r Receipt) writePaths(b *bytes.Buffer) {
	lineEnd := "\n"
	for _, report := range []struct{ what, path string }{
		{"Each row's result:", r.Reports.Results}, {"Each problem:", r.Reports.Problems},
		{"To fix and push again:", r.Reports.Fix}, {"A page to pass on:", r.Reports.Summary},
	} {
		if report.path == "" || report.path == "-" {
			continue
		}
		fmt.Fprintf(b, "%s%s %s\n", lineEnd, report.what, printable(report.path))
		lineEnd = ""
	}
}

func (r Receipt) writeTitle(b *bytes.Buffer) {
	title := r.Style.bold(printable(r.File)) + " → " + printable(r.Target)
	switch {
	case r.Command == CheckCommand:
		title += ", checked: nothing was sent"
	case r.Run != 0:
		title += fmt.Sprintf(", run %d", r.Run)
	}
	fmt.Fprintln(b, title)
}

func (r Receipt) writeCounts(b *bytes.Buffer) {
	total := thousands(r.Rows)
	width, names := len(total), 0
	for status, n := range r.Counts {
		if n != 0 {
			width = max(width, len(thousands(n)))
			names = max(names, len(label(status)))
		}
	}
	for _, status := range importer.Statuses() {
		n := r.Counts[status]
		if n == 0 {
			continue
		}
		line := fmt.Sprintf("  %*s  %-*s  %s", width, thousands(n), names, label(status), r.note(status))
		fmt.Fprintln(b, r.Style.of(status, strings.TrimRight(line, " ")))
	}
	fmt.Fprintf(b, "  %s\n", r.Style.faint(strings.Repeat("─", width)))
	fmt.Fprintf(b, "  %*s  %s read%s\n", width, total, rowWord(r.Rows), r.effort())
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

func rowWord(n int) string {
	if n == 1 {
		return "row"
	}
	return "rows"
}

// label is the status in words.
func label(status importer.Status) string {
	return strings.ReplaceAll(string(status), "_", " ")
}

// note says what the status means for the rows that have it, and what to do.
func (r Receipt) note(status importer.Status) string {
	switch status {
	case importer.StatusValid:
		return "push would send these"
	case importer.StatusUnchanged:
		return "the Controller has them like this already"
	case importer.StatusDuplicate:
		return "identical to a row further up"
	case importer.StatusSkipped:
		return "left out by the mapping's where"
	case importer.StatusInvalid:
		return "not sent; fix these rows in the file"
	case importer.StatusRejected:
		return "refused by the Controller, which says why"
	case importer.StatusFailed:
		return "no answer after every attempt; push the file again"
	case importer.StatusUnknown:
		return "may have been sent; the same command settles them"
	case importer.StatusNotSent:
		if len(r.Held) > 0 {
			return "held by a safety limit"
		}
		return "the same command sends them"
	default:
		return ""
	}
}

func (r Receipt) writeProblems(b *bytes.Buffer) {
	if len(r.Problems) == 0 {
		return
	}
	shown := r.Problems[:min(len(r.Problems), shownProblems)]
	width := 0
	for _, p := range shown {
		width = max(width, len(thousands(p.Count)))
	}
	fmt.Fprintf(b, "\n%s\n", r.Style.bold("Most common problems"))
	for _, p := range shown {
		fmt.Fprintf(b, "  %*s  %s\n", width, thousands(p.Count), inWords(p))
		if text := r.example(p); text != "" {
			fmt.Fprintln(b, r.Style.faint(hang(text, width+4)))
		}
	}
	if more := len(r.Problems) - len(shown); more > 0 {
		fmt.Fprintf(b, "  and %s more\n", plural(more, "kind"))
	}
}

// example tells the person who checks a file what is wrong in the first of the rows,
// with its value. A push tells no values: what it prints may end up in a log or in
// the mail of a night's run.
func (r Receipt) example(p importer.ProblemCount) string {
	if r.Command == CheckCommand && p.Message != "" {
		return printable(p.Message)
	}
	return advice(p.Rule)
}

// inWords says what is wrong, in which column, and in which row to look.
func inWords(p importer.ProblemCount) string {
	text := string(p.Rule)
	if p.Severity == mapping.SeverityWarning {
		text += " (a warning)"
	}
	switch {
	case p.Header != "":
		text += " in " + printable(p.Header)
	case p.Column != mapping.NoColumn:
		text += " in column " + mapping.ColumnLetter(p.Column)
	}
	return text + fmt.Sprintf(", as in row %d", p.Row)
}

func (r Receipt) writeHeld(b *bytes.Buffer) {
	if len(r.Held) == 0 {
		return
	}
	heading := "Held by a safety limit: nothing was sent."
	if r.Command == CheckCommand {
		heading = "A push would be held by a safety limit."
	}
	fmt.Fprintf(b, "\n%s\n", r.Style.caution(heading))
	for _, reason := range r.Held {
		fmt.Fprintln(b, hang(printable(reason), 2))
	}
	if r.Command != CheckCommand {
		fmt.Fprintf(b, "To push exactly this all the same: %s\n", r.Style.bold(fmt.Sprintf("opscom-import approve %d", r.Run)))
	}
}
