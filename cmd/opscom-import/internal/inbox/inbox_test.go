package inbox

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// noon is when the tests begin. Files that they write have the time of the machine.
var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func quietLog() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func open(t testing.TB, o Options) *Inbox {
	t.Helper()
	b, err := Open(o, quietLog())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func options(folder string, complete Completeness, patterns ...string) Options {
	return Options{Folder: folder, Patterns: patterns, Complete: complete, Settle: time.Minute, Poll: time.Hour, Polling: true}
}

// watched are options with the system's help.
func watched(folder string) Options {
	o := options(folder, Settled, "*")
	o.Polling = false
	return o
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func setTime(t testing.TB, path string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func look(t testing.TB, b *Inbox, now time.Time) Found {
	t.Helper()
	found, err := b.Look(now)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func ready(t testing.TB, b *Inbox, now time.Time, want ...string) Found {
	t.Helper()
	found := look(t, b, now)
	if !slices.Equal(found.Ready, want) {
		t.Fatalf("ready at %s: %q, want %q (waiting %+v)", now.Format(time.TimeOnly), found.Ready, want, found.Waiting)
	}
	return found
}

func waits(t testing.TB, found Found, name, why string) Waiting {
	t.Helper()
	for _, w := range found.Waiting {
		if w.Name == name {
			if !strings.Contains(w.Why, why) {
				t.Errorf("%s waits because %q, want %q", name, w.Why, why)
			}
			return w
		}
	}
	t.Errorf("%s does not wait: %+v", name, found)
	return Waiting{}
}

// tree lists everything below a folder, with the content of files.
func tree(t testing.TB, folder string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		all[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestCheckSaysWhatToDo(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	write(t, file, "x")
	odd := t.TempDir()
	write(t, filepath.Join(odd, "done"), "x")
	linked := t.TempDir()
	if err := os.Symlink(folder, filepath.Join(linked, "held")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		options Options
		want    string
	}{
		{options(filepath.Join(folder, "none"), Settled, "*.csv"), "there is no folder"},
		{options(file, Settled, "*.csv"), "is not a folder; name the one in which files arrive"},
		{options(odd, Settled, "*.csv"), "is not a folder (a link is not enough)"},
		{options(linked, Settled, "*.csv"), "is not a folder (a link is not enough)"},
		{options(folder, Settled), "no pattern says which files"},
		{options(folder, Settled, ""), "a pattern is empty"},
		{options(folder, Settled, "in/*.csv"), "has a folder in it"},
		{options(folder, Settled, "[0-9].csv"), "has brackets, which stand for nothing"},
		{options(folder, Settled, "*.csv", "*.part"), `"*.part" only matches hidden or temporary files`},
		{options(folder, Settled, ".students*"), "only matches hidden or temporary files"},
		{options(folder, Marker, "*.csv.done"), `"*.csv.done" only matches markers; leave .done out`},
		{options(folder, "soon", "*.csv"), `"soon" does not say when a file is complete; use settled, marker or renamed`},
	} {
		if err := Check(test.options); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Check %+v: %v, want %s", test.options, err, test.want)
		}
		if b, err := Open(test.options, quietLog()); err == nil {
			t.Errorf("%+v is opened", test.options)
			b.Close()
		}
	}
	for _, o := range []Options{options(folder, Renamed, "*.csv"), options(folder, Settled, "*.done", "*part", "*"), {Folder: folder, Patterns: []string{"x"}}} {
		if err := Check(o); err != nil {
			t.Errorf("good options %+v: %v", o, err)
		}
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("Check changed the folder: %v, %v", entries, err)
	}
}

func TestOpenCleansUpAndLeavesNothing(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "in [1]*") // no pattern
	if err := os.Mkdir(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(folder, "in-progress", newPrefix+"1")
	if err := os.MkdirAll(left, 0o750); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(left, noteFile), "{}")
	write(t, filepath.Join(folder, probePrefix+"1"), "")
	for _, path := range []string{left, filepath.Join(folder, probePrefix+"1")} {
		setTime(t, path, time.Now().Add(-2*time.Hour))
	}
	b := open(t, options(folder, Settled, "*"))
	if all := tree(t, folder); len(all) != 0 {
		t.Errorf("the folder has %q", all)
	}
	for _, place := range []Place{Done, Failed, Held} {
		if err := b.makePlace(place); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.tryMoves(); err != nil {
		t.Error(err)
	}
	if all := tree(t, folder); len(all) != 0 {
		t.Errorf("the folder has %q", all)
	}
}
