package report

import (
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
	"github.com/rivo/uniseg"
)

// lineWidth is the number of columns that text for a person keeps to.
const lineWidth = 80

// thousands writes n as a person does: 12,345.
func thousands(n int) string { return humanize.Comma(int64(n)) }

// plural writes a number of things: 1 row, 12,345 rows.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return thousands(n) + " " + thing + "s"
}

// span writes a duration in one or two units: 45 s, 2 min 11 s, 3 h 5 min.
func span(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return units(d, time.Second, "s")
	case d < time.Hour:
		return units(d, time.Minute, "min") + tail(d%time.Minute, time.Second, "s")
	default:
		return units(d, time.Hour, "h") + tail(d%time.Hour, time.Minute, "min")
	}
}

func units(d, unit time.Duration, name string) string {
	return thousands(int(d/unit)) + " " + name
}

func tail(d, unit time.Duration, name string) string {
	if d < unit {
		return ""
	}
	return " " + units(d, unit, name)
}

// printable takes out what could move a terminal's cursor or change its colours:
// file names and headers come from outside.
func printable(text string) string {
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
// each after so many spaces. A word that is longer stands on a line of its own.
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
