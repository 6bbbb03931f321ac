package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/importer/journal/postgres/keyring"
)

var _ journal.Run = (*Run)(nil)

// Run is one run's handle, an importer.Queue of this process. One goroutine may claim while
// another records and others read. Other processes may work on the run at the same time.
type Run struct {
	journal *Journal
	id      int64

	mu       sync.Mutex
	record   runRecord
	payloads *keyring.Ring // nil: the run is over
	plan     plan          // while it is made
	own      *Lane         // of this process; nil until rows are claimed
	isEnded  bool          // by another process, while this one worked on it
}

// Begin stores a new run, in the state planning. The journal sets its number, state, rows,
// reasons for being held, and finishing time. While another run to the target is planned or
// pushed, the error is a *BusyError.
func (j *Journal) Begin(ctx context.Context, run importer.RunInfo) (journal.Run, error) {
	const action = "begin a run in the journal"
	r := &Run{journal: j, record: runRecord{RunInfo: run}}
	record := &r.record
	record.State, record.Rows, record.Held, record.FinishedAt = importer.RunPlanning, 0, nil, time.Time{}
	record.Target = importer.SameTarget(run.Target)
	record.StartedAt = run.StartedAt.UTC().Truncate(time.Microsecond)
	if err := j.followTimeline(ctx); err != nil {
		return nil, err
	}
	// Committed by itself: partitions are made once a night, and nobody has to wait for this run.
	err := j.pool.QueryRow(ctx, `SELECT d FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS d) AS today, LATERAL opscom.ensure_night(d)`).Scan(&record.night)
	if err != nil {
		return nil, j.failed(action, err)
	}
	err = j.update(ctx, action, func(tx pgx.Tx) (err error) {
		if record.target, err = ensureTarget(ctx, tx, record.Target); err != nil {
			return err
		}
		return r.insert(ctx, tx)
	})
	if isBusy(err) {
		return nil, j.busy(ctx, run.Target)
	}
	if err != nil {
		return nil, err
	}
	r.id = record.ID
	return r, nil
}

// isBusy reports whether an error says that another run to the target is in progress.
func isBusy(err error) bool {
	pg := new(pgconn.PgError)
	return errors.As(err, &pg) && pg.ConstraintName == "run_one_a_target"
}

// insert stores the new run, and gives it its number and the key of its payloads.
func (r *Run) insert(ctx context.Context, tx pgx.Tx) error {
	record := &r.record
	err := tx.QueryRow(ctx, `INSERT INTO opscom.run (night, target, client, source, file_hash, mapping_hash, state, started_at, timeline)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, opscom.timeline()) RETURNING id, timeline`,
		record.night, record.target, record.Client, format.PathText(record.Source), record.FileHash, record.MappingHash, record.State, record.StartedAt).Scan(&record.ID, &record.timeline)
	if err != nil {
		return err
	}
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	text := "run " + hex.EncodeToString(secret)
	if r.payloads, err = keyring.Parse(text); err != nil {
		return err
	}
	record.payloadKey = r.journal.keys.Seal(nil, []byte(text), record.ID)
	if _, err := tx.Exec(ctx, "UPDATE opscom.run SET payload_key = $2 WHERE id = $1", record.ID, record.payloadKey); err != nil {
		return err
	}
	return record.save(ctx, tx)
}

// Run returns the handle of a stored run, ErrNoRun when there is none of that number. It is a
// *Run.
func (j *Journal) Run(ctx context.Context, id int64) (journal.Run, error) {
	r := &Run{journal: j, id: id}
	record, err := loadRun(ctx, j.pool, id)
	if err == nil {
		err = r.know(record)
	}
	if err != nil {
		return nil, j.failed(fmt.Sprintf("open run %d", id), err)
	}
	return r, nil
}

// know keeps the run as it is stored now.
func (r *Run) know(record runRecord) error {
	r.record, r.payloads = record, nil
	if record.payloadKey == nil {
		return nil
	}
	text, err := r.journal.keys.Open(record.payloadKey, r.id)
	if err != nil {
		return err
	}
	r.payloads, err = keyring.Parse(string(text))
	return err
}

// Runs returns every run, the newest first.
func (j *Journal) Runs(ctx context.Context) ([]importer.RunInfo, error) {
	return j.list(ctx, "ORDER BY run.id DESC")
}

// Unfinished returns the runs of the source that can be resumed, the newest first: those
// held, stopped or being pushed.
func (j *Journal) Unfinished(ctx context.Context, target, source string) ([]importer.RunInfo, error) {
	return j.list(ctx, "WHERE target.name = $1 AND run.source = $2 AND run.state IN ('held', 'stopped', 'pushing') ORDER BY run.id DESC",
		importer.SameTarget(target), format.PathText(source))
}

func (j *Journal) list(ctx context.Context, condition string, args ...any) ([]importer.RunInfo, error) {
	records, err := loadRuns(ctx, j.pool, condition, args...)
	if err != nil {
		return nil, j.failed("list the runs", err)
	}
	runs := make([]importer.RunInfo, len(records))
	for i := range records {
		runs[i] = records[i].RunInfo
	}
	return runs, nil
}

// Info returns the run as this process knows it.
func (r *Run) Info() importer.RunInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	info := r.record.RunInfo
	info.Held = slices.Clone(info.Held)
	return info
}

// Reason returns why the run was stopped, or is about to be, for a person; "" if nobody said.
func (r *Run) Reason() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.record.stopping != nil {
		return *r.record.stopping
	}
	return r.record.reason
}

// change applies a change to the run as it is stored, and keeps it. Meanwhile nobody else
// changes the run; leases, claims and records go on. The change is repeated while the database
// is away; again says that it may have been made. The caller holds r.mu.
func (r *Run) change(ctx context.Context, action string, apply func(tx pgx.Tx, record *runRecord, again bool) error) error {
	var record runRecord
	err := r.journal.insist(ctx, fmt.Sprintf("%s run %d", action, r.id), func(tx pgx.Tx, again bool) (err error) {
		if _, err = tx.Exec(ctx, "SELECT FROM opscom.run WHERE id = $1 FOR UPDATE", r.id); err != nil {
			return err
		}
		if record, err = loadRun(ctx, tx, r.id); err != nil {
			return err
		}
		return apply(tx, &record, again)
	})
	if err != nil {
		return err
	}
	return r.know(record)
}

// Results yields one line a row, in row order: the plan, or the outcome of the push. It shows
// one state of the run, even if more is recorded meanwhile. An error comes last: the lines
// before it are right, but not complete.
func (r *Run) Results(ctx context.Context) iter.Seq2[importer.Result, error] {
	return format.Sequence(func(visit func(importer.Result) error) error {
		return r.eachResult(ctx, fmt.Sprintf("read the results of run %d", r.id), visit)
	})
}

// Counts returns the number of rows by status, as Results would show them, and the number of
// requests sent for them.
func (r *Run) Counts(ctx context.Context) (counts importer.Counts, attempts int, err error) {
	return format.Count(func(visit func(importer.Result) error) error {
		return r.eachResult(ctx, fmt.Sprintf("count the rows of run %d", r.id), visit)
	})
}

func (r *Run) eachResult(ctx context.Context, action string, visit func(importer.Result) error) error {
	return r.journal.view(ctx, action, func(tx pgx.Tx) error {
		record, err := loadRun(ctx, tx, r.id)
		if err != nil {
			return err
		}
		return r.journal.eachResult(ctx, tx, &record, visit)
	})
}
