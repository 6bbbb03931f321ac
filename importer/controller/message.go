package controller

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
)

// maxQuoted is the number of characters of the Controller's own message that are
// quoted at most.
const maxQuoted = 300

// message returns the message for the person who fixes the row; "" if it was
// accepted.
func (c *Client) message(r callResult) string {
	rule := r.last.rule
	switch {
	case r.last.class == accepted:
		return ""
	case r.last.class == rejected:
		return fmt.Sprintf("%s. %s.", c.quote(r.last), rule.advice)
	case r.last.class == refused:
		return fmt.Sprintf("%s: %s. %s.", c.quote(r.last), c.sanitize(rule.reason), upperFirst(rule.advice))
	case r.canceled && !r.maybeReceived:
		return "The run was stopped before this row was sent. Run the same command again to send it."
	case r.canceled:
		return "The run was stopped before the Controller answered for this row. Run the same command again to send it again: if it did arrive, it is only updated."
	}
	return upperFirst(c.noAnswer(r)) + ". Push the row again later: if it did arrive, it is only updated."
}

// noAnswer says, as a clause, that every attempt failed, and why.
func (c *Client) noAnswer(r callResult) string {
	when := "each time "
	switch {
	case r.attempts == 1:
		when = ""
	case !r.sameEachTime:
		when = "the last time "
	}
	return fmt.Sprintf("no usable answer in %s: %s%s", english.Plural(r.attempts, "attempt", ""), when, c.sanitize(r.last.event))
}

// quote returns what the Controller said, as a sentence without its full stop.
func (c *Client) quote(a attemptResult) string {
	if text := strings.TrimRight(c.sanitize(a.errorMessage), "."); text != "" {
		return `The Controller says "` + text + `"`
	}
	return upperFirst(c.sanitize(a.event))
}

// refusal returns the error that ends the run, nil if the attempt was not refused.
// It may be logged, so it contains nothing that the Controller said.
func (c *Client) refusal(a attemptResult) error {
	if a.class != refused {
		return nil
	}
	return &importer.RefusedError{Code: c.sanitize(a.refusalCode), Reason: c.sanitize(a.rule.reason), Hint: a.rule.advice, ByProxy: a.atProxy && a.notReceived}
}

// sanitize makes text from outside fit for a report: one line, no control
// characters, no token (it may be echoed), at most maxQuoted characters.
func (c *Client) sanitize(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Cf) {
			return ' '
		}
		return r
	}, text)
	text = c.credentials.redact(strings.Join(strings.Fields(text), " "))
	if runes := []rune(text); len(runes) > maxQuoted {
		text = string(runes[:maxQuoted-1]) + "…"
	}
	return text
}

// upperFirst returns the text with its first letter in upper case.
func upperFirst(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
