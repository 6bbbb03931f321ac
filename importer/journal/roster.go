package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"opscom-import/importer"
)

// The people of a complete run are read from its rows, which are there until it is
// forgotten. Then those of the last complete run of each source are kept apart, in a
// record of some 20 bytes a person, or twice as much with ids:
//
//	as JSON in a text: the run; then for each person flags, key, and if they are kept unique id and login source as texts

const (
	flagSkipped = 1 << 0 // the mapping's where excluded the row
	flagHad     = 1 << 1 // the Controller had the person by the outcome of the row, or may have had
	flagLeaver  = 1 << 2 // the person was not in the file: a leaver who is still to be pushed
)

// restoredSource is the source of a roster of nobody: that of the last run before the
// journal was restored from a backup. Who was in it, or came or left since, is not known.
const restoredSource = ""

// Roster is the people of a complete run, an importer.Roster. It holds 17 bytes for each.
type Roster struct {
	CompleteRun
	People  int  // of the run, without those whom the mapping's where excluded
	HasKeys bool // it knows ids, and not only digests

	journal *Journal
	target  string
	later   []int64           // newer runs of the source that are not complete: whom they pushed is there too
	earlier []int64           // complete runs before, from the last one that looked for leavers on
	keys    []importer.Digest // of everybody, in their order
	seen    []bool            // by the same index
}

// rosterEntry is a person of a run.
type rosterEntry struct {
	key                   importer.Digest
	flags                 byte
	isPushed              bool                  // by this run; not stored
	unique                importer.UniqueValues // that this run sent; likewise
	uniqueID, loginSource string
}

// storedRoster is what is kept of a run that is forgotten.
type storedRoster struct {
	ID         int64     `json:"run"`
	Source     string    `json:"source"`
	FileHash   string    `json:"file_hash"`
	Rows       int       `json:"rows"`
	FinishedAt time.Time `json:"finished_at"`
	HasKeys    bool      `json:"has_keys"`
	Looked     bool      `json:"looked_for_leavers,omitempty"`

	target int64
	people blobReader
}

// KeepKeys says whether Forget keeps the unique ids and login sources of the people of
// the last complete run of each source. Otherwise it keeps digests, and deletes the ids
// that were kept before.
func (j *Journal) KeepKeys(keep bool) { j.keepKeys.Store(keep) }

// Roster returns the people of a complete run to the target.
func (j *Journal) Roster(ctx context.Context, target string, run *CompleteRun) (*Roster, error) {
	r := &Roster{CompleteRun: *run, journal: j, target: target, keys: make([]importer.Digest, 0, run.Rows)}
	r.HasKeys = run.stored == nil || run.stored.HasKeys
	if err := r.findLater(ctx); err != nil {
		return nil, err
	}
	if err := r.findEarlier(ctx); err != nil {
		return nil, err
	}
	var skipped []importer.Digest
	err := r.each(ctx, func(e *rosterEntry) error {
		if e.flags&flagSkipped != 0 {
			skipped = append(skipped, e.key)
		} else {
			r.keys = append(r.keys, e.key)
		}
		return nil
	})
	r.keys = distinct(r.keys)
	r.People = len(r.keys)
	if len(skipped) > 0 {
		r.keys = distinct(append(r.keys, skipped...))
	}
	r.seen = make([]bool, len(r.keys))
	return r, err
}

// findLater finds the newer runs of the source that are not complete.
func (r *Roster) findLater(ctx context.Context) error {
	runs, err := r.journal.listOf(ctx, r.target, "AND run.id > ? AND state IN (?, ?, ?) ORDER BY run.id",
		r.ID, importer.RunStopped, importer.RunSuperseded, importer.RunFinished)
	for i := range runs {
		if importer.SeriesOf(runs[i].Source) == importer.SeriesOf(r.Source) && !isComplete(&runs[i]) {
			r.later = append(r.later, runs[i].ID)
		}
	}
	return err
}

