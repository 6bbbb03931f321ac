package web

import (
	"html/template"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/report"
)

// words are the functions that the templates call.
func words() template.FuncMap {
	return template.FuncMap{
		"number": func(n int) string { return humanize.Comma(int64(n)) },
		"plural": func(n int, one, many string) string {
			return humanize.Comma(int64(n)) + " " + english.PluralWord(n, one, many)
		},
		"base": filepath.Base,
		"when": func(at time.Time) string { return at.Local().Format("2 January 2006, 15:04") },
		"span": func(seconds float64) string {
			return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
		},
		"counted": counted,
		"warning": func(p importer.ProblemCount) bool { return p.Severity == mapping.SeverityWarning },
	}
}

// countTable is what the table of counts shows.
type countTable struct {
	Lines []report.CountLine
	Sum   int
}

func counted(counts importer.Counts, isHeld bool) countTable {
	return countTable{report.CountLines(counts, isHeld), counts.Sum()}
}
