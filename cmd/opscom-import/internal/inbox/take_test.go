package inbox

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// arrive writes a file, and its marker if that is how it is complete.
func arrive(t testing.TB, b *Inbox, name, text string) string {
	t.Helper()
	path := filepath.Join(b.Folder, name)
	write(t, path, text)
	if b.Complete == Marker {
		write(t, path+markerSuffix, "")
	}
	return path
}

func take(t testing.TB, b *Inbox, name string, at time.Time) Taken {
	t.Helper()
	look(t, b, at)
	taken, err := b.Take(name, at)
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func TestTakeAndFinish(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, fs.ModeSetgid|0o770); err != nil {
		t.Fatal(err)
	}
	b := open(t, options(folder, Marker, "*.csv"))
	arrive(t, b, "students.csv", "id\n1\n")
	at := time.Date(2026, 11, 30, 4, 15, 2, 500, time.FixedZone("EST", -5*60*60))
	taken := take(t, b, "students.csv", at)
	own := filepath.Join(folder, "in-progress", "2026-11-30T091502Z")
	if taken.Folder != own || taken.Path != filepath.Join(own, "students.csv") || taken.Name != "students.csv" || !taken.At.Equal(at) {
		t.Errorf("%+v", taken)
	}
	info, err := os.Stat(own)
	if err != nil || info.Mode()&^fs.ModeDir != fs.ModeSetgid|0o750 {
		t.Errorf("the folder's mode is %v: %v", info.Mode(), err)
	}
	write(t, filepath.Join(own, "students.results.csv"), "results")
	if again, err := b.InProgress(); err != nil || len(again) != 1 || again[0].Path != taken.Path || !again[0].At.Equal(at) {
		t.Errorf("in progress: %+v, %v", again, err)
	}
	held, err := b.Finish(taken, Held)
	if err != nil || held.Folder != taken.In(Held) || held.Folder != filepath.Join(folder, "held", "2026-11-30T091502Z") {
		t.Fatalf("%+v, %v", held, err)
	}
	if again, err := b.Finish(taken, Held); err != nil || again != held {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	if again, err := b.Finish(held, Held); err != nil || again != held {
		t.Errorf("from there: %+v, %v", again, err)
	}
	listed, err := b.In(Held)
	if err != nil || len(listed) != 1 || listed[0].Folder != held.Folder || listed[0].Path != held.Path {
		t.Fatalf("held: %+v, %v", listed, err)
	}
	if _, err := b.Finish(listed[0], Done); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(maps.Keys(tree(t, folder)))
	want := []string{
		"done/2026-11-30T091502Z/.taken.json", "done/2026-11-30T091502Z/students.csv",
		"done/2026-11-30T091502Z/students.csv.done", "done/2026-11-30T091502Z/students.results.csv",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if all, err := b.InProgress(); err != nil || len(all) != 0 {
		t.Errorf("in progress: %+v, %v", all, err)
	}
}

func TestNamesOfFoldersAreNeverUsedTwice(t *testing.T) {
	b := open(t, options(t.TempDir(), Renamed, "*"))
	var folders []string
	for _, place := range []Place{Done, Failed, Held, InProgress, Done} {
		arrive(t, b, "students.csv", string(place))
		taken := take(t, b, "students.csv", noon)
		folders = append(folders, filepath.Base(taken.Folder))
		if place == InProgress {
			continue
		}
		if _, err := b.Finish(taken, place); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"", "-2", "-3", "-4", "-5"}; strings.Join(folders, " ") != "2026-11-30T120000Z"+strings.Join(want, " 2026-11-30T120000Z") {
		t.Errorf("%q", folders)
	}
}

func TestInProgressIsInOrder(t *testing.T) {
	b := open(t, options(t.TempDir(), Renamed, "*"))
	for i := range 11 {
		arrive(t, b, string(rune('z'-i)), "x")
		take(t, b, string(rune('z'-i)), noon)
	}
	arrive(t, b, "earlier", "x")
	take(t, b, "earlier", noon.Add(-time.Hour))
	all, err := b.InProgress()
	names := ""
	for _, taken := range all {
		names += taken.Name
	}
	if err != nil || names != "earlierzyxwvutsrqp" {
		t.Errorf("%q, %v", names, err)
	}
}

func TestOnlyWhatIsReadyIsTaken(t *testing.T) {
	b := open(t, options(t.TempDir(), Settled, "*"))
	path := arrive(t, b, "students.csv", "x")
	check := func(when string) {
		t.Helper()
		before := tree(t, b.Folder)
		if _, err := b.Take("students.csv", noon); !errors.Is(err, ErrNotComplete) {
			t.Errorf("%s: %v", when, err)
		}
		if after := tree(t, b.Folder); !maps.Equal(before, after) {
			t.Errorf("%s: %q, and it was %q", when, after, before)
		}
	}
	check("not looked at")
	ready(t, b, noon)
	check("waiting")
	ready(t, b, noon.Add(time.Hour), "students.csv")
	write(t, path, "xy")
	check("grown since")
	ready(t, b, noon.Add(2*time.Hour))
	ready(t, b, noon.Add(3*time.Hour), "students.csv")
	setTime(t, path, noon)
	check("touched since")
	ready(t, b, noon.Add(4*time.Hour))
	ready(t, b, noon.Add(5*time.Hour), "students.csv")
	relink(t, path)
	check("a link since")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	check("gone since")
	write(t, path, "xyz")
	ready(t, b, noon.Add(5*time.Hour))
	ready(t, b, noon.Add(6*time.Hour), "students.csv")
	if err := os.Link(path, filepath.Join(t.TempDir(), "second")); err != nil {
		t.Fatal(err)
	}
	check("a second name since")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	ready(t, b, noon.Add(6*time.Hour))
	check("gone")
}

// relink makes a file a symbolic link to one of the same size and time.
func relink(t testing.TB, path string) {
	t.Helper()
	elsewhere := filepath.Join(t.(*testing.T).TempDir(), "elsewhere")
	if err := os.Rename(path, elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, path); err != nil {
		t.Fatal(err)
	}
}

// What overtakes the move between its last look and its rename is put back.
func TestOvertakenWhileTaken(t *testing.T) {
	for name, overtake := range map[string]func(path string){
		"another file": func(path string) { write(t, path+"2", "other"); os.Rename(path+"2", path) },
		"it grows":     func(path string) { write(t, path, "1 and 2") },
		"a link": func(path string) {
			os.Remove(path)
			os.Symlink("/etc/passwd", path)
		},
		"second name": func(path string) { os.Link(path, filepath.Join(filepath.Dir(path), "second")) },
		"gone":        func(path string) { os.Remove(path) },
		"no marker":   func(path string) { os.Remove(path + markerSuffix) },
		"new marker": func(path string) {
			write(t, path, "1 and 2")
			os.Remove(path + markerSuffix)
			write(t, path+markerSuffix, "new")
		},
	} {
		b := open(t, options(t.TempDir(), Marker, "*.csv"))
		path := arrive(t, b, "students.csv", "1")
		ready(t, b, noon, "students.csv")
		var want map[string]string
		b.step = func(step string) {
			if step == "note" && want == nil {
				overtake(path)
				want = tree(t, b.Folder)
				maps.DeleteFunc(want, func(name, _ string) bool { return strings.HasPrefix(name, "in-progress/") })
			}
		}
		if _, err := b.Take("students.csv", noon); !errors.Is(err, ErrNotComplete) {
			t.Errorf("%s: %v", name, err)
		}
		if got := tree(t, b.Folder); !maps.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if entries, err := os.ReadDir(b.place(InProgress)); err != nil || len(entries) != 0 {
			t.Errorf("%s: in progress %v, %v", name, entries, err)
		}
	}
}

// The next file of a name settles by itself, even if it looks like the last one.
func TestTheNextFileBeginsAgain(t *testing.T) {
	b := open(t, options(t.TempDir(), Settled, "*.csv"))
	for hours := range 3 {
		now := noon.Add(time.Duration(hours) * time.Hour)
		setTime(t, arrive(t, b, "students.csv", "x"), noon)
		ready(t, b, now)
		ready(t, b, now.Add(time.Minute), "students.csv")
		if _, err := b.Take("students.csv", now); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Take("students.csv", now); !errors.Is(err, ErrNotComplete) {
			t.Errorf("twice: %v", err)
		}
	}
}

// Once a file is back where it arrived, it does not go to failed.
func TestAFileThatIsBackStays(t *testing.T) {
	b := open(t, options(t.TempDir(), Renamed, "*.csv"))
	path := arrive(t, b, "students.csv", "1")
	ready(t, b, noon, "students.csv")
	own := filepath.Join(b.place(InProgress), "2026-11-30T120000Z")
	b.step = func(step string) {
		switch step {
		case "note":
			write(t, path, "1 and")
		case "put back":
			write(t, filepath.Join(own, "students.results.csv"), "r")
		}
	}
	_, err := b.Take("students.csv", noon)
	if !errors.Is(err, ErrNotComplete) || !strings.Contains(err.Error(), "remove the folder of students.csv") || strings.Contains(err.Error(), "failed") {
		t.Errorf("%v", err)
	}
	if !exists(path) || exists(b.place(Failed)) {
		t.Errorf("%q", tree(t, b.Folder))
	}
}

// A file that was not complete after all cannot be put back over a newer one.
func TestOvertakenTwice(t *testing.T) {
	b := open(t, options(t.TempDir(), Renamed, "*.csv"))
	path := arrive(t, b, "students.csv", "1")
	ready(t, b, noon, "students.csv")
	b.step = func(step string) {
		switch step {
		case "note":
			write(t, path, "1 and")
		case "file":
			write(t, path, "2")
		}
	}
	_, err := b.Take("students.csv", noon)
	if !errors.Is(err, ErrNotComplete) || !strings.Contains(err.Error(), "a newer students.csv has arrived") || !strings.Contains(err.Error(), "failed") {
		t.Errorf("%v", err)
	}
	got := tree(t, b.Folder)
	if got["students.csv"] != "2" || got["failed/2026-11-30T120000Z/students.csv"] != "1 and" {
		t.Errorf("%q", got)
	}
}

// killed stops an inbox as kill -9 does, at a step of Take.
func killed(t *testing.T, b *Inbox, step string, act func()) (reached bool) {
	t.Helper()
	type kill struct{}
	b.step = func(name string) {
		if name == step {
			panic(kill{})
		}
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(kill); !ok {
				panic(r)
			}
			reached = true
		}
		b.Close()
	}()
	act()
	return false
}

// However far Take came, the next process finds the file once: where it arrived, or in
// progress; and no marker is left that would vouch for the next file.
func TestTakeKilledAtEachStep(t *testing.T) {
	for _, complete := range []Completeness{Renamed, Marker} {
		steps := []string{"unnamed", "note", "folder", "marker", "file", "checked"}
		if complete == Renamed {
			steps = slices.DeleteFunc(steps, func(step string) bool { return step == "marker" })
		}
		for i, step := range steps {
			for _, meanwhile := range []string{"nothing", "half of the next one", "the next one"} {
				o := options(t.TempDir(), complete, "*.csv")
				b, err := Open(o, quietLog())
				if err != nil {
					t.Fatal(err)
				}
				path := arrive(t, b, "students.csv", "first")
				ready(t, b, noon, "students.csv")
				if !killed(t, b, step, func() { b.Take("students.csv", noon) }) {
					t.Fatalf("%s: no step %q", complete, step)
				}
				half, next := meanwhile == "half of the next one", meanwhile == "the next one"
				if half || next {
					write(t, path, "second")
					later := time.Now().Add(time.Second)
					setTime(t, path, later)
					if next && complete == Marker {
						write(t, path+markerSuffix, "")
						setTime(t, path+markerSuffix, later)
					}
				}
				b = open(t, o)
				all, err := b.InProgress()
				if err != nil {
					t.Fatalf("%s at %q: %v", complete, step, err)
				}
				moved := i >= len(steps)-2
				if got := len(all) == 1 && all[0].Name == "students.csv"; got != moved {
					t.Errorf("%s at %q: in progress %+v", complete, step, all)
				}
				if moved && tree(t, b.Folder)["in-progress/2026-11-30T120000Z/students.csv"] != "first" {
					t.Errorf("%s at %q: %q", complete, step, tree(t, b.Folder))
				}
				found := look(t, b, noon)
				switch {
				case next && len(found.Ready) != 1:
					t.Errorf("%s at %q: the next file is not ready: %+v", complete, step, found)
				case complete == Marker && half && len(found.Ready) > 0:
					t.Errorf("%s at %q: half a file is ready", complete, step)
				case !moved && !half && len(found.Ready) != 1:
					t.Errorf("%s at %q: the file is stuck: %+v", complete, step, found)
				case moved && complete == Marker && !next && exists(path+markerSuffix):
					t.Errorf("%s at %q: the marker is left", complete, step)
				}
				if named, err := filepath.Glob(filepath.Join(b.place(InProgress), "2*")); err != nil || !moved && len(named) != 0 {
					t.Errorf("%s at %q: %v is left in progress, %v", complete, step, named, err)
				}
			}
		}
	}
}

func TestPutBackKilledAtEachStep(t *testing.T) {
	for _, step := range []string{"put back", "marker back", "unnamed again"} {
		o := options(t.TempDir(), Marker, "*.csv")
		b, err := Open(o, quietLog())
		if err != nil {
			t.Fatal(err)
		}
		arrive(t, b, "students.csv", "first")
		taken := take(t, b, "students.csv", noon)
		if !killed(t, b, step, func() { b.PutBack(taken) }) {
			t.Fatalf("no step %q", step)
		}
		b = open(t, o)
		if all, err := b.InProgress(); err != nil || len(all) != 0 {
			t.Errorf("at %q: in progress %+v, %v", step, all, err)
		}
		got := tree(t, b.Folder)
		maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasPrefix(name, "in-progress/"+newPrefix) })
		if len(got) != 2 || got["students.csv"] != "first" {
			t.Errorf("at %q: %q", step, got)
		}
		ready(t, b, noon, "students.csv")
	}
}

