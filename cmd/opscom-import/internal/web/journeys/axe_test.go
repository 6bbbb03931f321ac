package journeys_test

import (
	"os"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axeVariable names the variable with the path of axe.min.js, from the package
// axe-core of npm.
const axeVariable = "OPSCOM_AXE"

// violation is what axe finds wrong.
type violation struct{ ID, Impact, Help, Targets string }

const runAxe = `axe.run(document, {resultTypes: ['violations']}).then(result => result.violations.map(v => ({
	ID: v.id, Impact: v.impact || '', Help: v.help, Targets: v.nodes.map(n => n.html.slice(0, 300) + ' ' + n.failureSummary).join('\n\t')})))`

// isAccessible looks for violations of the guidelines on the page, narrow and wide, light
// and dark. It checks nothing when there is no axe.
func (j *journey) isAccessible() {
	j.Helper()
	path := os.Getenv(axeVariable)
	if path == "" {
		return // TestBrowser has said so
	}
	if evaluate[bool](j, "typeof axe === 'undefined'") {
		source, err := os.ReadFile(path)
		j.must(err)
		// The protocol is beyond the page's security policy, a script element is not.
		if failed := call(j, runtime.Evaluate, runtime.EvaluateParams{Expression: string(source)}).ExceptionDetails; failed != nil {
			j.Fatalf("load axe: %s", failed.Text)
		}
	}
	for _, width := range []int64{320, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			j.look(width, scheme)
			found, err := chromedp.Run(j.ctx, chromedp.Evaluate[[]violation](runAxe, chromedp.EvalAwaitPromise))
			j.must(err)
			for _, v := range found {
				j.Errorf("%s, %d px, %s: %s (%s): %s\n\t%s", j.address(), width, scheme, v.ID, v.Impact, v.Help, v.Targets)
			}
			if wider := evaluate[int64](j, "document.documentElement.scrollWidth"); wider > width {
				j.Errorf("%s: at %d px the page is %d px wide", j.address(), width, wider)
			}
		}
	}
	j.look(1280, "light")
}

// focused says what has the focus, in a few words.
func (j *journey) focused() string {
	return evaluate[string](j, `(() => {
		const e = document.activeElement;
		return e.tagName.toLowerCase() + ' ' + (e.getAttribute('aria-label') || e.innerText || e.name || e.id || '').trim().slice(0, 60);
	})()`)
}

// canBeTabbed presses Tab through the whole page, and fails when something that can be
// used was not reached, or does not show that it has the focus.
func (j *journey) canBeTabbed() {
	j.Helper()
	const prepare = `(() => {
		document.activeElement.blur();
		window.scrollTo(0, 0);
		const usable = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
			.filter(e => !e.disabled && e.checkVisibility({visibilityProperty: true}))
			.filter(e => e.type !== 'radio' || e.checked || ![...document.getElementsByName(e.name)].some(o => o.checked));
		window.notReached = new Set(usable);
		return usable.length;
	})()`
	const step = `(() => {
		const e = document.activeElement, style = getComputedStyle(e);
		for (const o of window.notReached) if (o === e || o.type === 'radio' && o.name === e.name) window.notReached.delete(o);
		const shown = style.outlineStyle !== 'none' && style.outlineWidth !== '0px' || style.boxShadow !== 'none';
		return e === document.body || shown || e.type === 'file' ? '' : e.outerHTML.slice(0, 200);
	})()`
	usable := evaluate[int](j, prepare)
	for range usable + 10 { // a field for a date is several stops
		j.press("Tab")
		if unseen := evaluate[string](j, step); unseen != "" {
			j.Errorf("%s: the focus does not show on %s", j.address(), unseen)
		}
	}
	left := evaluate[[]string](j, "[...window.notReached].map(e => e.outerHTML.slice(0, 200))")
	if len(left) > 0 {
		j.Errorf("%s: Tab does not reach\n\t%s", j.address(), strings.Join(left, "\n\t"))
	}
}

// withoutScripts switches the scripts of pages off.
func (j *journey) withoutScripts() {
	j.scriptless = true
	call(j, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}
