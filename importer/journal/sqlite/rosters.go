package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// KeepKeys says whether Forget keeps the unique ids and login sources of the people of
// the last complete run of each source. Otherwise it keeps digests, and deletes the ids
// that were kept before.
func (j *Journal) KeepKeys(keep bool) { j.keepKeys.Store(keep) }

// history shows the shared logic what is stored of earlier runs.
type history struct{ *Journal }

func (j history) Wrap(action string, err error) error { return j.wrap(action, err) }

// PastOf returns what is stored of the runs to a target, in one state of the journal.
func (j history) PastOf(ctx context.Context, target string) (p journal.Past, err error) {
	err = j.view(ctx, "read the earlier runs", func(tx *sql.Tx) (err error) {
		p, err = loadPast(ctx, tx, target)
		return err
	})
	return p, err
}

func loadPast(ctx context.Context, tx *sql.Tx, target string) (p journal.Past, err error) {
	same, err := loadTargets(ctx, tx, target)
	if err != nil {
		return p, err
	}
	runs, err := loadRuns(ctx, tx, "WHERE run.target"+inTargets+"ORDER BY run.id DESC", same.ids())
	if err != nil {
		return p, err
	}
	for i := range runs {
		p.Runs = append(p.Runs, runs[i].RunInfo)
	}
	p.Rosters, err = loadRosters(ctx, tx, same, "")
	return p, err
}

// EachChunk calls visit with a run that is not forgotten and each chunk of it, in row order, and
// the row up to which its pending rows may have been sent.
func (j history) EachChunk(ctx context.Context, action string, id int64, visit func(r *importer.RunInfo, c *format.Chunk, claimed int) error) error {
	return j.view(ctx, fmt.Sprintf("%s run %d", action, id), func(tx *sql.Tx) error {
		record, err := loadRun(ctx, tx, id)
		if err != nil {
			return err
		}
		return record.project(ctx, tx, func(c *format.Chunk) error { return visit(&record.RunInfo, c, record.claimed) })
	})
}

// eachPerson calls visit with the people of the run's rows. A leaver of the run is one of
// them as long as the push that they were planned for did not succeed.
func (r *runRecord) eachPerson(ctx context.Context, q querier, salt []byte, visit func(*format.Person) error) error {
	people := format.PeopleOf(&r.RunInfo, salt)
	return r.project(ctx, q, func(c *format.Chunk) error { return people.Each(c, r.claimed, visit) })
}

// loadRosters returns who was in complete runs to a target that are forgotten; the condition is SQL.
func loadRosters(ctx context.Context, q querier, same targets, condition string, args ...any) (rosters []*format.Roster, err error) {
	rows, err := q.QueryContext(ctx, "SELECT target, series, run, data FROM roster WHERE target"+inTargets+condition, append([]any{same.ids()}, args...)...)
	err = eachRow(rows, err, func() error {
		s := new(format.Roster)
		var series string
		var run int64
		var data sql.RawBytes
		if err := rows.Scan(&s.Target, &series, &run, &data); err != nil {
			return err
		}
		if err := s.Read(run, series, data); err != nil {
			return err
		}
		rosters = append(rosters, s)
		return nil
	})
	return rosters, err
}

// keepRoster keeps the people of a run that is to be forgotten, if it is the last complete
// one of its source.
func (j *Journal) keepRoster(ctx context.Context, r *runRecord) error {
	return j.update(ctx, "keep who was in it", durable, func(tx *sql.Tx) error {
		past, err := loadPast(ctx, tx, r.Target)
		if err != nil || !past.IsLastComplete(&r.RunInfo) {
			return err
		}
		same, err := loadTargets(ctx, tx, r.Target)
		if err != nil {
			return err
		}
		s := format.RosterOf(&r.RunInfo, same[0].id, j.keepKeys.Load())
		return storeRoster(ctx, s, tx, func(visit func(*format.Person) error) error { return r.eachPerson(ctx, tx, j.salt, visit) })
	})
}

// storeRoster stores the roster with these people, in place of an older one.
func storeRoster(ctx context.Context, s *format.Roster, tx *sql.Tx, each func(visit func(*format.Person) error) error) error {
	data, err := s.Pack(each)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO roster (target, series, run, data) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET run = excluded.run, data = excluded.data",
		s.Target, importer.SeriesOf(s.Source), s.ID, data)
	return err
}

// dropKeys deletes the ids of all people who are kept.
func (j *Journal) dropKeys(ctx context.Context) error {
	return j.update(ctx, "delete the ids of people who are kept", durable, func(tx *sql.Tx) error {
		all, err := allTargets(ctx, tx)
		if err != nil {
			return err
		}
		rosters, err := loadRosters(ctx, tx, all, "")
		for _, s := range rosters {
			if err == nil && s.HasKeys {
				without := *s
				without.HasKeys = false
				err = storeRoster(ctx, &without, tx, s.Each)
			}
		}
		return err
	})
}

// dropOlderRoster deletes who was in an earlier run of the source, now that there is a
// complete one that is not forgotten.
func dropOlderRoster(ctx context.Context, tx *sql.Tx, r *runRecord) error {
	if !journal.IsComplete(&r.RunInfo) {
		return nil
	}
	same, err := loadTargets(ctx, tx, r.Target)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "DELETE FROM roster WHERE target"+inTargets+"AND series = ? AND run < ?", same.ids(), importer.SeriesOf(r.Source), r.ID)
	return err
}
