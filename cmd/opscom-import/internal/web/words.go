package web

import (
	"cmp"
	"fmt"
	"html/template"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/report"
)

// words are the functions that the templates call.
func (s *Server) words() template.FuncMap {
	return template.FuncMap{
		"link":   s.link,
		"action": s.action,
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
		"about":   about,
		"warning": func(p importer.ProblemCount) bool { return p.Severity == mapping.SeverityWarning },
	}
}

// about returns a problem's message without its column, which is beside it.
func about(p importer.ProblemCount) string {
	if p.Column == mapping.NoColumn {
		return p.Message
	}
	return strings.TrimPrefix(p.Message, fmt.Sprintf("%s (column %s): ", cmp.Or(p.Header, "no header"), mapping.ColumnLetter(p.Column)))
}

// countTable is what the table of counts shows.
type countTable struct {
	Lines []report.CountLine
	Sum   int
}

func counted(counts importer.Counts, isHeld bool) countTable {
	return countTable{report.CountLines(counts, isHeld), counts.Sum()}
}
