package journal

import (
	"context"

	"opscom-import/importer"
)

// history is what a journal stores of earlier runs.
type history interface {
	// pastOf returns what is stored of the runs to a target, in one state of the journal.
	pastOf(ctx context.Context, target string) (past, error)
	// Runs returns every run, the newest first.
	Runs(ctx context.Context) ([]importer.RunInfo, error)
	// eachPerson calls visit with the people of a run that is not forgotten.
	eachPerson(ctx context.Context, run int64, visit func(*rosterEntry) error) error
	// waitingLeavers returns a run, and the keys of the leavers whom it is still to push.
	waitingLeavers(ctx context.Context, run int64) (importer.RunInfo, []importer.Digest, error)
	Acceptances() *Acceptances
	// wrap adds what could not be done to an error, and what to do next.
	wrap(action string, err error) error
}
