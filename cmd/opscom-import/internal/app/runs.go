package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/sqlite"
	"opscom-import/report"
)

// IsFull reports whether something failed, in the state folder or elsewhere, because a disk of
// this computer has no space left, or a user has used up what is theirs.
func IsFull(err error) bool { return sqlite.IsFull(err) }

// IsDatabaseFull reports whether something failed because the disk of the database that the journal
// is in has no space left.
func IsDatabaseFull(err error) bool { return postgres.IsFull(err) }

// IsUnwritable reports whether something failed because the state folder, or the journal in
// it, may not be written.
func IsUnwritable(err error) bool { return sqlite.IsUnwritable(err) }

// IsOfDatabase reports whether something failed because of the database that the journal is in, or of its keys.
func IsOfDatabase(err error) bool {
	return postgres.IsOfDatabase(err) || errors.As(err, new(*keysError))
}

// IsAway reports whether something failed because that database does not answer now.
func IsAway(err error) bool { return postgres.IsAway(err) }

// readRun calls f with a stored run, which f only reads.
func (e Env) readRun(ctx context.Context, id int64, f func(journal.Journal, journal.Run) error) error {
	j, err := e.readJournal(ctx)
	if err != nil {
		return err
	}
	if j == nil {
		return e.noRun(id)
	}
	run, err := j.Run(ctx, id)
	if err == nil {
		err = f(j, run)
	}
	return errors.Join(err, j.Close())
}

// noRun says that there is no journal, and so no run.
func (e Env) noRun(id int64) error { return fmt.Errorf("open run %d: %w", id, journal.ErrNoRun) }

// Runs returns every run, the newest first.
func Runs(ctx context.Context, env Env) ([]importer.RunInfo, error) {
	j, err := env.readJournal(ctx)
	if err != nil || j == nil {
		return nil, err
	}
	runs, err := j.Runs(ctx)
	return runs, errors.Join(err, j.Close())
}

// FindRun returns a run.
func FindRun(ctx context.Context, env Env, id int64) (info importer.RunInfo, err error) {
	err = env.readRun(ctx, id, func(_ journal.Journal, run journal.Run) error {
		info = run.Info()
		return nil
	})
	return info, err
}

// ShowRun returns a run, and its receipt with the reports that exist.
func ShowRun(ctx context.Context, env Env, id int64) (info importer.RunInfo, receipt report.Receipt, err error) {
	err = env.readRun(ctx, id, func(j journal.Journal, run journal.Run) (err error) {
		info = run.Info()
		if receipt, err = receiptOf(ctx, "runs show", run); err == nil && info.State == importer.RunPushing {
			activities, _ := activitiesOf(ctx, j, []importer.RunInfo{info}) // a folder that only can be read cannot be locked
			receipt.Waiting = activities[id] != Idle
		}
		return err
	})
	return info, receipt, err
}

// receiptOf returns the receipt of a stored run, with the reports that exist.
func receiptOf(ctx context.Context, command string, run journal.Run) (report.Receipt, error) {
	info := run.Info()
	counts, attempts, err := run.Counts(ctx)
	receipt := report.Receipt{
		Command: command, Run: info.ID, File: ShortPath(info.Source), Target: info.Target, Rows: info.Rows, Counts: counts, Leavers: info.Leavers, Attempts: attempts,
		Held: heldReasons(info), Reports: existing(info), Exit: RunExitCode(counts, nil, info.State == importer.RunHeld),
	}
	if !info.FinishedAt.IsZero() {
		receipt.Seconds = info.FinishedAt.Sub(info.StartedAt).Seconds()
	}
	return receipt, err
}

// WriteReports writes a run's results, problems and fix workbook again, where they
// were told to go or where the settings say, and returns the paths of those that were
// written to files. There is no fix workbook when the file has changed since.
func WriteReports(ctx context.Context, env Env, id int64) (written []string, err error) {
	err = env.readRun(ctx, id, func(j journal.Journal, run journal.Run) error {
		info := run.Info()
		r, err := env.reporterOf(ctx, j, run)
		if err != nil {
			return err
		}
		r.paths = redirected(r.paths, env.Settings)
		r.paths.Summary = "" // it cannot be written again
		if asked := env.Settings.Summary; asked != nil && *asked != "" {
			env.notify("The summary is not written: it is made only while a run is pushed.")
		}
		if err := checkPaths(env.Settings, []string{info.Path()}, func(string) (importer.Reports, error) { return r.paths, nil }); err != nil {
			return err
		}
		if err := checkWritable(r.paths); err != nil {
			return err
		}
		totals, err := r.write()
		if err != nil {
			return err
		}
		r.notifyFixIsPart(totals.ToFix)
		for _, path := range []string{r.paths.Results, r.paths.Problems, r.paths.Fix, r.paths.Leavers} {
			if path != "" && path != "-" {
				written = append(written, ShortPath(path))
			}
		}
		return nil
	})
	return written, err
}

// reporterOf returns what writes the reports of a stored run where they were told to go.
func (e Env) reporterOf(ctx context.Context, j journal.Journal, run journal.Run) (*reporter, error) {
	info := run.Info()
	list, _, err := j.UserTypes(ctx, info.Target)
	if err != nil {
		return nil, err
	}
	r := &reporter{Env: e.sandboxed(info), paths: info.Reports, results: resultsOf(ctx, run)}
	r.reopen = func() *mappedTable { return r.Env.reopen(info, userTypes{list: list, known: true}) }
	return r, nil
}

// WriteResults writes a run's results to w.
func WriteResults(ctx context.Context, env Env, id int64, w io.Writer) error {
	return env.readRun(ctx, id, func(_ journal.Journal, run journal.Run) error {
		_, err := report.WriteResults(report.To("-", w), run.Results(ctx))
		return err
	})
}

// WriteResultsWorkbook writes a run's results to w as a workbook for people. Nothing is
// written before all results were read.
func WriteResultsWorkbook(ctx context.Context, env Env, id int64, w io.Writer) error {
	return env.readRun(ctx, id, func(_ journal.Journal, run journal.Run) error {
		return report.WriteResultsWorkbook(w, run.Results(ctx))
	})
}

// Forget removes these runs from the journal, or those that were started longer ago
// than age when that is not 0, and returns how many there were. By age it leaves runs
// that are held: they wait for a person. The files that the page keeps of these runs are
// removed too.
func Forget(ctx context.Context, env Env, ids []int64, age time.Duration) (forgotten int, err error) {
	exists, err := env.hasJournal()
	switch {
	case err != nil:
		return 0, err
	case !exists && len(ids) > 0:
		return 0, env.noRun(ids[0])
	case !exists:
		return 0, nil
	}
	err = env.withJournal(ctx, func(j journal.Journal) error {
		if age > 0 {
			runs, err := j.Runs(ctx)
			if err != nil {
				return err
			}
			for _, r := range runs {
				switch {
				case time.Since(r.StartedAt) <= age:
				case r.State == importer.RunHeld:
					env.notify("Run %d is held and stays; approve it, or forget it by its number.", r.ID)
				default:
					ids = append(ids, r.ID)
				}
			}
		}
		forgotten, err = j.Forget(ctx, ids...)
		return errors.Join(err, env.forgetCopies(ctx, j, ids))
	})
	return forgotten, err
}

// shownSource is a run's file as a person would name it.
func shownSource(r importer.RunInfo) string {
	if r.Source == "-" {
		return "standard input"
	}
	return filepath.Base(r.Source)
}
