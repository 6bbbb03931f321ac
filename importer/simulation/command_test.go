package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
	"opscom-import/report"
)

const (
	simulatedClient = "OC_TRIAL"
	simulatedToken  = "trial-token"
	simulatedTarget = "https://controller.example OC_TRIAL"
	simulatedSource = "/students.csv"
)

// The exit codes, as docs/reference/commands.md has them.
const (
	exitDone       = 0
	exitRows       = 1
	exitIncomplete = 3
	exitHeld       = 4
)

// ended is what a command has left that did not die.
type ended struct {
	code   int
	err    error             // why the run is not complete
	run    int64             // 0: there is none
	counts importer.Counts   // as the command runs shows them
	tries  int               // requests, likewise
	lines  []importer.Result // as the journal has them
}

// push does what the command push does, from the opening of the journal to the exit
// code. yes: a run that a safety limit holds is pushed all the same.
func (p *process) push(fetchCtx, workCtx context.Context, yes bool) (e ended) {
	var j journal.Journal
	err := p.write("open", durable, func() (err error) {
		j, err = p.open(p.alive, p.machine)
		return err
	})
	if j == nil {
		return ended{code: exitIncomplete, err: err}
	}
	defer func() {
		closing := p.write("close", durable, j.Close)
		if p.died() { // the folder is another's by now
			closing = j.Close()
		}
		if err := closing; err != nil && !p.died() {
			p.violated("close the journal: %v", err)
		}
	}()
	if err == nil {
		e, err = p.pushWith(fetchCtx, workCtx, j, yes)
	}
	if err != nil {
		e.code, e.err = exitIncomplete, errors.Join(e.err, err)
	}
	return e
}

func (p *process) pushWith(fetchCtx, workCtx context.Context, j journal.Journal, yes bool) (e ended, err error) {
	release, err := j.Lock(p.alive, simulatedTarget) // interrupted before that it would have no run to be audited
	if err != nil {
		return e, err
	}
	defer func() { err = errors.Join(err, release()) }()
	finished := p.inspect(j)
	if err := p.write("recover", durable, func() error { return j.Recover(p.alive, simulatedTarget) }); err != nil {
		return e, err
	}
	if finished != nil {
		return p.evidence(finished, nil) // the command itself would begin a new run
	}
	run, err := p.findResumable(j)
	if err == nil && run == nil {
		run, err = p.plan(fetchCtx, j)
	}
	if err != nil {
		return e, err
	}
	if run.Info().State == importer.RunHeld && !yes {
		return p.finish(run, nil)
	}
	if run.Info().State != importer.RunPushing {
		if err := p.write("start", durable, func() error { return run.Start(p.alive) }); err != nil {
			return e, err
		}
	}
	client, line := p.newClient()
	defer line.transport.CloseIdleConnections()
	defer client.controller.Close()
	pusher := importer.Pusher{
		Queue: &queue{p, run}, Controller: client, Workers: p.settings.workers, MaxFailures: p.settings.maxFailures,
	}
	return p.finish(run, run.Work(fetchCtx, func(ctx context.Context) error { return pusher.Push(ctx, workCtx) }))
}

// findResumable returns the unfinished run of the file, nil for none, and
// supersedes those of other files.
func (p *process) findResumable(j journal.Journal) (run journal.Run, err error) {
	unfinished, err := j.Unfinished(p.alive, simulatedTarget, simulatedSource)
	if err != nil {
		return nil, err
	}
	for _, u := range unfinished {
		if run == nil && u.FileHash == fmt.Sprint(p.file.number) {
			if run, err = j.Run(p.alive, u.ID); err != nil {
				return nil, err
			}
			continue
		}
		if err := p.write("supersede", durable, func() error { return j.Supersede(p.alive, u.ID) }); err != nil {
			return nil, err
		}
	}
	return run, nil
}

