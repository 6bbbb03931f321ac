package app

import (
	"context"
	"slices"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// countPending counts the rows that resuming a run pushes.
func countPending(ctx context.Context, run journal.Run) (int, error) {
	counts, _, err := run.Counts(ctx)
	return counts.Of(importer.KindFailed, importer.KindOpen), err
}

// findResumable returns the unfinished run of the very same file, mapping and target,
// or nil when there is none. Unfinished runs of the same source that differ cannot be
// resumed any more: it says what changed.
func (p *pusher) findResumable(ctx context.Context, t *mappedTable, hash string) (journal.Run, error) {
	unfinished, err := p.journal.Unfinished(ctx, p.target(), t.in.source)
	if err != nil {
		return nil, err
	}
	var same journal.Run
	for _, u := range unfinished {
		changed, err := p.changedSince(ctx, u, t, hash)
		if err != nil {
			return nil, err
		}
		if same != nil && changed == "" {
			changed = "a newer run of it is not finished either"
		}
		if changed == "" {
			if same, err = p.journal.Run(ctx, u.ID); err != nil {
				return nil, err
			}
			if err := p.stoppedByPerson(same); err != nil {
				return nil, err
			}
			p.notify("Resuming run %d of %s, started %s.", u.ID, t.in.shown, u.StartedAt.Local().Format("2006-01-02 15:04"))
			continue
		}
		if err := p.journal.Supersede(ctx, u.ID); err != nil {
			return nil, err
		}
		p.notify("Run %d of %s was not finished (%s), and %s: this is a new run, and run %d can no longer be resumed.",
			u.ID, t.in.shown, u.State, changed, u.ID)
	}
	return same, nil
}

// changedSince says why the unfinished run cannot be resumed, "" when it can. A held
// run can when the limits, as they are now, hold it for the same reasons: else they
// judge the file again.
func (p *pusher) changedSince(ctx context.Context, u importer.RunInfo, t *mappedTable, hash string) (string, error) {
	switch file, mapped := u.FileHash != hash, u.MappingHash != t.planHash; {
	case file && mapped:
		return "the file and its mapping or settings have changed since", nil
	case file:
		return "the file has changed since", nil
	case mapped:
		return "its mapping or settings have changed since", nil
	case p.Settings.Fresh:
		return "--fresh was given", nil
	}
	if why, err := p.outdatedLeavers(ctx, u); err != nil || why != "" || u.State != importer.RunHeld || p.Settings.Yes {
		return why, err
	}
	run, err := p.journal.Run(ctx, u.ID)
	if err != nil {
		return "", err
	}
	counts, _, err := run.Counts(ctx)
	if err != nil {
		return "", err
	}
	counts[importer.StatusPending] = counts[importer.StatusNotSent] // nothing of a held run was sent
	if u.Leavers != nil {
		counts[importer.StatusPending] -= u.Leavers.Sent
	}
	_, held, err := p.compare(ctx, p.journal, importer.Plan{Rows: u.Rows, Counts: counts, Leavers: u.Leavers}, u.Source)
	if err != nil || slices.Equal(held, slices.DeleteFunc(slices.Clone(u.Held), importer.IsCutShort)) {
		return "", err
	}
	return "the safety limits have changed since", nil
}