// findEarlier finds the runs whose people nobody has looked for since: where the run did
// not look for leavers, those back to the last one that did. Where none did, people who left
// before are not looked for at all.
func (r *Roster) findEarlier(ctx context.Context) error {
	return r.journal.view(ctx, "find earlier complete runs", func(tx *sql.Tx) error {
		complete, restored, err := completeRuns(ctx, tx, r.target)
		var passed []int64
		for i := 0; err == nil && !r.looked && i < len(complete); i++ {
			c := &complete[i]
			if c.ID >= r.ID || c.ID <= restored || importer.SeriesOf(c.Source) != importer.SeriesOf(r.Source) || c.stored != nil {
				continue
			}
			if passed = append(passed, c.ID); c.looked {
				r.earlier = passed
				break
			}
		}
		return err
	})
}

// See says that a person is in the file, and reports whether they were in the run.
func (r *Roster) See(key importer.Digest) (known bool) {
	i, known := r.find(key)
	if known {
		r.seen[i] = true
	}
	return known
}

func (r *Roster) find(key importer.Digest) (i int, known bool) {
	return slices.BinarySearchFunc(r.keys, key, compareKeys)
}

func compareKeys(a, b importer.Digest) int { return bytes.Compare(a[:], b[:]) }

// distinct sorts keys, and leaves out those that repeat another. It changes the slice.
func distinct(keys []importer.Digest) []importer.Digest {
	slices.SortFunc(keys, compareKeys)
	return slices.Compact(keys)
}

// Missing returns the leavers: the people who were not seen and whom the Controller has,
// or may have, and who are in the last complete run of no other source; elsewhere is how
// many are.
func (r *Roster) Missing(ctx context.Context) (missing []importer.Leaver, elsewhere int, err error) {
	if !slices.Contains(r.seen, false) {
		return nil, 0, nil
	}
	accepted := r.journal.Acceptances()
	err = r.each(ctx, func(e *rosterEntry) error {
		i, isKnown := r.find(e.key)
		if !isKnown || r.seen[i] {
			return nil
		}
		found, err := accepted.Accepted(ctx, r.target, []importer.Digest{e.key})
		last, isAccepted := found[e.key]
		if err != nil || !isAccepted && e.flags&flagHad == 0 {
			return err
		}
		r.seen[i] = true // a run may have several rows of one person
		missing = append(missing, importer.Leaver{
			Key: e.key, UniqueID: e.uniqueID, LoginSource: e.loginSource, ReferenceID: last.ReferenceID, Hash: last.Hash, Unique: last.Unique.Over(e.unique),
		})
		return nil
	})
	if err != nil || len(missing) == 0 {
		return nil, 0, err
	}
	return r.withoutOthers(ctx, missing)
}

// withoutOthers leaves out whom the last complete run of another source has, however old it
// is: a file may come once a week.
func (r *Roster) withoutOthers(ctx context.Context, missing []importer.Leaver) (kept []importer.Leaver, elsewhere int, err error) {
	isElsewhere := make([]bool, len(missing))
	err = r.journal.eachOther(ctx, r.target, r.Source, time.Time{}, func(_ int64, people []importer.Digest) {
		for i := range missing {
			_, isIn := slices.BinarySearchFunc(people, missing[i].Key, compareKeys)
			isElsewhere[i] = isElsewhere[i] || isIn
		}
	})
	if err != nil {
		return nil, 0, err
	}
	for i, leaver := range missing {
		if isElsewhere[i] {
			elsewhere++
		} else {
			kept = append(kept, leaver)
		}
	}
	return kept, elsewhere, nil
}

// eachOther calls visit with the last complete run of each other source, and the sorted keys
// of whom its file had, if it was finished after a time.
func (j *Journal) eachOther(ctx context.Context, target, source string, after time.Time, visit func(run int64, people []importer.Digest)) error {
	var complete []CompleteRun
	err := j.view(ctx, "find the runs of other files", func(tx *sql.Tx) (err error) {
		complete, _, err = completeRuns(ctx, tx, target)
		return err
	})
	seen := map[string]bool{importer.SeriesOf(source): true}
	for i := 0; err == nil && i < len(complete); i++ {
		c := &complete[i]
		series := importer.SeriesOf(c.Source)
		if seen[series] || !c.FinishedAt.After(after) {
			continue
		}
		seen[series] = true
		var people []importer.Digest
		if people, err = j.inFileOf(ctx, target, c); err == nil {
			visit(c.ID, people)
		}
	}
	return err
}

