package fleet

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"opscom-import/importer"
)

// Journal is where the runs are.
type Journal interface {
	// Run returns a run of the journal.
	Run(ctx context.Context, id int64) (Run, error)
}

// Run is a run whose rows several lanes push.
type Run interface {
	Info() importer.RunInfo
	// Lane returns a queue of the run's rows for one lane.
	Lane() Lane
	// End ends the run in good order: with nil when no row waits any more, or returns
	// postgres.ErrRowsLeft; otherwise it stops the run for every lane, with the reason.
	End(ctx context.Context, reason error) error
}

// Lane is what one lane holds of a run. Claim gives no rows when others hold the rest, or when
// the run is not in progress any more.
type Lane interface {
	importer.Queue
	importer.SharedQueue
	// Work renews the leases of what the lane holds while work pushes rows of it, and then gives
	// it back. The context of work ends with postgres.ErrLeaseLost when a lease cannot be
	// renewed in time.
	Work(ctx context.Context, work func(ctx context.Context) error) error
}

// Figures hears what lanes do, for people who watch. A client is a client code.
type Figures interface {
	LaneBegan(client string)
	LaneEnded(client string, leaseLost bool)
	Recorded(client string, outcomes []importer.Outcome)
}

// Config is what a worker works with.
type Config struct {
	Pool    *pgxpool.Pool // of the journal's database
	Journal Journal
	Connect Connect
	Process Process // ID, Host, Process, Version, Slots and Controller
	Figures Figures
	Log     *slog.Logger
	Ready   func()                               // is called when the worker has started; may be nil
	Explain func(action string, err error) error // says what an error of the database means, for a person; may be nil

	Lease time.Duration // of a lane; 0 for 10 s
	Turn  time.Duration // of a lane, while others wait; 0 for 30 s
}

// Worker is a process that works on lanes.
type Worker struct {
	Config
	store    *store
	queue    *Queue
	sessions *sessions
	database database
	drain    context.Context // ends when no lane may begin or go on
	stop     context.CancelFunc

	recorded atomic.Int64 // rows that got an outcome

	mu    sync.Mutex
	lanes map[LaneArgs]context.CancelCauseFunc // that are worked on; the function ends the push
}

// NewWorker returns a worker. It asks nothing of the database.
func NewWorker(config Config) (*Worker, error) {
	queue, err := NewQueue()
	if err != nil {
		return nil, err
	}
	config.Lease = cmp.Or(config.Lease, defaultLease)
	config.Turn = cmp.Or(config.Turn, defaultTurn)
	w := &Worker{
		Config: config, store: &store{config.Pool, config.Lease}, queue: queue, sessions: newSessions(config.Connect),
		lanes: make(map[LaneArgs]context.CancelCauseFunc),
	}
	if w.Explain == nil {
		w.Explain = func(action string, err error) error { return fmt.Errorf("%s: %w", action, err) }
	}
	w.database.worker = w
	w.drain, w.stop = context.WithCancel(context.Background())
	return w, nil
}

// Run works on lanes until fetchCtx ends. Then it takes no more of them, awaits the answers in
// flight until workCtx ends, and gives back what its lanes hold, for the time of a lease at most:
// after that the error is importer.ErrInterrupted. It is an error too if the database does not
// answer at the beginning; later it waits for it.
func (w *Worker) Run(fetchCtx, workCtx context.Context) (err error) {
	if err := w.store.join(fetchCtx, w.Process); err != nil {
		return w.Explain("start the worker", err)
	}
	client, err := w.client()
	if err != nil {
		return err
	}
	ctx := context.WithoutCancel(workCtx)
	beating, stopBeating := context.WithCancel(ctx)
	var beats sync.WaitGroup
	defer func() {
		stopBeating()
		beats.Wait()
		w.end(ctx)
	}()
	if err := client.Start(ctx); err != nil {
		return w.Explain("start the worker", err)
	}
	beats.Go(func() { w.beats(beating) })
	w.Log.Info("the worker has started", "worker", w.Process.ID, "slots", w.Process.Slots)
	if w.Ready != nil {
		w.Ready()
	}
	<-fetchCtx.Done()
	w.Log.Info("the worker takes no more lanes, and awaits the answers in flight", "lanes", len(w.held()))
	w.stop()
	if err := client.Stop(workCtx); err == nil {
		return nil
	}
	hurry, cancel := context.WithTimeout(ctx, w.Lease)
	defer cancel()
	if client.StopAndCancel(hurry) != nil {
		return fmt.Errorf("%w, and the last answers may not be recorded: their rows are sent again by the workers that go on", importer.ErrInterrupted)
	}
	return nil
}

// client makes River's client.
func (w *Worker) client() (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &laneWorker{Worker: w})
	client, err := river.NewClient(riverpgxv5.New(w.Pool), &river.Config{
		Schema: Schema, ID: w.Process.ID, Workers: workers,
		Queues:            map[string]river.QueueConfig{laneQueue(w.Process.Controller): {MaxWorkers: w.Process.Slots}},
		FetchPollInterval: 500 * time.Millisecond, // a lane that waits in line again is not told of
		JobTimeout:        jobTimeout, RescueStuckJobsAfter: rescueAfter,
		ReindexerSchedule: river.NeverSchedule(), // only who owns the tables may; and jobs are few
		ErrorHandler:      panics{w.Log},
		Logger:            slog.New(quiet{w.Log.Handler()}),
	})
	if err != nil {
		return nil, fmt.Errorf("make River's client: %w", err)
	}
	return client, nil
}

// end takes leave of the others.
func (w *Worker) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := w.store.forget(ctx, w.Process.ID); err != nil {
		w.Log.Warn("the worker's end could not be stored; the others will notice", "error", err)
	}
	if err := w.sessions.closeIdle(0); err != nil {
		w.Log.Warn("a connection was not closed", "error", err)
	}
	w.Log.Info("the worker has ended", "worker", w.Process.ID)
}

// hold keeps the lane's lease until done is called; it ends the push when the lane is lost.
// another says that the process has a lane of the run already.
func (w *Worker) hold(lane LaneArgs, stop context.CancelCauseFunc) (another bool, done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other := range w.lanes {
		another = another || other.Run == lane.Run
	}
	w.lanes[lane] = stop
	return another, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.lanes, lane)
	}
}

// held returns the lanes that are worked on.
func (w *Worker) held() []LaneArgs {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Keys(w.lanes))
}

// lose ends the push of a lane that another job has taken over.
func (w *Worker) lose(lane LaneArgs) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if stop := w.lanes[lane]; stop != nil {
		stop(errLaneLost)
	}
}
