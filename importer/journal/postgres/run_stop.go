package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// Stop ends a run early for everybody, so that it can be resumed later. Others who hold rows are
// told first, and record what is in flight and give back the rest; one that is not heard of has until
// the end of its leases. Rows that were claimed and have no outcome then are unknown. That another
// process was first, or has finished the run meanwhile, is no error.
func (r *Run) Stop(ctx context.Context) error { return r.StopBecause(ctx, "") }

// StopBecause is Stop with a reason for those who did not stop it. It holds no value of a row.
func (r *Run) StopBecause(ctx context.Context, reason string) error { return r.stop(ctx, &reason) }

// StopAnnounced stops a run that another process is about to stop: that one may have died. If
// the run was stopped meanwhile, even if it was resumed since, nothing is changed.
func (r *Run) StopAnnounced(ctx context.Context) error { return r.stop(ctx, nil) }

func (r *Run) stop(ctx context.Context, reason *string) error {
	isStopping, err := r.announceStop(ctx, reason)
	if err == nil && isStopping {
		err = r.awaitHolders(ctx)
	}
	if err != nil || !isStopping {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	err = r.change(ctx, "stop", func(tx pgx.Tx, record *runRecord, _ bool) error {
		if record.stopping == nil { // another process was first
			return nil
		}
		return r.journal.stop(ctx, tx, record)
	})
	if err == nil {
		r.own = nil
	}
	return err
}

// announceStop tells everybody that the run is about to be stopped, if there is a reason and
// nobody else has ended the run, and reports whether it is about to be. Then this process holds
// nothing of it any more.
func (r *Run) announceStop(ctx context.Context, reason *string) (isStopping bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isEnded && r.record.hasEnded() {
		return false, nil
	}
	if err := r.record.require(importer.RunPushing); err != nil {
		return false, err
	}
	err = r.change(ctx, "stop", func(tx pgx.Tx, record *runRecord, _ bool) error {
		if record.hasEnded() || record.stopping != nil || reason == nil {
			return nil
		}
		if err := record.require(importer.RunPushing); err != nil {
			return err
		}
		record.stopping = reason
		return record.save(ctx, tx)
	})
	if err != nil {
		return false, err
	}
	r.isEnded = r.record.hasEnded()
	if r.record.stopping == nil {
		return false, nil
	}
	if r.own != nil {
		_ = r.own.leases.giveBack(ctx, r.own.all()) // otherwise they end by themselves
	}
	return true, nil
}

// awaitHolders waits until nobody holds rows of the run, which is about to be stopped. A process that awaits an
// answer renews its leases until that has come; those of a process that has died end by themselves.
func (r *Run) awaitHolders(ctx context.Context) error {
	for answered := time.Now(); ; {
		record, _, held, err := r.look(ctx)
		switch {
		case err == nil && (!held || record.isMoved || record.stopping == nil):
			return nil
		case err == nil:
			answered = time.Now()
		case ctx.Err() != nil || !IsTransient(err) || time.Since(answered) > r.journal.term:
			return err
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stop ends every lease on the run, and records the rows in flight as unknown. When it is
// committed, nobody can record any more.
func (j *Journal) stop(ctx context.Context, tx pgx.Tx, record *runRecord) error {
	if err := record.require(importer.RunPushing); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `UPDATE opscom.chunk_state SET epoch = epoch + 1, lease_until = NULL WHERE run = $1
		RETURNING CASE WHEN rounds <> '{}' AND (claimed > 0 OR $2) THEN chunk END`, record.ID, record.isMoved)
	if err != nil {
		return err
	}
	suspects, err := pgx.CollectRows(rows, pgx.RowTo[*int])
	if err != nil {
		return err
	}
	suspects = slices.DeleteFunc(suspects, func(chunk *int) bool { return chunk == nil })
	for some := range slices.Chunk(suspects, readBatch) {
		if err := j.recordLost(ctx, tx, record, some); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "UPDATE opscom.chunk_state SET rounds = '{}' WHERE run = $1 AND rounds <> '{}'", record.ID); err != nil {
		return err
	}
	if record.stopping != nil {
		record.reason = *record.stopping
	}
	record.State, record.stopping = importer.RunStopped, nil
	return record.save(ctx, tx)
}

// recordLost records the rows of some chunks that were claimed and have no outcome as unknown.
func (j *Journal) recordLost(ctx context.Context, tx pgx.Tx, record *runRecord, chunks []*int) error {
	rows, err := tx.Query(ctx, selectChunks+"c.chunk = ANY($3)", record.night, record.ID, chunks)
	if err != nil {
		return err
	}
	stored, err := pgx.CollectRows(rows, scanChunk)
	if err != nil {
		return err
	}
	var lost []format.Event
	known := map[int64]int{}
	assembler := format.Assembler{Run: record.ID, Chunk: new(format.Chunk)}
	for i := range stored {
		s := &stored[i]
		known[int64(s.number)] = s.known
		err := j.assemble(&assembler, s, func() error {
			for row := range assembler.Chunk.All {
				if row.Lost(record.claimed(s)) {
					lost = append(lost, format.Unknown(row.Plan.Row))
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return format.PackEvents(lost, func(chunk int64, data []byte) error {
		seq := known[chunk] + 1
		if _, err := tx.Exec(ctx, "UPDATE opscom.chunk_state SET events = $3 WHERE run = $1 AND chunk = $2", record.ID, chunk, seq); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO opscom.event (night, run, chunk, seq, data) VALUES ($1, $2, $3, $4, $5)",
			record.night, record.ID, chunk, seq, j.sealEvents(record.ID, chunk, seq, data))
		return err
	})
}
