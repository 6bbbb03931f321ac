package journal

import (
	"context"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// History is what a journal stores of earlier runs.
type History interface {
	// PastOf returns what is stored of the runs to a target, in one state of the journal.
	PastOf(ctx context.Context, target string) (Past, error)
	// Runs returns every run, the newest first.
	Runs(ctx context.Context) ([]importer.RunInfo, error)
	// EachPerson calls visit with the people of a run that is not forgotten.
	EachPerson(ctx context.Context, run int64, visit func(*format.Person) error) error
	// WaitingLeavers returns a run, and the keys of the leavers whom it is still to push.
	WaitingLeavers(ctx context.Context, run int64) (importer.RunInfo, []importer.Digest, error)
	Acceptances() *Acceptances
	// Wrap adds what could not be done to an error, and what to do next.
	Wrap(action string, err error) error
}
