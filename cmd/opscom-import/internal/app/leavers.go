package app

import (
	"context"
	"errors"
	"fmt"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
)

// leaverSearch returns what a plan needs to look for leavers, nil when it need not. A run
// of a file with the hash except does not count as the last one. Without a journal there is
// no earlier run.
func (e Env) leaverSearch(ctx context.Context, j journal.Journal, t *mappedTable, types userTypes, except string) (*importer.LeaverSearch, error) {
	mode := e.Settings.Leavers
	if !mode.IsOn() {
		return nil, nil
	}
	search := &importer.LeaverSearch{Leavers: importer.Leavers{Mode: mode.String(), Why: journal.NoRunYet}, Limit: e.Settings.MaxLeavers}
	if search.UserType = mode.UserType; mode.UserType != "" && (types.known || types.denied != nil) { // else it is a check, which says that it has no list
		var err error
		search.UserType, err = mapping.FindUserType(mode.UserType, mapping.Options{
			UserTypes: types.list, UserTypesKnown: types.known, UserTypesByID: types.denied != nil,
		})
		if err != nil {
			return nil, fmt.Errorf("--leavers %s: %w", mode, err)
		}
	}
	if j == nil {
		return search, nil
	}
	run, why, err := j.LastComplete(ctx, e.target(), t.in.source, except)
	if search.Why = why; err != nil || run == nil {
		return search, err
	}
	roster, err := j.Roster(ctx, e.target(), run)
	if err != nil {
		return nil, err
	}
	last, _, err := j.Last(ctx, e.target(), t.in.source)
	if err != nil {
		return nil, err
	}
	search.Run, search.At, search.Source, search.Rows, search.People = run.ID, run.FinishedAt, run.Source, run.Rows, roster.People
	search.Roster, search.HasKeys, search.Accepted = roster, roster.HasKeys, j.Acceptances()
	search.IsCut = func() bool { return importer.MayBeCut(t.CutRow(), t.LastLine(), last) }
	return search, nil
}

// outdatedLeavers returns why people whom an unfinished run would push as leavers may not
// have left by now, "" if nothing says so: a newer run of the same source is complete, or may
// have been before the journal was restored, or another source has them since.
func (p *pusher) outdatedLeavers(ctx context.Context, run importer.RunInfo) (why string, err error) {
	if run.Leavers == nil || run.Leavers.Sent == 0 {
		return "", nil
	}
	restored, err := p.journal.WasRestoredSince(ctx, run.Target, run.ID)
	if err != nil {
		return "", err
	}
	if restored {
		return "the journal was restored from a backup since, so that some of its leavers may have come back", nil
	}
	newest, _, err := p.journal.LastComplete(ctx, run.Target, run.Source, "")
	if err != nil {
		return "", err
	}
	if newest != nil && newest.ID > run.ID {
		return fmt.Sprintf("run %d of the same file is complete since, so that some of its leavers may have come back", newest.ID), nil
	}
	moved, by, err := p.journal.MovedLeavers(ctx, run.ID)
	if moved > 0 {
		why = fmt.Sprintf("run %d, of another file, has some of its leavers since (%d)", by, moved)
	}
	return why, err
}

// checkLeavers returns an error when the run would push people as leavers who may not have
// left by now.
func (p *pusher) checkLeavers(ctx context.Context, run importer.RunInfo) error {
	why, err := p.outdatedLeavers(ctx, run)
	if err == nil && why != "" {
		err = fmt.Errorf("run %d is not pushed: %s; push the newest file instead", run.ID, why)
	}
	return err
}

// LeaverList is who left.
type LeaverList struct {
	importer.Leavers
	File    string // as it was named
	HasKeys bool   // the ids are known: List has everybody who was Found
	List    []importer.Result
}

// ErrNothingToCompare says that a file cannot be compared with an earlier run.
var ErrNothingToCompare = errors.New("there is nothing to compare the file with, so it is not known who left")

// Leavers returns the people whom the last complete run of the file's source had and the
// file has not. If that run was of this very file, the one before it counts. It changes
// nothing and sends no profile. Without such a run the error is an ErrNothingToCompare.
func Leavers(ctx context.Context, env Env, name string, done func(LeaverList) error) (err error) {
	defer func() { err = OrInterrupted(ctx, err) }()
	env.Settings.Leavers = config.ReportLeavers() // whatever a push does about them
	checker, err := newChecker(ctx, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, checker.Close()) }()
	if checker.note != "" {
		env.notify("%s", checker.note)
	}
	return env.withInput(ctx, name, func(in *input) error {
		t, err := env.openTable(in, checker.userTypes)
		if err != nil {
			return err
		}
		list, err := checker.leavers(ctx, t)
		if err = errors.Join(err, t.Close()); err != nil {
			return err
		}
		return done(list)
	})
}

// leavers plans one file for the leavers alone.
func (c *checker) leavers(ctx context.Context, opened *table) (list LeaverList, err error) {
	t, err := opened.withUserTypes(c.Settings, c.userTypes)
	if err != nil {
		return list, err
	}
	hash, err := t.in.hash()
	if err != nil {
		return list, err
	}
	search, err := c.leaverSearch(ctx, c.journal, t, c.userTypes, hash)
	if err != nil {
		return list, err
	}
	if search.Roster == nil {
		return list, fmt.Errorf("%w: %s", ErrNothingToCompare, search.Why)
	}
	store := journal.NewTempStore(false)
	defer func() { err = errors.Join(err, store.Close()) }()
	plan, err := c.plan(ctx, t, importer.Planner{Store: store, Salt: c.journal.Salt(), Leavers: search})
	if err != nil {
		return list, err
	}
	list = LeaverList{Leavers: *plan.Leavers, File: t.in.shown, HasKeys: search.HasKeys}
	for result, err := range store.Results() {
		if err != nil {
			return list, err
		}
		if result.Leaver && result.UniqueID != "" && list.HasKeys {
			list.List = append(list.List, result)
		}
	}
	return list, nil
}
