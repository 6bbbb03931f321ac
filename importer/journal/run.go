package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"opscom-import/importer"
)

// Run is one run's handle. One goroutine may claim while another records and
// others read.
type Run struct {
	journal *Journal
	id      int64

	mu           sync.Mutex
	record       runRecord
	building     sliceBuilder // rows appended that are not stored yet
	payloadsSize int64        // bytes in the payload file
	lastRow      int          // the last that was appended
	queue        []int64      // slices with rows that wait, in order
	ready        []importer.Job
	loading      *slice // its memory is used again
}

// Begin stores a new run, in the state planning; its number, state, rows, reasons
// and finishing time are the journal's to give.
func (j *Journal) Begin(ctx context.Context, run importer.Run) (*Run, error) {
	run.ID, run.State, run.Rows, run.Held, run.FinishedAt = 0, importer.RunPlanning, 0, nil, time.Time{}
	run.StartedAt = timeOf(microOf(run.StartedAt)) // as it will be read again
	r := &Run{journal: j, record: runRecord{Run: run}}
	err := j.update(ctx, "begin a run in the journal", durable, func(tx *sql.Tx) error {
		return j.insert(ctx, tx, &r.record)
	})
	if err != nil {
		return nil, err
	}
	r.id = r.record.ID
	return r, nil
}

// Run returns the handle of a stored run, ErrNoRun when there is none of that number.
func (j *Journal) Run(ctx context.Context, id int64) (*Run, error) {
	record, err := loadRun(ctx, j.reader, id)
	if err != nil {
		return nil, j.wrap(fmt.Sprintf("open run %d", id), err)
	}
	return &Run{journal: j, id: id, record: record}, nil
}

// Runs returns every run, the newest first.
func (j *Journal) Runs(ctx context.Context) ([]importer.Run, error) {
	return j.list(ctx, "ORDER BY run.id DESC")
}

// Unfinished returns the runs of the source that can go on, the newest first:
// those held, stopped or being pushed.
func (j *Journal) Unfinished(ctx context.Context, target, source string) ([]importer.Run, error) {
	return j.list(ctx, "WHERE target.name = ? AND source = ? AND state IN (?, ?, ?) ORDER BY run.id DESC",
		target, source, importer.RunHeld, importer.RunStopped, importer.RunPushing)
}

// Last returns the newest run of the source that was let through: one that a
// safety limit held, and that nobody approved, says nothing about what the source
// should look like.
func (j *Journal) Last(ctx context.Context, target, source string) (run importer.Run, ok bool, err error) {
	runs, err := j.list(ctx, `WHERE target.name = ? AND source = ? AND
		(state IN (?, ?, ?) OR state = ? AND held IN ('null', '[]')) ORDER BY run.id DESC LIMIT 1`,
		target, source, importer.RunPushing, importer.RunStopped, importer.RunFinished, importer.RunSuperseded)
	if err != nil || len(runs) == 0 {
		return importer.Run{}, false, err
	}
	return runs[0], true, nil
}

func (j *Journal) list(ctx context.Context, condition string, args ...any) ([]importer.Run, error) {
	records, err := loadRuns(ctx, j.reader, condition, args...)
	if err != nil {
		return nil, j.wrap("list the runs", err)
	}
	runs := make([]importer.Run, len(records))
	for i := range records {
		runs[i] = records[i].Run
	}
	return runs, nil
}

// Info returns the run as the journal knows it.
func (r *Run) Info() importer.Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	info := r.record.Run
	info.Held = slices.Clone(info.Held)
	return info
}

// change runs a change of the run in a transaction, and keeps the changed record
// once it is stored. The caller holds r.mu.
func (r *Run) change(ctx context.Context, action string, d durability, apply func(tx *sql.Tx, record *runRecord) error) error {
	record := r.record
	err := r.journal.update(ctx, action, d, func(tx *sql.Tx) error {
		if err := apply(tx, &record); err != nil {
			return err
		}
		return r.journal.save(ctx, tx, &record)
	})
	if err == nil {
		r.record = record
	}
	return err
}

// require is an error unless the run is in one of the states.
func (r *runRecord) require(want string, states ...importer.RunState) error {
	if slices.Contains(states, r.State) {
		return nil
	}
	return &StateError{Run: r.ID, State: r.State, Want: want}
}