func TestPutBack(t *testing.T) {
	b := open(t, options(t.TempDir(), Renamed, "*.csv"))
	path := arrive(t, b, "students.csv", "1")
	taken := take(t, b, "students.csv", noon)
	write(t, path, "2")
	if err := b.PutBack(taken); err == nil || !strings.Contains(err.Error(), "a newer students.csv has arrived") {
		t.Errorf("over a newer one: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(taken.Folder, "students.results.csv")
	write(t, report, "r")
	if err := b.PutBack(taken); err == nil || !strings.Contains(err.Error(), "there are reports") {
		t.Errorf("with reports: %v", err)
	}
	if err := os.Remove(report); err != nil {
		t.Fatal(err)
	}
	if err := b.PutBack(taken); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, b.Folder); len(got) != 1 || got["students.csv"] != "1" {
		t.Errorf("%q", got)
	}
}

// A file that still grew when it was taken is judged again after a restart, unless it was
// worked on.
func TestInProgressChecksTheFile(t *testing.T) {
	b := open(t, options(t.TempDir(), Renamed, "*.csv"))
	path := arrive(t, b, "students.csv", "1")
	taken := take(t, b, "students.csv", noon)
	write(t, taken.Path, "1 and 2")
	report := filepath.Join(taken.Folder, "students.results.csv")
	write(t, report, "r")
	if all, err := b.InProgress(); err != nil || len(all) != 1 {
		t.Errorf("with reports: %+v, %v", all, err)
	}
	if err := os.Remove(report); err != nil {
		t.Fatal(err)
	}
	if all, err := b.InProgress(); err != nil || len(all) != 0 || !exists(path) {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestStrangeFoldersInProgressAreLeftAlone(t *testing.T) {
	var log strings.Builder
	b := open(t, options(t.TempDir(), Renamed, "*.csv"))
	b.log = textLog(&log)
	write(t, filepath.Join(b.place(InProgress), "file.csv"), "x")
	for name, note := range map[string]string{"notes": "", "damaged": "{", "path": `{"name":"../../x.csv"}`, "folder": `{"name":"in/x.csv"}`} {
		folder := filepath.Join(b.place(InProgress), name)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, "file.csv"), "x")
		if note != "" {
			write(t, filepath.Join(folder, noteFile), note)
		}
	}
	arrive(t, b, "gone.csv", "1")
	taken := take(t, b, "gone.csv", noon)
	write(t, filepath.Join(taken.Folder, "gone.results.csv"), "r")
	if err := os.Remove(taken.Path); err != nil {
		t.Fatal(err)
	}
	before := tree(t, b.Folder)
	for range 3 { // each is logged once
		if all, err := b.InProgress(); err != nil || len(all) != 0 {
			t.Errorf("%+v, %v", all, err)
		}
		if after := tree(t, b.Folder); !maps.Equal(before, after) {
			t.Errorf("%q, and it was %q", after, before)
		}
		if n := strings.Count(log.String(), "it is left alone"); n != 4 {
			t.Errorf("%d warnings: %s", n, log.String())
		}
		if n := strings.Count(log.String(), "they are left alone"); n != 1 {
			t.Errorf("%d warnings of reports: %s", n, log.String())
		}
	}
}

func TestFinishOverwritesNothing(t *testing.T) {
	b := open(t, options(t.TempDir(), Renamed, "*.csv"))
	arrive(t, b, "students.csv", "1")
	taken := take(t, b, "students.csv", noon)
	if err := os.MkdirAll(taken.In(Done), 0o700); err != nil { // even empty
		t.Fatal(err)
	}
	if _, err := b.Finish(taken, Done); err == nil || !strings.Contains(err.Error(), "something else is there; move that away") {
		t.Errorf("%v", err)
	}
	if err := os.Remove(taken.In(Done)); err != nil {
		t.Fatal(err)
	}
	done, err := b.Finish(taken, Done)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(done.Folder); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Finish(taken, Done); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is nowhere: %v", err)
	}
}

