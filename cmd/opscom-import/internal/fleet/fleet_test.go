package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"opscom-import/importer"
	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/postgres/pgtest"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

// newDatabase returns the address of a database with the tables of journal and River.
func newDatabase(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("takes over a second")
	}
	url := pgtest.Shared(t).NewDatabase(t)
	if _, err := postgres.Migrate(t.Context(), url, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	return url
}

// newPool returns connections to the database; cut, unless it is nil, cuts them.
func newPool(t *testing.T, url string, cut *cutter) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 10
	if cut != nil {
		config.ConnConfig.DialFunc = cut.dial
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// cutter cuts the connections of one process, which others cannot tell from its death.
type cutter struct {
	mu    sync.Mutex
	gone  bool
	conns []net.Conn
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone && err == nil {
		err = errors.Join(errors.New("the network is cut"), conn.Close())
	}
	c.conns = append(c.conns, conn)
	return conn, err
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	for _, conn := range c.conns {
		if conn != nil {
			conn.Close()
		}
	}
	c.conns = nil
}

func (c *cutter) reconnect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = false
}

// memory is a journal whose rows are in memory, while its runs and lanes are in the database.
type memory struct {
	pool *pgxpool.Pool
	mu   sync.Mutex
	runs map[int64]*memoryRun
}

type memoryRun struct {
	memory   *memory
	info     importer.RunInfo
	waiting  []int
	held     map[int]*memoryLane
	outcomes map[int][]importer.Outcome // of each row, in the order in which they came
	fences   int                        // outcomes that came too late
}

// memoryLane holds rows under a lease.
type memoryLane struct {
	run   *memoryRun
	alive func() bool // whether its process reaches the journal
	until time.Time
}

const testLease = 2 * time.Second

// process returns the journal as a process sees it that may be cut off; cut may be nil.
func (m *memory) process(cut *cutter) Journal {
	alive := func() bool {
		if cut == nil {
			return true
		}
		cut.mu.Lock()
		defer cut.mu.Unlock()
		return !cut.gone
	}
	return &memoryView{m, alive}
}

type memoryView struct {
	*memory
	alive func() bool
}

type memoryRunView struct {
	*memoryRun
	alive func() bool
}

var errCut = errors.New("the network is cut")

func (v *memoryView) Run(_ context.Context, id int64) (Run, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.alive() {
		return nil, errCut
	}
	run := v.runs[id]
	if run == nil {
		return nil, fmt.Errorf("there is no run %d", id)
	}
	return &memoryRunView{run, v.alive}, nil
}

func (r *memoryRun) Info() importer.RunInfo {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	return r.info
}

func (v *memoryRunView) Lane() Lane { return &memoryLane{run: v.memoryRun, alive: v.alive} }

func (r *memoryRun) End(ctx context.Context, reason error) error {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	state := importer.RunStopped
	if reason == nil {
		if len(r.waiting)+len(r.held) > 0 {
			return postgres.ErrRowsLeft
		}
		state = importer.RunFinished
	}
	r.info.State = state
	_, err := r.memory.pool.Exec(ctx, "UPDATE opscom.run SET state = $2 WHERE id = $1", r.info.ID, string(state))
	return err
}

func (l *memoryLane) Claim(_ context.Context, max int) (jobs []importer.Job, err error) {
	r := l.run
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	if !l.alive() {
		return nil, errCut
	}
	for row, other := range r.held {
		if time.Now().After(other.until) && other != l {
			delete(r.held, row)
			r.waiting = append(r.waiting, row)
		}
	}
	if r.info.State != importer.RunPushing {
		return nil, nil
	}
	for _, row := range r.waiting[:min(max, len(r.waiting))] {
		r.held[row] = l
		jobs = append(jobs, importer.Job{Row: row, Payload: payload(r.info.Client, row)})
	}
	r.waiting = r.waiting[len(jobs):]
	l.until = time.Now().Add(testLease)
	return jobs, nil
}

func payload(client string, row int) []byte {
	return fmt.Appendf(nil, `{"unique_id":"%s-%d","login_source":"SSO","first_name":"Given"}`, client, row)
}

func (l *memoryLane) Record(_ context.Context, outcomes []importer.Outcome) error {
	r := l.run
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	if !l.alive() {
		return errCut
	}
	for _, o := range outcomes {
		if r.held[o.Row] != l {
			r.fences++
			continue
		}
		delete(r.held, o.Row)
		if o.Status == importer.StatusNotSent {
			r.waiting = append(r.waiting, o.Row)
			continue
		}
		r.outcomes[o.Row] = append(r.outcomes[o.Row], o)
	}
	return nil
}

