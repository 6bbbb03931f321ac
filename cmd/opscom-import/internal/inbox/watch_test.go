package inbox

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
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
	w := startWatcher(folder, time.Hour, quietLog())
	defer w.stop()
	write(t, filepath.Join(folder, "students.csv"), "x")
	told(t, w.changes)
}

func TestPollingTellsWithoutChanges(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	w := startWatcher(t.TempDir(), time.Millisecond, quietLog())
	defer w.stop()
	told(t, w.changes)
	told(t, w.changes)
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
	w := startWatcher(folder, time.Hour, textLog(&log))
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