// plan plans the file as a new run.
func (p *process) plan(fetchCtx context.Context, j journal.Journal) (run journal.Run, err error) {
	err = p.write("begin", relaxed, func() (err error) {
		run, err = j.Begin(p.alive, importer.RunInfo{
			Client: simulatedClient, Target: simulatedTarget, Source: simulatedSource,
			FileHash: fmt.Sprint(p.file.number), MappingHash: "mapping", StartedAt: time.Now().UTC(),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	known := &acceptances{process: p, known: j.Acceptances()}
	store := &store{p, run, map[string]int{}, map[string]bool{}}
	planner := importer.Planner{
		Source: p.file.source(), Mapper: newMapper(p.course), Store: store, Salt: j.Salt(), Target: simulatedTarget, Owners: known,
	}
	if p.file.onlyChanges {
		planner.Acceptances = known
	}
	plan, err := planner.Make(fetchCtx)
	if err != nil {
		discard := p.write("discard", durable, func() error { return run.Discard(context.Background()) })
		return nil, errors.Join(err, discard)
	}
	p.rounds = store.rounds
	p.checkOrder(store.pending)
	p.count("rows that wait for others", len(p.rounds))
	held := importer.Limits{MaxBad: p.settings.maxBad}.Judge(plan, importer.RunInfo{})
	state := importer.RunPushing
	if len(held) > 0 {
		state = importer.RunHeld
	}
	return run, p.write("seal", durable, func() error { return run.Seal(p.alive, state, plan.Rows, held) })
}

func newMapper(c *course) *mapping.Mapper {
	file, err := mapping.Parse("simulated", []byte(simulatedMapping))
	c.check(err)
	mapper, err := mapping.Compile(file, header(), mapping.Options{Today: time.Now()})
	c.check(err)
	return mapper
}

// finish writes the results of a run, and ends it.
func (p *process) finish(run journal.Run, stopped error) (e ended, err error) {
	info := run.Info()
	e = ended{code: exitIncomplete, err: stopped, run: info.ID}
	if stopped != nil {
		if err := p.write("stop", durable, func() error { return run.Stop(p.alive) }); err != nil {
			return e, err
		}
	}
	if err := p.writeResults(run); err != nil {
		return e, err
	}
	if stopped == nil && info.State != importer.RunHeld {
		if err := p.write("finish", durable, func() error { return run.Finish(p.alive, time.Now().UTC()) }); err != nil {
			return e, err
		}
	}
	return p.evidence(run, stopped)
}

// evidence returns what a command says of a run, and the exit code.
func (p *process) evidence(run journal.Run, stopped error) (e ended, err error) {
	info := run.Info()
	e = ended{err: stopped, run: info.ID}
	if e.counts, e.tries, err = run.Counts(p.alive); err != nil {
		return e, err
	}
	switch {
	case info.State == importer.RunHeld:
		e.code = exitHeld
	case stopped != nil:
		e.code = exitIncomplete
	default:
		e.code = exitOf(e.counts)
	}
	e.lines, err = linesOf(run)
	return e, err
}

// exitOf returns the exit code of a run that came to its end.
func exitOf(counts importer.Counts) int {
	switch {
	case counts[importer.StatusUnknown]+counts[importer.StatusNotSent] > 0:
		return exitIncomplete
	case counts[importer.StatusInvalid]+counts[importer.StatusRejected]+counts[importer.StatusFailed] > 0:
		return exitRows
	}
	return exitDone
}

// writeResults writes the results file, and dies at one of its lines when that is
// what is in store.
func (p *process) writeResults(run journal.Run) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.died() {
		return errDied
	}
	line := 0
	pass := func() bool {
		if line++; p.end.moment == inResults && line >= p.end.nth {
			p.die(nil)
		}
		return !p.died()
	}
	var lines iter.Seq2[importer.Result, error] = func(yield func(importer.Result, error) bool) {
		for result, err := range run.Results(p.alive) {
			if !pass() {
				yield(importer.Result{}, errDied)
				return
			}
			if !yield(result, err) {
				return
			}
		}
		if !pass() {
			yield(importer.Result{}, errDied)
		}
	}
	_, err := report.WriteResults(report.To(filepath.Join(p.machine, resultsName), nil), lines)
	return err
}

// linesOf returns a run's results as the journal has them.
func linesOf(run journal.Run) (lines []importer.Result, err error) {
	for line, err := range run.Results(context.Background()) {
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// store is the plan in the journal of a process that may die.
type store struct {
	*process
	run journal.Run
	// By unique id:
	rounds  map[string]int
	pending map[string]bool
}

func (s *store) Append(ctx context.Context, rows []importer.PlannedRow) error {
	for i := range rows {
		if rows[i].Status == importer.StatusPending {
			s.pending[rows[i].UniqueID] = true
		}
	}
	return s.write("append", relaxed, func() error { return s.run.Append(ctx, rows) })
}

func (s *store) Amend(ctx context.Context, amendments []importer.Amendment) error {
	for _, a := range amendments {
		who := s.file.records[a.Row-s.file.headerRow-1][0]
		if a.Round > 0 {
			s.rounds[who] = a.Round
		}
		if a.Status() == importer.StatusInvalid {
			delete(s.pending, who)
		}
		if a.Problem != nil && a.Problem.Rule == mapping.RuleEmailTaken {
			s.count("rows warned of", 1)
		}
	}
	return s.write("amend", relaxed, func() error { return s.run.Amend(ctx, amendments) })
}

// acceptances are those in the journal of a process that may die: to look them up
// may change it.
type acceptances struct {
	*process
	known   *journal.Acceptances
	isAsked bool // for an owner
}

// Owner asks the journal; it may change it the first time.
func (a *acceptances) Owner(ctx context.Context, target string, value importer.UniqueValue) (owner importer.Owner, ok bool, err error) {
	ask := func() (err error) {
		owner, ok, err = a.known.Owner(ctx, target, value)
		return err
	}
	if a.isAsked {
		err = ask()
		return owner, ok, err
	}
	a.isAsked = true
	err = a.write("look up an owner", durable, ask)
	return owner, ok, err
}

func (a *acceptances) Accepted(ctx context.Context, target string, keys []importer.Digest) (found map[importer.Digest]importer.Acceptance, err error) {
	err = a.write("look up", durable, func() (err error) {
		found, err = a.known.Accepted(ctx, target, keys)
		return err
	})
	return found, err
}

// queue is the run in the journal of a process that may die.
type queue struct {
	*process
	run journal.Run
}

func (q *queue) Claim(ctx context.Context, max int) (jobs []importer.Job, err error) {
	err = q.write("claim", durable, func() (err error) {
		jobs, err = q.run.Claim(ctx, max)
		return err
	})
	return jobs, err
}

func (q *queue) Record(ctx context.Context, outcomes []importer.Outcome) error {
	return q.write("record", durable, func() error { return q.run.Record(ctx, outcomes) })
}

func (q *queue) NextRound() bool { return q.run.NextRound() }
