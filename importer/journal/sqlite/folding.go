package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// What the Controller last accepted follows from the outcomes of all runs to a target,
// in the order in which they were recorded: a pushed row says what the Controller holds
// for its key; after one that failed, is unknown, or was rejected after several
// attempts, that is not known. It is brought up to date (folded) only when someone asks
// for it, or before outcomes are forgotten: a run that compares with nothing need not
// wait for it.

// Acceptances returns what looks up acceptances in the journal.
func (j *Journal) Acceptances() *journal.Acceptances {
	return journal.NewAcceptances(j.holdAcceptances, j.wrap)
}

// holdAcceptances reads the acceptances of a target. A journal that is only read cannot
// store what is not folded.
func (j *Journal) holdAcceptances(ctx context.Context, name string) (held *format.Acceptances, err error) {
	if j.writer != nil {
		if err := j.fold(ctx, name); err != nil {
			return nil, err
		}
	}
	err = j.view(ctx, journal.LookUp, func(tx *sql.Tx) (err error) {
		held, err = loadHeld(ctx, tx, name)
		return err
	})
	return held, err
}

func loadHeld(ctx context.Context, tx *sql.Tx, name string) (*format.Acceptances, error) {
	same, err := loadTargets(ctx, tx, name)
	if err == nil {
		err = checkAll(ctx, tx, "PRAGMA quick_check(acceptance)")
	}
	if err != nil {
		return nil, err
	}
	held := &format.Acceptances{Replayed: format.Changes{}}
	for _, t := range same {
		p, err := readPacked(ctx, tx, t.id)
		if err != nil {
			return nil, err
		}
		held.Stored = append(held.Stored, p)
	}
	restored, err := loadRosters(ctx, tx, same, "AND series = ?", format.RestoredSource)
	for _, s := range restored {
		held.CertainFrom = max(held.CertainFrom, s.CertainFrom)
	}
	if err == nil {
		_, _, err = replay(ctx, held.Replayed, tx, same, same.folded(), math.MaxInt)
	}
	return held, err
}

const selectOutcomes = `SELECT event.id, event.run, event.chunk, event.seq, event.data, plan.payloads_at, plan.payloads_size, plan.data
	FROM event CROSS JOIN run ON run.id = event.run CROSS JOIN chunk AS plan ON plan.run = event.run AND plan.chunk = event.chunk
	WHERE event.id > ? AND run.target` + inTargets + `ORDER BY event.id`

// latestEvent is the last that was ever stored.
const latestEvent = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event'"

// The index knows the outcomes too, in another order.
const countOutcomes = `SELECT count(*) FROM run CROSS JOIN event INDEXED BY event_chunk ON event.run = run.id
	WHERE event.id > ? AND event.id <= ? AND run.target` + inTargets

// checkCount returns an error unless n records are all outcomes of the target after one
// event, up to another.
func checkCount(ctx context.Context, tx *sql.Tx, same targets, after, upTo int64, n int) error {
	var known int
	err := tx.QueryRowContext(ctx, countOutcomes, after, upTo, same.ids()).Scan(&known)
	if err == nil && known != n {
		err = fmt.Errorf("%w: %d of %d outcomes were found", format.ErrDamaged, n, known)
	}
	return err
}

