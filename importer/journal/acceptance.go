package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"opscom-import/importer"
)

// What the Controller last accepted follows from the outcomes of all runs to a target,
// in the order in which they were recorded: a pushed row says what the Controller holds
// for its key; after one that failed, is unknown, or was rejected after several
// attempts, that is not known. It is brought up to date (folded) only when someone asks
// for it, or before outcomes are forgotten: a run that compares with nothing need not
// wait for it.

// Acceptances looks up what the Controller last accepted. It holds what the journal
// knows of a target when it is first asked, some 50 bytes a key: drop it after a plan.
// It is for one goroutine at a time.
type Acceptances struct {
	journal *Journal
	target  string // of which it holds the acceptances
	held    *heldAcceptances
	owners  *ownerIndex // nil until someone asks for an owner
}

// Acceptances returns what looks up acceptances in the journal.
func (j *Journal) Acceptances() *Acceptances { return &Acceptances{journal: j} }

// Accepted returns what the Controller last accepted for each of the keys; those
// for which that is not known are not in the map.
func (a *Acceptances) Accepted(ctx context.Context, target string, keys []importer.Digest) (map[importer.Digest]importer.Acceptance, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := a.hold(ctx, target); err != nil {
		return nil, err
	}
	found := make(map[importer.Digest]importer.Acceptance, len(keys))
	for _, key := range keys {
		accepted, ok, err := a.held.find(key)
		if err != nil {
			return nil, a.journal.wrap(lookUp, err)
		}
		if ok {
			found[key] = accepted
		}
	}
	return found, nil
}

// hold makes sure that the acceptances of the target are held.
func (a *Acceptances) hold(ctx context.Context, target string) error {
	if a.held != nil && a.target == target {
		return nil
	}
	held, err := a.journal.holdAcceptances(ctx, target)
	if err == nil {
		a.target, a.held, a.owners = target, held, nil
	}
	return err
}

// lookUp is what cannot be done when acceptances cannot be read.
const lookUp = "look up what the Controller last accepted"

// heldAcceptances are the acceptances of a target, in memory.
type heldAcceptances struct {
	stored   []*packed // of each row of the target
	replayed changes   // by outcomes that are not folded
}

// holdAcceptances reads the acceptances of a target. A journal that is only read cannot
// store what is not folded.
func (j *Journal) holdAcceptances(ctx context.Context, name string) (held *heldAcceptances, err error) {
	if j.writer != nil {
		if err := j.fold(ctx, name); err != nil {
			return nil, err
		}
	}
	err = j.view(ctx, lookUp, func(tx *sql.Tx) (err error) {
		held, err = loadHeld(ctx, tx, name)
		return err
	})
	return held, err
}

func loadHeld(ctx context.Context, tx *sql.Tx, name string) (*heldAcceptances, error) {
	same, err := loadTargets(ctx, tx, name)
	if err == nil {
		err = checkAll(ctx, tx, "PRAGMA quick_check(acceptance)")
	}
	if err != nil {
		return nil, err
	}
	held := &heldAcceptances{replayed: changes{}}
	for _, t := range same {
		p, err := readPacked(ctx, tx, t.id)
		if err != nil {
			return nil, err
		}
		held.stored = append(held.stored, p)
	}
	_, _, err = held.replayed.replay(ctx, tx, same, same.folded(), math.MaxInt)
	return held, err
}

// find returns the acceptance of a key: of those stored the latest, unless outcomes that
// are not folded say more.
func (h *heldAcceptances) find(key importer.Digest) (found importer.Acceptance, ok bool, err error) {
	take := func(a importer.Acceptance) {
		if !ok || !found.AcceptedAt.After(a.AcceptedAt) {
			a.Unique = a.Unique.Over(found.Unique)
			found, ok = a, true
		} else {
			found.Unique = found.Unique.Over(a.Unique)
		}
	}
	for _, p := range h.stored {
		if data := p.find(key); data != nil {
			a, damaged := readAcceptance(data)
			err = errors.Join(err, damaged)
			take(a)
		}
	}
	replayed, changed := h.replayed[key]
	switch {
	case !changed:
		return found, ok, err
	case replayed.isDeleted:
		return importer.Acceptance{}, false, err
	case len(h.stored) == 1: // what is stored of one row is older
		ok = false
	}
	take(replayed.Acceptance)
	return found, ok, err
}

// uniqueFollows is added to the time of an acceptance that has unique values. No time
// before the year 3111 has this bit.
const uniqueFollows = 1 << 55

// appendAcceptance returns an acceptance as it is stored:
//
//	hash, accepted at (microseconds since 1970) + uniqueFollows, reference id as a text;
//	the unique values, if the time announces them (see appendUnique)
func appendAcceptance(key importer.Digest, a importer.Acceptance) []byte {
	at := uint64(microOf(a.AcceptedAt))
	if a.Unique != (importer.UniqueValues{}) {
		at |= uniqueFollows
	}
	data := appendTexts(binary.AppendUvarint(a.Hash[:], at), a.ReferenceID)
	if at&uniqueFollows != 0 {
		data = appendUnique(data, a.Unique)
	}
	return seal(data, keyPlace(key)...)
}