// inFileOf returns the sorted keys of whom the file of a complete run had, and whom newer
// runs of it pushed.
func (j *Journal) inFileOf(ctx context.Context, target string, run *CompleteRun) (people []importer.Digest, err error) {
	r := &Roster{CompleteRun: *run, journal: j, target: target}
	if err := r.findLater(ctx); err != nil {
		return nil, err
	}
	err = r.each(ctx, func(e *rosterEntry) error {
		if e.flags&flagLeaver == 0 {
			people = append(people, e.key)
		}
		return nil
	})
	return distinct(people), err
}

// MovedLeavers returns how many of the leavers whom a run is still to push another source
// has by now, and its run; 0 if none has.
func (j *Journal) MovedLeavers(ctx context.Context, id int64) (n int, by int64, err error) {
	var record runRecord
	var waiting []importer.Digest
	err = j.view(ctx, fmt.Sprintf("read the leavers of run %d", id), func(tx *sql.Tx) (err error) {
		if record, err = loadRun(ctx, tx, id); err != nil {
			return err
		}
		return record.project(ctx, tx, func(c *chunk) error {
			for row := range c.all {
				if row.plan.Leaver && row.waits() {
					waiting = append(waiting, row.plan.Key)
				}
			}
			return nil
		})
	})
	if err != nil || len(waiting) == 0 {
		return 0, 0, err
	}
	err = j.eachOther(ctx, record.Target, record.Source, record.StartedAt, func(run int64, people []importer.Digest) {
		found := 0
		for _, key := range waiting {
			if _, isIn := slices.BinarySearchFunc(people, key, compareKeys); isIn {
				found++
			}
		}
		if found > n {
			n, by = found, run
		}
	})
	return n, by, err
}

