package notify

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
)

func TestMemory(t *testing.T) {
	m := memory{filepath.Join(t.TempDir(), "state")}
	now := time.Date(2026, 11, 29, 4, 15, 0, 0, time.UTC)
	note := func(o Outcome) lastResult {
		t.Helper()
		earlier, err := m.note(o, now)
		if err != nil {
			t.Fatal(err)
		}
		now = now.Add(24 * time.Hour)
		return earlier
	}
	if note(outcome("", 1, 0)).Event != "" || m.exists() {
		t.Error("a good run is remembered")
	}
	first := now
	if note(outcome(config.NotifyHeld, 2, 4)).Event != "" {
		t.Error("there was a failure before the first")
	}
	if err := m.told(outcome(config.NotifyHeld, 2, 4), "1 mail", config.NotifyHeld, now); err != nil {
		t.Fatal(err)
	}
	if got := note(outcome(config.NotifyFailed, 0, 2)); got.Event != "held" || got.Run != 2 || !got.Since.Equal(first) || got.Told["1 mail"].Subject != "run 2" {
		t.Errorf("%+v", got)
	}
	if info, err := os.Stat(m.path()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if got := note(outcome("", 3, 0)); got.Event != "failed" || !got.Since.Equal(first) {
		t.Errorf("%+v", got)
	}
	if note(outcome("", 4, 0)).Event != "" {
		t.Error("a failure is remembered after a good run")
	}
}

// Several files that failed for one reason recover one by one.
func TestMemoryOfSeveralSources(t *testing.T) {
	m := memory{t.TempDir()}
	both, one := outcome(config.NotifyFailed, 0, 2), outcome("", 3, 0)
	both.Sources, one.Sources = []string{"a", "b"}, []string{"b"}
	for i, o := range []Outcome{both, one, one} {
		got, err := m.note(o, time.Now())
		if want := i == 1; (got.Event != "") != want || err != nil {
			t.Errorf("%d: %+v, %v", i, got, err)
		}
	}
}

// A damaged memory says nothing, and is replaced.
func TestDamagedMemory(t *testing.T) {
	for _, text := range []string{"", "{", "[]", "null", `{"a": 3}`} {
		m := memory{t.TempDir()}
		if err := os.WriteFile(m.path(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := m.note(outcome(config.NotifyHeld, 1, 4), time.Now()); err != nil || got.Event != "" {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if got, err := m.note(outcome("", 2, 0), time.Now()); err != nil || got.Event != "held" {
			t.Errorf("%q, then: %+v, %v", text, got, err)
		}
	}
}

// Commands of several sources change it at the same time, and nothing is lost.
func TestMemoryIsShared(t *testing.T) {
	m := memory{t.TempDir()}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			o := outcome(config.NotifyHeld, 1, 4)
			o.Sources = []string{strconv.Itoa(i)}
			if _, err := m.note(o, time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, results, err := m.read(); err != nil || len(results) != 20 {
		t.Errorf("%d sources, %v", len(results), err)
	}
	left, err := filepath.Glob(filepath.Join(m.folder, "*.new-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	results := make(map[string]lastResult)
	start := time.Now()
	for i := range most + 5 {
		results[strconv.Itoa(i)] = lastResult{At: start.Add(time.Duration(i) * time.Second)}
	}
	dropOldest(results)
	if _, oldest := results["4"]; oldest || len(results) != most {
		t.Errorf("%d sources", len(results))
	}
}

// A state folder that cannot be written is logged; the targets are told all the same.
func TestMemoryThatCannotBeWritten(t *testing.T) {
	r := newReceiver(t)
	tr := newTrial(t, hookSection, map[string]string{"hook": r.URL, "state": "a file where the folder should be"})
	tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
	if len(r.got()) != 1 {
		t.Errorf("told %d times", len(r.got()))
	}
	tr.wantLog("level=ERROR", "the result is not remembered", "was told")
	if strings.Count(tr.log.String(), "level=ERROR") != 1 {
		t.Errorf("%s", tr.log)
	}
}
