package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"opscom-import/importer"
)

// Reviewed is what a person saw in an [Inspection] before agreeing to push the file. A
// push that is given it plans the file as a new run, and sends that only if it is the same:
// anything may have happened between the two, such as a push of the same people by
// another job, another list of user types, or a file that was saved.
type Reviewed struct {
	Digest string   // Inspection.Digest
	Held   []string // Inspection.Receipt.Held: these reasons are approved, and no others
}

// ChangedError says that a push would not send what the person saw. Nothing was sent, and
// no run was stored.
type ChangedError struct {
	Held []string // reasons to hold the run that were not seen; none: the rows are other ones
}

func (e *ChangedError) Error() string {
	if len(e.Held) > 0 {
		return "a safety limit holds this file now: " + e.Held[0] + "; nothing was sent"
	}
	return "other rows would be sent now than those that were shown, because the file, its people in OPS-COM or the user types have changed; nothing was sent"
}

// check returns a *ChangedError unless the plan is the one that was reviewed.
func (r *Reviewed) check(plan importer.Plan, held []string) error {
	var unseen []string
	for _, reason := range held {
		if !slices.Contains(r.Held, reason) {
			unseen = append(unseen, reason)
		}
	}
	if plan.Digest != r.Digest || len(unseen) > 0 {
		return &ChangedError{Held: unseen}
	}
	return nil
}

// replaceUnfinished supersedes the source's unfinished runs, because what was reviewed is
// a whole plan and not what is left of another.
func (p *pusher) replaceUnfinished(ctx context.Context, source string) error {
	unfinished, err := p.journal.Unfinished(ctx, p.target(), source)
	for _, u := range unfinished {
		if err = errors.Join(err, p.journal.Supersede(ctx, u.ID)); err != nil {
			return fmt.Errorf("replace run %d: %w", u.ID, err)
		}
	}
	return err
}
