package journeys_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
)

// tidiesUp goes on with what the commands have left, brings files, and forgets all.
func tidiesUp(j *journey) {
	p := j.startProgram("--sandbox")
	file := func(name string, rows, bad int) string {
		var b strings.Builder
		b.WriteString("unique_id,login_source,first_name,last_name,email\n")
		for i := range rows {
			id := fmt.Sprint(900000 + i)
			if i < bad {
				id = ""
			}
			fmt.Fprintf(&b, "%s,SSO,Ann,Lee,p%d@example.ca\n", id, i)
		}
		path := filepath.Join(j.TempDir(), name)
		j.must(os.WriteFile(path, []byte(b.String()), 0o600))
		return path
	}
	for _, path := range []string{file("held.csv", 30, 20), file("finished.csv", 30, 0)} {
		command := exec.Command(p.path, "push", "--sandbox", "--config", "", "--state", p.state, path)
		command.Env = p.command.Env
		if said, err := command.CombinedOutput(); err != nil && command.ProcessState.ExitCode() != 4 {
			j.Fatalf("%v: %s", err, said)
		}
	}
	j.open(p.address)
	j.sees("Go on", "held.csv", "It is held, and nothing was sent", "Earlier runs", "finished.csv")

	// A file that takes its time shows how much of it has arrived.
	j.attaches("", file("large.csv", 60_000, 0))
	call(j, network.Enable, network.EnableParams{})
	slow := cdp.Command[map[string]any, cdp.Empty]{Method: "Network.emulateNetworkConditions"} // which all versions of Chromium know
	call(j, slow, map[string]any{"offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1 << 20})
	j.leaves("“Open the file”", func() {
		j.click("button", "Open the file")
		j.eventually("the progress is shown", func() bool {
			return evaluate[bool](j, "(() => { const bar = document.getElementById('uploaded'); return !!bar && !bar.parentElement.hidden && bar.value > 0 && bar.value < 1 })()")
		})
	})
	call(j, network.Disable, cdp.Empty{})
	j.sees("large.csv")

	// One is dropped beside the field.
	j.open(p.address)
	j.sees("A new file")
	name := evaluate[string](j, `(() => {
		const data = new DataTransfer();
		data.items.add(new File(["unique_id,login_source\n1,SSO\n"], "dropped.csv"));
		const drag = (name) => document.querySelector(".drop .hint").dispatchEvent(new DragEvent(name, {bubbles: true, cancelable: true, dataTransfer: data}));
		if (drag("dragover") || !document.querySelector(".drop.over") || drag("drop") || document.querySelector(".drop.over")) return "not taken";
		return document.getElementById("file").files[0].name;
	})()`)
	if name != "dropped.csv" {
		j.Errorf("dropped: %s", name)
	}
	j.goes("button", "Open the file")
	j.open(p.address)
	j.sees("dropped.csv", "Nothing was sent yet.")
	j.isAccessible()
	j.canBeTabbed()

	for _, name := range []string{"dropped.csv", "large.csv", "held.csv"} {
		j.goes("link", "Forget "+name+"…")
		j.isAccessible()
		j.goes("link", "No, go back")
		j.open(p.address)
		j.sees("A new file")
		j.goes("link", "Forget "+name+"…")
		if name == "held.csv" {
			j.goes("button", "Forget this run")
		} else {
			j.goes("button", "Forget this file")
		}
		j.lacks(name)
	}
	j.lacks("Go on")
	j.goes("link", "Clear practice data…")
	j.goes("button", "Clear practice data")
	j.lacks("finished.csv", "Earlier runs")
	if left := p.practiced(); len(left) > 0 {
		j.Errorf("%d people are left in the practice", len(left))
	}
	j.goes("button", "Close the program")
	p.ends()
}
