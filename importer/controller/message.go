package controller

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"opscom-import/importer"
)

// maxSaid is how many characters of the Controller's own words are passed on.
const maxSaid = 300

// message returns what the person who fixes the row reads; "" for an accepted one.
func (c *Client) message(t talk) string {
	v := t.last
	switch {
	case v.class == accepted:
		return ""
	case v.class == rejected:
		return fmt.Sprintf("%s. %s.", c.said(v), v.rule.advice)
	case v.class == refused:
		return fmt.Sprintf("%s: %s. %s.", c.said(v), c.plain(v.rule.reason), upperFirst(v.rule.advice))
	case t.stopped && !t.seen:
		return "The run was stopped before this row was sent. Go on with the run to send it."
	case t.stopped:
		return "The run was stopped before the Controller answered for this row. Go on with the run to send it again: a row that did arrive is only updated."
	}
	return upperFirst(c.noAnswer(t)) + ". Push the row again later: a row that did arrive is only updated."
}

// noAnswer says, as a clause, that every attempt failed, and why.
func (c *Client) noAnswer(t talk) string {
	when := "each time "
	switch {
	case t.attempts == 1:
		when = ""
	case !t.alike:
		when = "the last time "
	}
	return fmt.Sprintf("no usable answer in %s: %s%s", plural(t.attempts, "attempt"), when, c.plain(t.last.what))
}

// said returns what the Controller said, as a sentence without its full stop.
func (c *Client) said(v verdict) string {
	if text := strings.TrimRight(c.plain(v.said), "."); text != "" {
		return `The Controller says "` + text + `"`
	}
	return upperFirst(c.plain(v.what))
}

// refusal returns the error of a verdict that ends the run, nil for any other.
// It may be logged, so it holds nothing that the Controller said.
func (c *Client) refusal(v verdict) error {
	if v.class != refused {
		return nil
	}
	return &importer.RefusedError{Code: c.plain(v.refusal), Reason: c.plain(v.rule.reason), Hint: v.rule.advice}
}

// plain makes text from outside fit for a report: on one line, without control
// characters, without the token should it be echoed, at most maxSaid characters.
func (c *Client) plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Cf) {
			return ' '
		}
		return r
	}, text)
	text = c.token.redact(strings.Join(strings.Fields(text), " "))
	if runes := []rune(text); len(runes) > maxSaid {
		text = string(runes[:maxSaid-1]) + "…"
	}
	return text
}

// upperFirst returns the text with its first letter in upper case.
func upperFirst(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// plural returns as in "1 attempt" and "2 attempts".
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
