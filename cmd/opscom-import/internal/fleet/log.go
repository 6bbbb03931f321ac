package fleet

import (
	"context"
	"log/slog"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// quiet lets River's own messages be heard only by those who look for causes: what matters of
// them is said once, and in words of this program.
type quiet struct{ slog.Handler }

// Enabled is of slog.Handler.
func (q quiet) Enabled(ctx context.Context, _ slog.Level) bool {
	return q.Handler.Enabled(ctx, slog.LevelDebug)
}

// Handle is of slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return q.Handler.Handle(ctx, r)
}

// WithAttrs is of slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup is of slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }

// panics says where a job went wrong in a way that nobody thought of.
type panics struct{ log *slog.Logger }

// HandleError is of river.ErrorHandler: who returned the error has said it.
func (panics) HandleError(context.Context, *rivertype.JobRow, error) *river.ErrorHandlerResult {
	return nil
}

// HandlePanic is of river.ErrorHandler.
func (p panics) HandlePanic(_ context.Context, job *rivertype.JobRow, _ any, trace string) *river.ErrorHandlerResult {
	p.log.Error("a job has ended in a panic: it is tried again", "kind", job.Kind, "job", job.ID, "trace", trace)
	return nil
}
