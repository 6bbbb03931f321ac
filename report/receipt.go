package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// ErrReceipt says that the rows read and the rows accounted for differ: a fault
// of the program, never of the file.
var ErrReceipt = errors.New("this is a failure of the program, not of your file; please report it")

// Problem is what a number of rows have in common. It holds no row's value.
type Problem struct {
	Rule   string // a mapping.Rule, or an ErrorCode of the Controller
	Header string // of the column at fault, "" when no single one is meant
	Count  int    // rows
	Row    int    // number of one of them in the spreadsheet
	Advice string // what to do; "" for the advice that goes with the rule
}

// Receipt is the account of one FILE for the person at the terminal.
type Receipt struct {
	Summary
	Target   string    // what it is pushed to: "sandbox", or the client code
	Problems []Problem // the commonest first; show only a few
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

// WriteReceipt writes the receipt, at most 80 columns wide but for long paths. It
// writes it even when the receipt does not add up, and then returns that error.
func WriteReceipt(w io.Writer, receipt Receipt, style Style) error {
	var b bytes.Buffer
	receipt.writeTitle(&b, style)
	receipt.writeCounts(&b, style)
	receipt.writeProblems(&b, style)
	receipt.writeHeld(&b, style)
	if receipt.Results != "" && receipt.Results != "-" {
		fmt.Fprintf(&b, "\nEach row's result: %s\n", printable(receipt.Results))
	}
	wrong := receipt.Check()
	if wrong != nil {
		fmt.Fprintf(&b, "\n%s\n", style.red(printable(wrong.Error())))
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the receipt of %s: %w", receipt.File, err)
	}
	return wrong
}

func (r Receipt) writeTitle(b *bytes.Buffer, style Style) {
	title := style.bold(printable(r.File)) + " → " + printable(r.Target)
	switch {
	case r.Command == CheckCommand:
		title += ", checked: nothing was sent"
	case r.Run != 0:
		title += fmt.Sprintf(", run %d", r.Run)
	}
	fmt.Fprintln(b, title)
}

func (r Receipt) writeCounts(b *bytes.Buffer, style Style) {
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
		fmt.Fprintln(b, colour(style, status)(strings.TrimRight(line, " ")))
	}
	fmt.Fprintf(b, "  %s\n", style.faint(strings.Repeat("─", width)))
	fmt.Fprintf(b, "  %*s  %s read%s\n", width, total, rowWord(r.Rows), r.effort())
}

// effort says how long it took and how many requests were sent.
func (r Receipt) effort() string {
	if r.Attempts == 0 {
		return ""
	}
	return " in " + span(r.Elapsed) + " with " + plural(r.Attempts, "request")
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
	case importer.Valid:
		return "push would send these"
	case importer.Unchanged:
		return "the Controller has them like this already"
	case importer.Duplicate:
		return "identical to a row further up"
	case importer.Skipped:
		return "left out by the mapping's where"
	case importer.Invalid:
		return "not sent; mend these rows in the file"
	case importer.Rejected:
		return "refused by the Controller, which says why"
	case importer.Failed:
		return "no answer after every attempt; push the file again"
	case importer.Unknown:
		return "may have been sent; the same command settles them"
	case importer.NotSent:
		if len(r.Held) > 0 {
			return "held by a safety limit"
		}
		return "the same command sends them"
	default:
		return ""
	}
}

func colour(style Style, status importer.Status) func(string) string {
	switch status {
	case importer.Pushed, importer.Valid:
		return style.green
	case importer.Invalid, importer.Rejected, importer.Failed:
		return style.red
	case importer.Unknown, importer.NotSent:
		return style.yellow
	default:
		return style.faint
	}
}

func (r Receipt) writeProblems(b *bytes.Buffer, style Style) {
	if len(r.Problems) == 0 {
		return
	}
	width := 0
	for _, p := range r.Problems {
		width = max(width, len(thousands(p.Count)))
	}
	fmt.Fprintf(b, "\n%s\n", style.bold("Commonest problems"))
	for _, p := range r.Problems {
		where := ""
		if p.Header != "" {
			where = " in " + printable(p.Header)
		}
		fmt.Fprintf(b, "  %*s  %s%s, as in row %d\n", width, thousands(p.Count), printable(p.Rule), where, p.Row)
		if text := cmp.Or(p.Advice, advice(mapping.Rule(p.Rule))); text != "" {
			fmt.Fprintln(b, style.faint(hang(printable(text), width+4)))
		}
	}
}

func (r Receipt) writeHeld(b *bytes.Buffer, style Style) {
	if len(r.Held) == 0 {
		return
	}
	heading := "Held by a safety limit: nothing was sent."
	if r.Command == CheckCommand {
		heading = "A push would be held by a safety limit."
	}
	fmt.Fprintf(b, "\n%s\n", style.yellow(heading))
	for _, reason := range r.Held {
		fmt.Fprintln(b, hang(printable(reason), 2))
	}
	if r.Command != CheckCommand {
		fmt.Fprintf(b, "To push exactly this all the same: %s\n", style.bold(fmt.Sprintf("opscom-import approve %d", r.Run)))
	}
}
