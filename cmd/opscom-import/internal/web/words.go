package web

import (
	"html/template"
	"path/filepath"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// words are the functions with which the templates speak.
func words() template.FuncMap {
	return template.FuncMap{
		"number": func(n int) string { return humanize.Comma(int64(n)) },
		"plural": plural,
		"base":   filepath.Base,
		"when":   func(at time.Time) string { return at.Local().Format("2 January 2006, 15:04") },
		"span": func(seconds float64) string {
			return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
		},
		"state":   state,
		"lines":   lines,
		"sum":     sum,
		"warning": func(p importer.ProblemCount) bool { return p.Severity == mapping.SeverityWarning },
	}
}

// plural writes a number of things: 1 row, 12,345 rows, 2 people.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + many
}

// sum adds the rows of the statuses up.
func sum(counts importer.Counts, statuses ...importer.Status) int {
	n := 0
	for _, status := range statuses {
		n += counts[status]
	}
	return n
}

// state says where a run stands.
func state(s importer.RunState) string {
	switch s {
	case importer.RunPlanning:
		return "being read"
	case importer.RunHeld:
		return "held: nothing was sent"
	case importer.RunPushing:
		return "in progress, or cut off"
	case importer.RunStopped:
		return "stopped before its end"
	case importer.RunFinished:
		return "finished"
	case importer.RunSuperseded:
		return "replaced by a newer run"
	default:
		return string(s)
	}
}

// line is one line of a table of counts.
type line struct {
	Count  int
	Status string
	Kind   string // good, bad or plain: how it is coloured
	Note   string
}

// lines returns a line for each status that rows have.
func lines(counts importer.Counts) []line {
	var list []line
	for _, status := range importer.Statuses() {
		if n := counts[status]; n > 0 {
			l := describe(status)
			l.Count = n
			list = append(list, l)
		}
	}
	return list
}

func describe(status importer.Status) line {
	switch status {
	case importer.StatusPushed:
		return line{Status: "pushed", Kind: "good", Note: "OPS-COM took them and gave each a reference id."}
	case importer.StatusValid:
		return line{Status: "ready", Kind: "good", Note: "A push sends these."}
	case importer.StatusUnchanged:
		return line{Status: "unchanged", Kind: "plain", Note: "OPS-COM has them like this already; they are not sent."}
	case importer.StatusDuplicate:
		return line{Status: "duplicate", Kind: "plain", Note: "The same as a row further up; they are not sent twice."}
	case importer.StatusSkipped:
		return line{Status: "skipped", Kind: "plain", Note: "The mapping leaves them out."}
	case importer.StatusInvalid:
		return line{Status: "invalid", Kind: "bad", Note: "Something is wrong with them; they are not sent. Fix them in the file."}
	case importer.StatusRejected:
		return line{Status: "rejected", Kind: "bad", Note: "OPS-COM refused them. The results say why."}
	case importer.StatusFailed:
		return line{Status: "failed", Kind: "bad", Note: "No answer came after every attempt. Push the file again."}
	case importer.StatusUnknown:
		return line{Status: "unknown", Kind: "bad", Note: "They may have been sent. Going on with the run settles them."}
	case importer.StatusNotSent:
		return line{Status: "not sent", Kind: "plain", Note: "Going on with the run sends them."}
	default:
		return line{Status: strconv.Quote(string(status)), Kind: "plain"}
	}
}