// each calls visit with each person of the run and of earlier ones, and whom later ones
// pushed; several times if several rows are about one.
func (r *Roster) each(ctx context.Context, visit func(*rosterEntry) error) error {
	action := fmt.Sprintf("read the people of run %d", r.ID)
	if r.stored != nil {
		if err := r.stored.each(visit); err != nil {
			return r.journal.wrap(action, err)
		}
	} else if err := r.eachOf(ctx, action, r.ID, visit); err != nil {
		return err
	}
	for _, id := range r.earlier {
		if err := r.eachOf(ctx, action, id, visit); err != nil {
			return err
		}
	}
	for _, id := range r.later {
		err := r.eachOf(ctx, action, id, func(e *rosterEntry) error {
			if !e.isPushed {
				return nil
			}
			return visit(e)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachOf calls visit with each person of one run that is not forgotten.
func (r *Roster) eachOf(ctx context.Context, action string, id int64, visit func(*rosterEntry) error) error {
	return r.journal.view(ctx, action, func(tx *sql.Tx) error {
		record, err := loadRun(ctx, tx, id)
		if err != nil {
			return err
		}
		return record.eachPerson(ctx, tx, r.journal.salt, visit)
	})
}

// eachPerson calls visit with the people of the run's rows. A leaver of the run is one of
// them as long as the push that they were planned for did not succeed.
func (r *runRecord) eachPerson(ctx context.Context, q querier, salt []byte, visit func(*rosterEntry) error) error {
	digester := importer.NewDigester(salt)
	isKept := r.Leavers != nil && r.Leavers.UserType != ""
	return r.project(ctx, q, func(c *chunk) error {
		for row := range c.all {
			line := row.result(r.claimed)
			e := rosterEntry{key: row.plan.Key, uniqueID: line.UniqueID, loginSource: line.LoginSource, unique: row.plan.Unique, isPushed: line.Status == importer.StatusPushed}
			if e.key == (importer.Digest{}) {
				if e.uniqueID == "" || e.loginSource == "" {
					continue // nobody knows who it is
				}
				e.key = digester.Key(e.loginSource, e.uniqueID)
			}
			switch {
			case line.Leaver && (!isKept || line.Status == importer.StatusPushed):
				continue
			case line.Status == importer.StatusSkipped:
				e.flags = flagSkipped
			case line.Leaver, line.Status == importer.StatusPushed, line.Status == importer.StatusUnchanged, line.Status == importer.StatusFailed,
				line.Status == importer.StatusRejected && line.Attempts > 1:
				e.flags = flagHad
			}
			if line.Leaver {
				e.flags |= flagLeaver
			}
			if err := visit(&e); err != nil {
				return err
			}
		}
		return nil
	})
}

// each calls visit with each person.
func (s *storedRoster) each(visit func(*rosterEntry) error) error {
	for people := s.people; people.more(); {
		e := rosterEntry{flags: people.byte(), key: people.digest()}
		if s.HasKeys {
			e.uniqueID, e.loginSource = people.text(), people.text()
		}
		if err := people.err(); err != nil {
			return err
		}
		if err := visit(&e); err != nil {
			return err
		}
	}
	return nil
}

// loadRosters returns the complete runs to a target whose people are kept although they
// are forgotten.
func loadRosters(ctx context.Context, q querier, same targets) (complete []CompleteRun, err error) {
	rows, err := q.QueryContext(ctx, "SELECT target, series, run, data FROM roster WHERE target"+inTargets, same.ids())
	err = eachRow(rows, err, func() error {
		var s storedRoster
		var series string
		var run int64
		var data sql.RawBytes
		if err := rows.Scan(&s.target, &series, &run, &data); err != nil {
			return err
		}
		blob, err := unseal(data, s.target, run)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(blob.text()), &s); err != nil || blob.bad || s.ID != run || importer.SeriesOf(s.Source) != series {
			return errDamaged
		}
		s.people = blob
		complete = append(complete, CompleteRun{ID: s.ID, Source: s.Source, FileHash: s.FileHash, Rows: s.Rows, FinishedAt: s.FinishedAt, looked: s.Looked, stored: &s})
		return nil
	})
	return complete, err
}

// keepRoster keeps the people of a run that is to be forgotten, if it is the last complete
// one of its source.
func (j *Journal) keepRoster(ctx context.Context, r *runRecord) error {
	if !isComplete(&r.RunInfo) {
		return nil
	}
	return j.update(ctx, "keep who was in it", durable, func(tx *sql.Tx) error {
		complete, _, err := completeRuns(ctx, tx, r.Target)
		if err != nil {
			return err
		}
		for i := range complete {
			if c := &complete[i]; c.ID > r.ID && importer.SeriesOf(c.Source) == importer.SeriesOf(r.Source) {
				return nil
			}
		}
		same, err := loadTargets(ctx, tx, r.Target)
		if err != nil {
			return err
		}
		s := &storedRoster{ID: r.ID, Source: r.Source, FileHash: r.FileHash, Rows: r.Rows, FinishedAt: r.FinishedAt, HasKeys: j.keepKeys.Load(), Looked: r.Leavers != nil}
		s.target = same[0].id
		return s.store(ctx, tx, func(visit func(*rosterEntry) error) error { return r.eachPerson(ctx, tx, j.salt, visit) })
	})
}

// store stores the roster with these people, in place of an older one.
func (s *storedRoster) store(ctx context.Context, tx *sql.Tx, each func(visit func(*rosterEntry) error) error) error {
	head, err := json.Marshal(s)
	if err != nil {
		return err
	}
	data := appendTexts(nil, string(head))
	err = each(func(e *rosterEntry) error {
		data = append(append(data, e.flags), e.key[:]...)
		if s.HasKeys {
			data = appendTexts(data, e.uniqueID, e.loginSource)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO roster (target, series, run, data) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET run = excluded.run, data = excluded.data",
		s.target, importer.SeriesOf(s.Source), s.ID, seal(data, s.target, s.ID))
	return err
}

// dropKeys deletes the ids of all people who are kept.
func (j *Journal) dropKeys(ctx context.Context) error {
	return j.update(ctx, "delete the ids of people who are kept", durable, func(tx *sql.Tx) error {
		all, err := allTargets(ctx, tx)
		if err != nil {
			return err
		}
		complete, err := loadRosters(ctx, tx, all)
		for i := range complete {
			if s := complete[i].stored; err == nil && s.HasKeys {
				without := *s
				without.HasKeys = false
				err = without.store(ctx, tx, s.each)
			}
		}
		return err
	})
}

// dropOlderRoster deletes who was in an earlier run of the source, now that there is a
// complete one that is not forgotten.
func dropOlderRoster(ctx context.Context, tx *sql.Tx, r *runRecord) error {
	if !isComplete(&r.RunInfo) {
		return nil
	}
	same, err := loadTargets(ctx, tx, r.Target)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM roster WHERE target"+inTargets+"AND series = ? AND run < ?", same.ids(), importer.SeriesOf(r.Source), r.ID)
	return err
}