func (*memoryLane) NextRound() bool { return false }

func (*memoryLane) StreakBefore() importer.Streak { return importer.Streak{} }

func (l *memoryLane) Work(ctx context.Context, work func(ctx context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan struct{})
	var renewing sync.WaitGroup
	renewing.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(testLease / 10):
			}
			l.run.memory.mu.Lock()
			switch {
			case l.alive():
				l.until = time.Now().Add(testLease)
			case time.Now().After(l.until):
				stop(postgres.ErrLeaseLost)
			}
			l.run.memory.mu.Unlock()
		}
	})
	err := work(ctx)
	close(ended)
	renewing.Wait()
	return errors.Join(err, l.release())
}

func (l *memoryLane) release() error {
	r := l.run
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	if !l.alive() {
		return errCut
	}
	maps.DeleteFunc(r.held, func(row int, holder *memoryLane) bool {
		if holder == l {
			r.waiting = append(r.waiting, row)
		}
		return holder == l
	})
	return nil
}

// submit stores a run in progress with so many rows, and enqueues it.
func (m *memory) submit(t *testing.T, client string, rows, lanes int, priority Priority) *memoryRun {
	t.Helper()
	run := &memoryRun{
		memory: m, held: make(map[int]*memoryLane), outcomes: make(map[int][]importer.Outcome),
		info: importer.RunInfo{Client: client, Target: importer.TargetOf(client, testController), State: importer.RunPushing},
	}
	for row := range rows {
		run.waiting = append(run.waiting, row+2)
	}
	queue, err := NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	err = pgx.BeginFunc(t.Context(), m.pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(t.Context(), `
			WITH target AS (INSERT INTO opscom.target (name) VALUES ($1) RETURNING id)
			INSERT INTO opscom.run (night, target, client, source, file_hash, mapping_hash, state, started_at, timeline)
			SELECT current_date, id, $2, 'file', '', '', 'pushing', now(), '' FROM target RETURNING id`, run.info.Target, client).Scan(&run.info.ID); err != nil {
			return err
		}
		m.mu.Lock()
		m.runs[run.info.ID] = run
		m.mu.Unlock()
		return queue.Enqueue(t.Context(), tx, run.info.ID, Order{Lanes: lanes, Priority: priority})
	})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func newMemory(t *testing.T, url string) *memory {
	return &memory{pool: newPool(t, url, nil), runs: make(map[int64]*memoryRun)}
}

func (r *memoryRun) done() int {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	return len(r.outcomes)
}

// gate is a Controller that answers when it is let.
type gate struct {
	mu      sync.Mutex
	sent    []string // payloads, in the order in which they came
	open    chan struct{}
	pause   time.Duration
	refused error
}

func (g *gate) Push(fetchCtx, workCtx context.Context, payload []byte, _ func()) (importer.Answer, error) {
	if fetchCtx.Err() != nil {
		return importer.Answer{Status: importer.StatusNotSent}, nil
	}
	g.mu.Lock()
	g.sent = append(g.sent, string(payload))
	open, refused := g.open, g.refused
	g.mu.Unlock()
	if refused != nil {
		return importer.Answer{Status: importer.StatusFailed, Attempts: 1}, refused
	}
	if open != nil {
		select {
		case <-open:
		case <-workCtx.Done():
			return importer.Answer{Status: importer.StatusUnknown, Attempts: 1}, nil
		}
	}
	select {
	case <-time.After(g.pause):
	case <-workCtx.Done():
	}
	return importer.Answer{Status: importer.StatusPushed, ReferenceID: "1", Attempts: 1}, nil
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.sent)
}

// heard collects what a worker says.
type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, string(p))
	return len(p), nil
}

