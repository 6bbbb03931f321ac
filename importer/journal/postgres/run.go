package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
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

// ErrRowsLeft says that a run cannot be finished yet.
var ErrRowsLeft = errors.New("rows are still to be pushed")

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

// Start resumes a run that is held or stopped. Every row without an outcome, and every row
// whose outcome says that it is to be retried, is pending again. It reads the whole run first
// and refuses one of which anything is missing. Who holds rows of it holds them no more.
func (r *Run) Start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.change(ctx, "resume", func(tx pgx.Tx, record *runRecord, _ bool) error {
		if err := record.require(importer.RunHeld, importer.RunStopped, importer.RunPushing); err != nil {
			return err
		}
		claimed, epochs := 0, 1
		if record.isMoved {
			claimed, epochs = format.Everything, epochsOfTimeline
		}
		if _, err := tx.Exec(ctx, `UPDATE opscom.chunk_state SET epoch = epoch + $2, claimed = greatest(claimed, $3), resumed = events, rounds = '{}', lease_until = NULL
			WHERE run = $1`, r.id, epochs, claimed); err != nil {
			return err
		}
		if err := r.journal.fillRounds(ctx, tx, record); err != nil {
			return err
		}
		record.State, record.reason, record.stopping = importer.RunPushing, "", nil
		return r.push(ctx, tx, record)
	})
	if isBusy(err) {
		err = r.journal.busy(ctx, r.record.Target)
	}
	if err == nil {
		r.own, r.isEnded = nil, false
	}
	return err
}

// epochsOfTimeline is by how much epochs rise when another timeline begins: more leases of a
// chunk than that are not lost with a failover.
const epochsOfTimeline = 1000

// push stores that the run may be pushed, and lets others know.
func (r *Run) push(ctx context.Context, tx pgx.Tx, record *runRecord) error {
	if err := record.save(ctx, tx); err != nil {
		return err
	}
	err := tx.QueryRow(ctx, `UPDATE opscom.run SET folded = false, timeline = opscom.timeline(), failing = '', failures = 0, has_pushed = false
		WHERE id = $1 RETURNING timeline`, r.id).Scan(&record.timeline)
	if err == nil && record.isMoved {
		err = followTimeline(ctx, tx)
	}
	if err == nil && r.journal.enqueue != nil {
		err = r.journal.enqueue(ctx, tx, record.RunInfo)
	}
	record.isMoved = false
	return err
}

// fillRounds stores which rounds wait in each chunk.
func (j *Journal) fillRounds(ctx context.Context, tx pgx.Tx, record *runRecord) error {
	waiting := map[int64][]int{}
	err := j.project(ctx, tx, record, func(c *format.Chunk, _ int) error {
		for row := range c.All {
			if row.Waits() && !slices.Contains(waiting[c.Number], row.Plan.Round) {
				waiting[c.Number] = append(waiting[c.Number], row.Plan.Round)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return storeRounds(ctx, tx, record.ID, waiting)
}

// storeRounds stores the rounds that wait in some chunks.
func storeRounds(ctx context.Context, tx pgx.Tx, run int64, waiting map[int64][]int) error {
	var chunks []int64
	var rounds []string // an array of arrays of different lengths there is not
	for chunk, some := range waiting {
		slices.Sort(some)
		chunks = append(chunks, chunk)
		rounds = append(rounds, strings.NewReplacer("[", "{", "]", "}", " ", ",").Replace(fmt.Sprint(some)))
	}
	_, err := tx.Exec(ctx, `UPDATE opscom.chunk_state s SET rounds = w.rounds::int[] FROM unnest($2::int[], $3::text[]) AS w (chunk, rounds)
		WHERE s.run = $1 AND s.chunk = w.chunk`, run, chunks, rounds)
	return err
}

// Stop ends a run early for everybody, so that it can be resumed later. Others who hold rows are
// told first, and have until the end of a lease to record what is in flight and to give back the
// rest. Rows that were claimed and have no outcome then are unknown. That another process was
// first, or has finished the run meanwhile, is no error.
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

// awaitHolders waits until nobody holds rows of the run, which is about to be stopped: at most
// as long as the leases of a process that has died last.
func (r *Run) awaitHolders(ctx context.Context) error {
	for deadline := time.Now().Add(r.journal.term); ; {
		record, _, held, err := r.look(ctx)
		switch {
		case err != nil && (ctx.Err() != nil || !IsTransient(err)):
			return err
		case err == nil && (!held || record.isMoved || record.stopping == nil), time.Now().After(deadline):
			return nil
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
	return r.journal.update(ctx, fmt.Sprintf("discard run %d", r.id), func(tx pgx.Tx) error {
		return r.record.discard(ctx, tx)
	})
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
