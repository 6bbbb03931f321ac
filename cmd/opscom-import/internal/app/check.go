package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/report"
)

// Check plans each file without keeping the plan, as Push would, and gives the
// receipt of each to done. It sends no profile and changes nothing. A file that cannot
// be planned does not keep the others from it.
func Check(ctx context.Context, env Env, files []string, done func(report.Receipt) error) (err error) {
	defer func() { err = OrInterrupted(ctx, err) }()
	files, err = env.leaveOutReports(files)
	if err != nil {
		return err
	}
	err = checkPaths(env.Settings, files, func(name string) (importer.Reports, error) { return checkReportPaths(env.Settings, baseOf(name)) })
	if err != nil {
		return err
	}
	checker, err := newChecker(ctx, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, checker.Close()) }()
	if checker.note != "" {
		env.notify("%s", checker.note)
	}
	return eachFile(ctx, files, done, func(name string) (report.Receipt, error) {
		return env.withTable(ctx, name, checker.userTypes, func(t *table) (report.Receipt, error) { return checker.checkFile(ctx, t) })
	})
}

// eachFile handles the files in turn and gives the receipts to done. A file that
// cannot be read or planned is at fault alone: its error is returned when the others
// were handled. Any other error, and an exit code over 1, stops the rest.
func eachFile(ctx context.Context, names []string, done func(report.Receipt) error, handle func(name string) (report.Receipt, error)) error {
	var faults []error
	for _, name := range names {
		receipt, err := handle(name)
		planned := receipt.Command != ""
		if err = deliver(receipt, err, done); err == nil && receipt.Exit <= ExitRows {
			continue
		}
		if err != nil && len(names) > 1 && !strings.Contains(err.Error(), name) {
			err = fmt.Errorf("%s: %w", name, err)
		}
		if err != nil {
			faults = append(faults, &FileError{name, err})
		}
		if planned || ctx.Err() != nil || ExitCode(err) != ExitUsage {
			break
		}
	}
	return errors.Join(faults...)
}

// FileError is why one FILE of a command failed, or its run is not complete.
type FileError struct {
	File string // as it was named
	Err  error
}

