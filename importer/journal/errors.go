package journal

import (
	"errors"
	"fmt"
	"slices"

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
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("another run to %s is in progress; wait until it has ended, then run the command again", e.Target)
}