// Start goes on with a run that is held or stopped. Every row without an outcome,
// and every row whose outcome is open, waits again. It reads the whole run first
// and refuses one of which anything is missing.
func (r *Run) Start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var queue []int64
	err := r.change(ctx, fmt.Sprintf("go on with run %d", r.id), durable, func(tx *sql.Tx, record *runRecord) (err error) {
		if *record, err = loadRun(ctx, tx, r.id); err != nil {
			return err // another process may have changed it since
		}
		if err := record.require("go on with it", importer.RunHeld, importer.RunStopped, importer.RunPushing); err != nil {
			return err
		}
		record.State = importer.RunPushing
		return record.project(ctx, tx, func(s *slice) error {
			if slices.ContainsFunc(s.rows, func(row rowState) bool { return row.waits() }) {
				queue = append(queue, s.number)
			}
			return nil
		})
	})
	if err == nil {
		r.queue, r.ready = queue, nil
	}
	return err
}

// Stop ends a run early, so that it can go on later. Rows that were claimed and
// have no outcome are recorded as unknown.
func (r *Run) Stop(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.change(ctx, fmt.Sprintf("stop run %d", r.id), durable, func(tx *sql.Tx, record *runRecord) error {
		if err := record.require("stop it", importer.RunPushing); err != nil {
			return err
		}
		return r.journal.stop(ctx, tx, record)
	})
}

// stop puts on record that nobody knows what became of the rows in flight.
func (j *Journal) stop(ctx context.Context, tx *sql.Tx, record *runRecord) error {
	var lost []verdict
	err := record.project(ctx, tx, func(s *slice) error {
		for i := range s.rows {
			if row := &s.rows[i]; row.lost(record.claimed) {
				lost = append(lost, unknown(row.plan.Row))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	record.State = importer.RunStopped
	return j.storeVerdicts(ctx, tx, record, lost)
}

// unknown is the verdict on a row that may have been sent.
func unknown(row int) verdict {
	return verdict{Outcome: importer.Outcome{Row: row, Status: importer.StatusUnknown, Open: true}}
}

// Finish ends a run of whose every pending row it is known what became of it, and
// deletes the payloads. When there are rows that were not sent, or may have been,
// it is an error and the run goes on being pushed.
func (r *Run) Finish(ctx context.Context, at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.change(ctx, fmt.Sprintf("finish run %d", r.id), durable, func(tx *sql.Tx, record *runRecord) error {
		if err := record.require("finish it", importer.RunPushing); err != nil {
			return err
		}
		counts, _, err := record.counts(ctx, tx)
		if err != nil {
			return err
		}
		if left := counts[importer.StatusNotSent] + counts[importer.StatusUnknown]; left > 0 {
			return fmt.Errorf("%d rows still wait to be pushed", left)
		}
		record.State, record.FinishedAt = importer.RunFinished, timeOf(microOf(at))
		return nil
	})
	if err != nil {
		return err
	}
	return r.journal.purge(r.id)
}

// Discard deletes a run whose plan is not complete.
func (r *Run) Discard(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.record.require("discard it", importer.RunPlanning); err != nil {
		return err
	}
	err := r.journal.update(ctx, fmt.Sprintf("discard run %d", r.id), durable, func(tx *sql.Tx) error {
		return deleteRun(ctx, tx, r.id)
	})
	return errors.Join(err, r.journal.purge(r.id))
}

// Supersede ends a held or stopped run for good, because another one takes its
// place, and deletes its payloads.
func (j *Journal) Supersede(ctx context.Context, id int64) error {
	err := j.update(ctx, fmt.Sprintf("supersede run %d", id), durable, func(tx *sql.Tx) error {
		record, err := loadRun(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := record.require("put another in its place", importer.RunHeld, importer.RunStopped); err != nil {
			return err
		}
		record.State = importer.RunSuperseded
		return j.save(ctx, tx, &record)
	})
	if err != nil {
		return err
	}
	return j.purge(id)
}

// purge deletes the payloads of a run.
func (j *Journal) purge(id int64) error {
	return j.wrap(fmt.Sprintf("delete the payloads of run %d", id), j.payloadFile(id).remove())
}
