package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// What the Controller last accepted follows from the outcomes of all runs to a target, in the
// order of event.id: a pushed row says what the Controller holds for its key; after one that
// failed, is unknown, or was rejected after several attempts, that is not known.
//
// It is brought up to date (folded) only when someone asks for it, or before outcomes are
// forgotten, and only while no run of the target is being pushed: the lanes of a run commit out
// of order, so that an earlier outcome may come to light after a later one. Once a run is not
// pushed any more, its outcomes are all there, and those of later pushes have higher ids. What
// is not folded is replayed in memory, as everything is for somebody who may only read.

// Acceptances returns what looks up acceptances in the journal.
func (j *Journal) Acceptances() *journal.Acceptances {
	return journal.NewAcceptances(j.holdAcceptances, j.failed)
}

// holdAcceptances reads the acceptances of a target.
func (j *Journal) holdAcceptances(ctx context.Context, name string) (held *format.Acceptances, err error) {
	if err := j.followTimeline(ctx); err != nil {
		return nil, err
	}
	if err := j.fold(ctx, name); err != nil {
		return nil, err
	}
	err = j.view(ctx, journal.LookUp, func(tx pgx.Tx) (err error) {
		held, err = j.loadHeld(ctx, tx, name)
		return err
	})
	return held, err
}

func (j *Journal) loadHeld(ctx context.Context, tx pgx.Tx, name string) (*format.Acceptances, error) {
	held := &format.Acceptances{Replayed: format.Changes{}}
	moved, err := lastMove(ctx, tx)
	if err != nil {
		return held, err
	}
	held.CertainFrom = moved.certainFrom
	t, err := loadTarget(ctx, tx, name, "")
	if err != nil || t.id == 0 {
		return held, err
	}
	stored, err := readPacked(ctx, tx, t.id)
	if err != nil {
		return nil, err
	}
	held.Stored = []*format.Packed{stored}
	r, err := j.newReplay(ctx, tx, &t)
	if err == nil {
		err = r.all(ctx, held.Replayed)
	}
	return held, err
}

// readPacked reads the acceptances of a target, and verifies them. That one is missing does not
// show; the person is then pushed again.
func readPacked(ctx context.Context, tx pgx.Tx, target int64) (*format.Packed, error) {
	rows, err := tx.Query(ctx, "SELECT key, data FROM opscom.acceptance WHERE target = $1 ORDER BY key", target)
	if err != nil {
		return nil, err
	}
	p := new(format.Packed)
	var key, data pgtype.DriverBytes
	_, err = pgx.ForEachRow(rows, []any{&key, &data}, func() error {
		if len(key) != format.KeySize {
			return format.ErrDamaged
		}
		segment := &p[key[0]]
		segment.Records = append(append(segment.Records, key...), data...)
		return nil
	})
	for first := range p {
		if err == nil {
			err = p[first].Index(byte(first))
		}
	}
	return p, err
}

const foldAction = "work out what the Controller last accepted"

