// Package watch runs the jobs of the config file: it takes files as they arrive in a
// folder, or at the times of a schedule, has them pushed, and moves each to where its end
// belongs.
//
// What goes in are the jobs, something that pushes a file, and the history of what the
// jobs did. What comes out is a folder for each file, with its reports beside it:
//
//	FOLDER/students.csv → in-progress/2026-11-30T091502Z/students.csv → push → done/2026-11-30T091502Z/
//	                                                                          → failed/…, held/…
//
// Whatever ends the process, the next one goes on with what is in progress: the history
// knows how far each file came, and moving a folder can be repeated.
package watch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/report"
)

// Pusher pushes files and tells people.
type Pusher interface {
	// Push pushes the file. When fetchCtx is cancelled nothing new is sent and the
	// answers in flight are awaited; workCtx ends these too.
	Push(fetchCtx, workCtx context.Context, job config.Job, file File) End
	// Tell prints how the work on a file ended, and tells people unless row.IsTold; row is
	// what the history has of it. It returns false if they are to be told again.
	Tell(fetchCtx, workCtx context.Context, job config.Job, row importer.JobRun, end End) bool
	// TellTrouble tells people what is wrong that is not the end of a run. It returns false
	// if they are to be told again.
	TellTrouble(fetchCtx, workCtx context.Context, job config.Job, trouble Trouble) bool
}

// Trouble is what keeps a job from its work: no file came, or it cannot use its folder or
// its history.
type Trouble struct {
	By      time.Time // by when a file should have come; zero when it is something else
	Problem string
}

// File is a file to push.
type File struct {
	Path    string // where it lies
	Arrived string // where it arrived
	Hash    string // SHA-256 of its bytes, in hexadecimal; "" when it cannot be read
	Repeat  bool   // it has the bytes of the last one: only what was not accepted then is to be sent

	Since time.Time // when the work on it began; zero the first time: an earlier process may have finished it since
}

// End is how the work on a file ended.
type End struct {
	Run     int64 // 0 for none
	Exit    int   // exit code of push
	Counts  importer.Counts
	Problem string // why it failed, is held or is not complete; "" otherwise
	OfFile  bool   // the problem is the file's: the same again would fail again
	Stopped bool   // a person has stopped the run: it waits for one

	Details any // of the run that ended just now, for Tell; nil when it ended in a process that died since
}

// History remembers what the jobs did. Several processes may use it.
type History interface {
	// Lock keeps every other process from working for the job until release is called;
	// the error is a *journal.BusyError while one does.
	Lock(ctx context.Context, job string) (release func() error, err error)
	// Runs returns the newest runs of the job, or of every job for "", the newest first.
	Runs(ctx context.Context, job string) ([]importer.JobRun, error)
	// Outcome returns a run and how its rows ended. The error is journal.ErrNoRun for one
	// that is forgotten.
	Outcome(ctx context.Context, run int64) (importer.RunInfo, report.Receipt, error)
}

// Recorder records what a job does.
type Recorder interface {
	Begin(ctx context.Context, r importer.JobRun) (id int64, err error)
	Restart(ctx context.Context, id int64, at time.Time) error
	End(ctx context.Context, r importer.JobRun, relocate *importer.Relocation) error
}

// Options are what a Watcher works with.
type Options struct {
	Jobs     []config.Job
	Pusher   Pusher
	History  History
	Recorder Recorder
	Log      *slog.Logger
	Host     string                                 // names this machine; "" where no other shares the history
	Notify   func(job, note string)                 // is told what a person should know
	Jitter   func(most time.Duration) time.Duration // returns a random time up to most
	Polling  bool                                   // folders are looked at now and then, without notices of the system
}

// Watcher runs jobs.
type Watcher struct {
	options Options
	loops   []*loop
	turns   map[string]chan struct{} // by target: runs to one exclude each other
}

// New returns a watcher of the jobs, which must be those that Check finds right. It opens
// their folders.
func New(options Options) (*Watcher, error) {
	w := &Watcher{options: options, turns: make(map[string]chan struct{})}
	for _, job := range options.Jobs {
		target := targetOf(job)
		if w.turns[target] == nil {
			w.turns[target] = make(chan struct{}, 1)
		}
		l, err := newLoop(options, job, w.turns[target])
		if err != nil {
			w.close()
			return nil, fmt.Errorf("job %s: %w", job.Name, err)
		}
		w.loops = append(w.loops, l)
	}
	return w, nil
}

// targetOf is what the job pushes to.
func targetOf(job config.Job) string {
	if job.Settings.Sandbox {
		return "sandbox"
	}
	return importer.SameTarget(importer.TargetOf(job.Settings.Client, job.Settings.URL))
}

// Run runs the jobs until fetchCtx ends; then nothing new is sent, the answers in flight
// are awaited, and what is in progress is left for the next start. workCtx ends that too.
func (w *Watcher) Run(fetchCtx, workCtx context.Context) {
	defer w.close()
	var jobs sync.WaitGroup
	for _, l := range w.loops {
		jobs.Go(func() { l.run(fetchCtx, workCtx) })
	}
	jobs.Wait()
}

func (w *Watcher) close() {
	for _, l := range w.loops {
		l.close()
	}
}

// Stuck returns the name of a job that is stuck, as on a folder of a network that does not
// answer; "" for none.
func (w *Watcher) Stuck(now time.Time) string {
	for _, l := range w.loops {
		if l.pulse.isStuck(now) {
			return l.job.Name
		}
	}
	return ""
}

// Unwell says which job does not work and why, "" for none: /healthz answers so.
func (w *Watcher) Unwell(now time.Time) string {
	if job := w.Stuck(now); job != "" {
		return "job " + job + " is stuck"
	}
	for _, l := range w.loops {
		if l.inTrouble.Load() {
			return "job " + l.job.Name + " cannot use its folder or its history"
		}
	}
	return ""
}

// RunOnce does now what each job does at its time, whatever the schedule says, and returns
// the largest exit code. Files that are not yet known to be complete are waited for as
// long as that takes.
func (w *Watcher) RunOnce(fetchCtx, workCtx context.Context) (exit int, err error) {
	defer w.close()
	for _, l := range w.loops {
		code, err := l.runOnce(fetchCtx, workCtx)
		exit = max(exit, code)
		if err != nil {
			return exit, err
		}
	}
	return exit, nil
}
