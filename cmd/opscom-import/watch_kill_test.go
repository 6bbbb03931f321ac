package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/sqlite"
	"opscom-import/importer/sandbox/audit"
)

var watchKills = flag.Int("watch-kills", 10, "how often TestWatchKilled kills the program")

// TestWatchKilled lets processes of watch take files as they arrive, and kills them at
// random moments; the last one is asked to terminate when all is done. Then each file is
// held against the requests, as TestKill does.
//
//	go test ./cmd/opscom-import -run 'TestWatchKilled$' -v -watch-kills 500 -timeout 1h
func TestWatchKilled(t *testing.T) {
	skipShort(t)
	if os.PathSeparator == '\\' {
		t.Skip("Windows has no SIGTERM")
	}
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	w := newWatchTrial(t, rand.New(rand.NewPCG(seed, 1)))
	var crashes []watchCrash
	for number := range *watchKills { // one a file: after two the program waits before it tries again
		crashes = append(crashes, w.killed(number))
	}
	process := w.start()
	w.until("all files are done", func() bool { return len(w.in("done")) == *watchKills })
	w.check(process.Process.Signal(syscall.SIGTERM))
	if err := process.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	w.quiet()
	w.judge(crashes)
	t.Logf("%d kills, %d files, %d requests", len(crashes), len(w.records), w.lastSequence())
}

// watchTrial is a trial whose processes watch a folder.
type watchTrial struct {
	*trial
	random  *rand.Rand
	records map[string][][]string // by name
}

func newWatchTrial(t *testing.T, random *rand.Rand) *watchTrial {
	t.Helper()
	w := &watchTrial{newTrial(t, testProgram(t), "latency=1ms,jitter=3ms,503=1%,drop-after=1%", random.Uint64()), random, make(map[string][][]string)}
	w.check(errors.Join(os.Mkdir(w.path("in"), 0o700), os.WriteFile(w.path("people.mapping.yaml"), []byte(trialMapping), 0o600)))
	w.check(os.WriteFile(w.path("opscom-import.yaml"), []byte(`rate: 0
workers: 8
jobs:
  people: {folder: in, files: "*.csv", complete: renamed, mapping: people.mapping.yaml}
`), 0o600))
	w.check(os.WriteFile(w.path("token"), []byte(scriptToken), 0o600))
	return w
}

func (w *watchTrial) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// arrive lets a file of people come whom no other file has.
func (w *watchTrial) arrive(number int) {
	w.t.Helper()
	records := trialRecords(300, 0, func(int) bool { return false })
	for _, record := range records[1:] {
		record[0] = strconv.Itoa(number+10) + record[0][2:]
		for _, i := range []int{3, 4} {
			if record[i] != "admin" && record[i] != "no address" {
				record[i] = strconv.Itoa(number) + "x" + record[i]
			}
		}
	}
	name := fmt.Sprintf("people-%d.csv", number)
	w.records[name] = records
	var text bytes.Buffer
	w.check(csv.NewWriter(&text).WriteAll(records))
	w.check(os.WriteFile(w.path("in/."+name), text.Bytes(), 0o600))
	w.check(os.Rename(w.path("in/."+name), w.path("in/"+name)))
}

func (w *watchTrial) start() *exec.Cmd {
	w.t.Helper()
	process := w.command("watch")
	process.Stderr = os.Stderr
	if !testing.Verbose() {
		process.Stderr = nil
	}
	w.check(process.Start())
	return process
}

// watchCrash is what a process has left that was killed.
type watchCrash struct {
	sequence int64                       // of the last request until then
	lines    map[int64][]importer.Result // by run
}

// killed starts a process, lets it complete the files before this one, and kills it at a
// random moment when this one has arrived.
func (w *watchTrial) killed(number int) watchCrash {
	w.t.Helper()
	process := w.start()
	w.until("the files before are done", func() bool { return len(w.in("done")) == number })
	w.arrive(number)
	pushes := w.pushes.Load()
	switch w.random.IntN(4) {
	case 0:
		time.Sleep(time.Duration(w.random.IntN(600)) * time.Millisecond)
	case 1: // while it ends, most often
		w.waitFor(func() bool { return w.pushes.Load() >= pushes+250 })
		time.Sleep(time.Duration(w.random.IntN(80)) * time.Millisecond)
	default:
		some := int64(w.random.IntN(280))
		w.waitFor(func() bool { return w.pushes.Load() >= pushes+some })
		time.Sleep(time.Duration(w.random.IntN(5)) * time.Millisecond)
	}
	w.check(process.Process.Kill())
	_ = process.Wait() // it was killed
	w.quiet()
	return watchCrash{w.lastSequence(), w.runs()}
}

