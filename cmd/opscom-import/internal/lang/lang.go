package lang

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Lang is a language of the page, as the attribute lang of HTML names it.
type Lang string

// The languages of the page.
const (
	English Lang = "en"
	French  Lang = "fr"
)

// Languages returns the page's languages, the one of its keys first.
func Languages() []Lang { return []Lang{English, French} }

// Name returns what the language calls itself.
func (l Lang) Name() string {
	if l == French {
		return "Français"
	}
	return "English"
}

// Match returns the language that fits a browser's Accept-Language best, English where
// none does.
func Match(acceptLanguage string) Lang {
	_, best := language.MatchStrings(language.NewMatcher([]language.Tag{language.English, language.French}), acceptLanguage)
	return Languages()[best]
}

// T returns the text in the language, with its arguments in place as fmt.Sprintf puts
// them. One that the page's catalogue does not have may be the engine's; else it stays
// English.
func (l Lang) T(text string, args ...any) string {
	if l != French {
		return insert(text, args)
	}
	if french, ok := pageTexts().get(text); ok {
		return insert(french, args)
	}
	return l.Engine(insert(text, args))
}

// N returns the text for n things: one for a single one, many for others. Its first
// verb, %d or %s, is the number, written as the language does; a text without a verb
// for it, such as "This person has …", leaves the number out. The arguments follow.
func (l Lang) N(n int, one, many string, args ...any) string {
	text := many
	if n == 1 {
		text = one
	}
	if l == French {
		text = pageTexts().po.GetN(one, many, n)
		// none is singular in French, but not "the row"
		if plural := pageTexts().po.GetN(one, many, 2); n == 0 && verbs(text) < verbs(plural) {
			text = plural
		}
	}
	if verbs(text) == len(args) {
		return insert(text, args)
	}
	return insert(strings.Replace(text, "%d", "%s", 1), append([]any{l.Number(n)}, args...))
}

func insert(text string, args []any) string {
	if len(args) == 0 && !strings.Contains(text, "%%") {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// verbs returns how many arguments the text takes.
func verbs(text string) int {
	return strings.Count(strings.ReplaceAll(text, "%%", ""), "%")
}

// Number writes a number with the language's separator of thousands.
func (l Lang) Number(n int) string {
	return message.NewPrinter(language.Make(string(l))).Sprintf("%d", n)
}

var frenchMonths = [...]string{
	"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
}

// Date writes a day in words, that of the machine's time zone.
func (l Lang) Date(t time.Time) string {
	t = t.Local()
	if l != French {
		return t.Format("January 2, 2006")
	}
	day := fmt.Sprint(t.Day())
	if t.Day() == 1 {
		day = "1er"
	}
	return fmt.Sprintf("%s\u00a0%s\u00a0%d", day, frenchMonths[t.Month()-1], t.Year())
}

// DateTime writes a day in words and the time of day.
func (l Lang) DateTime(t time.Time) string {
	if l != French {
		return l.Date(t) + t.Local().Format(", 15:04")
	}
	return l.Date(t) + t.Local().Format(" à 15\u00a0h\u00a004")
}
