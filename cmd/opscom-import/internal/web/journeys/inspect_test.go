package journeys_test

import (
	"regexp"
	"strings"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
)

// inspects holds the page against what every step owes to everybody: it is accessible,
// all of it can be reached by keyboard, and it uses a clerk's words, in both languages.
func (j *journey) inspects() {
	j.Helper()
	j.isAccessible()
	j.canBeTabbed()
	j.hasPlainWords()
	j.speaks("fr-CA")
	if language := evaluate[string](j, "document.documentElement.lang"); !strings.HasPrefix(language, "fr") {
		j.Errorf("%s: the page is in %q when French is preferred", j.address(), language)
	}
	j.hasPlainWords()
	j.speaks("en-CA")
}

// speaks loads the page again in another language.
func (j *journey) speaks(language string) {
	j.Helper()
	call(j, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}})
	j.leaves(language, func() { call(j, page.Reload, page.ReloadParams{}) })
}

// jargon is what no page may say outside the part for colleagues.
var jargon = regexp.MustCompile(`--[a-z]|opscom-import [a-z]+|(?i:yaml)`)

// hasPlainWords fails when the page has words for those who know the program's inside.
func (j *journey) hasPlainWords() {
	j.Helper()
	text := evaluate[string](j, `(() => {
		const parts = [...document.querySelectorAll('details')].filter(d => /For colleagues|Pour les collègues/.test(d.querySelector('summary').innerText));
		parts.forEach(d => d.style.setProperty('display', 'none'));
		document.querySelectorAll('details').forEach(d => d.open = true);
		const text = document.body.innerText;
		parts.forEach(d => d.style.removeProperty('display'));
		return text;
	})()`)
	for line := range strings.Lines(text) {
		if found := jargon.FindString(line); found != "" {
			j.Errorf("%s says %q: %s", j.address(), found, strings.TrimSpace(line))
		}
	}
}

// isNotGreen fails when the page says that all is well.
func (j *journey) isNotGreen() {
	j.Helper()
	if green := evaluate[string](j, "(document.querySelector('.box.good') || {innerText: ''}).innerText"); green != "" {
		j.Errorf("%s says in green, while questions are open: %s", j.address(), green)
	}
}

// startsAtItsHeading fails unless the focus is at the heading of the step, where a
// screen reader goes on, and the first Tab of a new visitor skips the navigation.
func (j *journey) startsAtItsHeading() {
	j.Helper()
	j.eventually("the focus is on the heading", func() bool { return strings.HasPrefix(j.focused(), "h1") })
}