// runs returns the lines of all runs that have a plan, from a copy of the journal.
func (w *watchTrial) runs() map[int64][]importer.Result {
	w.t.Helper()
	all := make(map[int64][]importer.Result)
	if exists, err := sqlite.Exists(w.state()); err != nil || !exists {
		return all
	}
	folder := filepath.Join(w.t.TempDir(), "state")
	w.check(os.CopyFS(folder, os.DirFS(w.state())))
	j, err := sqlite.Open(w.t.Context(), folder)
	w.check(err)
	defer func() { w.check(errors.Join(j.Close(), os.RemoveAll(folder))) }()
	runs, err := j.Runs(w.t.Context())
	w.check(err)
	for _, info := range runs {
		if info.State == importer.RunPlanning {
			continue
		}
		run, err := j.Run(w.t.Context(), info.ID)
		w.check(err)
		for line, err := range run.Results(w.t.Context()) {
			w.check(err)
			all[info.ID] = append(all[info.ID], line)
		}
	}
	return all
}

// waitFor waits for what may never come: there may be nothing left to push.
func (w *watchTrial) waitFor(happened func() bool) {
	for range 1000 {
		if happened() {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (w *watchTrial) until(what string, happened func() bool) {
	w.t.Helper()
	for began := time.Now(); !happened(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 5*time.Minute {
			w.t.Fatalf("%s: that has not happened", what)
		}
	}
}

// in returns the files in a place, by name.
func (w *watchTrial) in(place string) map[string]string {
	w.t.Helper()
	paths, err := filepath.Glob(w.path(filepath.Join("in", place, "*", "people-?.csv")))
	more, moreErr := filepath.Glob(w.path(filepath.Join("in", place, "*", "people-??*.csv")))
	w.check(errors.Join(err, moreErr))
	found := make(map[string]string)
	for _, path := range append(paths, more...) {
		if name := filepath.Base(path); !strings.Contains(name, "results") && !strings.Contains(name, "problems") {
			found[name] = path
		}
	}
	return found
}

// judge audits the run of each file, and the history.
func (w *watchTrial) judge(crashes []watchCrash) {
	w.t.Helper()
	history := strings.NewReader(w.run(w.command("jobs", "history", "people", "--json")).stdout)
	done, lines := w.in("done"), w.runs()
	runs := make(map[int64]bool)
	for decoder := json.NewDecoder(history); decoder.More(); {
		var line jobRun
		w.check(decoder.Decode(&line))
		path := done[filepath.Base(line.File)]
		if line.Exit == nil || *line.Exit != 1 || line.Folder != filepath.Dir(path) || runs[line.Run] {
			w.t.Errorf("the history has %+v, and the file is %q", line, path)
			continue
		}
		runs[line.Run] = true
		w.judgeFile(line.Run, path, lines[line.Run], crashes)
	}
	if len(runs) != len(w.records) {
		w.t.Errorf("the history has %d files, want %d", len(runs), len(w.records))
	}
	if end := w.run(w.command("journal", "check")); end.code != 0 {
		w.t.Errorf("journal check: %+v", end)
	}
	w.check(filepath.WalkDir(w.path("in"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(entry.Name(), ".new-") { // a folder without a file, swept an hour later
			return filepath.SkipDir
		}
		if err == nil && !entry.IsDir() && !strings.HasPrefix(path, w.path("in/done/")) {
			w.t.Errorf("%s is left", path)
		}
		return err
	}))
}

// judgeFile audits one run against the requests about the people of its file.
func (w *watchTrial) judgeFile(run int64, path string, lines []importer.Result, crashes []watchCrash) {
	w.t.Helper()
	w.file, _ = filepath.Rel(w.folder, path)
	source := w.source()
	evidence := audit.Evidence{Source: source, Journal: lines, Exit: 1}
	for _, entry := range w.box.Requests() {
		if slices.ContainsFunc(source, func(r audit.SourceRow) bool { return r.Key == entry.Key }) {
			evidence.Requests = append(evidence.Requests, entry)
		}
	}
	for _, c := range crashes {
		evidence.Crashes = append(evidence.Crashes, audit.Crash{Sequence: c.sequence, Journal: c.lines[run]})
	}
	text, err := os.ReadFile(strings.TrimSuffix(path, ".csv") + ".results.csv")
	w.check(err)
	evidence.Results, err = audit.ReadResults(bytes.NewReader(text))
	w.check(err)
	totals, err := audit.ReadTotals("runs show", []byte(w.run(w.command("runs", "show", "--json", strconv.FormatInt(run, 10))).stdout))
	w.check(err)
	evidence.Totals = []audit.Totals{totals}
	violations := audit.Check(evidence)
	for _, v := range violations[:min(len(violations), 5)] {
		w.t.Errorf("%s: %v", filepath.Base(path), v)
	}
}
