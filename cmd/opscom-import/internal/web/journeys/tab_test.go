package journeys_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/go-json-experiment/json"
)

// call sends a command to the tab.
func call[P, R any](j *journey, command cdp.Command[P, R], params P) R {
	j.Helper()
	result, err := chromedp.Call(j.ctx, command, params)
	j.must(err)
	return result
}

// evaluate returns the value of an expression in the page.
func evaluate[R any](j *journey, expression string) R {
	j.Helper()
	value, err := chromedp.Run(j.ctx, chromedp.Evaluate[R](expression))
	for tries := 0; err != nil && tries < 20 && isLeaving(err); tries++ {
		time.Sleep(50 * time.Millisecond)
		value, err = chromedp.Run(j.ctx, chromedp.Evaluate[R](expression))
	}
	if err != nil {
		j.Fatalf("%s: %v", expression, err)
	}
	return value
}

// isLeaving reports whether a command failed because the tab was just going to another page.
func isLeaving(err error) bool {
	return strings.Contains(err.Error(), "navigated or closed") || strings.Contains(err.Error(), "context")
}

// eventually waits until ready, and otherwise fails with what was waited for and what
// the page says.
func (j *journey) eventually(what string, ready func() bool) {
	j.Helper()
	for deadline := time.Now().Add(*patience); !ready(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			j.Fatalf("waited in vain: %s. The page at %s:\n%.3000s", what, j.address(), j.text())
		}
	}
}

func (j *journey) address() string { return evaluate[string](j, "location.href") }

// text returns what a person reads on the page.
func (j *journey) text() string {
	return oneLine(evaluate[string](j, "document.body ? document.body.innerText : ''"))
}

// oneLine makes one space of each stretch of white space, however wide it is.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// open goes to an address.
func (j *journey) open(address string) {
	j.Helper()
	if failure := call(j, page.Navigate, page.NavigateParams{URL: address}).ErrorText; failure != "" {
		j.Fatalf("open %s: %s", address, failure)
	}
	j.eventually("the page has loaded", func() bool {
		return evaluate[bool](j, "document.readyState === 'complete' && location.href !== 'about:blank'")
	})
}

// sees waits until the page says all the texts.
func (j *journey) sees(texts ...string) {
	j.Helper()
	for _, text := range texts {
		j.eventually("the page says “"+text+"”", func() bool { return strings.Contains(j.text(), oneLine(text)) })
	}
}

// lacks fails if the page says one of the texts.
func (j *journey) lacks(texts ...string) {
	j.Helper()
	shown := j.text()
	for _, text := range texts {
		if strings.Contains(shown, text) {
			j.Errorf("the page at %s says “%s”:\n%s", j.address(), text, shown)
		}
	}
}

// element is something on the page, as assistive technology sees it.
type element struct {
	name string
	id   cdp.BackendNodeID
}

// elements returns what has the role, such as button, link, textbox, combobox, radio,
// checkbox, and is not hidden.
func (j *journey) elements(role string) []element {
	j.Helper()
	document, err := chromedp.Call(j.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "document"})
	if err != nil {
		return nil // the page is being left
	}
	result, err := chromedp.Call(j.ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: document.Result.ObjectID, Role: role})
	if err != nil {
		return nil
	}
	var found []element
	for _, node := range result.Nodes {
		if node.Ignored || node.Name == nil {
			continue
		}
		var name string
		j.must(json.Unmarshal([]byte(node.Name.Value), &name))
		found = append(found, element{oneLine(name), node.BackendDOMNodeID})
	}
	return found
}

// names returns the names of what has the role.
func (j *journey) names(role string) []string {
	j.Helper()
	var names []string
	for _, e := range j.elements(role) {
		names = append(names, e.name)
	}
	return names
}

// find waits for the one element with the role whose name is this, or contains it.
func (j *journey) find(role, name string) element {
	j.Helper()
	var matching []element
	j.eventually("there is one "+role+" “"+name+"”", func() bool {
		all := j.elements(role)
		is := func(match func(string) bool) []element {
			return slices.DeleteFunc(slices.Clone(all), func(e element) bool { return !match(e.name) })
		}
		matching = is(func(have string) bool { return have == name })
		if len(matching) == 0 {
			matching = is(func(have string) bool { return strings.Contains(have, name) })
		}
		return len(matching) == 1
	})
	return matching[0]
}

// on calls the function with the element as its this, and returns what it returns.
func on[R any](j *journey, e element, function string, arguments ...any) (value R) {
	j.Helper()
	node, err := chromedp.Call(j.ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: e.id})
	if err != nil {
		j.Fatalf("“%s” is gone: %v", e.name, err)
	}
	params := runtime.CallFunctionOnParams{ObjectID: node.Object.ObjectID, FunctionDeclaration: function, ReturnByValue: new(true), UserGesture: new(true)}
	for _, argument := range arguments {
		encoded, err := json.Marshal(argument)
		j.must(err)
		params.Arguments = append(params.Arguments, &runtime.CallArgument{Value: encoded})
	}
	result := call(j, runtime.CallFunctionOn, params)
	if result.ExceptionDetails != nil {
		j.Fatalf("“%s”: %s", e.name, result.ExceptionDetails.Exception.Description)
	}
	if len(result.Result.Value) > 0 {
		j.must(json.Unmarshal([]byte(result.Result.Value), &value))
	}
	return value
}

// spot is where on the screen an element can be clicked.
type spot struct {
	X, Y    float64
	Covered string // by what
}

