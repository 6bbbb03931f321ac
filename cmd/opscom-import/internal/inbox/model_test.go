package inbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// world is an uploader and an inbox that is killed now and then, in virtual time.
type world struct {
	t       *rapid.T
	options Options
	box     *Inbox
	now     time.Time
	ticks   time.Duration // so that each write has a time of its own
	sent    int
	half    map[string]time.Time // names of uploads that are not complete, since when
	due     map[string]bool      // contents that must be taken
	done    map[string]bool      // contents that were finished
}

func content(n int) string { return fmt.Sprintf("begin %d\nend %d\n", n, n) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) path(name string) string { return filepath.Join(w.options.Folder, name) }

// put writes as an uploader does, who may keep an old time once it is complete.
func (w *world) put(name, text string, keepTime bool) {
	w.ticks += time.Microsecond
	at := w.now.Add(w.ticks)
	if keepTime {
		at = at.AddDate(-1, 0, 0)
	}
	w.must(os.WriteFile(w.path(name), []byte(text), 0o600))
	w.must(os.Chtimes(w.path(name), at, at))
}

// begin uploads half a file, over the one that is there.
func (w *world) begin() {
	name := rapid.SampledFrom([]string{"a.csv", "b.csv"}).Draw(w.t, "name")
	if _, busy := w.half[name]; busy {
		return
	}
	w.sent++
	target := name
	if w.options.Complete == Renamed {
		target += ".part"
	} else {
		w.overwritten(name)
	}
	w.half[name] = w.now
	w.put(target, content(w.sent)[:8], false)
}

// overwritten forgets a file that its uploader replaces before it was taken.
func (w *world) overwritten(name string) {
	if text, err := os.ReadFile(w.path(name)); err == nil {
		delete(w.due, string(text))
	}
}

// end uploads the other half.
func (w *world) end(name string) {
	keepTime := rapid.Bool().Draw(w.t, "keep time")
	text := content(w.sent)
	w.sent++
	delete(w.half, name)
	switch w.options.Complete {
	case Renamed:
		w.put(name+".part", text, keepTime)
		w.overwritten(name)
		w.must(os.Rename(w.path(name+".part"), w.path(name)))
	case Marker:
		w.put(name, text, keepTime)
		w.put(name+markerSuffix, "", false)
	default:
		// it may already be taken as complete if it was half for too long; advance sees to that
		w.put(name, text, keepTime)
	}
	w.due[text] = true
}

// advance lets time pass. An uploader never rests for as long as Settle.
func (w *world) advance(d time.Duration) {
	for _, name := range []string{"a.csv", "b.csv"} {
		if since, busy := w.half[name]; busy && w.now.Add(d).Sub(since) >= w.options.Settle && w.options.Complete != Renamed {
			w.end(name)
		}
	}
	w.now = w.now.Add(d)
}

// restart kills the process and starts it again.
func (w *world) restart() {
	w.box.Close()
	var err error
	w.box, err = Open(w.options, quietLog())
	w.must(err)
}

// work looks, takes and finishes, unless it is killed at a step.
func (w *world) work() {
	type kill struct{}
	steps := rapid.IntRange(0, 12).Draw(w.t, "steps until kill") // as many as there are: not killed
	w.box.step = func(string) {
		if steps--; steps == 0 {
			panic(kill{})
		}
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(kill); !ok {
				panic(r)
			}
			w.restart()
		}
	}()
	waiting, err := w.box.InProgress()
	w.must(err)
	for _, taken := range waiting {
		w.finish(taken)
	}
	found, err := w.box.Look(w.now)
	w.must(err)
	for _, name := range found.Ready {
		taken, err := w.box.Take(name, w.now)
		if errors.Is(err, ErrNotComplete) {
			continue
		}
		w.must(err)
		w.finish(taken)
	}
}

func (w *world) finish(taken Taken) {
	text, err := os.ReadFile(taken.Path)
	w.must(err)
	if !w.due[string(text)] {
		w.t.Fatalf("%s is taken, with %q", taken.Path, text)
	}
	w.box.step("worked on")
	place := rapid.SampledFrom([]Place{Done, Failed, Held}).Draw(w.t, "place")
	moved, err := w.box.Finish(taken, place)
	w.must(err)
	delete(w.due, string(text))
	w.done[string(text)] = true
	w.box.step("finished")
	if again, err := w.box.Finish(taken, place); err != nil || again != moved {
		w.t.Fatalf("finished again: %+v, %v", again, err)
	}
}

// check counts: everything that was finished is there once.
func (w *world) check() {
	found := make(map[string]int)
	w.must(filepath.WalkDir(w.options.Folder, func(path string, entry os.DirEntry, err error) error {
		name, _ := filepath.Rel(w.options.Folder, path)
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".csv") || !isPlace(strings.Split(name, string(filepath.Separator))[0]) {
			return err
		}
		text, err := os.ReadFile(path)
		found[string(text)]++
		return err
	}))
	for text := range w.done {
		if found[text] != 1 {
			w.t.Fatalf("%q is there %d times", text, found[text])
		}
	}
}

// TestModel lets an uploader and a program that is killed at any step do what they like:
// no file is lost, none is taken twice, and none is taken by half.
func TestModel(t *testing.T) {
	if testing.Short() {
		t.Skip("syncs folders some thousand times")
	}
	for _, complete := range []Completeness{Settled, Marker, Renamed} {
		t.Run(string(complete), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				folder, err := os.MkdirTemp("", "model")
				if err != nil {
					t.Fatal(err)
				}
				defer os.RemoveAll(folder)
				o := options(folder, complete, "*.csv")
				o.Polling = true
				w := &world{t: t, options: o, now: noon, half: make(map[string]time.Time), due: make(map[string]bool), done: make(map[string]bool)}
				w.box, err = Open(o, quietLog())
				w.must(err)
				defer func() { w.box.Close() }()
				for range rapid.IntRange(1, 40).Draw(t, "actions") {
					switch rapid.IntRange(0, 5).Draw(t, "action") {
					case 0:
						w.begin()
					case 1:
						for _, name := range []string{"a.csv", "b.csv"} {
							if _, busy := w.half[name]; busy {
								w.end(name)
								break
							}
						}
					case 2:
						w.advance(time.Duration(rapid.IntRange(1, 70).Draw(t, "seconds")) * time.Second)
					case 3:
						w.restart()
					default:
						w.work()
					}
				}
				for _, name := range []string{"a.csv", "b.csv"} {
					if _, busy := w.half[name]; busy {
						w.end(name)
					}
				}
				for range 30 { // some of which are killed
					if len(w.due) == 0 {
						break
					}
					w.work()
					w.advance(w.options.Settle)
				}
				w.check()
				if len(w.due) != 0 {
					t.Fatalf("not taken: %v; %v", w.due, w.done)
				}
			})
		})
	}
}
