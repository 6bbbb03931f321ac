package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// Start resumes a run that is held or stopped. Every row without an outcome, and every row
// whose outcome says that it is to be retried, is pending again. It reads the whole run first
// and refuses one of which anything is missing. Who holds rows of it holds them no more.
func (r *Run) Start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.change(ctx, "resume", func(tx pgx.Tx, record *runRecord, again bool) error {
		if again && record.State == importer.RunFinished {
			record.State = importer.RunPushing // others have pushed it since, which shows when it is looked at
			return nil
		}
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