const findSpot = `function() {
	this.scrollIntoView({block: 'center', behavior: 'instant'});
	const box = this.getClientRects()[0];
	if (!box) return {Covered: 'it has no place'};
	const x = box.x + box.width / 2, y = box.y + box.height / 2;
	const hit = document.elementFromPoint(x, y);
	const label = hit && hit.closest('label');
	const reached = hit && (this.contains(hit) || hit.contains(this) && hit.matches('a, button, summary, label') || label && label.control === this);
	return {X: x, Y: y, Covered: reached ? '' : 'under ' + (hit ? hit.outerHTML.slice(0, 200) : 'nothing')};
}`

// click clicks the element with the mouse.
func (j *journey) click(role, name string) {
	j.Helper()
	j.clickOn(j.find(role, name))
}

func (j *journey) clickOn(e element) {
	j.Helper()
	at := on[spot](j, e, findSpot)
	if at.Covered != "" {
		j.Fatalf("“%s” cannot be clicked: %s", e.name, at.Covered)
	}
	j.must(chromedp.Do(j.ctx, chromedp.MouseClickXY(at.X, at.Y)))
}

// goes clicks what leads to another page, and waits for that.
func (j *journey) goes(role, name string) {
	j.Helper()
	e := j.find(role, name)
	j.leaves("“"+name+"”", func() { j.clickOn(e) })
}

// leaves waits until what is done has led to another page.
func (j *journey) leaves(what string, do func()) {
	j.Helper()
	evaluate[bool](j, "document.querySelector('main').old = true")
	do()
	j.eventually(what+" leads on", func() bool {
		return evaluate[bool](j, "document.readyState === 'complete' && !!document.querySelector('main') && !document.querySelector('main').old && !document.querySelector('.htmx-request')")
	})
}

// submits clicks the button of the form that the element is in, and waits for the next page.
func (j *journey) submits(e element) {
	j.Helper()
	at := on[spot](j, e, "function() { return ("+findSpot+").call(this.form.querySelector('button')) }")
	if at.Covered != "" {
		j.Fatalf("the button beside “%s” cannot be clicked: %s", e.name, at.Covered)
	}
	j.leaves("the button beside “"+e.name+"”", func() { j.must(chromedp.Do(j.ctx, chromedp.MouseClickXY(at.X, at.Y))) })
}

// fills types a text in the place of what the field holds.
func (j *journey) fills(name, text string) {
	j.Helper()
	e := j.find("textbox", name)
	j.clickOn(e)
	on[any](j, e, "function() { this.select() }")
	if text == "" {
		j.press("Delete")
		return
	}
	call(j, input.InsertText, input.InsertTextParams{Text: text})
}

// chooses takes the option with that text, or whose text contains it, in a select.
func (j *journey) chooses(name, option string) {
	j.Helper()
	e := j.find("combobox", name)
	missing := on[string](j, e, `function(text) {
		const clean = (o) => o.text.replace(/\s+/g, ' ').trim();
		const options = [...this.options];
		const chosen = options.find(o => clean(o) === text) || options.find(o => clean(o).includes(text));
		if (!chosen) return options.map(clean).join(' | ');
		this.focus();
		chosen.selected = true;
		this.dispatchEvent(new Event('input', {bubbles: true}));
		this.dispatchEvent(new Event('change', {bubbles: true}));
		return '';
	}`, option)
	if missing != "" {
		j.Fatalf("“%s” has no option “%s” but: %s", name, option, missing)
	}
}

// chosen returns the text of what a select has chosen.
func (j *journey) chosen(name string) string {
	j.Helper()
	return oneLine(on[string](j, j.find("combobox", name), "function() { return this.selectedOptions[0].text }"))
}

// attaches chooses a file in the one field for files, or in the one with that id.
func (j *journey) attaches(id, path string) {
	j.Helper()
	field := call(j, runtime.Evaluate, runtime.EvaluateParams{Expression: fmt.Sprintf("document.querySelector('input[type=file]%s')", id)}).Result
	if field.ObjectID == "" {
		j.Fatalf("there is no field for a file:\n%s", j.text())
	}
	call(j, dom.SetFileInputFiles, dom.SetFileInputFilesParams{ObjectID: field.ObjectID, Files: []string{path}})
}

// press presses a key: Tab, Enter, Escape, Delete, Space, ArrowDown.
func (j *journey) press(key string) {
	j.Helper()
	codes := map[string]int64{"Tab": 9, "Enter": 13, "Escape": 27, "Delete": 46, "Space": 32, "ArrowDown": 40}
	event := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: key, WindowsVirtualKeyCode: codes[key]}
	switch key {
	case "Enter":
		event.Text = "\r"
	case "Space":
		event.Key, event.Text = " ", " "
	}
	call(j, input.DispatchKeyEvent, event)
	event.Type, event.Text = input.DispatchKeyEventTypeKeyUp, ""
	call(j, input.DispatchKeyEvent, event)
}

// look gives the tab a width in pixels and a color scheme, light or dark.
func (j *journey) look(width int64, scheme string) {
	j.Helper()
	call(j, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
	call(j, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// downloaded clicks a link or button and returns the path of the file that comes.
func (j *journey) downloaded(role, name string) string {
	j.Helper()
	before := j.downloadedFiles()
	j.click(role, name)
	var added []string
	j.eventually("“"+name+"” gives a file", func() bool {
		added = slices.DeleteFunc(j.downloadedFiles(), func(path string) bool { return slices.Contains(before, path) })
		return len(added) == 1 && filepath.Ext(added[0]) != ".crdownload"
	})
	return added[0]
}

func (j *journey) downloadedFiles() []string {
	entries, err := os.ReadDir(j.downloads)
	j.must(err)
	var paths []string
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			paths = append(paths, filepath.Join(j.downloads, entry.Name()))
		}
	}
	return paths
}
