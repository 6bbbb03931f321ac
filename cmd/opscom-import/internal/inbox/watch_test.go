package inbox

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// logged is a log that two goroutines use.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func told(t *testing.T, changes <-chan struct{}) {
	t.Helper()
	select {
	case <-changes:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing is told")
	}
}

func TestChangesAreTold(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	folder := t.TempDir()
	w := startWatcher(watched(folder), quietLog())
	defer w.stop()
	write(t, filepath.Join(folder, "students.csv"), "x")
	told(t, w.changes)
}

func TestPollingTellsWithoutChanges(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	o := watched(t.TempDir())
	o.Poll = time.Millisecond
	w := startWatcher(o, quietLog())
	defer w.stop()
	told(t, w.changes)
	told(t, w.changes)
}

// Without the system's help all is timers, as tests in virtual time need it.
func TestPollingOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t.TempDir(), Settled, "*")
		o.Poll, o.Polling = 10*time.Second, true
		b := open(t, o)
		begin := time.Now()
		for n := range 5 {
			<-b.Changes()
			if passed := time.Since(begin); passed != time.Duration(n+1)*o.Poll {
				t.Errorf("told after %s", passed)
			}
		}
	})
}

// A folder that goes away and comes back, as a share does, is watched again; each is said
// once.
func TestAFolderThatComesBackIsWatched(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	folder := filepath.Join(t.TempDir(), "in")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	var log logged
	w := startWatcher(watched(folder), textLog(&log))
	w.stop() // from here by hand
	w.renew()
	if err := os.Rename(folder, folder+"-away"); err != nil {
		t.Fatal(err)
	}
	w.renew()
	w.renew()
	if w.system != nil || log.count("is not there") != 1 {
		t.Errorf("gone: %s", log.text.String())
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	w.renew()
	first := w.system
	w.renew()
	if w.system == nil || w.system != first || log.count("is there again") != 1 {
		t.Errorf("back: %s", log.text.String())
	}
	// another one in its place, as when a share is mounted over it
	if err := os.Rename(folder, folder+"-other"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	w.renew()
	if w.system == first {
		t.Error("the folder in its place is not watched")
	}
	w.hear(nil)
}
