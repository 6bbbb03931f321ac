package report

import (
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/rivo/uniseg"
)

// lineWidth is the number of columns that text for a person keeps to.
const lineWidth = 80

// thousands writes n as a person does: 12,345.
func thousands(n int) string { return humanize.Comma(int64(n)) }

// plural writes a number of things: 1 row, 12,345 rows.
func plural(n int, thing string) string { return thousands(n) + " " + english.PluralWord(n, thing, "") }

// span writes a duration in one or two units: 45 s, 2 min 11 s, 3 h 5 min.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	if d < time.Second {
		return "0 s"
	}
	if d >= time.Hour {
		d = d.Truncate(time.Minute)
	}
	var parts []string
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if d >= unit.length {
			parts = append(parts, thousands(int(d/unit.length))+" "+unit.name)
			d %= unit.length
		}
	}
	return strings.Join(parts, " ")
}

// Printable takes out what could move a terminal's cursor or change its colours:
// file names and headers come from outside.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text)
}

// textWidth returns the columns that the text takes on a terminal.
func textWidth(text string) int { return uniseg.StringWidth(text) }

// hang breaks the text between words into lines of at most lineWidth columns,
// each after so many spaces. A longer word gets a line to itself.
func hang(text string, indent int) string {
	var b strings.Builder
	used := 0
	for _, word := range strings.Fields(text) {
		width := textWidth(word)
		switch {
		case used == 0:
			b.WriteString(strings.Repeat(" ", indent))
			used = indent
		case used+1+width > lineWidth:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			used = indent
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += width
	}
	return b.String()
}

// cut shortens the text to width columns and marks where.
func cut(text string, width int) string {
	if textWidth(text) <= width {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 && textWidth(string(runes))+1 > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
