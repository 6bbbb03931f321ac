package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

var (
	_ journal.Journal = (*Journal)(nil)
	_ journal.Run     = (*Run)(nil)
)

// Run is one run's handle. One goroutine may claim while another records and
// others read.
type Run struct {
	journal *Journal
	id      int64

	mu           sync.Mutex
	record       runRecord
	building     format.ChunkBuilder // appended rows that are not stored yet
	complete     []plannedChunk      // of appended rows, likewise
	payloadsSize int64               // bytes in the payload file
	lastRow      int                 // the last that was appended
	queue        []int64             // chunks with pending rows, in order
	round        int                 // whose rows are claimed
	later        map[int][]int64     // by round: chunks with pending rows of later rounds, in order
	ready        []importer.Job
	loading      *format.Chunk // its memory is reused
	counted      openRows
}

// openRows is how many rows a reader of all results found that were not sent, or may
// have been.
type openRows struct {
	rows int
	asOf *runRecord // the run as it was then; nil when nobody has read all
}

// in reports whether these are the rows of the run as the record has it.
func (o *openRows) in(record *runRecord) bool {
	return o.asOf != nil && o.asOf.Tally == record.Tally && o.asOf.claimed == record.claimed
}

// Begin stores a new run, in the state planning. The journal sets its number,
// state, rows, reasons for being held, and finishing time. As its plan, it is only sure
// to last once the plan is sealed.
func (j *Journal) Begin(ctx context.Context, run importer.RunInfo) (journal.Run, error) {
	r, err := j.begin(ctx, run)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (j *Journal) begin(ctx context.Context, run importer.RunInfo) (*Run, error) {
	run.ID, run.State, run.Rows, run.Held, run.FinishedAt = 0, importer.RunPlanning, 0, nil, time.Time{}
	run.StartedAt = format.TimeOf(format.MicroOf(run.StartedAt)) // as it will be read again
	r := &Run{journal: j, record: runRecord{RunInfo: run}, later: map[int][]int64{}}
	err := j.update(ctx, "begin a run in the journal", relaxed, func(tx *sql.Tx) error {
		return j.insert(ctx, tx, &r.record)
	})
	if err != nil {
		return nil, err
	}
	r.id = r.record.ID
	return r, nil
}

// Run returns the handle of a stored run, ErrNoRun when there is none of that number.
func (j *Journal) Run(ctx context.Context, id int64) (journal.Run, error) {
	r, err := j.run(ctx, id)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (j *Journal) run(ctx context.Context, id int64) (*Run, error) {
	record, err := loadRun(ctx, j.reader, id)
	if err != nil {
		return nil, j.wrap(fmt.Sprintf("open run %d", id), err)
	}
	return &Run{journal: j, id: id, record: record}, nil
}

// Runs returns every run, the newest first.
func (j *Journal) Runs(ctx context.Context) ([]importer.RunInfo, error) {
	return j.list(ctx, "ORDER BY run.id DESC")
}

// Unfinished returns the runs of the source that can be resumed, the newest first:
// those held, stopped or being pushed.
func (j *Journal) Unfinished(ctx context.Context, target, source string) ([]importer.RunInfo, error) {
	return j.listOf(ctx, target, "AND source = ? AND state IN (?, ?, ?) ORDER BY run.id DESC",
		source, importer.RunHeld, importer.RunStopped, importer.RunPushing)
}

// listOf is list for the runs to a target; the condition begins with AND.
func (j *Journal) listOf(ctx context.Context, target, condition string, args ...any) ([]importer.RunInfo, error) {
	same, err := loadTargets(ctx, j.reader, target)
	if err != nil {
		return nil, j.wrap("list the runs", err)
	}
	return j.list(ctx, "WHERE run.target"+inTargets+condition, append([]any{same.ids()}, args...)...)
}

func (j *Journal) list(ctx context.Context, condition string, args ...any) ([]importer.RunInfo, error) {
	records, err := loadRuns(ctx, j.reader, condition, args...)
	if err != nil {
		return nil, j.wrap("list the runs", err)
	}
	runs := make([]importer.RunInfo, len(records))
	for i := range records {
		runs[i] = records[i].RunInfo
	}
	return runs, nil
}

// Info returns the run as the journal knows it.
func (r *Run) Info() importer.RunInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	info := r.record.RunInfo
	info.Held = slices.Clone(info.Held)
	return info
}

// change applies a change to a run in that state in a transaction, and keeps the
// changed record once it is stored. The caller holds r.mu.
func (r *Run) change(ctx context.Context, action string, d durability, state importer.RunState, apply func(tx *sql.Tx, record *runRecord) error) error {
	record := r.record
	err := r.journal.update(ctx, fmt.Sprintf("%s run %d", action, r.id), d, func(tx *sql.Tx) error {
		if err := record.require(state); err != nil {
			return err
		}
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

// require returns an error unless the run is in one of the states.
func (r *runRecord) require(states ...importer.RunState) error {
	return journal.RequireState(&r.RunInfo, states...)
}

// Start resumes a run that is held or stopped. Every row without an outcome, and
// every row whose outcome says that it is to be retried, is pending again. It reads
// the whole run first and refuses one of which anything is missing.
func (r *Run) Start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var record runRecord
	rounds := map[int][]int64{}
	err := r.journal.update(ctx, fmt.Sprintf("resume run %d", r.id), durable, func(tx *sql.Tx) (err error) {
		if record, err = loadRun(ctx, tx, r.id, importer.RunHeld, importer.RunStopped, importer.RunPushing); err != nil {
			return err // another process may have changed it since
		}
		err = record.project(ctx, tx, func(c *format.Chunk) error {
			for row := range c.All {
				if row.Waits() {
					format.AddToRound(rounds, row.Plan.Round, c.Number)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		record.State = importer.RunPushing
		return r.journal.save(ctx, tx, &record)
	})
	if err == nil {
		r.record, r.round, r.queue, r.ready = record, 0, rounds[0], nil
		delete(rounds, 0)
		r.later = rounds
	}
	return err
}

// Stop ends a run early, so that it can be resumed later. Rows that were claimed and
// have no outcome are recorded as unknown.
func (r *Run) Stop(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.change(ctx, "stop", durable, importer.RunPushing, func(tx *sql.Tx, record *runRecord) error {
		return r.journal.stop(ctx, tx, record)
	})
}

// stop records the rows in flight as unknown.
func (j *Journal) stop(ctx context.Context, tx *sql.Tx, record *runRecord) error {
	var lost []format.Event
	err := record.project(ctx, tx, func(c *format.Chunk) error {
		for row := range c.All {
			if row.Lost(record.claimed) {
				lost = append(lost, format.Unknown(row.Plan.Row))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	record.State = importer.RunStopped
	return j.storeEvents(ctx, tx, record, lost)
}

// Finish ends a run in which the outcome of every pending row is known, and deletes
// the payloads. While there are rows that were not sent, or may have been, it
// returns an error and the run stays as it is.
func (r *Run) Finish(ctx context.Context, at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.change(ctx, "finish", relaxed, importer.RunPushing, func(tx *sql.Tx, record *runRecord) error {
		if !r.counted.in(record) {
			counted := openRows{asOf: new(*record)}
			if err := record.eachResult(ctx, tx, func(line importer.Result) error {
				counted.rows += format.OpenRow(&line)
				return nil
			}); err != nil {
				return err
			}
			r.counted = counted
		}
		if left := r.counted.rows; left > 0 {
			return fmt.Errorf("%s still to be pushed", english.Plural(left, "row is", "rows are"))
		}
		record.State, record.FinishedAt = importer.RunFinished, format.TimeOf(format.MicroOf(at))
		return dropOlderRoster(ctx, tx, record)
	})
	if err == nil {
		err = r.journal.settle(ctx, &r.record)
	}
	if err != nil {
		return err
	}
	return r.journal.purge(r.id)
}

// settle makes sure that the run is on the disk as the record has it, by moving the log
// into the database: closing the journal does that too, with a sync of each.
func (j *Journal) settle(ctx context.Context, record *runRecord) error {
	if j.moveLog(ctx) {
		return nil
	}
	return j.update(ctx, "finish the run in the journal", durable, func(tx *sql.Tx) error { return j.save(ctx, tx, record) })
}

// moveLog moves the log into the database and syncs both, and reports whether it could:
// not while another program reads what is older. If the disk is full, closing the
// journal says so.
func (j *Journal) moveLog(ctx context.Context) bool {
	j.writing.Lock()
	defer j.writing.Unlock()
	var busy bool
	var pages, moved int
	err := j.writer.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &moved)
	return err == nil && !busy && moved == pages
}

// Discard deletes a run whose plan is not complete.
func (r *Run) Discard(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.record.require(importer.RunPlanning); err != nil {
		return err
	}
	return r.journal.delete(ctx, fmt.Sprintf("discard run %d", r.id), r.id)
}

// Supersede ends a held or stopped run for good, because another one replaces it,
// and deletes its payloads.
func (j *Journal) Supersede(ctx context.Context, id int64) error {
	err := j.update(ctx, fmt.Sprintf("supersede run %d", id), durable, func(tx *sql.Tx) error {
		record, err := loadRun(ctx, tx, id, importer.RunHeld, importer.RunStopped)
		if err != nil {
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
