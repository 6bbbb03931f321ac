package postgres

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/importer/journal/postgres/pgtest"
)

const (
	someTarget = "OC_TEST at https://ops.example"
	someSource = "/data/students.csv"
)

var someTime = time.Date(2026, 11, 30, 2, 30, 0, 123_456_000, time.UTC)

// newJournal returns the journal of a new database.
func newJournal(t testing.TB) *Journal {
	t.Helper()
	url := pgtest.Shared(t).NewDatabase(t)
	_, err := Migrate(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return openJournal(t, url)
}

func openJournal(t testing.TB, url string) *Journal {
	t.Helper()
	j, err := Open(t.Context(), url, Options{Keys: testKeys(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func keyOf(id string) importer.Digest { return importer.NewDigester([]byte("salt")).Key("sis", id) }

// person is a planned row; its key follows from its number.
func somePerson(row int) importer.PlannedRow {
	id := fmt.Sprintf("id-%d", row)
	return importer.PlannedRow{Row: row, Status: importer.StatusPending, Key: keyOf(id), Hash: keyOf("hash of " + id), UniqueID: id, LoginSource: "sis"}
}

func somePeople(first, last int) (rows []importer.PlannedRow) {
	for row := first; row <= last; row++ {
		rows = append(rows, somePerson(row))
	}
	return rows
}

// storedRun is a run that a test has stored, without the code that stores runs.
type storedRun struct {
	*Journal
	id     int64
	night  time.Time
	events map[int64]int
}

// store stores a run with a plan, in a state.
func storeRun(t testing.TB, j *Journal, info importer.RunInfo, rows []importer.PlannedRow) *storedRun {
	t.Helper()
	r := &storedRun{Journal: j, night: info.StartedAt.Truncate(24 * time.Hour), events: map[int64]int{}}
	must(t, j.update(t.Context(), "store", func(tx pgx.Tx) error {
		target, err := ensureTarget(t.Context(), tx, info.Target)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(t.Context(), "SELECT opscom.ensure_night($1)", r.night); err != nil {
			return err
		}
		if err := tx.QueryRow(t.Context(), `INSERT INTO opscom.run (night, target, client, source, file_hash, mapping_hash, state, started_at, timeline, folded)
			VALUES ($1, $2, '', $3, $4, '', 'held', $5, opscom.timeline(), false) RETURNING id`, r.night, target, info.Source, info.FileHash, info.StartedAt).Scan(&r.id); err != nil {
			return err
		}
		chunks, err := r.storePlan(t.Context(), tx, rows)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(t.Context(), "UPDATE opscom.run SET chunks = $2, planned = $3 WHERE id = $1", r.id, chunks, len(rows)); err != nil {
			return err
		}
		info.ID, info.Rows = r.id, len(rows)
		return (&runRecord{RunInfo: info}).save(t.Context(), tx)
	}))
	return r
}

func (r *storedRun) storePlan(ctx context.Context, tx pgx.Tx, rows []importer.PlannedRow) (chunks int, err error) {
	var b format.ChunkBuilder
	var plans, states [][]any
	complete := func() error {
		if b.Rows > 0 {
			plan := format.Seal(b.Plan, r.id, b.Number, 0, 0)
			plans = append(plans, []any{r.night, r.id, b.Number, r.keys.Seal(nil, plan, r.id, b.Number, placeOfPlan)})
			states = append(states, []any{r.id, b.Number, math.MaxInt32})
		}
		return nil
	}
	for i := range rows {
		if err := b.Add(&rows[i], complete); err != nil {
			return 0, err
		}
	}
	if err := complete(); err != nil {
		return 0, err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{schema, "chunk"}, []string{"night", "run", "chunk", "data"}, pgx.CopyFromRows(plans)); err != nil {
		return 0, err
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{schema, "chunk_state"}, []string{"run", "chunk", "claimed"}, pgx.CopyFromRows(states))
	return len(plans), err
}

// record stores outcomes, as a lane of the run would.
func (r *storedRun) record(t testing.TB, q querier, outcomes ...importer.Outcome) {
	t.Helper()
	events := make([]format.Event, len(outcomes))
	for i := range outcomes {
		events[i].Outcome = outcomes[i]
	}
	must(t, format.PackEvents(events, func(chunk int64, data []byte) error {
		r.events[chunk]++
		seq := r.events[chunk]
		data = format.Seal(append([]byte(nil), data...), r.id, chunk, int64(seq))
		_, err := q.Exec(t.Context(), `WITH s AS (UPDATE opscom.chunk_state SET events = events + 1 WHERE run = $2 AND chunk = $3)
			INSERT INTO opscom.event (night, run, chunk, seq, data) VALUES ($1, $2, $3, $4, $5)`,
			r.night, r.id, chunk, seq, r.keys.Seal(nil, data, r.id, chunk, int64(seq)))
		return err
	}))
}

// become brings the run into a state, as the process that does it leaves it.
func (r *storedRun) become(t testing.TB, state importer.RunState) {
	t.Helper()
	_, err := r.pool.Exec(t.Context(), `UPDATE opscom.run SET state = $2, folded = folded AND $2 <> 'pushing', finished_at = CASE $2 WHEN 'finished' THEN started_at + interval '1 hour' END
		WHERE id = $1`, r.id, state)
	must(t, err)
}

func someRun(state importer.RunState) importer.RunInfo {
	return importer.RunInfo{Target: someTarget, Source: someSource, FileHash: "f1", State: state, StartedAt: someTime}
}

func pushedAs(row int, reference string) importer.Outcome {
	return importer.Outcome{Row: row, Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: reference, Attempts: 1}, FinishedAt: someTime}
}

func endedAs(row int, status importer.Status, attempts int) importer.Outcome {
	return importer.Outcome{Row: row, Answer: importer.Answer{Status: status, Attempts: attempts}, FinishedAt: someTime}
}
