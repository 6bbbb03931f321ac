package journeys_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
)

const toolsPage = `<!DOCTYPE html><html lang="en"><title>Tools</title><main><h1 tabindex="-1">Tools</h1>
<form><label>Name <input name="name" value="Ann"></label> <label>Kind <select name="kind"><option>one<option>two  of them</select></label>
<button>Save it</button></form>
<p id="p"></p><button type="button" onclick="p.textContent = 'clicked'">Click me</button> <button hidden>Nobody sees me</button>
<a href="/file" download="got.txt">Get it</a></main></html>`

// triesTheTools holds the tools of the journeys against a page that is known.
func triesTheTools(j *journey) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/file" {
			_, _ = io.WriteString(w, "the text")
			return
		}
		_, _ = io.WriteString(w, strings.Replace(toolsPage, "<h1", "<p>"+r.URL.Query().Get("name")+" "+r.URL.Query().Get("kind")+"</p><h1", 1))
	}))
	j.Cleanup(server.Close)
	j.open(server.URL)
	if got := j.names("button"); !slices.Equal(got, []string{"Save it", "Click me"}) {
		j.Errorf("buttons %q", got)
	}
	j.lacks("clicked", "Zoë")
	j.click("button", "Click")
	j.sees("clicked")
	j.fills("Name", "Zoë")
	j.press("Tab")
	if got := j.focused(); !strings.HasPrefix(got, "select") {
		j.Errorf("the focus is on %s", got)
	}
	j.chooses("Kind", "two of")
	if got := j.chosen("Kind"); got != "two of them" {
		j.Errorf("chosen is %q", got)
	}
	j.goes("button", "Save it")
	j.sees("Zoë two of them")
	if text, err := os.ReadFile(j.downloaded("link", "Get it")); err != nil || string(text) != "the text" {
		j.Errorf("downloaded %q: %v", text, err)
	}
	j.withoutScripts()
	j.open(server.URL + "/?name=Lee")
	j.click("button", "Click me")
	j.goes("button", "Save it")
	j.lacks("clicked")
}
