package journal

import (
	"context"
	"iter"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// Journal is an open journal. Its methods may be called by several goroutines, and several
// programs may have one journal open.
type Journal interface {
	Runs
	EarlierRuns
	Jobs

	// Salt returns 32 random bytes that were created with the journal: the key of its digests.
	Salt() []byte
	// Acceptances returns what looks up what the Controller last accepted.
	Acceptances() *Acceptances

	// Lock makes sure that no other run to the target is in progress until release is
	// called; else it returns a *BusyError. The context ends the wait for one that may be
	// over, not the lock.
	Lock(ctx context.Context, target string) (release func() error, err error)
	// Recover cleans up after runs to the target whose process died; the caller holds the
	// target's lock. A plan that was not completed is deleted. A run that was being pushed is
	// stopped, and its rows in flight become unknown.
	Recover(ctx context.Context, target string) error

	// SaveUserTypes stores the target's list of user types as the Controller returned it at
	// that time, for checks without a network.
	SaveUserTypes(ctx context.Context, target string, types []mapping.UserType, at time.Time) error
	// UserTypes returns the list that was last saved for the target, and when; the time is
	// zero when none was.
	UserTypes(ctx context.Context, target string) (types []mapping.UserType, at time.Time, err error)

	// Check makes sure that what is stored can be read, as far as that is quickly known.
	Check(ctx context.Context) error
	// Stats returns how large the journal is.
	Stats(ctx context.Context) (Stats, error)
	// Statistics measures the journal.
	Statistics(ctx context.Context) (Statistics, error)

	Close() error
}

// Runs is a journal's runs.
type Runs interface {
	// Begin stores a new run, in the state planning. The journal sets its number, state, rows,
	// reasons for being held, and finishing time.
	Begin(ctx context.Context, run importer.RunInfo) (Run, error)
	// Run returns the handle of a stored run, ErrNoRun when there is none of that number.
	Run(ctx context.Context, id int64) (Run, error)
	// Runs returns every run, the newest first.
	Runs(ctx context.Context) ([]importer.RunInfo, error)
	// Unfinished returns the runs of the source that can be resumed, the newest first: those
	// held, stopped or being pushed.
	Unfinished(ctx context.Context, target, source string) ([]importer.RunInfo, error)
	// Supersede ends a held or stopped run for good, because another one replaces it, and
	// deletes its payloads.
	Supersede(ctx context.Context, id int64) error

	// Forget deletes runs with all that is known of their rows, so that no text of them is
	// left, and returns how many it deleted. What the Controller last accepted stays, as
	// digests and reference ids, and so do the people of the last complete run of each source.
	// A run in progress stays too and is reported as a *BusyError; one that does not exist as
	// ErrNoRun.
	Forget(ctx context.Context, ids ...int64) (forgotten int, err error)
	// Expire deletes runs as Forget does, in short steps between which others can work. It
	// leaves out runs to targets that are in use.
	Expire(ctx context.Context, ids ...int64) (forgotten int, err error)
	// ForgetTarget deletes all that the journal knows of a target: its runs, and what its
	// Controller last accepted. While a run to it is in progress it returns a *BusyError.
	ForgetTarget(ctx context.Context, name string) error
	// KeepKeys says whether Forget and Expire keep the unique ids and login sources of the
	// people of the last complete run of each source. Otherwise they keep digests.
	KeepKeys(keep bool)
}

// EarlierRuns is what a journal knows of earlier runs when a new one is judged.
type EarlierRuns interface {
	// Last returns the newest run of the source, or of one whose path differs only in its
	// dates, that has rows and that no safety limit held, or somebody approved.
	Last(ctx context.Context, target, source string) (run importer.RunInfo, ok bool, err error)
	// LastComplete returns the newest complete run of the source, or of one whose path differs
	// only in its dates; one of a file with the hash except does not count. When there is
	// none, why says so in a clause.
	LastComplete(ctx context.Context, target, source, except string) (last *CompleteRun, why string, err error)
	// WasRestoredSince reports whether the journal was restored from a backup after a run to
	// the target had begun.
	WasRestoredSince(ctx context.Context, target string, run int64) (bool, error)
	// Roster returns the people of a complete run to the target.
	Roster(ctx context.Context, target string, run *CompleteRun) (*Roster, error)
	// MovedLeavers returns how many of the leavers whom a run is still to push another source
	// has by now, and its run; 0 if none has.
	MovedLeavers(ctx context.Context, id int64) (n int, by int64, err error)
}

// Jobs is what the jobs of the config file did.
type Jobs interface {
	// BeginJobRun stores a run of a job that begins now, and returns its number. Of the oldest
	// runs of the job, those beyond the newest 1,000 are forgotten.
	BeginJobRun(ctx context.Context, r importer.JobRun) (id int64, err error)
	// RestartJobRun stores that the work on the file begins once more.
	RestartJobRun(ctx context.Context, id int64, at time.Time) error
	// EndJobRun stores how a run of a job ended: its Run, Exit, Counts, Problem, Retry, IsTold
	// and EndedAt. It may be called again, as when people were told. relocate is where the
	// run's file and reports will lie, nil where they stay: the caller moves Folder there
	// afterwards, which can be repeated.
	EndJobRun(ctx context.Context, r importer.JobRun, relocate *importer.Relocation) error
	// JobRuns returns the newest runs of a job, or of every job for "", the newest first; most
	// is how many at most, 0 for all.
	JobRuns(ctx context.Context, job string, most int) ([]importer.JobRun, error)
}

// Run is one run's handle. One goroutine may claim while another records and others read.
type Run interface {
	importer.PlanStore
	importer.Queue

	// Info returns the run as the journal knows it.
	Info() importer.RunInfo
	// SetLineEnded says, before the plan is complete, whether the last line of the file has a
	// line end. Seal stores it.
	SetLineEnded(isEnded bool)
	// SetLeavers says, before the plan is complete, whom it takes for leavers. Seal stores it.
	SetLeavers(leavers *importer.Leavers)
	// Seal completes the plan: the run is held, for the given reasons, or is to be pushed. The
	// plan is on the disk when it returns.
	Seal(ctx context.Context, state importer.RunState, rows int, held []string) error
	// Discard deletes a run whose plan is not complete.
	Discard(ctx context.Context) error

	// Start resumes a run that is held or stopped. Every row without an outcome, and every row
	// whose outcome says that it is to be retried, is pending again. It reads the whole run
	// first and refuses one of which anything is missing.
	Start(ctx context.Context) error
	// Work calls push, which pushes what it can claim, and returns when nothing of the run is
	// left to be pushed, in nobody's hands, or with push's error. Where several processes may
	// work on a run, push is called again when rows come back from others; its context ends when
	// others may have taken over what this process holds.
	Work(ctx context.Context, push func(ctx context.Context) error) error
	// Stop ends a run early, so that it can be resumed later. Rows that were claimed and have
	// no outcome are recorded as unknown.
	Stop(ctx context.Context) error
	// Finish ends a run in which the outcome of every pending row is known, and deletes the
	// payloads. While there are rows that were not sent, or may have been, it returns an error
	// and the run stays as it is.
	Finish(ctx context.Context, at time.Time) error

	// Results yields one line a row, in row order: the plan, or the outcome of the push. It
	// shows one state of the run, even if more is recorded meanwhile. An error comes last: the
	// lines before it are right, but not complete.
	Results(ctx context.Context) iter.Seq2[importer.Result, error]
	// Counts returns the number of rows by status, as Results would show them, and the number
	// of requests sent for them.
	Counts(ctx context.Context) (counts importer.Counts, attempts int, err error)
}
