package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
)

// ErrRowsLeft says that a run cannot be finished yet.
var ErrRowsLeft = errors.New("rows are still to be pushed")

// Finish ends a run in which the outcome of every pending row is known, and deletes the
// payloads. While there are rows that were not sent, or may have been, it returns ErrRowsLeft
// and the run stays as it is. That another process was first is no error.
func (r *Run) Finish(ctx context.Context, at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isEnded && r.record.State == importer.RunFinished {
		return nil
	}
	if err := r.record.require(importer.RunPushing); err != nil {
		return err
	}
	err := r.change(ctx, "finish", func(tx pgx.Tx, record *runRecord, _ bool) error {
		if record.State == importer.RunFinished {
			r.isEnded = true
			return nil
		}
		if err := record.require(importer.RunPushing); err != nil {
			return err
		}
		var left bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM opscom.chunk_state WHERE run = $1 AND rounds <> '{}')", r.id).Scan(&left); err != nil {
			return err
		}
		if left {
			return ErrRowsLeft
		}
		record.State, record.stopping, record.FinishedAt = importer.RunFinished, nil, at.UTC().Truncate(time.Microsecond)
		return record.end(ctx, tx)
	})
	if err == nil {
		r.own = nil
		r.journal.dropPayloads(ctx, r.record.night)
	}
	return err
}

// hasEnded reports whether nobody pushes the run any more that was being pushed.
func (r *runRecord) hasEnded() bool {
	return r.State == importer.RunStopped || r.State == importer.RunFinished
}

// end stores that the run is over, and that nobody can read its payloads.
func (r *runRecord) end(ctx context.Context, tx pgx.Tx) error {
	if err := r.save(ctx, tx); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "UPDATE opscom.run SET payload_key = NULL WHERE id = $1", r.ID)
	r.payloadKey = nil
	return err
}

// dropPayloads gives the space of a night's payloads back if the last of its runs is over. If
// that fails, the next run that ends does it; nobody can read them.
func (j *Journal) dropPayloads(ctx context.Context, night time.Time) {
	_, _ = j.pool.Exec(ctx, "SELECT opscom.drop_payloads($1)", night)
}

// Discard deletes a run whose plan is not complete.
func (r *Run) Discard(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.record.require(importer.RunPlanning); err != nil {
		return err
	}
	err := r.journal.update(ctx, fmt.Sprintf("discard run %d", r.id), func(tx pgx.Tx) error {
		return r.record.discard(ctx, tx)
	})
	if err == nil {
		r.journal.dropPayloads(ctx, r.record.night)
	}
	return err
}

// discard deletes the run while it is planned. Its row goes first: who stores more of the plan
// holds that.
func (r *runRecord) discard(ctx context.Context, tx pgx.Tx) error {
	tag, err := tx.Exec(ctx, "DELETE FROM opscom.run WHERE id = $1 AND state = 'planning'", r.ID)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	for _, table := range []string{"chunk", "payload", "event"} {
		if _, err := tx.Exec(ctx, "DELETE FROM opscom."+table+" WHERE night = $1 AND run = $2", r.night, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// Supersede ends a held or stopped run for good, because another one replaces it, and deletes
// its payloads.
func (j *Journal) Supersede(ctx context.Context, id int64) error {
	r := &Run{journal: j, id: id}
	err := r.change(ctx, "supersede", func(tx pgx.Tx, record *runRecord, again bool) error {
		if again && record.State == importer.RunSuperseded {
			return nil
		}
		if err := record.require(importer.RunHeld, importer.RunStopped); err != nil {
			return err
		}
		record.State = importer.RunSuperseded
		return record.end(ctx, tx)
	})
	if err == nil {
		j.dropPayloads(ctx, r.record.night)
	}
	return err
}