// fold applies the outcomes that were recorded since it was last called.
func (j *Journal) fold(ctx context.Context, name string) error {
	const action = "work out what the Controller last accepted"
	for done := false; !done; {
		isFolded := false
		err := j.view(ctx, action, func(tx *sql.Tx) (err error) { // does not wait for who writes
			isFolded, err = targetIsFolded(ctx, tx, name)
			return err
		})
		if err != nil || isFolded {
			return err
		}
		err = j.update(ctx, action, durable, func(tx *sql.Tx) (err error) {
			done, err = foldSome(ctx, tx, name)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// targetIsFolded reports whether every outcome is folded.
func targetIsFolded(ctx context.Context, tx *sql.Tx, name string) (bool, error) {
	same, err := loadTargets(ctx, tx, name)
	if err != nil || len(same) == 0 {
		return err == nil, err
	}
	var latest int64
	err = tx.QueryRowContext(ctx, latestEvent).Scan(&latest)
	return same.folded() >= latest, err
}

// foldRows is about how many rows are folded in one transaction.
const foldRows = 8192

// foldSome folds the next outcomes of the target, and reports whether they were the
// last.
func foldSome(ctx context.Context, tx *sql.Tx, name string) (done bool, err error) {
	same, err := loadTargets(ctx, tx, name)
	if err != nil || len(same) == 0 {
		return true, err // forgotten
	}
	pending, after := format.Changes{}, same.folded()
	if after == notFolded {
		done = true
		pending, err = same.join(ctx, tx, name)
	} else {
		after, done, err = replay(ctx, pending, tx, same, after, foldRows)
	}
	if err == nil && done { // later events, if any, are of other targets
		err = tx.QueryRowContext(ctx, latestEvent).Scan(&after)
	}
	if err == nil {
		err = storeChanges(ctx, pending, tx, same[0].id)
	}
	if err == nil {
		err = same.saveFolded(ctx, tx, after)
	}
	return done, err
}

// replay adds the changes by the outcomes after an event, until there are about so
// many. It returns the last event that it added, and whether no other follows.
func replay(ctx context.Context, p format.Changes, tx *sql.Tx, same targets, after int64, most int) (last int64, done bool, err error) {
	last = max(after, 0)
	n, c := 0, new(format.Chunk)
	outcomes, err := tx.QueryContext(ctx, selectOutcomes, last, same.ids())
	err = eachRow(outcomes, err, func() (err error) {
		if len(p) >= most {
			return format.ErrEnough
		}
		n++
		last, err = addOutcomes(p, outcomes, c)
		return err
	})
	if done = err == nil; !done && !errors.Is(err, format.ErrEnough) {
		return last, false, err
	}
	return last, done, checkCount(ctx, tx, same, max(after, 0), last, n)
}

// addOutcomes adds the events of the current record, and returns its id. It uses c.
func addOutcomes(p format.Changes, outcomes *sql.Rows, c *format.Chunk) (id int64, err error) {
	var run, number, seq int64
	var payloads format.Section
	var data, plan sql.RawBytes
	if err := outcomes.Scan(&id, &run, &number, &seq, &data, &payloads.At, &payloads.Size, &plan); err != nil {
		return 0, err
	}
	if _, err := c.Read(run, number, payloads, plan); err != nil {
		return 0, err
	}
	return id, p.AddEvents(id, c, run, seq, data)
}

// storeRows is how many acceptances one statement stores.
const storeRows = 64

// store applies the changes to a row of the target, in the order of their keys, which
// saves the database half of the searching.
func storeChanges(ctx context.Context, c format.Changes, tx *sql.Tx, target int64) error {
	const columns = 3
	kept := make([]any, 0, columns*len(c))
	keys := slices.SortedFunc(maps.Keys(c), func(a, b importer.Digest) int { return bytes.Compare(a[:], b[:]) })
	if err := addStoredValues(ctx, c, tx, target, keys); err != nil {
		return err
	}
	for _, key := range keys {
		if change := c[key]; !change.IsDeleted {
			kept = append(kept, target, key[:], format.AppendAcceptance(key, change.Accepted))
		} else if _, err := tx.ExecContext(ctx, "DELETE FROM acceptance WHERE target = ? AND key = ?", target, key[:]); err != nil {
			return err
		}
	}
	for rows := storeRows; rows > 0; rows = len(kept) / columns { // whole chunks, then what is left
		statement, err := tx.PrepareContext(ctx, "INSERT INTO acceptance (target, key, data) VALUES (?, ?, ?)"+
			strings.Repeat(", (?, ?, ?)", rows-1)+" ON CONFLICT DO UPDATE SET data = excluded.data")
		if err != nil {
			return err
		}
		for ; len(kept) >= rows*columns; kept = kept[rows*columns:] {
			if _, err := statement.ExecContext(ctx, kept[:rows*columns]...); err != nil {
				return err
			}
		}
	}
	return nil
}