// Between the look for a free name and the use of it, another process may take a file under
// that name and finish it.
func TestNameUsedAndFinishedMeanwhile(t *testing.T) {
	for _, place := range []Place{Held, Done, Failed} {
		o := options(t.TempDir(), Renamed, "*.csv")
		b := open(t, o)
		arrive(t, b, "students.csv", "ours")
		ready(t, b, noon, "students.csv")
		arrive(t, b, "staff.csv", "theirs")
		b.step = func(step string) {
			if step != "free name" {
				return
			}
			b.step = func(string) {}
			other := open(t, o)
			if _, err := other.Finish(take(t, other, "staff.csv", noon), place); err != nil {
				t.Error(err)
			}
		}
		taken, err := b.Take("students.csv", noon)
		if err != nil {
			t.Fatal(err)
		}
		done, err := b.Finish(taken, place)
		if err != nil {
			t.Errorf("%s: %v", place, err)
		}
		files := tree(t, b.Folder)
		if first := string(place) + "/2026-11-30T120000Z"; files[first+"/staff.csv"] != "theirs" || files[first+"-2/students.csv"] != "ours" {
			t.Errorf("%s: %s, %q", place, done.Folder, files)
		}
	}
}

// Several inboxes, each with patterns of its own, share a folder: each file is taken once.
func TestInboxesShareAFolder(t *testing.T) {
	folder := t.TempDir()
	var wait sync.WaitGroup
	for i := range 4 {
		b := open(t, options(folder, Marker, fmt.Sprintf("%d-*.csv", i)))
		other := open(t, options(folder, Marker, fmt.Sprintf("%d-*.csv", i))) // a second process
		wait.Go(func() {
			for n := range 20 {
				name := fmt.Sprintf("%d-%d.csv", i, n)
				arrive(t, b, name, name)
				if found, err := b.Look(noon); err != nil || len(found.Ready) != 1 || len(found.Waiting) != 0 {
					t.Errorf("%s: %+v, %v", name, found, err)
				}
				if _, err := other.Look(noon); err != nil {
					t.Error(err)
				}
				taken, err := b.Take(name, noon)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if _, err := other.Take(name, noon); !errors.Is(err, ErrNotComplete) {
					t.Errorf("%s again: %v", name, err)
				}
				if all, err := b.InProgress(); err != nil || len(all) != 1 || all[0].Name != name {
					t.Errorf("%s: in progress %+v, %v", name, all, err)
				}
				if _, err := b.Finish(taken, Done); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	all, err := Stray(folder, Done, []string{"0-*"})
	if err != nil || len(all) != 60 {
		t.Errorf("%d are done, %v", len(all), err)
	}
	for name, text := range tree(t, folder) {
		if base := filepath.Base(name); !strings.HasPrefix(base, ".") && !strings.HasSuffix(base, markerSuffix) && base != text {
			t.Errorf("%s has %q", name, text)
		}
	}
}

func TestOnlyMatchingFilesAreListed(t *testing.T) {
	folder := t.TempDir()
	staff, students := open(t, options(folder, Renamed, "staff*")), open(t, options(folder, Renamed, "students*"))
	for _, b := range []*Inbox{staff, students} {
		arrive(t, b, "staff.csv", "x")
		arrive(t, b, "students.csv", "x")
	}
	held, err := staff.Finish(take(t, staff, "staff.csv", noon), Held)
	if err != nil {
		t.Fatal(err)
	}
	take(t, students, "students.csv", noon)
	for _, test := range []struct {
		list func() ([]Taken, error)
		want string
	}{
		{staff.InProgress, ""}, {students.InProgress, "students.csv"},
		{func() ([]Taken, error) { return staff.In(Held) }, "staff.csv"},
		{func() ([]Taken, error) { return students.In(Held) }, ""},
		{func() ([]Taken, error) { return Stray(folder, InProgress, []string{"staff*"}) }, "students.csv"},
		{func() ([]Taken, error) { return Stray(folder, InProgress, []string{"staff*", "stu*"}) }, ""},
		{func() ([]Taken, error) { return Stray(folder, Held, []string{"stu*"}) }, "staff.csv"},
	} {
		all, err := test.list()
		names := ""
		for _, taken := range all {
			names += taken.Name
		}
		if err != nil || names != test.want {
			t.Errorf("%q, want %q: %v", names, test.want, err)
		}
	}
	if held.In(InProgress) != filepath.Join(folder, "in-progress", "2026-11-30T120000Z") {
		t.Errorf("%s", held.In(InProgress))
	}
}