func (e *FileError) Error() string { return e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// IsOfFile reports whether the FILE is at fault: the same again would fail again. A full
// disk is not its fault, and neither is a database that cannot be used, a mapping that nobody can
// read, or a list of user types that the Controller denies.
func IsOfFile(err error) bool {
	return errors.As(err, new(*FileError)) && ExitCode(err) == ExitUsage && !IsFull(err) && !IsOfDatabase(err) && !errors.As(err, new(*notOfFileError))
}

// notOfFileError is why a FILE cannot be planned, though it is not at fault.
type notOfFileError struct{ err error }

func (e *notOfFileError) Error() string { return e.err.Error() }
func (e *notOfFileError) Unwrap() error { return e.err }

// deliver gives a receipt to done, once it is certain that it adds up. A file that
// could not be planned has none.
func deliver(receipt report.Receipt, err error, done func(report.Receipt) error) error {
	if receipt.Command == "" {
		return err
	}
	if wrong := receipt.Check(); wrong != nil {
		return errors.Join(err, &incompleteError{wrong})
	}
	return errors.Join(err, done(receipt))
}

// checker is what a check works with.
type checker struct {
	Env
	journal   journal.Journal // nil when there is none
	userTypes userTypes
	note      string // how far user types are checked; "" when they simply are
}

// newChecker asks the Controller for its user types. When it does not answer, those
// that the journal remembers count; when it denies them to this token, none do, as in a
// push.
func newChecker(ctx context.Context, env Env) (*checker, error) {
	j, err := env.readJournal(ctx)
	if err != nil {
		return nil, err
	}
	c := &checker{Env: env, journal: j}
	unknown := c.askUserTypes(ctx)
	if unknown == nil {
		return c, nil
	}
	if errors.As(unknown, &c.userTypes.denied) { // a push goes on without the list, or stops
		c.note = withoutList(c.userTypes.denied)
		return c, nil
	}
	c.note = fmt.Sprintf("User types are NOT checked: the Controller's list is not known (%v).", unknown)
	if j == nil {
		return c, nil
	}
	list, at, err := j.UserTypes(ctx, env.target())
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	if len(list) > 0 {
		c.userTypes = userTypes{list: list, known: true}
		c.note = fmt.Sprintf("User types are checked against the Controller's list of %s (it cannot be asked now: %v).", at.Local().Format("2006-01-02"), unknown)
	}
	return c, nil
}

// askUserTypes asks the Controller for its user types, and returns why they are not
// known.
func (c *checker) askUserTypes(ctx context.Context) (err error) {
	if c.client() == "" {
		return errors.New("no client code is set")
	}
	if list, ok := c.Types.get(c.target(), time.Now()); ok {
		c.userTypes = userTypes{list: list, known: true}
		return nil
	}
	conn, err := connectToAsk(ctx, c.Env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	list, err := conn.UserTypes(ctx)
	if err == nil {
		c.Types.put(c.target(), list, time.Now())
		c.userTypes = userTypes{list: list, known: true}
	}
	return err
}

func (c *checker) Close() error {
	if c.journal == nil {
		return nil
	}
	return c.journal.Close()
}

// checkFile plans one file without keeping the plan.
func (c *checker) checkFile(ctx context.Context, opened *table) (receipt report.Receipt, err error) {
	t, err := opened.withUserTypes(c.Settings, c.userTypes)
	if err != nil {
		return receipt, err
	}
	paths, err := checkReportPaths(c.Settings, t.in.base)
	if err == nil {
		err = checkWritable(redirected(importer.Reports{}, c.Settings)) // those that were asked for
	}
	if err != nil {
		return receipt, err
	}
	store := journal.NewTempStore(paths.Results != "")
	defer func() { err = errors.Join(err, store.Close()) }()
	planner := importer.Planner{Store: store, CheckOnly: true}
	if c.journal != nil {
		known := c.journal.Acceptances()
		planner.Salt, planner.Owners = c.journal.Salt(), known
		if c.Settings.OnlyChanges {
			planner.Acceptances = known
		}
	}
	if planner.Leavers, err = c.leaverSearch(ctx, c.journal, t, c.userTypes, ""); err != nil {
		return receipt, err
	}
	if c.journal != nil && planner.Leavers != nil {
		planner.Salt = c.journal.Salt()
	}
	plan, err := c.plan(ctx, t, planner)
	if err != nil {
		return receipt, err
	}
	held, err := c.judge(ctx, c.journal, plan, t.in.source)
	if err != nil {
		return receipt, err
	}
	c.leaveOutUnwritable(&paths, plan)
	r := &reporter{Env: c.Env, paths: paths, results: store.Results, reopen: t.asIs}
	if _, err := r.write(); err != nil {
		return receipt, err
	}
	counts := maps.Clone(plan.Counts)
	counts[importer.StatusValid] = counts[importer.StatusPending]
	delete(counts, importer.StatusPending)
	if l := plan.Leavers; l != nil {
		counts[importer.StatusValid] += l.Sent
		counts[importer.StatusLeaver] = l.Found - l.Sent
	}
	receipt = report.Receipt{
		Command: report.CheckCommand, File: t.in.shown, Target: c.Host(), Problems: plan.Problems, Rows: plan.Rows, Counts: counts, Leavers: plan.Leavers, Held: held,
		Seconds: time.Since(t.in.opened).Seconds(), Reports: shortPaths(r.paths), Exit: RunExitCode(counts, nil, false),
	}
	return receipt, r.writeSummary(report.Summary{Receipt: receipt, Changes: changes(c.Settings, plan), StartedAt: t.in.opened})
}

// leaveOutUnwritable drops the reports beside the file that nobody asked for and that
// cannot be written there: a check of a file in a read-only folder is one all the same.
func (c *checker) leaveOutUnwritable(paths *importer.Reports, plan importer.Plan) {
	for _, r := range []struct {
		asked, path *string
		kind        report.Kind
		isNeeded    bool
	}{
		{c.Settings.Problems, &paths.Problems, report.KindProblems, len(plan.Problems) > 0},
		{c.Settings.Fix, &paths.Fix, report.KindFix, plan.Counts.Of(importer.KindToFix) > 0},
		{c.Settings.LeaversFile, &paths.Leavers, report.KindLeavers, plan.Leavers.AllRows(0) > 0},
	} {
		if r.asked != nil {
			continue
		}
		if err := report.To(*r.path, nil).CanWrite(r.kind); err != nil {
			if r.isNeeded {
				c.notify("%v.", err)
			}
			*r.path = ""
		}
	}
}