func (h *heard) count(text string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, line := range h.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

type testFigures struct {
	mu       sync.Mutex
	working  map[string]int
	recorded map[string]int
	lost     int
}

func (f *testFigures) LaneBegan(client string) { f.change(func() { f.working[client]++ }) }
func (f *testFigures) LaneEnded(client string, lost bool) {
	f.change(func() {
		f.working[client]--
		if lost {
			f.lost++
		}
	})
}
func (f *testFigures) Recorded(client string, outcomes []importer.Outcome) {
	f.change(func() { f.recorded[client] += len(outcomes) })
}
func (f *testFigures) change(what func()) { f.mu.Lock(); defer f.mu.Unlock(); what() }

// testWorker is a worker that runs in the test's process.
type testWorker struct {
	*Worker
	log     *heard
	figures *testFigures
	drain   context.CancelFunc
	abort   context.CancelFunc
	ended   chan error
}

// startWorker starts a worker whose connections to the database cut cuts, unless it is nil.
func startWorker(t *testing.T, name, url string, m *memory, cut *cutter, slots int, controller importer.Controller) *testWorker {
	t.Helper()
	return start(t, name, Config{
		Pool: newPool(t, url, cut), Journal: m.process(cut),
		Connect: func(context.Context, string) (*Session, error) {
			return &Session{Controller: controller, Workers: 2, MaxFailures: 3, Close: func() error { return nil }}, nil
		},
		Process: Process{ID: name, Host: "host", Process: 7, Version: "1.2.3", Slots: slots, Controller: testController},
		Lease:   testLease, Turn: time.Second,
	})
}

// start starts a worker that ends with the test.
func start(t *testing.T, name string, config Config) *testWorker {
	t.Helper()
	log, figures := &heard{}, &testFigures{working: make(map[string]int), recorded: make(map[string]int)}
	w := &testWorker{log: log, figures: figures, ended: make(chan error, 1)}
	config.Figures, config.Log = figures, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	var err error
	if w.Worker, err = NewWorker(config); err != nil {
		t.Fatal(err)
	}
	var fetchCtx, workCtx context.Context
	workCtx, w.abort = context.WithCancel(context.Background())
	fetchCtx, w.drain = context.WithCancel(workCtx)
	go func() { w.ended <- w.Run(fetchCtx, workCtx) }()
	t.Cleanup(func() {
		w.drain()
		w.abort()
		select {
		case <-w.ended:
		case <-time.After(patience):
			t.Errorf("worker %s does not end", name)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, strings.Join(log.lines, ""))
		}
	})
	return w
}

// end drains the worker and waits for its end.
func (w *testWorker) end(t *testing.T) {
	t.Helper()
	w.drain()
	select {
	case err := <-w.ended:
		if err != nil {
			t.Errorf("worker %s: %v", w.Process.ID, err)
		}
		w.ended <- err
	case <-time.After(patience):
		t.Fatalf("worker %s does not end", w.Process.ID)
	}
}

func (r *memoryRun) isIn(state importer.RunState) func() bool {
	return func() bool { return r.Info().State == state }
}

func TestTwoWorkersFinishARun(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	open := make(chan struct{})
	ofA, ofB := &gate{open: open}, &gate{open: open}
	a := startWorker(t, "a", url, m, nil, 1, ofA)
	b := startWorker(t, "b", url, m, nil, 1, ofB)
	run := m.submit(t, "OC_A", 300, 2, Person)
	// One that is late, as on a busy machine, would find nothing left.
	eventually(t, "requests of both", func() bool { return ofA.count() > 0 && ofB.count() > 0 })
	close(open)
	eventually(t, "the end of the run", run.isIn(importer.RunFinished))
	if n := ofA.count() + ofB.count(); n != 300 {
		t.Errorf("%d requests", n)
	}
	a.end(t)
	b.end(t)
	if a.figures.recorded["OC_A"]+b.figures.recorded["OC_A"] != 300 || a.figures.recorded["OC_A"] == 0 || b.figures.recorded["OC_A"] == 0 {
		t.Errorf("recorded by a: %v, by b: %v", a.figures.recorded, b.figures.recorded)
	}
	if a.figures.working["OC_A"] != 0 || a.figures.lost+b.figures.lost != 0 {
		t.Errorf("lanes at work in the end: %v; lost: %d, %d", a.figures.working, a.figures.lost, b.figures.lost)
	}
	if list, err := Processes(t.Context(), m.pool); err != nil || len(list) != 0 {
		t.Errorf("workers that have ended are listed: %v, %v", list, err)
	}
}

