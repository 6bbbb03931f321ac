package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"

	"opscom-import/importer"
)

// Acceptances follow from the outcomes of all runs to a target, in the order in
// which they were recorded: a pushed row says what the Controller holds for its key;
// after one that failed, is unknown, or was rejected after several attempts, that is
// not known. They are brought up to date (folded) only when someone asks for them,
// or before outcomes are forgotten: a run that compares with nothing need not wait
// for it.

// The keys are passed as one BLOB, which saves binding hundreds of them.
const lookupAcceptances = `WITH RECURSIVE wanted (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM wanted WHERE i + 1 < ?3)
	SELECT i, data FROM wanted CROSS JOIN acceptance ON target = ?1 AND key = substr(?2, i * 16 + 1, 16)`

// Accepted returns what the Controller last accepted for each of the keys; those
// for which that is not known are not in the map.
func (j *Journal) Accepted(ctx context.Context, target string, keys []importer.Digest) (map[importer.Digest]importer.Acceptance, error) {
	const lookUp = "look up what the Controller last accepted"
	if len(keys) == 0 {
		return nil, nil
	}
	same, err := loadTargets(ctx, j.reader, target)
	if err != nil {
		return nil, j.wrap(lookUp, err)
	}
	replays := j.writer == nil || len(same) > 1
	if !replays {
		if err := j.fold(ctx, target); err != nil {
			return nil, err
		}
	}
	found := make(map[importer.Digest]importer.Acceptance, len(keys))
	for _, t := range same {
		if err := j.addStored(ctx, t, keys, found); err != nil {
			return nil, j.wrap(lookUp, err)
		}
	}
	if replays {
		err = j.addReplayed(ctx, same, keys, found)
	}
	return found, j.wrap(lookUp, err)
}

// addStored adds the stored acceptances of the keys, unless a later one was found.
func (j *Journal) addStored(ctx context.Context, t target, keys []importer.Digest, found map[importer.Digest]importer.Acceptance) error {
	wanted := make([]byte, 0, len(keys)*len(importer.Digest{}))
	for i := range keys {
		wanted = append(wanted, keys[i][:]...)
	}
	rows, err := j.lookup.QueryContext(ctx, t.id, wanted, len(keys))
	return eachRow(rows, err, func() error {
		var i int
		var data sql.RawBytes
		if err := rows.Scan(&i, &data); err != nil {
			return err
		}
		return addLater(found, keys[i], data)
	})
}

// addLater adds an acceptance, unless a later one was found.
func addLater(found map[importer.Digest]importer.Acceptance, key importer.Digest, data []byte) error {
	a, err := readAcceptance(key, data)
	if known, ok := found[key]; err == nil && !(ok && known.AcceptedAt.After(a.AcceptedAt)) {
		found[key] = a
	}
	return err
}

func appendAcceptance(key importer.Digest, a importer.Acceptance) []byte {
	data := binary.AppendUvarint(a.Hash[:], uint64(microOf(a.AcceptedAt)))
	return seal(appendTexts(data, a.ReferenceID), keyPlace(key)...)
}

func readAcceptance(key importer.Digest, data []byte) (a importer.Acceptance, err error) {
	blob, err := unseal(data, keyPlace(key)...)
	if err != nil {
		return a, err
	}
	a.Hash = blob.digest()
	a.AcceptedAt = timeOf(int64(blob.number()))
	a.ReferenceID = blob.text()
	return a, blob.err()
}

// keyPlace returns a key as the numbers that say where an acceptance belongs.
func keyPlace(key importer.Digest) []int64 {
	return []int64{int64(binary.LittleEndian.Uint64(key[:8])), int64(binary.LittleEndian.Uint64(key[8:]))}
}

const selectOutcomes = `SELECT event.id, event.run, event.chunk, event.seq, event.data, plan.payloads_at, plan.payloads_size, plan.data
	FROM event CROSS JOIN run ON run.id = event.run CROSS JOIN chunk AS plan ON plan.run = event.run AND plan.chunk = event.chunk
	WHERE event.id > ? AND run.target` + inTargets + `ORDER BY event.id`

const latestEvent = "SELECT coalesce(max(id), 0) FROM event"

// fold applies the outcomes that were recorded since it was last called.
func (j *Journal) fold(ctx context.Context, name string) error {
	const action = "work out what the Controller last accepted"
	var latest int64
	err := j.reader.QueryRowContext(ctx, latestEvent).Scan(&latest)
	if err != nil {
		return j.wrap(action, err)
	}
	same, err := loadTargets(ctx, j.reader, name)
	if err != nil {
		return j.wrap(action, err)
	}
	for _, t := range same {
		for done := t.folded >= latest; !done; {
			err := j.update(ctx, action, durable, func(tx *sql.Tx) (err error) {
				done, err = foldSome(ctx, tx, t.id, name)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// changes are acceptances to be stored, by key; nil ones are to be deleted.
type changes map[importer.Digest][]byte

// foldRows is about how many rows are folded in one transaction.
const foldRows = 8192

// foldSome folds the next outcomes of the row of the target with that id, and reports
// whether they were the last. What is not known any more is deleted from every row.
func foldSome(ctx context.Context, tx *sql.Tx, id int64, name string) (done bool, err error) {
	same, err := loadTargets(ctx, tx, name)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(same, func(t target) bool { return t.id == id })
	if i < 0 {
		return true, nil // forgotten
	}
	t := same[i]
	outcomes, err := tx.QueryContext(ctx, selectOutcomes, t.folded, targets{t}.ids())
	pending, c := changes{}, new(chunk)
	err = eachRow(outcomes, err, func() (err error) {
		if len(pending) >= foldRows {
			return errEnough
		}
		t.folded, err = pending.add(outcomes, c)
		return err
	})
	if done = !errors.Is(err, errEnough); done {
		if err == nil { // later events, if any, are of other targets
			err = tx.QueryRowContext(ctx, latestEvent).Scan(&t.folded)
		}
		if err != nil {
			return false, err
		}
	}
	if err := pending.store(ctx, tx, t.id, same.ids()); err != nil {
		return false, err
	}
	return done, t.saveFolded(ctx, tx)
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
			p[row.plan.Key] = appendAcceptance(row.plan.Key, importer.Acceptance{
				Hash: row.plan.Hash, ReferenceID: e.ReferenceID, AcceptedAt: e.FinishedAt,
			})
		case importer.StatusFailed, importer.StatusUnknown:
			p[row.plan.Key] = nil
		case importer.StatusRejected:
			if e.Attempts > 1 { // an attempt without an answer may have been accepted
				p[row.plan.Key] = nil
			}
		}
		return nil
	})
}

// storeRows is how many acceptances one statement stores.
const storeRows = 64

// store applies the changes in the order of their keys, which saves the database
// half of the searching. They are stored for one target, and deleted from all.
func (c changes) store(ctx context.Context, tx *sql.Tx, target int64, all string) error {
	const columns = 3
	kept := make([]any, 0, columns*len(c))
	for _, key := range slices.SortedFunc(maps.Keys(c), func(a, b importer.Digest) int { return bytes.Compare(a[:], b[:]) }) {
		if data := c[key]; data != nil {
			kept = append(kept, target, key[:], data)
		} else if _, err := tx.ExecContext(ctx, "DELETE FROM acceptance WHERE target"+inTargets+"AND key = ?", all, key[:]); err != nil {
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
