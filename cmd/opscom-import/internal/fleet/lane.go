package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river"

	"opscom-import/importer"
	"opscom-import/importer/journal/postgres"
)

// errLaneLost says that another job has the lane now.
var errLaneLost = errors.New("another job has taken the lane over")

// How long a job waits before it is tried again.
const (
	whileOthersHold = 5 * time.Second  // what is left of the run
	whileElsewhere  = time.Second      // another worker could have the lane: with all lanes of a run in one process, its death would stop the run
	whileNoSession  = 10 * time.Second // as there is no token
	afterError      = 5 * time.Second
)

// A claim is small, because the rate of one client is shared by its lanes, and what is claimed
// has to be sent before the turn can end. Outcomes are collected longer than on one machine:
// each time costs a commit, for each of hundreds of lanes.
const (
	minClaim    = 8
	recordDelay = 500 * time.Millisecond
)

// laneWorker works on lanes.
type laneWorker struct {
	river.WorkerDefaults[LaneArgs]
	*Worker
}

// NextRetry is of river.Worker.
func (*laneWorker) NextRetry(*river.Job[LaneArgs]) time.Time { return time.Now().Add(afterError) }

// Work is of river.Worker: it works on the job's lane for a turn. What becomes of the job is
// told to River by the error, as River does it.
func (w *laneWorker) Work(ctx context.Context, job *river.Job[LaneArgs]) error {
	if w.drain.Err() != nil {
		return river.JobSnooze(0)
	}
	lane := job.Args
	log := w.Log.With(lane.attrs())
	held, err := w.store.take(ctx, lane, w.Process.ID)
	if err != nil {
		return w.failed(log, err)
	}
	if !held {
		log.Debug("another job has the lane")
		return nil
	}
	fetchCtx, stop := context.WithCancelCause(w.drain)
	defer stop(nil)
	another, done := w.hold(lane, stop)
	var trouble error
	defer func() {
		done()
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Lease/2)
		defer cancel()
		if err := w.store.leave(leaving, lane, w.describe(trouble)); err != nil {
			log.Debug("the lane's lease ends by itself", "error", err)
		}
	}()
	if another {
		if free, err := w.store.isFreeElsewhere(ctx, lane, w.Process.ID); err == nil && free {
			// Not always so long: workers that were started together ask for jobs at the same
			// moments, and the same one would get it again and again.
			return river.JobSnooze(whileElsewhere/2 + rand.N(whileElsewhere))
		}
	}
	trouble, err = w.work(fetchCtx, ctx, lane, log)
	return err
}

// describe returns what others should know of a trouble, "" for none.
func (w *laneWorker) describe(trouble error) string {
	if trouble == nil {
		return ""
	}
	return fmt.Sprintf("the worker on %s: %v", w.Process.Host, trouble)
}

// work pushes rows of the lane's run until its turn is over, nothing is left, or fetchCtx ends.
// trouble is why it could not; err is for River.
func (w *laneWorker) work(fetchCtx, workCtx context.Context, args LaneArgs, log *slog.Logger) (trouble, err error) {
	run, err := w.Journal.Run(workCtx, args.Run)
	if err != nil {
		return err, w.failed(log, err)
	}
	info := run.Info()
	if info.State != importer.RunPushing {
		log.Debug("the run is not in progress", "state", string(info.State))
		return nil, nil
	}
	session, done, err := w.sessions.get(workCtx, info.Target)
	if err != nil {
		if w.sessions.isNews(info.Target, err) {
			log.Error("this worker cannot push for the client, and leaves the rows to others", "client", info.Client, "error", err)
		}
		return err, river.JobSnooze(whileNoSession)
	}
	defer done()
	log = log.With("client", info.Client)
	log.Debug("a turn begins")
	w.Figures.LaneBegan(info.Client)
	began := time.Now()
	lane := &turn{Lane: run.Lane(), length: w.Turn, until: began.Add(w.Turn), left: maxTurns, waits: w.anyoneWaits}
	ended := w.push(fetchCtx, workCtx, lane, session, info)
	leaseLost := errors.Is(ended, postgres.ErrLeaseLost) || errors.Is(ended, errLaneLost)
	w.Figures.LaneEnded(info.Client, leaseLost)
	log.Debug("a turn has ended", "seconds", time.Since(began).Seconds(), "why", ended)
	if errors.As(ended, new(*importer.NoTurnsError)) {
		log.Error("nothing can be sent from here: it is tried again", "error", ended)
		return ended, river.JobSnooze(whileNoSession)
	}
	return nil, w.end(context.WithoutCancel(workCtx), run, lane, ended, log)
}