// A worker that dies must not have all lanes of a run.
func TestLanesOfARunAreApart(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	open := make(chan struct{})
	for _, name := range []string{"a", "b", "c"} {
		startWorker(t, name, url, m, nil, 20, &gate{open: open})
	}
	var runs []*memoryRun
	for n := range 4 {
		runs = append(runs, m.submit(t, fmt.Sprintf("OC_%d", n), 1000, 2, Person))
	}
	eventually(t, "two workers for each run", func() bool {
		var apart int
		err := m.pool.QueryRow(t.Context(), `SELECT count(*) FROM (
			SELECT FROM opscom.lane WHERE lease_until > now() AND lease_until < 'infinity' GROUP BY run HAVING count(DISTINCT worker) = 2) AS runs`).Scan(&apart)
		return err == nil && apart == len(runs)
	})
	close(open)
	for _, run := range runs {
		eventually(t, "the end of the run", run.isIn(importer.RunFinished))
	}
}

// A process that is cut off counts as dead: its lanes and rows go on elsewhere, and when it is
// back it changes nothing.
func TestLanesOfADeadWorkerGoOn(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	cut := &cutter{}
	open := make(chan struct{})
	stuck := &gate{open: open}
	a := startWorker(t, "a", url, m, cut, 2, stuck)
	run := m.submit(t, "OC_A", 300, 2, Person)
	eventually(t, "a request of each lane", func() bool { return stuck.count() >= 4 })
	cut.cut()
	free := &gate{}
	b := startWorker(t, "b", url, m, nil, 2, free)
	eventually(t, "the end of the run", run.isIn(importer.RunFinished))
	if b.log.count("a lane has lost its worker") != 2 {
		t.Errorf("not both lanes were found without a worker")
	}
	if n := run.done(); n != 300 || free.count() != 300 {
		t.Errorf("%d rows have an outcome, b sent %d", n, free.count())
	}
	eventually(t, "that a notices", func() bool { return a.log.count("the database does not answer") == 1 })
	if a.Unwell() == "" {
		t.Error("a says that all is well")
	}
	close(open)
	cut.reconnect()
	eventually(t, "that a is back", func() bool { return a.log.count("the database answers again") == 1 && a.Unwell() == "" })
	m.mu.Lock()
	defer m.mu.Unlock()
	for row, outcomes := range run.outcomes {
		if len(outcomes) != 1 {
			t.Errorf("row %d has %d outcomes", row, len(outcomes))
		}
	}
}

// A worker that is told to end gives back what it has not sent, and waits for the answers of the rest.
func TestDrain(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	open := make(chan struct{})
	controller := &gate{open: open}
	a := startWorker(t, "a", url, m, nil, 1, controller)
	run := m.submit(t, "OC_A", 50, 1, Person)
	eventually(t, "requests in flight", func() bool { return controller.count() == 2 })
	a.drain()
	eventually(t, "that the others see it", func() bool {
		list, err := Processes(t.Context(), m.pool)
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == 1 && list[0].State() == Stopping && len(list[0].Lanes) == 1
	})
	close(open)
	a.end(t)
	m.mu.Lock()
	if len(run.outcomes) != 2 || len(run.held) != 0 || len(run.waiting) != 48 {
		t.Errorf("%d outcomes, %d rows held, %d waiting", len(run.outcomes), len(run.held), len(run.waiting))
	}
	m.mu.Unlock()
	b := startWorker(t, "b", url, m, nil, 1, &gate{})
	eventually(t, "the end of the run", run.isIn(importer.RunFinished))
	if b.log.count("has lost its worker") != 0 {
		t.Error("the lane was not given back")
	}
}

// What the Controller refused stops the run for every lane, and is not tried again.
func TestRefusedRunIsStopped(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	controller := &gate{refused: &importer.RefusedError{Code: "9003", Reason: "the token is wrong", Hint: "give another"}}
	a := startWorker(t, "a", url, m, nil, 2, controller)
	run := m.submit(t, "OC_A", 50, 2, Person)
	eventually(t, "the end of the run", run.isIn(importer.RunStopped))
	eventually(t, "the end of its jobs", func() bool { return jobsLeft(t, m.pool) == 0 })
	if a.log.count("the token is wrong") == 0 {
		t.Error("nobody hears why")
	}
}

