package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// sandboxed returns the environment for a stored run: one that was planned for the
// sandbox needs no --sandbox to say so.
func (e Env) sandboxed(run importer.RunInfo) Env {
	if IsSandbox(run.Target) {
		e.Settings = e.Settings.ForSandbox()
	}
	return e
}

// Approve pushes what is pending in the run's plan, whatever held or stopped it. The
// contexts are as for Push.
func Approve(fetchCtx, workCtx context.Context, env Env, id int64, done func(report.Receipt) error) (err error) {
	exists, err := env.hasJournal()
	if err != nil {
		return err
	}
	if !exists {
		return env.noRun(id)
	}
	err = env.withJournal(fetchCtx, func(j journal.Journal) (err error) {
		defer env.forgetOld(fetchCtx, j)
		run, err := j.Run(fetchCtx, id)
		if err != nil {
			return err
		}
		env := env.sandboxed(run.Info())
		if err := env.checkApprovable(run.Info()); err != nil {
			return err
		}
		if err := env.checkNewest(fetchCtx, j, run.Info()); err != nil {
			return err
		}
		env.Settings.Yes = true
		p, err := newPusher(fetchCtx, env, j)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, p.Close()) }()
		receipt, err := p.approveRun(fetchCtx, workCtx, id)
		if err := deliver(receipt, err, done); err != nil {
			return &FileError{run.Info().Source, err}
		}
		return nil
	})
	return OrInterrupted(fetchCtx, err)
}

func (p *pusher) approveRun(fetchCtx, workCtx context.Context, id int64) (receipt report.Receipt, err error) {
	run, err := p.journal.Run(fetchCtx, id) // as it is now that nobody else works on it
	if err != nil {
		return receipt, err
	}
	info := run.Info()
	if err := p.checkApprovable(info); err != nil {
		return receipt, err
	}
	if err := p.askUserTypes(fetchCtx); err != nil { // shows that address, client code and token are right
		return receipt, err
	}
	pending, err := countPending(fetchCtx, run)
	if err != nil {
		return receipt, err
	}
	return p.pushRun(fetchCtx, workCtx, activeRun{
		Run: run, command: "approve", started: time.Now(), shown: shownSource(info), pending: pending,
		table: sync.OnceValue(func() *mappedTable { return p.reopen(info, p.userTypes) }),
	})
}

// checkNewest returns an error when a newer export of the same series was pushed since the
// run was planned, unless the settings say that it is all the same.
func (e Env) checkNewest(ctx context.Context, j journal.Journal, r importer.RunInfo) error {
	if e.Settings.Yes {
		return nil
	}
	runs, err := j.Runs(ctx)
	if err != nil {
		return err
	}
	for _, newer := range runs {
		wasSent := newer.State == importer.RunFinished || newer.State == importer.RunStopped || newer.State == importer.RunPushing
		if newer.ID > r.ID && wasSent && newer.Source != r.Source &&
			importer.SameTarget(newer.Target) == importer.SameTarget(r.Target) && importer.SeriesOf(newer.Source) == importer.SeriesOf(r.Source) {
			return fmt.Errorf("run %d is of an older export: %s was pushed since, in run %d, and what it changed would be changed back. Forget run %d; or add --yes to push it all the same",
				r.ID, filepath.Base(newer.Source), newer.ID, r.ID)
		}
	}
	return nil
}

// checkApprovable returns why the run cannot be pushed with these settings.
func (e Env) checkApprovable(r importer.RunInfo) error {
	switch {
	case importer.SameTarget(r.Target) != e.target():
		return fmt.Errorf("run %d was planned for %s, and the settings say %s; approve it with the settings that planned it", r.ID, r.Target, e.target())
	case r.State == importer.RunSuperseded:
		return fmt.Errorf("run %d cannot be approved: a newer run of the same file took its place", r.ID)
	case r.State == importer.RunFinished:
		return fmt.Errorf("run %d is finished; \"opscom-import runs report %d\" writes its results again", r.ID, r.ID)
	}
	return nil
}

// reopen opens the file of a stored run again, and closes it: the reports need its
// mapping and open its rows themselves. It returns nil when it is not the very file,
// mapping and settings that were planned.
func (e Env) reopen(run importer.RunInfo, types userTypes) *mappedTable {
	if run.Source == "-" {
		return nil
	}
	in := &input{shown: shownSource(run), path: run.Path(), source: run.Source, base: baseOf(run.Path())}
	var err error
	if in.found, err = in.stat(); err != nil {
		return nil
	}
	if hash, err := in.hash(); err != nil || hash != run.FileHash {
		return nil
	}
	opened, err := e.openTable(in, types)
	if err != nil {
		return nil
	}
	t, err := opened.withUserTypes(e.Settings, userTypes{list: types.list}) // they were judged when the run was planned
	if err = errors.Join(err, opened.Close()); err != nil || !e.plannedAs(run, opened) {
		return nil
	}
	return t
}

// plannedAs reports whether the run was planned with the table's mapping and these
// settings. Whether it was to push only changes, or leavers, makes no difference to what the
// file's cells mean, and the commands for a stored run are given without it.
func (e Env) plannedAs(run importer.RunInfo, t *table) bool {
	for _, onlyChanges := range []bool{false, true} {
		settings := e.Settings
		settings.OnlyChanges, settings.Leavers = onlyChanges, config.LeaverMode{}
		if run.Leavers != nil {
			settings.Leavers = config.StoredLeavers(run.Leavers.Mode)
		}
		if hash, err := planHash(settings, t.mappingText, e.Corrections); err == nil && hash == run.MappingHash {
			return true
		}
	}
	return false
}
