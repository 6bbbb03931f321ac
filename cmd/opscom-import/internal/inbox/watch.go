package inbox

import (
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// quiet is how long changes are gathered before one look is asked for: a large upload is
// thousands of them.
const quiet = 500 * time.Millisecond

// Changes returns a channel that gets a value when something in the folder may have
// changed: by what the system tells, and every Poll in any case, as a share tells nothing.
// What is not received is not kept.
func (b *Inbox) Changes() <-chan struct{} { return b.watcher.changes }

// watcher tells of changes in a folder until it is stopped.
type watcher struct {
	folder  string
	polling bool // only
	log     *slog.Logger
	changes chan struct{}
	done    chan struct{}
	wait    sync.WaitGroup

	system  *fsnotify.Watcher // nil: only polling
	watched fs.FileInfo       // the folder that the system watches; another may be mounted over it
	deaf    bool              // it was said that only polling works
	gone    bool              // it was said that the folder is not there
}

func startWatcher(o Options, log *slog.Logger) *watcher {
	w := &watcher{folder: o.Folder, polling: o.Polling, log: log, changes: make(chan struct{}, 1), done: make(chan struct{})}
	w.renew()
	w.wait.Go(func() { w.run(o.Poll) })
	return w
}

func (w *watcher) stop() {
	close(w.done)
	w.wait.Wait()
}

func (w *watcher) run(poll time.Duration) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	defer w.hear(nil)
	var gathered <-chan time.Time
	for {
		var events chan fsnotify.Event
		var failures chan error
		if w.system != nil {
			events, failures = w.system.Events, w.system.Errors
		}
		select {
		case <-w.done:
			return
		case _, ok := <-events:
			if !ok {
				w.hear(nil)
			} else if gathered == nil {
				gathered = time.After(quiet)
			}
		case <-failures: // as an overflow: what happened is not known
			w.tell()
		case <-gathered:
			gathered = nil
			w.tell()
		case <-ticker.C:
			w.renew()
			w.tell()
		}
	}
}

func (w *watcher) tell() {
	select {
	case w.changes <- struct{}{}:
	default:
	}
}

// hear replaces the system's watcher.
func (w *watcher) hear(system *fsnotify.Watcher) {
	if w.system != nil {
		if err := w.system.Close(); err != nil {
			w.log.Debug("stop watching a folder", "folder", w.folder, "error", err)
		}
	}
	w.system = system
}

// renew watches the folder if it is not watched, or is another one now, and says once what
// does not work and once that it works again.
func (w *watcher) renew() {
	info, err := os.Stat(w.folder)
	if err != nil {
		if !w.gone {
			w.log.Error("the folder of arriving files is not there; the program goes on asking for it", "folder", w.folder, "error", err)
		}
		w.gone, w.watched = true, nil
		w.hear(nil)
		return
	}
	if w.gone {
		w.log.Info("the folder of arriving files is there again", "folder", w.folder)
		w.gone = false
	}
	if w.polling || w.system != nil && w.watched != nil && os.SameFile(info, w.watched) {
		return
	}
	w.hear(nil)
	system, err := fsnotify.NewWatcher()
	if err == nil {
		if err = system.Add(w.folder); err != nil {
			system.Close() // nothing was watched
		}
	}
	if err != nil {
		if !w.deaf {
			w.log.Warn("the system does not tell of new files; the program looks for them at intervals", "folder", w.folder, "error", err)
		}
		w.deaf = true
		return
	}
	w.hear(system)
	w.watched, w.deaf = info, false
}