func jobsLeft(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM river.river_job WHERE kind = 'lane' AND state NOT IN ('completed', 'cancelled', 'discarded')`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A small run waits for one turn of a large one at most, though that has more lanes than there are slots.
func TestSmallRunIsNotDelayed(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	controller := &gate{pause: 10 * time.Millisecond}
	startWorker(t, "a", url, m, nil, 2, controller)
	large := m.submit(t, "OC_LARGE", 2000, 4, Person) // 5 s with two lanes of two
	eventually(t, "the beginning", func() bool { return large.done() > 50 })
	small := m.submit(t, "OC_SMALL", 20, 1, Person)
	eventually(t, "the end of the small one", small.isIn(importer.RunFinished))
	if large.Info().State != importer.RunPushing {
		t.Error("the large one was first")
	}
}

// A person's run is taken before one that was scheduled.
func TestPersonsGoFirst(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	scheduled := m.submit(t, "OC_NIGHT", 20, 1, Scheduled)
	person := m.submit(t, "OC_DAY", 20, 1, Person)
	controller := &gate{}
	startWorker(t, "a", url, m, nil, 1, controller)
	eventually(t, "the end of both", func() bool {
		return scheduled.Info().State == importer.RunFinished && person.Info().State == importer.RunFinished
	})
	if first := controller.sent[0]; !strings.Contains(first, "OC_DAY") {
		t.Errorf("the first row is %s", first)
	}
}

// A run that is started again gets lanes of a new epoch: jobs of before do nothing.
func TestEnqueueAgain(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	run := m.submit(t, "OC_A", 10, 3, Person)
	queue, err := NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	if err := pgx.BeginFunc(t.Context(), m.pool, func(tx pgx.Tx) error {
		return queue.Enqueue(t.Context(), tx, run.info.ID, Order{Lanes: 2, Priority: Scheduled, Helped: true})
	}); err != nil {
		t.Fatal(err)
	}
	rows, err := m.pool.Query(t.Context(), `SELECT l.lane || ':' || l.epoch || ':' || l.priority || ':' || (j.args->>'epoch') || ':' || j.priority || ':' || j.queue || ':' || (l.lease_until < now() + interval '61 seconds')
		FROM opscom.lane l JOIN river.river_job j ON j.id = l.job ORDER BY l.lane`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || !slices.Equal(got, []string{"0:1:2:1:2:lanes-127-0-0-1-1-10d8eb39:true", "1:1:2:1:2:lanes-127-0-0-1-1-10d8eb39:true"}) {
		t.Errorf("lanes and jobs: %v, %v", got, err)
	}
	startWorker(t, "a", url, m, nil, 5, &gate{})
	eventually(t, "the end of the run", run.isIn(importer.RunFinished))
	eventually(t, "the end of all five jobs", func() bool { return jobsLeft(t, m.pool) == 0 })
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	open := make(chan struct{})
	controller := &gate{open: open}
	startWorker(t, "a", url, m, nil, 3, controller)
	run := m.submit(t, "OC_A", 4, 1, Person)
	eventually(t, "a request", func() bool { return controller.count() > 0 })
	list, err := Processes(t.Context(), m.pool)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	p := list[0]
	if p.ID != "a" || p.Host != "host" || p.Process != 7 || p.Version != "1.2.3" || p.Slots != 3 || p.State() != Working || p.Started.IsZero() || p.Seen.IsZero() {
		t.Errorf("%+v", p)
	}
	if !slices.Equal(p.Lanes, []LaneAtWork{{run.info.ID, "OC_A", 0}}) {
		t.Errorf("lanes: %+v", p.Lanes)
	}
	close(open)
	eventually(t, "the end of the run", run.isIn(importer.RunFinished))
	eventually(t, "that the others see how fast it was, and that it is idle", func() bool {
		list, err := Processes(t.Context(), m.pool)
		if err != nil {
			t.Fatal(err)
		}
		return list[0].State() == Idle && list[0].Speed > 0
	})
}

// A failover may lose that a worker has started, and others forget one that was away for a day.
func TestForgottenWorkerIsListedAgain(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	w := startWorker(t, "a", url, m, nil, 3, &gate{})
	isListed := func() bool {
		list, err := Processes(t.Context(), m.pool)
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == 1 && list[0].Host == "host" && list[0].Slots == 3 && list[0].Alive
	}
	eventually(t, "its start", isListed)
	if _, err := m.pool.Exec(t.Context(), "DELETE FROM opscom.worker"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "that it is listed again", isListed)
	if why := w.Unwell(); why != "" {
		t.Errorf("it says that %s", why)
	}
}

// While the database is away the worker says so, and it goes on by itself when it is back.
func TestDatabaseIsKilledAndStartedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes over a second")
	}
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{FSync: true})
	url := server.NewDatabase(t)
	if _, err := postgres.Migrate(t.Context(), url, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	m := newMemory(t, url)
	controller := &gate{pause: 5 * time.Millisecond}
	a := startWorker(t, "a", url, m, nil, 2, controller)
	b := startWorker(t, "b", url, m, nil, 2, controller)
	run := m.submit(t, "OC_A", 3000, 3, Person) // 2.5 s
	eventually(t, "a row", func() bool { return run.done() > 0 })
	server.Kill()
	both := func(text string) func() bool {
		return func() bool { return a.log.count(text) == 1 && b.log.count(text) == 1 }
	}
	eventually(t, "that both notice", both("the database does not answer"))
	if a.Unwell() == "" {
		t.Error("a says that all is well")
	}
	server.Restart()
	eventually(t, "that both are back", both("the database answers again"))
	eventually(t, "the end of the run", run.isIn(importer.RunFinished))
	eventually(t, "the end of its jobs", func() bool { return jobsLeft(t, m.pool) == 0 })
	if run.done() != 3000 || a.Unwell() != "" {
		t.Errorf("%d rows have an outcome; a is %q", run.done(), a.Unwell())
	}
}

// What a run waits for can be known by everybody.
func TestStandings(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	run := m.submit(t, "OC_A", 20, 2, Person)
	is := func(want Standing) func() bool {
		want.Target = run.info.Target
		return func() bool {
			standings, err := Standings(t.Context(), m.pool)
			if err != nil {
				t.Fatal(err)
			}
			got, known := standings[run.info.ID]
			return known && got == want
		}
	}
	eventually(t, "that it waits for a worker", is(Standing{Waiting: 2}))
	no := errors.New("no token")
	a := start(t, "a", Config{
		Pool: newPool(t, url, nil), Journal: m.process(nil), Process: Process{ID: "a", Host: "one", Slots: 2, Controller: testController}, Lease: testLease,
		Connect: func(context.Context, string) (*Session, error) { return nil, no },
	})
	eventually(t, "that a cannot push it", is(Standing{Waiting: 2, Workers: 1, Trouble: "the worker on one: no token"}))
	if n := a.log.count("this worker cannot push for the client"); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	a.end(t)
	open := make(chan struct{})
	startWorker(t, "b", url, m, nil, 1, &gate{open: open})
	pushed := func() bool {
		standings, err := Standings(t.Context(), m.pool)
		if err != nil {
			t.Fatal(err)
		}
		return standings[run.info.ID].IsPushed
	}
	eventually(t, "that b pushes it", pushed)
	close(open)
	eventually(t, "the end of the run", run.isIn(importer.RunFinished))
}

// A worker for another Controller leaves a run alone, and does not count as one that could push it. Neither does it wait for a
// free slot there.
func TestQueueOfAController(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	other := start(t, "other", Config{
		Pool: newPool(t, url, nil), Journal: m.process(nil), Process: Process{ID: "other", Host: "one", Slots: 2, Controller: "https://ops.example/api"}, Lease: testLease,
		Connect: func(context.Context, string) (*Session, error) { return nil, errors.New("another Controller") },
	})
	eventually(t, "that it has started", func() bool { return other.log.count("the worker has started") == 1 })
	run := m.submit(t, "OC_A", 20, 2, Person)
	standings, err := Standings(t.Context(), m.pool)
	if s := standings[run.info.ID]; err != nil || s.Workers != 0 || s.Waiting != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	startWorker(t, "a", url, m, nil, 2, &gate{})
	eventually(t, "the end of the run", run.isIn(importer.RunFinished))
	other.end(t)
	if other.log.count("level=WARN")+other.log.count("level=ERROR") > 0 {
		t.Error("it says that something is wrong")
	}
}

func TestLaneQueue(t *testing.T) {
	for controller, want := range map[string]string{
		"":                            "lanes",
		"https://ops.example.edu":     "lanes-ops-example-edu-d4459bb9",
		"https://ops.example.edu/Api": "lanes-ops-example-edu-420f0683",
		"http://[::1]:8480":           "lanes-1-8480-09f3b4bf",
		"https://" + strings.Repeat("long.", 30) + "example": "lanes-",
	} {
		got := laneQueue(controller)
		if want == "lanes-" && strings.HasPrefix(got, want) {
			want = got
		}
		if got != want || len(got) > 64 || !regexp.MustCompile(`^[a-z0-9]+([_-][a-z0-9]+)*$`).MatchString(got) {
			t.Errorf("%s: %s, want %s", controller, got, want)
		}
	}
}
