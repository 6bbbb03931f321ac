package journal

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
)

// ErrNoRun says that the journal has no run of that number.
var ErrNoRun = errors.New("there is no such run; opscom-import runs lists them")

// StateError says that a run is in a state in which this cannot be done.
type StateError struct {
	Run   int64
	State importer.RunState
}

func (e *StateError) Error() string { return fmt.Sprintf("run %d is %s", e.Run, e.State) }

// RequireState returns a *StateError unless the run is in one of the states.
func RequireState(r *importer.RunInfo, states ...importer.RunState) error {
	if slices.Contains(states, r.State) {
		return nil
	}
	return &StateError{Run: r.ID, State: r.State}
}

// DamagedError says that what the journal has stored was changed or is incomplete.
type DamagedError struct {
	Dir      string // the state folder
	Database string // instead of a folder: its address
	Reason   error
}

func (e *DamagedError) Error() string {
	if e.Database != "" {
		return fmt.Sprintf("the journal at %s is damaged (%v); restore the database from a backup, "+
			"or push the file again with push --fresh: people who exist are updated, nobody is created twice", e.Database, e.Reason)
	}
	return fmt.Sprintf("the journal in %s is damaged (%v); restore a backup with \"opscom-import journal restore\", "+
		"or move it away and push again: people who exist are updated, nobody is created twice", e.Dir, e.Reason)
}

func (e *DamagedError) Unwrap() error { return e.Reason }

// BusyError says that another run to the same target is in progress.
type BusyError struct {
	Target string
	Run    int64     // 0: not known, as before it is stored
	Since  time.Time // when it was started; zero when Run is 0
	By     []string  // processes that work on it, as in "process 4711 on host"; empty: not known
}

func (e *BusyError) Error() string {
	if e.Run == 0 {
		return fmt.Sprintf("another run to %s is in progress; wait until it has ended, then run the command again", e.Target)
	}
	since := e.Since.Local().Format("2006-01-02 15:04")
	if len(e.By) == 0 {
		return fmt.Sprintf("another run to %[1]s is in progress: run %[2]d, since %[3]s; wait until \"opscom-import runs show %[2]d\" says that it has ended, "+
			"or stop it with \"opscom-import runs stop %[2]d\", then run the command again", e.Target, e.Run, since)
	}
	return fmt.Sprintf("another run to %[1]s is in progress: run %[2]d, since %[3]s, by %[4]s; wait until \"opscom-import runs show %[2]d\" says that it has ended, "+
		"or stop it with \"opscom-import runs stop %[2]d\", then run the command again", e.Target, e.Run, since, english.WordSeries(e.By, "and"))
}