// readAcceptance unpacks an acceptance that was verified.
func readAcceptance(data []byte) (a importer.Acceptance, err error) {
	r := blobReader{rest: string(data[:len(data)-sumSize])}
	return r.acceptance(), r.err()
}

func (r *blobReader) acceptance() (a importer.Acceptance) {
	a.Hash = r.digest()
	at := r.number()
	a.AcceptedAt = timeOf(int64(at &^ uniqueFollows))
	a.ReferenceID = r.text()
	if at&uniqueFollows != 0 {
		a.Unique = r.unique()
	}
	return a
}

// keyPlace returns a key as the numbers that say where an acceptance belongs.
func keyPlace(key importer.Digest) []int64 {
	return []int64{int64(binary.LittleEndian.Uint64(key[:8])), int64(binary.LittleEndian.Uint64(key[8:]))}
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
		err = fmt.Errorf("%w: %d of %d outcomes were found", errDamaged, n, known)
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

// changes are acceptances to be stored, by key.
type changes map[importer.Digest]change

// change is an acceptance to be stored, whose unique values are those that were sent; or it
// is to be deleted.
type change struct {
	importer.Acceptance
	isDeleted bool
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
	pending, after := changes{}, same.folded()
	if after == notFolded {
		done = true
		pending, err = same.join(ctx, tx, name)
	} else {
		after, done, err = pending.replay(ctx, tx, same, after, foldRows)
	}
	if err == nil && done { // later events, if any, are of other targets
		err = tx.QueryRowContext(ctx, latestEvent).Scan(&after)
	}
	if err == nil {
		err = pending.store(ctx, tx, same[0].id)
	}
	if err == nil {
		err = same.saveFolded(ctx, tx, after)
	}
	return done, err
}

// replay adds the changes by the outcomes after an event, until there are about so
// many. It returns the last event that it added, and whether no other follows.
func (p changes) replay(ctx context.Context, tx *sql.Tx, same targets, after int64, most int) (last int64, done bool, err error) {
	last = max(after, 0)
	n, c := 0, new(chunk)
	outcomes, err := tx.QueryContext(ctx, selectOutcomes, last, same.ids())
	err = eachRow(outcomes, err, func() (err error) {
		if len(p) >= most {
			return errEnough
		}
		n++
		last, err = p.add(outcomes, c)
		return err
	})
	if done = err == nil; !done && !errors.Is(err, errEnough) {
		return last, false, err
	}
	return last, done, checkCount(ctx, tx, same, max(after, 0), last, n)
}

// add applies the events of the current record, and returns its id. It uses c.
func (p changes) add(outcomes *sql.Rows, c *chunk) (id int64, err error) {
	var run, number, seq int64
	var payloads section
	var data, plan sql.RawBytes
	if err := outcomes.Scan(&id, &run, &number, &seq, &data, &payloads.at, &payloads.size, &plan); err != nil {
		return 0, err
	}
	if _, err := c.read(run, number, payloads, plan); err != nil {
		return 0, err
	}
	return id, readEvents(run, number, seq, data, func(e *event) error {
		row := c.row(e.Row)
		if row == nil {
			return errDamaged
		}
		switch e.Status {
		case importer.StatusPushed:
			p[row.plan.Key] = change{Acceptance: importer.Acceptance{
				Hash: row.plan.Hash, ReferenceID: e.ReferenceID, AcceptedAt: e.FinishedAt,
				Unique: row.plan.Unique.Over(p[row.plan.Key].Unique),
			}}
		case importer.StatusFailed, importer.StatusUnknown:
			p[row.plan.Key] = change{isDeleted: true}
		case importer.StatusRejected:
			if e.Attempts > 1 { // an attempt without an answer may have been accepted
				p[row.plan.Key] = change{isDeleted: true}
			}
		}
		return nil
	})
}

// storeRows is how many acceptances one statement stores.
const storeRows = 64

// store applies the changes to a row of the target, in the order of their keys, which
// saves the database half of the searching.
func (c changes) store(ctx context.Context, tx *sql.Tx, target int64) error {
	const columns = 3
	kept := make([]any, 0, columns*len(c))
	keys := slices.SortedFunc(maps.Keys(c), func(a, b importer.Digest) int { return bytes.Compare(a[:], b[:]) })
	if err := c.addStored(ctx, tx, target, keys); err != nil {
		return err
	}
	for _, key := range keys {
		if change := c[key]; !change.isDeleted {
			kept = append(kept, target, key[:], appendAcceptance(key, change.Acceptance))
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
