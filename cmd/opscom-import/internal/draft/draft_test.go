package draft

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opscom-import/mapping"
	"opscom-import/mapping/answers"
)

func add(t *testing.T, s *Store, name, text string) Draft {
	t.Helper()
	a, err := s.Receive(name, strings.NewReader(text), 100)
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Add(a, func(*Draft) error { return nil })
	if err := errors.Join(err, a.Discard()); err != nil {
		t.Fatal(err)
	}
	return d
}

func openStore(t *testing.T, state string) *Store {
	t.Helper()
	s, err := Open(state)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAChangeLeavesEarlierStates: who has got a draft before reads it while it is changed,
// and a change that fails has changed nothing.
func TestAChangeLeavesEarlierStates(t *testing.T) {
	s := openStore(t, t.TempDir())
	d := add(t, s, "a.csv", "x")
	before, err := s.Change(d.ID, func(d *Draft) error {
		d.Answers = answers.New(answers.Table{Header: []string{"A"}})
		d.Answers.SetConstant(mapping.City, "Toronto")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("no")
	if _, err := s.Change(d.ID, func(d *Draft) error {
		d.Answers.SetAsIs(mapping.City, true)
		d.Answers.SetColumn(0, mapping.UniqueID)
		return failed
	}); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	now, _ := s.Get(d.ID)
	for name, state := range map[string]Draft{"the state before": before, "the state now": now} {
		if len(state.Answers.AsIs()) > 0 || state.Answers.Said[0].Answered {
			t.Errorf("%s has what was not kept: %+v", name, state.Answers)
		}
	}
}

func TestDraftsSurviveARestart(t *testing.T) {
	state := t.TempDir()
	s := openStore(t, state)
	d := add(t, s, "a.csv", "x")
	changed, err := s.Change(d.ID, func(d *Draft) error {
		d.Sandbox = true
		return nil
	})
	if err != nil || changed.Revision <= d.Revision {
		t.Fatalf("changed to %+v, %v", changed, err)
	}
	failed := errors.New("no")
	if _, err := s.Change(d.ID, func(d *Draft) error {
		d.Run = 7
		return failed
	}); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	got, ok := openStore(t, state).Get(d.ID)
	if !ok || !got.Sandbox || got.Run != 0 || got.Revision != changed.Revision || got.Path() != filepath.Join(state, "web", "a.csv", "a.csv") {
		t.Errorf("after a restart %+v, %v", got, ok)
	}
	if err := s.Forget(d.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(d.Path())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a forgotten draft's folder: %v", err)
	}
	if _, err := s.Change(d.ID, nil); !errors.Is(err, ErrGone) {
		t.Errorf("a change of a forgotten draft: %v", err)
	}
}

func TestOpenRemovesWhatADeadProcessLeft(t *testing.T) {
	state := t.TempDir()
	kept := add(t, openStore(t, state), "kept.csv", "x")
	folder := Folder(state)
	half := filepath.Join(folder, "half.csv", "half.csv") // killed between the file and its state
	if err := errors.Join(os.Mkdir(filepath.Dir(half), 0o700), os.WriteFile(half, []byte("x"), 0o600),
		os.WriteFile(filepath.Join(folder, arriving+"1"), []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	openStore(t, state)
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(left) != 1 || left[0] != filepath.Dir(kept.Path()) {
		t.Errorf("left: %q, %v", left, err)
	}
	if hidden, _ := filepath.Glob(filepath.Join(folder, ".*")); len(hidden) > 0 {
		t.Errorf("left: %q", hidden)
	}
}

func TestReceiveRefusesWhatIsTooLarge(t *testing.T) {
	s := openStore(t, t.TempDir())
	if _, err := s.Receive("a.csv", strings.NewReader(strings.Repeat("x", 101)), 100); !errors.Is(err, ErrTooLarge) {
		t.Errorf("101 bytes of 100: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.folder, ".*")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

func TestReplaceKeepsTheRest(t *testing.T) {
	s := openStore(t, t.TempDir())
	d := add(t, s, "a.csv", "old")
	a, err := s.Receive("b.xlsx", strings.NewReader("new"), 100)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Replace(d.ID, a, func(*Draft) error { return nil })
	if err != nil || got.ID != d.ID || got.Name != "a.csv" || got.Revision <= d.Revision {
		t.Fatalf("replaced: %+v, %v", got, err)
	}
	if text, err := os.ReadFile(got.Path()); err != nil || string(text) != "new" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

func TestCleanName(t *testing.T) {
	for name, want := range map[string]string{
		"students.csv":                   "students.csv",
		`C:\Users\Ann\Term start.xlsx`:   "Term start.xlsx",
		"../../etc/passwd":               "passwd",
		"..":                             "file ",
		"":                               "file ",
		"draft.json":                     "file draft.json",
		".arriving-1":                    "arriving-1",
		"a<b>:c|d?.csv":                  "a_b__c_d_.csv",
		"né\x00\x1b[2K\u202e.csv":        "né__[2K_.csv",
		"bad\xff.csv":                    "bad_.csv",
		strings.Repeat("ä", 80) + ".csv": strings.Repeat("ä", 46) + ".csv",
	} {
		if got := cleanName(name); got != want {
			t.Errorf("cleanName(%q) = %q, want %q", name, got, want)
		}
	}
}

// A process that dies between the mapping file and the draft leaves one of them old: what
// is checked and sent must be what the page shows.
func TestMappingIsThatOfTheAnswersAfterAKill(t *testing.T) {
	state := t.TempDir()
	s := openStore(t, state)
	d := add(t, s, "students.csv", "unique_id\r\n1\r\n")
	d, err := s.Change(d.ID, func(d *Draft) error {
		d.Answers = answers.New(answers.Table{Header: []string{"unique_id"}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(d.MappingPath())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.MappingPath(), []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	openStore(t, state)
	if got, err := os.ReadFile(d.MappingPath()); err != nil || string(got) != string(want) {
		t.Errorf("the mapping file is %q, %v; want %q", got, err, want)
	}
}

// What a page knows of a draft, such as its check, must not be taken for another's.
func TestNoDraftHasTheIDOfAForgottenOne(t *testing.T) {
	s := openStore(t, t.TempDir())
	first := add(t, s, "a.csv", "x")
	again := add(t, s, "a.csv", "y")
	if err := s.Forget(again.ID); err != nil {
		t.Fatal(err)
	}
	if d := add(t, s, "b.csv", "z"); d.ID == first.ID || d.ID == again.ID {
		t.Errorf("the ids are %d, %d and %d", first.ID, again.ID, d.ID)
	}
}