// fold applies the outcomes of the target's runs that are not applied yet, if this account may,
// and none is being pushed.
func (j *Journal) fold(ctx context.Context, name string) error {
	for done := false; !done; {
		var isNeeded bool
		err := j.pool.QueryRow(ctx, `SELECT has_table_privilege('opscom.acceptance', 'DELETE') AND coalesce(bool_or(NOT r.folded) AND bool_and(r.state <> 'pushing'), false)
			FROM opscom.run r JOIN opscom.target t ON t.id = r.target WHERE t.name = $1 AND (NOT r.folded OR r.state = 'pushing')`, importer.SameTarget(name)).Scan(&isNeeded)
		if err != nil || !isNeeded {
			return j.failed(foldAction, err)
		}
		err = j.insist(ctx, foldAction, func(tx pgx.Tx, _ bool) (err error) {
			done, err = j.foldSome(ctx, tx, name)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// foldRows is about how many rows are folded in one transaction.
const foldRows = 1 << 15

// foldSome folds the next outcomes of the target, and reports whether no more can be folded. It
// locks the target, so that one process folds at a time, and the runs, so that none of them is
// resumed meanwhile; what a new one has outcomes for comes later.
func (j *Journal) foldSome(ctx context.Context, tx pgx.Tx, name string) (done bool, err error) {
	t, err := loadTarget(ctx, tx, name, " FOR NO KEY UPDATE")
	if err != nil || t.id == 0 {
		return true, err
	}
	if _, err := tx.Exec(ctx, "SELECT FROM opscom.run WHERE target = $1 AND NOT folded ORDER BY id FOR NO KEY UPDATE", t.id); err != nil {
		return false, err
	}
	var isPushing bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM opscom.run WHERE target = $1 AND state = 'pushing')", t.id).Scan(&isPushing); err != nil || isPushing {
		return true, err
	}
	r, err := j.newReplay(ctx, tx, &t)
	if err != nil {
		return false, err
	}
	changes := format.Changes{}
	for !r.done && len(changes) < foldRows {
		if err := r.next(ctx, changes); err != nil {
			return false, err
		}
	}
	if err := storeChanges(ctx, tx, t.id, changes); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, "UPDATE opscom.target SET folded = $2 WHERE id = $1", t.id, r.last); err != nil {
		return false, err
	}
	if r.done {
		_, err = tx.Exec(ctx, "UPDATE opscom.run SET folded = true WHERE id = ANY($1)", r.runs)
	}
	return r.done, err
}

// replay reads the outcomes of a target's runs that are not folded, in their order.
type replay struct {
	journal *Journal
	tx      pgx.Tx
	runs    []int64
	last    int64 // the last event that was read
	done    bool  // none follows
	chunks  map[chunkPlace]*format.Chunk
}

// chunkPlace is where a chunk is stored.
type chunkPlace struct {
	night time.Time
	run   int64
	chunk int
}

// newReplay begins after the last event that is folded.
func (j *Journal) newReplay(ctx context.Context, tx pgx.Tx, t *target) (*replay, error) {
	rows, err := tx.Query(ctx, "SELECT id, night FROM opscom.run WHERE target = $1 AND NOT folded ORDER BY id", t.id)
	if err != nil {
		return nil, err
	}
	r := &replay{journal: j, tx: tx, last: t.folded}
	var nights []time.Time
	var run int64
	var night time.Time
	_, err = pgx.ForEachRow(rows, []any{&run, &night}, func() error {
		r.runs, nights = append(r.runs, run), append(nights, night)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if r.done = len(r.runs) == 0; r.done {
		return r, nil
	}
	if err := r.checkCount(ctx, nights); err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `DECLARE outcomes NO SCROLL CURSOR FOR SELECT e.id, e.night, e.run, e.chunk, e.seq, e.data
		FROM unnest($1::bigint[], $2::date[]) AS r (run, night) JOIN opscom.event e ON e.night = r.night AND e.run = r.run
		WHERE e.night = ANY($2) AND e.id > $3 ORDER BY e.id`, r.runs, nights, r.last) // the nights as a condition spare the other partitions a lock
	return r, err
}

// checkCount returns an error unless every record of the runs is there.
func (r *replay) checkCount(ctx context.Context, nights []time.Time) error {
	var found, known int64
	err := r.tx.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM unnest($1::bigint[], $2::date[]) AS r (run, night) JOIN opscom.event e ON e.night = r.night AND e.run = r.run
			WHERE e.night = ANY($2)),
		(SELECT coalesce(sum(events), 0) FROM opscom.chunk_state WHERE run = ANY($1))`, r.runs, nights).Scan(&found, &known)
	if err == nil && found != known {
		err = fmt.Errorf("%w: %d of %d records of outcomes were found", format.ErrDamaged, found, known)
	}
	return err
}

// storedEvents is a record of events on a chunk.
type storedEvents struct {
	id    int64
	place chunkPlace
	seq   int64
	data  []byte
}

// all adds the changes by all outcomes.
func (r *replay) all(ctx context.Context, changes format.Changes) error {
	for !r.done {
		if err := r.next(ctx, changes); err != nil {
			return err
		}
	}
	return nil
}

// fetchEvents is how many records are fetched at a time.
const fetchEvents = 1024

// next adds the changes by the next outcomes, and notes the last of them.
func (r *replay) next(ctx context.Context, changes format.Changes) error {
	rows, err := r.tx.Query(ctx, fmt.Sprintf("FETCH %d FROM outcomes", fetchEvents))
	if err != nil {
		return err
	}
	fetched, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e storedEvents, err error) {
		return e, row.Scan(&e.id, &e.place.night, &e.place.run, &e.place.chunk, &e.seq, &e.data)
	})
	if err != nil {
		return err
	}
	for rest := fetched; len(rest) > 0; {
		some := fewChunks(rest)
		if err := r.load(ctx, some); err != nil {
			return err
		}
		for i := range some {
			if err := r.add(changes, &some[i]); err != nil {
				return err
			}
		}
		rest = rest[len(some):]
	}
	if r.done = len(fetched) < fetchEvents; len(fetched) > 0 {
		r.last = fetched[len(fetched)-1].id
	}
	return nil
}

// add adds the changes by a record.
func (r *replay) add(changes format.Changes, e *storedEvents) error {
	run, chunk := e.place.run, e.place.chunk
	events, err := r.journal.keys.Open(e.data, run, int64(chunk), e.seq)
	if err != nil {
		return fmt.Errorf("record %d on chunk %d of run %d: %w", e.seq, chunk, run, err)
	}
	return changes.AddEvents(e.id, r.chunks[e.place], run, e.seq, events)
}

// mostChunks is how many chunks are kept in memory, some 150 kB each.
const mostChunks = 64

// fewChunks returns the first records, on at most that many chunks.
func fewChunks(events []storedEvents) []storedEvents {
	places := map[chunkPlace]bool{}
	for i := range events {
		if places[events[i].place] = true; len(places) > mostChunks {
			return events[:i]
		}
	}
	return events
}

// load makes sure that the chunks of the records are there, and no others.
func (r *replay) load(ctx context.Context, events []storedEvents) error {
	chunks := map[chunkPlace]*format.Chunk{}
	var nights []time.Time
	var runs []int64
	var numbers []int
	for i := range events {
		place := events[i].place
		if _, seen := chunks[place]; seen {
			continue
		}
		chunks[place] = r.chunks[place]
		if chunks[place] == nil {
			nights, runs, numbers = append(nights, place.night), append(runs, place.run), append(numbers, place.chunk)
		}
	}
	r.chunks = chunks
	if len(runs) == 0 {
		return nil
	}
	rows, err := r.tx.Query(ctx, `SELECT c.night, c.run, c.chunk, c.data FROM unnest($1::date[], $2::bigint[], $3::int[]) AS wanted (night, run, chunk)
		JOIN opscom.chunk c USING (night, run, chunk) WHERE c.night = ANY($1)`, nights, runs, numbers)
	if err != nil {
		return err
	}
	var place chunkPlace
	var data pgtype.DriverBytes
	found, err := pgx.ForEachRow(rows, []any{&place.night, &place.run, &place.chunk, &data}, func() (err error) {
		chunks[place], err = r.journal.readPlan(place.run, int64(place.chunk), data)
		return err
	})
	if err == nil && found.RowsAffected() != int64(len(runs)) {
		err = fmt.Errorf("%w: there are outcomes of chunks that are missing", format.ErrDamaged)
	}
	return err
}

// readPlan unpacks the plan of a chunk as it is stored.
func (j *Journal) readPlan(run, number int64, data []byte) (*format.Chunk, error) {
	plan, err := j.keys.Open(data, run, number, placeOfPlan)
	c := new(format.Chunk)
	if err == nil {
		_, err = c.Read(run, number, format.Section{}, plan)
	}
	if err != nil {
		return nil, fmt.Errorf("chunk %d of run %d: %w", number, run, err)
	}
	return c, nil
}

// storeChanges applies changes to the acceptances of a target, in the order of their keys.
func storeChanges(ctx context.Context, tx pgx.Tx, target int64, changes format.Changes) error {
	keys := slices.SortedFunc(maps.Keys(changes), format.CompareKeys)
	if err := addStoredValues(ctx, tx, target, changes, keys); err != nil {
		return err
	}
	var kept, data, deleted [][]byte
	for _, key := range keys {
		if change := changes[key]; change.IsDeleted {
			deleted = append(deleted, key[:])
		} else {
			kept, data = append(kept, key[:]), append(data, format.AppendAcceptance(key, change.Accepted))
		}
	}
	_, stored := tx.Exec(ctx, `INSERT INTO opscom.acceptance (target, key, data) SELECT $1, * FROM unnest($2::bytea[], $3::bytea[])
		ON CONFLICT (target, key) DO UPDATE SET data = excluded.data`, target, kept, data)
	_, gone := tx.Exec(ctx, "DELETE FROM opscom.acceptance WHERE target = $1 AND key = ANY($2)", target, deleted)
	return cmp.Or(stored, gone)
}

// addStoredValues adds the unique values that are stored for those of the keys whose profiles
// did not send them: they stay as they were.
func addStoredValues(ctx context.Context, tx pgx.Tx, target int64, changes format.Changes, keys []importer.Digest) error {
	var wanted [][]byte
	for _, key := range keys {
		if change := changes[key]; !change.IsDeleted && slices.Contains(change.Unique[:], importer.ValueNotSent) {
			wanted = append(wanted, key[:])
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, "SELECT key, data FROM opscom.acceptance WHERE target = $1 AND key = ANY($2)", target, wanted)
	if err != nil {
		return err
	}
	var key, data pgtype.DriverBytes
	_, err = pgx.ForEachRow(rows, []any{&key, &data}, func() error {
		if len(key) != format.KeySize {
			return format.ErrDamaged
		}
		return changes.AddUnique(importer.Digest(key), data)
	})
	return err
}

// followTimeline stores what is not certain any more after a failover or a restore, if this
// account may: see opscom.follow_timeline. Others see all the same what is not certain.
func (j *Journal) followTimeline(ctx context.Context) error {
	var isMoved bool
	err := j.pool.QueryRow(ctx, "SELECT coalesce(timeline <> opscom.timeline(), false) AND has_function_privilege('opscom.follow_timeline()', 'EXECUTE') FROM opscom.journal").Scan(&isMoved)
	const action = "see whether the database was failed over or restored"
	if err = orDamaged(err); err != nil || !isMoved {
		return j.failed(action, err)
	}
	return j.insist(ctx, action, func(tx pgx.Tx, _ bool) error { return followTimeline(ctx, tx) })
}

// followTimeline does so before the first outcome is recorded in another timeline: only what was
// recorded before is in doubt.
func followTimeline(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "SELECT opscom.follow_timeline()")
	return err
}

// move is a failover or a restore of the journal.
type move struct {
	run         int64 // the last before it; 0: there was none
	certainFrom int64 // the first event after it
}

// lastMove returns the last move of the journal. Nothing is after one that nobody has stored yet.
func lastMove(ctx context.Context, q querier) (m move, err error) {
	var isMoved bool
	err = q.QueryRow(ctx, "SELECT restored, certain_from, coalesce(timeline <> opscom.timeline(), false) FROM opscom.journal").Scan(&m.run, &m.certainFrom, &isMoved)
	if isMoved {
		m = move{math.MaxInt64, math.MaxInt64}
	}
	return m, orDamaged(err)
}

// orDamaged returns the error of a query of the table journal.
func orDamaged(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%w: the table journal is empty", format.ErrDamaged)
	}
	return err
}
