package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// history shows the shared logic what is stored of earlier runs.
type history struct{ *Journal }

var (
	_ journal.Journal = (*Journal)(nil)
	_ journal.History = history{}
)

func (j history) Wrap(action string, err error) error { return j.failed(action, err) }

// PastOf returns what is stored of the runs to a target, in one state of the journal.
func (j history) PastOf(ctx context.Context, target string) (p journal.Past, err error) {
	if err := j.followTimeline(ctx); err != nil {
		return p, err
	}
	err = j.view(ctx, "read the earlier runs", func(tx pgx.Tx) (err error) {
		p, err = j.loadPast(ctx, tx, target)
		return err
	})
	return p, err
}

func (j *Journal) loadPast(ctx context.Context, tx pgx.Tx, name string) (p journal.Past, err error) {
	moved, err := lastMove(ctx, tx)
	if err != nil {
		return p, err
	}
	runs, err := loadRuns(ctx, tx, "WHERE target.name = $1 ORDER BY run.id DESC", importer.SameTarget(name))
	if err != nil {
		return p, err
	}
	for i := range runs {
		p.Runs = append(p.Runs, runs[i].RunInfo)
	}
	t, err := loadTarget(ctx, tx, name, "")
	if err != nil {
		return p, err
	}
	if p.Rosters, err = j.loadRosters(ctx, tx, "WHERE target = $1", t.id); moved.run > 0 {
		p.Rosters = append(p.Rosters, &format.Roster{ID: moved.run, Source: format.RestoredSource})
	}
	return p, err
}

// EachChunk calls visit with a run that is not forgotten and each chunk of it, in row order, and
// the row up to which its pending rows may have been sent.
func (j history) EachChunk(ctx context.Context, action string, id int64, visit func(r *importer.RunInfo, c *format.Chunk, claimed int) error) error {
	return j.view(ctx, fmt.Sprintf("%s run %d", action, id), func(tx pgx.Tx) error {
		record, err := loadRun(ctx, tx, id)
		if err != nil {
			return err
		}
		return j.project(ctx, tx, &record, func(c *format.Chunk, claimed int) error { return visit(&record.RunInfo, c, claimed) })
	})
}

// eachPerson calls visit with the people of the run's rows. A leaver of the run is one of them
// as long as the push that they were planned for did not succeed.
func (j *Journal) eachPerson(ctx context.Context, tx pgx.Tx, r *runRecord, visit func(*format.Person) error) error {
	people := format.PeopleOf(&r.RunInfo, j.salt)
	return j.project(ctx, tx, r, func(c *format.Chunk, claimed int) error { return people.Each(c, claimed, visit) })
}

// loadRosters returns who was in complete runs that are forgotten; the condition is SQL.
func (j *Journal) loadRosters(ctx context.Context, q querier, condition string, args ...any) ([]*format.Roster, error) {
	rows, err := q.Query(ctx, "SELECT target, series, run, data FROM opscom.roster "+condition, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*format.Roster, error) {
		s := new(format.Roster)
		var series string
		var run int64
		var sealed []byte
		if err := row.Scan(&s.Target, &series, &run, &sealed); err != nil {
			return nil, err
		}
		data, err := j.keys.Open(sealed, s.Target, run)
		if err == nil {
			err = s.Read(run, format.PathOf(series), data)
		}
		if err != nil {
			return nil, fmt.Errorf("who was in run %d: %w", run, err)
		}
		return s, nil
	})
}

// keepRoster keeps the people of a run that is to be forgotten, if it is the last complete one
// of its source, with their ids or without. The caller holds the target's lock.
func (j *Journal) keepRoster(ctx context.Context, r *runRecord) error {
	return j.insist(ctx, fmt.Sprintf("keep who was in run %d", r.ID), func(tx pgx.Tx, _ bool) error {
		past, err := j.loadPast(ctx, tx, r.Target)
		if err != nil || !past.IsLastComplete(&r.RunInfo) {
			return err
		}
		s := format.RosterOf(&r.RunInfo, r.target, j.keepKeys.Load())
		return j.storeRoster(ctx, tx, s, func(visit func(*format.Person) error) error { return j.eachPerson(ctx, tx, r, visit) })
	})
}

// storeRoster stores the roster with these people, in place of an older one.
func (j *Journal) storeRoster(ctx context.Context, tx pgx.Tx, s *format.Roster, each func(visit func(*format.Person) error) error) error {
	data, err := s.Pack(each)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO opscom.roster (target, series, run, keyed, data) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (target, series) DO UPDATE SET run = excluded.run, keyed = excluded.keyed, data = excluded.data`,
		s.Target, format.PathText(importer.SeriesOf(s.Source)), s.ID, s.HasKeys, j.keys.Seal(nil, data, s.Target, s.ID))
	return err
}

// sealRostersAgain encrypts with the first key of the ring the rosters that another one encrypted,
// as sealSaltAgain does. One that cannot be read stays as it is: who needs it will be told.
func (j *Journal) sealRostersAgain(ctx context.Context) error {
	type place struct {
		Target int64
		Series string
		Head   []byte
	}
	rows, err := j.pool.Query(ctx, "SELECT target, series, substring(data FOR 64) FROM opscom.roster")
	if err != nil {
		return err
	}
	places, err := pgx.CollectRows(rows, pgx.RowToStructByPos[place])
	if err != nil {
		return err
	}
	for _, p := range places {
		if j.keys.IsFirst(p.Head) {
			continue
		}
		var run int64
		var sealed []byte
		err := j.pool.QueryRow(ctx, "SELECT run, data FROM opscom.roster WHERE target = $1 AND series = $2", p.Target, p.Series).Scan(&run, &sealed)
		if errors.Is(err, pgx.ErrNoRows) { // deleted meanwhile
			continue
		}
		if err != nil {
			return err
		}
		data, err := j.keys.Open(sealed, p.Target, run)
		if err != nil {
			continue
		}
		if _, err := j.pool.Exec(ctx, "UPDATE opscom.roster SET data = $1 WHERE target = $2 AND series = $3 AND data = $4",
			j.keys.Seal(nil, data, p.Target, run), p.Target, p.Series, sealed); err != nil {
			return err
		}
	}
	return nil
}

// dropKeys deletes the ids of all people who are kept, of one run after the other.
func (j *Journal) dropKeys(ctx context.Context) error {
	for done := false; !done; {
		err := j.insist(ctx, "delete the ids of people who are kept", func(tx pgx.Tx, _ bool) error {
			rosters, err := j.loadRosters(ctx, tx, "WHERE keyed ORDER BY target, series LIMIT 1 FOR UPDATE")
			if done = len(rosters) == 0; err != nil || done {
				return err
			}
			without := *rosters[0]
			without.HasKeys = false
			return j.storeRoster(ctx, tx, &without, rosters[0].Each)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropOlderRosters deletes who was in a run of whose source there is a later complete one that
// is not forgotten.
func (j *Journal) dropOlderRosters(ctx context.Context, target string) error {
	return j.insist(ctx, "delete who was in older runs", func(tx pgx.Tx, _ bool) error {
		past, err := j.loadPast(ctx, tx, target)
		if err != nil {
			return err
		}
		for i := range past.Runs {
			if r := &past.Runs[i]; journal.IsComplete(r) {
				_, err = tx.Exec(ctx, "DELETE FROM opscom.roster r USING opscom.target t WHERE t.id = r.target AND t.name = $1 AND r.series = $2 AND r.run < $3",
					importer.SameTarget(target), format.PathText(importer.SeriesOf(r.Source)), r.ID)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
