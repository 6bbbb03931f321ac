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

// Acceptances follow from the outcomes of all runs to a target, taken in the
// order in which they were recorded: a pushed row says what the Controller holds
// for its key, a failed or unknown one that nobody knows it, and so does one that
// was rejected after several attempts. They are brought up to date (folded) only
// when someone asks for them, or before outcomes are forgotten: a run that compares
// with nothing need not wait for it.

// The keys are given as one BLOB, which spares binding hundreds of them.
const lookupAcceptances = `WITH RECURSIVE wanted (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM wanted WHERE i + 1 < ?3)
	SELECT i, data FROM wanted CROSS JOIN acceptance ON target = ?1 AND key = substr(?2, i * 16 + 1, 16)`

// Accepted returns what the Controller last accepted for each of the keys; those
// for which that is not known are not in the map.
func (j *Journal) Accepted(ctx context.Context, target string, keys []importer.Digest) (map[importer.Digest]importer.Acceptance, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := j.fold(ctx, target); err != nil {
		return nil, err
	}
	found, err := j.lookUp(ctx, target, keys)
	return found, j.wrap("look up what the Controller last accepted", err)
}

func (j *Journal) lookUp(ctx context.Context, target string, keys []importer.Digest) (found map[importer.Digest]importer.Acceptance, err error) {
	t, err := loadTarget(ctx, j.reader, target)
	if err != nil {
		return nil, err
	}
	wanted := make([]byte, 0, len(keys)*len(importer.Digest{}))
	for i := range keys {
		wanted = append(wanted, keys[i][:]...)
	}
	rows, err := j.lookup.QueryContext(ctx, t.id, wanted, len(keys))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	found = make(map[importer.Digest]importer.Acceptance, len(keys))
	for rows.Next() {
		var i int
		var data sql.RawBytes
		if err := rows.Scan(&i, &data); err != nil {
			return nil, err
		}
		if found[keys[i]], err = readAcceptance(keys[i], data); err != nil {
			return nil, err
		}
	}
	return found, rows.Err()
}

func appendAcceptance(key importer.Digest, a importer.Acceptance) []byte {
	data := binary.AppendUvarint(a.Hash[:], uint64(microOf(a.AcceptedAt)))
	return closed(appendText(data, a.ReferenceID), keyPlace(key)...)
}

func readAcceptance(key importer.Digest, data []byte) (a importer.Acceptance, err error) {
	blob, err := opened(data, keyPlace(key)...)
	if err != nil {
		return a, err
	}
	a.Hash = blob.digest()
	a.AcceptedAt = timeOf(int64(blob.number()))
	a.ReferenceID = blob.text()
	return a, blob.err()
}

// keyPlace is a key as the numbers that say where an acceptance belongs.
func keyPlace(key importer.Digest) []int64 {
	return []int64{int64(binary.LittleEndian.Uint64(key[:8])), int64(binary.LittleEndian.Uint64(key[8:]))}
}

// fold takes the outcomes into account that were recorded since it was last called.
func (j *Journal) fold(ctx context.Context, name string) error {
	const action = "work out what the Controller last accepted"
	var latest int64
	err := j.reader.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM verdict").Scan(&latest)
	if err != nil {
		return j.wrap(action, err)
	}
	t, err := loadTarget(ctx, j.reader, name)
	if err != nil || t.id == 0 || t.folded >= latest {
		return j.wrap(action, err)
	}
	for done := false; !done; {
		err := j.update(ctx, action, durable, func(tx *sql.Tx) (err error) {
			done, err = foldSome(ctx, tx, name)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// changes are acceptances to be stored, by key; nil ones are to be deleted.
type changes map[importer.Digest][]byte

// foldRows is about how many rows are folded in one transaction.
const foldRows = 8192

// foldSome folds the next outcomes of the target, and reports whether they were
// the last.
func foldSome(ctx context.Context, tx *sql.Tx, name string) (done bool, err error) {
	t, err := loadTarget(ctx, tx, name)
	if err != nil {
		return false, err
	}
	outcomes, err := tx.QueryContext(ctx, `SELECT verdict.id, verdict.run, verdict.slice, verdict.seq, verdict.data, plan.payloads_at, plan.payloads_size, plan.data
		FROM verdict CROSS JOIN run ON run.id = verdict.run CROSS JOIN slice AS plan ON plan.run = verdict.run AND plan.slice = verdict.slice
		WHERE verdict.id > ? AND run.target = ? ORDER BY verdict.id`, t.folded, t.id)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, outcomes.Close()) }()
	pending := changes{}
	for done = true; outcomes.Next(); {
		if len(pending) >= foldRows {
			done = false
			break
		}
		if t.folded, err = pending.add(outcomes); err != nil {
			return false, err
		}
	}
	if err := errors.Join(outcomes.Err(), outcomes.Close()); err != nil {
		return false, err
	}
	if done { // later verdicts, if any, are of other targets
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM verdict").Scan(&t.folded); err != nil {
			return false, err
		}
	}
	if err := pending.store(ctx, tx, t.id); err != nil {
		return false, err
	}
	return done, t.saveFolded(ctx, tx)
}

// add takes in the verdicts of the current record, and returns its id.
func (c changes) add(outcomes *sql.Rows) (id int64, err error) {
	var run, number, seq int64
	var payloads section
	var data, plan sql.RawBytes
	if err := outcomes.Scan(&id, &run, &number, &seq, &data, &payloads.at, &payloads.size, &plan); err != nil {
		return 0, err
	}
	var s slice
	if err := s.read(run, number, payloads, plan); err != nil {
		return 0, err
	}
	return id, readVerdicts(run, number, seq, data, func(v *verdict) error {
		row := s.row(byte(v.Row % sliceRows))
		if row == nil {
			return errDamaged
		}
		switch v.Status {
		case importer.StatusPushed:
			c[row.plan.Key] = appendAcceptance(row.plan.Key, importer.Acceptance{
				Hash: row.plan.Hash, ReferenceID: v.ReferenceID, AcceptedAt: v.FinishedAt,
			})
		case importer.StatusFailed, importer.StatusUnknown:
			c[row.plan.Key] = nil
		case importer.StatusRejected:
			if v.Attempts > 1 { // an attempt without an answer may have been accepted
				c[row.plan.Key] = nil
			}
		}
		return nil
	})
}

// storeRows is how many acceptances one statement stores.
const storeRows = 64

// store applies the changes in the order of their keys, which spares the database
// half of the searching.
func (c changes) store(ctx context.Context, tx *sql.Tx, target int64) error {
	const columns = 3
	kept := make([]any, 0, columns*len(c))
	for _, key := range slices.SortedFunc(maps.Keys(c), func(a, b importer.Digest) int { return bytes.Compare(a[:], b[:]) }) {
		if data := c[key]; data != nil {
			kept = append(kept, target, key[:], data)
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