// anyoneWaits reports whether a lane waits for a slot of this worker.
func (w *laneWorker) anyoneWaits(ctx context.Context) (bool, error) {
	return w.store.anyoneWaits(ctx, laneQueue(w.Process.Controller))
}

// push pushes rows of the lane, and gives back what it holds.
func (w *laneWorker) push(fetchCtx, workCtx context.Context, lane *turn, session *Session, run importer.RunInfo) error {
	pusher := importer.Pusher{
		Queue: lane, Controller: session.Controller, Workers: session.Workers,
		MaxFailures: session.MaxFailures, MinClaim: minClaim, RecordDelay: recordDelay,
		OnRecorded: func(outcomes []importer.Outcome) {
			w.recorded.Add(int64(len(outcomes)))
			w.Figures.Recorded(run.Client, outcomes)
		},
	}
	return lane.Work(fetchCtx, func(fetchCtx context.Context) error { return pusher.Push(fetchCtx, workCtx) })
}

// end decides what becomes of the run and of the lane's job after a turn.
func (w *laneWorker) end(ctx context.Context, run Run, lane *turn, ended error, log *slog.Logger) error {
	switch {
	case errors.Is(ended, errLaneLost):
		log.Warn("another job has taken the lane over, because its lease had ended")
		return nil
	case errors.Is(ended, postgres.ErrLeaseLost):
		log.Warn("a lease has ended: its rows are sent by the lane that has it now")
		return river.JobSnooze(0)
	case errors.Is(ended, importer.ErrInterrupted):
		return river.JobSnooze(0)
	case endsRun(ended):
		if err := run.End(ctx, ended); err != nil {
			return w.failed(log, err)
		}
		level := slog.LevelError
		if errors.As(ended, new(*postgres.StoppedError)) { // by a person, or by another lane, which has said so
			level = slog.LevelInfo
		}
		log.Log(ctx, level, "the run was stopped", "reason", ended)
		return nil
	case ended != nil:
		return w.failed(log, ended)
	case lane.over:
		return river.JobSnooze(0)
	}
	switch err := run.End(ctx, nil); {
	case errors.Is(err, postgres.ErrRowsLeft):
		return river.JobSnooze(whileOthersHold)
	case err != nil:
		return w.failed(log, err)
	}
	log.Info("the run is finished")
	return nil
}

// endsRun reports whether every other lane of the run would fare alike. A run that another lane is
// about to stop is stopped by this one too: that lane may die.
func endsRun(err error) bool {
	return errors.As(err, new(*postgres.StoppedError)) || errors.As(err, new(*importer.RefusedError)) || errors.As(err, new(*importer.CircuitError)) || errors.As(err, new(*importer.PauseError))
}

// failed returns the error for River, which tries the job again. If it is because the database
// is away, that is said once, not by every lane.
func (w *laneWorker) failed(log *slog.Logger, err error) error {
	asking, cancel := context.WithTimeout(context.Background(), w.Lease/5)
	defer cancel()
	away := w.Pool.Ping(asking)
	w.database.heard(away)
	level := slog.LevelError
	if away != nil {
		level = slog.LevelDebug
	}
	log.Log(asking, level, "the lane could not be worked on: it is tried again", "error", w.Explain("work on a lane", err))
	return err
}
