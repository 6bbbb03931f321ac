package notify

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
)

func needShell(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell for the test's commands")
	}
}

func TestCommand(t *testing.T) {
	needShell(t)
	folder := t.TempDir()
	tr := newTrial(t, `  - command: [sh, -c, 'cat > "$1/stdin" && env > "$1/env" && echo "$2" > "$1/argument"', tell, `+folder+`, "$(touch x); a  b"]`+"\n", nil, "OTHER=kept")
	tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyRowsToFix, 6, 1)))
	tr.wantLog("was told", "event=rows_to_fix")
	read := func(name string) string {
		text, err := os.ReadFile(folder + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var f facts
	if err := json.Unmarshal([]byte(read("stdin")), &f); err != nil || f.Event != "rows_to_fix" || f.Counts["invalid"] != 12 {
		t.Errorf("%+v, %v", f, err)
	}
	env := read("env")
	for _, want := range []string{"OPSCOM_IMPORT_EVENT=rows_to_fix\n", "OPSCOM_IMPORT_TITLE=opscom-import: students.csv has 12 rows to fix (run 6)\n",
		"OPSCOM_IMPORT_FILE=/srv/students.csv\n", "OPSCOM_IMPORT_RUN=6\n", "OPSCOM_IMPORT_EXIT=1\n", "OPSCOM_IMPORT_TEXT=Run 6 of ", "OTHER=kept\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("the environment lacks %q:\n%s", want, env)
		}
	}
	if strings.Contains(env, secret) {
		t.Error("the command gets the token")
	}
	if got := read("argument"); got != "$(touch x); a  b\n" {
		t.Errorf("the argument is %q", got)
	}
}

func TestCommandFailures(t *testing.T) {
	needShell(t)
	for name, tt := range map[string]struct {
		command string
		want    []string
		tries   int
	}{
		"fails":    {`[sh, -c, 'echo >> tries; echo ` + secret + ` >&2; exit 3']`, []string{"level=ERROR", "sh ended with exit status 3"}, maxAttempts},
		"is gone":  {`[/nonexistent/tell]`, []string{"level=ERROR", "start /nonexistent/tell"}, 0},
		"not told": {`[no-such-program-here]`, []string{"level=ERROR", "start no-such-program-here"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t, "  - command: "+tt.command+"\n", nil)
			t.Chdir(tr.folder)
			tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
			tr.wantLog(tt.want...)
			tries, _ := os.ReadFile(tr.path("tries")) // there may be none
			if got := strings.Count(string(tries), "\n"); got != tt.tries {
				t.Errorf("%d tries, want %d", got, tt.tries)
			}
		})
	}
}

// A command that does not end is killed when its time is over, though a program that it
// started holds its standard input.
func TestCommandThatHangs(t *testing.T) {
	needShell(t)
	tr := newTrial(t, "  - command: [sh, -c, 'exec 3<&0; sleep 60 <&3 & echo $! > child; touch started; exec sleep 60']\n", nil)
	t.Chdir(tr.folder)
	defer killChild(t, tr.path("child"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(tr.path("started")); err == nil || ctx.Err() != nil {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	o := outcome(config.NotifyHeld, 6, 4)
	o.Held = []string{strings.Repeat("more than a pipe holds ", 10_000)}
	tr.Ended(t.Context(), ctx, ended(o))
	tr.wantLog("level=ERROR", "sh did not end in time")
}

// killChild ends the process whose number is in the file.
func killChild(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	child, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	_ = child.Kill() // it may have ended
}

// The variables are no settings of this program, which a command may start.
func TestVariablesAreNoSettings(t *testing.T) {
	var set []string
	for _, name := range Variables() {
		set = append(set, name+"=x")
	}
	newTrial(t, "  []\n", nil, set...)
}
