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
	// EachChunk calls visit with a run that is not forgotten and each chunk of it, in row order,
	// and the row up to which the chunk's pending rows may have been sent, in one state of the
	// journal. An error says that the action, such as "read the people of", could not be done.
	EachChunk(ctx context.Context, action string, run int64, visit func(r *importer.RunInfo, c *format.Chunk, claimed int) error) error
	// Salt returns the key of the journal's digests.
	Salt() []byte
	Acceptances() *Acceptances
	// Wrap adds what could not be done to an error, and what to do next.
	Wrap(action string, err error) error
}

// Earlier answers what [EarlierRuns] asks from what a journal stores. Journals embed it.
type Earlier struct{ history History }

// NewEarlier returns the answers from what h has.
func NewEarlier(h History) Earlier { return Earlier{h} }

// Last returns the newest run of the source, or of one whose path differs only in its dates,
// that has rows and that no safety limit held, or somebody approved.
func (e Earlier) Last(ctx context.Context, target, source string) (run importer.RunInfo, ok bool, err error) {
	past, err := e.history.PastOf(ctx, target)
	if err == nil {
		run, ok = past.last(source)
	}
	return run, ok, err
}

// WasRestoredSince reports whether the journal was restored from a backup, or its database was
// failed over, after a run to the target had begun.
func (e Earlier) WasRestoredSince(ctx context.Context, target string, run int64) (bool, error) {
	past, err := e.history.PastOf(ctx, target)
	_, restored := past.complete()
	return err == nil && run <= restored, err
}
