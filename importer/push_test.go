package importer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/controller"
	"opscom-import/importer/sandbox"
)

// queue is a plan in memory, with a journal's faults on request.
type queue struct {
	mu        sync.Mutex
	waiting   []importer.Job
	claimed   []int
	outcomes  map[int]importer.Outcome
	batches   []int
	recordErr func(batch int) error // nil: none
	claimErr  error
}

func newQueue(n int) *queue {
	q := &queue{outcomes: map[int]importer.Outcome{}}
	for row := 2; row < n+2; row++ {
		payload := fmt.Sprintf(`{"unique_id":"%d","login_source":"SSO","first_name":"Given"}`, row)
		q.waiting = append(q.waiting, importer.Job{Row: row, Payload: []byte(payload)})
	}
	return q
}

func (q *queue) Claim(_ context.Context, max int) ([]importer.Job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.claimErr != nil {
		return nil, q.claimErr
	}
	n := min(max, len(q.waiting))
	jobs := q.waiting[:n]
	q.waiting = q.waiting[n:]
	for _, j := range jobs {
		q.claimed = append(q.claimed, j.Row)
	}
	return jobs, nil
}

func (q *queue) Record(_ context.Context, outcomes []importer.Outcome) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.batches = append(q.batches, len(outcomes))
	if q.recordErr != nil {
		if err := q.recordErr(len(q.batches)); err != nil {
			return err
		}
	}
	for _, o := range outcomes {
		if _, twice := q.outcomes[o.Row]; twice {
			return fmt.Errorf("row %d has two outcomes", o.Row)
		}
		q.outcomes[o.Row] = o
	}
	return nil
}

func (*queue) NextRound() bool { return false }

func (q *queue) counts() importer.Counts {
	counts := importer.Counts{}
	for _, o := range q.outcomes {
		counts[o.Status]++
	}
	return counts
}

// inMemory carries requests to the sandbox without a socket, so that virtual time
// goes on while an answer is awaited.
type inMemory struct{ handler http.Handler }

func (t inMemory) RoundTrip(r *http.Request) (response *http.Response, err error) {
	type answer struct {
		response *http.Response
		err      error
	}
	answers := make(chan answer, 1)
	go func() {
		w := httptest.NewRecorder()
		defer func() {
			if recover() != nil {
				answers <- answer{err: io.ErrUnexpectedEOF}
				return
			}
			answers <- answer{response: w.Result()}
		}()
		t.handler.ServeHTTP(w, r)
	}()
	select {
	case a := <-answers:
		return a.response, a.err
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
}

// push pushes n rows to a sandbox with these faults, in virtual time.
type pushCase struct {
	rows        int
	faults      string
	workers     int
	maxAttempts int
	maxFailures int
	token       string
	change      func(*importer.Pusher, *queue)
	interrupt   time.Duration // when feeding ends; 0: never
	abort       time.Duration // when sending ends; 0: never
}

func (c pushCase) run(t *testing.T) (*queue, *sandbox.Sandbox, error) {
	t.Helper()
	faults, err := sandbox.ParseFaults(c.faults)
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(sandbox.Config{Client: "OC", Token: "right", Faults: faults, Seed: 1, KeepRequests: true})
	if err != nil {
		t.Fatal(err)
	}
	client, err := controller.New(controller.Config{
		BaseURL: "https://controller.example", Client: "OC", Token: controller.NewToken("right" + c.token),
		Workers: max(c.workers, 1), MaxAttempts: max(c.maxAttempts, 5), Timeout: 30 * time.Second,
		Transport: inMemory{box}, Jitter: func() float64 { return 0.5 },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	q := newQueue(c.rows)
	pusher := &importer.Pusher{Queue: q, Controller: client, Workers: max(c.workers, 1), MaxFailures: c.maxFailures}
	if c.change != nil {
		c.change(pusher, q)
	}
	workCtx, abort := context.WithCancel(context.Background())
	defer abort()
	fetchCtx, stop := context.WithCancel(workCtx)
	defer stop()
	if c.interrupt > 0 {
		defer time.AfterFunc(c.interrupt, stop).Stop()
	}
	if c.abort > 0 {
		defer time.AfterFunc(c.abort, abort).Stop()
	}
	err = pusher.Push(fetchCtx, workCtx)
	return q, box, errors.Join(err, box.Close())
}

func TestPushOfEveryRow(t *testing.T) {
	for _, faults := range []string{"", "latency=20ms,slow=1%:1s", "503=5%,drop-after=5%,truncate=5%,lie=5%"} {
		synctest.Test(t, func(t *testing.T) {
			q, box, err := pushCase{rows: 2000, workers: 8, faults: faults, maxAttempts: 50}.run(t)
			if err != nil {
				t.Fatalf("with the faults %q: %v", faults, err)
			}
			if q.counts()[importer.StatusPushed] != 2000 || box.People() != 2000 {
				t.Errorf("with the faults %q: outcomes %v, people %d", faults, q.counts(), box.People())
			}
			for _, o := range q.outcomes {
				if o.Retry || o.ReferenceID == "" || o.Attempts < 1 || o.FinishedAt.IsZero() {
					t.Fatalf("row %d ended as %+v", o.Row, o)
				}
			}
		})
	}
}

// One answer in a hundred takes a second: the other workers must go on meanwhile.
func TestPushDoesNotWaitForTheSlowestRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, _, err := pushCase{rows: 4000, workers: 16, faults: "latency=20ms,slow=1%:1s"}.run(t)
		if err != nil {
			t.Fatal(err)
		}
		// Were every worker busy all the time it would take 4000 x 29.8 ms / 16, which
		// is 7.5 s, and the last slow answer may come a second later.
		if took := time.Since(began); took > 9*time.Second {
			t.Errorf("4000 rows took %v of virtual time", took)
		}
	})
}

// An interrupt of a run in which nothing waits any more changes nothing.
func TestInterruptedBeforeTheFirstRow(t *testing.T) {
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	for rows, want := range map[int]error{0: nil, 3: importer.ErrInterrupted} {
		q := newQueue(rows)
		pusher := importer.Pusher{Queue: q, Workers: 4} // anyone who pushed would need a Controller
		if err := pusher.Push(interrupted, t.Context()); !errors.Is(err, want) {
			t.Errorf("%d rows: %v, want %v", rows, err, want)
		}
		if q.counts()[importer.StatusNotSent] != rows {
			t.Errorf("%d rows: %v", rows, q.counts())
		}
	}
}

// An outcome is durable at most 100 ms or 400 rows after it is known.
func TestPushRecordsInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _, err := pushCase{rows: 100, workers: 1, faults: "latency=30ms"}.run(t)
		if err != nil {
			t.Fatal(err)
		}
		if most := slices.Max(q.batches); most > 5 { // 100 ms hold the first and those of 30, 60, 90 and 100 ms
			t.Errorf("%d outcomes were held back at 30 ms each: %v", most, q.batches)
		}
		q, _, err = pushCase{rows: 5000, workers: 8}.run(t)
		if err != nil {
			t.Fatal(err)
		}
		if most := slices.Max(q.batches); most > 400 || len(q.batches) > 100 {
			t.Errorf("%d batches, the largest of %d outcomes", len(q.batches), most)
		}
	})
}

// slowDisk is a queue that takes a second for each batch. It keeps how many outcomes
// were known and not on the disk when a batch was written.
type slowDisk struct {
	*queue
	answered atomic.Int64
	ahead    []int64
}

func (d *slowDisk) Record(ctx context.Context, outcomes []importer.Outcome) error {
	time.Sleep(time.Second)
	d.ahead = append(d.ahead, d.answered.Load()-int64(len(d.outcomes)))
	return d.queue.Record(ctx, outcomes)
}

// Push accepts every row at once.
func (d *slowDisk) Push(context.Context, context.Context, []byte, func()) (importer.Answer, error) {
	d.answered.Add(1)
	return importer.Answer{Status: importer.StatusPushed, Attempts: 1}, nil
}

// A pusher with small claims holds little that it has not sent.
func TestSmallClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen *queue
		q, _, err := pushCase{rows: 400, workers: 2, faults: "latency=1s", interrupt: time.Minute, change: func(p *importer.Pusher, q *queue) {
			p.MinClaim, p.RecordDelay = 8, 5*time.Second
			seen = q
		}}.run(t)
		if !errors.Is(err, importer.ErrInterrupted) || q != seen {
			t.Fatalf("the run ended with %v", err)
		}
		pushed := q.counts()[importer.StatusPushed]
		if unsent := len(q.claimed) - pushed; pushed < 100 || unsent > 4*8 {
			t.Errorf("%d rows were pushed, and %d more claimed", pushed, unsent)
		}
		if n := len(q.batches); n < 10 || n > 13 {
			t.Errorf("the outcomes of a minute were recorded in %d batches", n)
		}
	})
}

// A crash costs no more outcomes than a batch, those that are buffered while it is
// written, and one for each worker, however slow the disk is.
func TestWorkersWaitForTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rows, workers, most = 3000, 4, 400 + 100 + 4
		disk := &slowDisk{queue: newQueue(rows)}
		pusher := importer.Pusher{Queue: disk, Controller: disk, Workers: workers}
		if err := pusher.Push(t.Context(), t.Context()); err != nil || len(disk.outcomes) != rows {
			t.Errorf("the push ended with %v and %d outcomes", err, len(disk.outcomes))
		}
		if n := slices.Max(disk.ahead); n != most {
			t.Errorf("%d outcomes were not on the disk at a time, want %d: %v", n, most, disk.ahead)
		}
	})
}

func TestPushInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, box, err := pushCase{rows: 1000, workers: 4, faults: "latency=50ms", interrupt: time.Second + time.Millisecond}.run(t)
		if !errors.Is(err, importer.ErrInterrupted) {
			t.Fatalf("the push ended with %v", err)
		}
		counts := q.counts()
		if len(q.outcomes) != len(q.claimed) {
			t.Errorf("%d rows were claimed, %d have an outcome", len(q.claimed), len(q.outcomes))
		}
		// 4 workers x 20 answers a second, and the 4 in flight are awaited.
		if counts[importer.StatusPushed] != 84 || box.People() != 84 || counts[importer.StatusNotSent] != len(q.claimed)-84 {
			t.Errorf("outcomes are %v, the sandbox has %d people", counts, box.People())
		}
	})
}

func TestPushAborted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q, _, err := pushCase{rows: 100, workers: 4, faults: "latency=20s", interrupt: time.Second, abort: 2 * time.Second}.run(t)
		if !errors.Is(err, importer.ErrInterrupted) {
			t.Fatalf("the push ended with %v", err)
		}
		if counts := q.counts(); counts[importer.StatusUnknown] != 4 || counts[importer.StatusNotSent] != len(q.claimed)-4 {
			t.Errorf("outcomes are %v of %d claimed", counts, len(q.claimed))
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v to stop at once", took)
		}
	})
}

func TestPushStopsWhenTheRunIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, box, err := pushCase{rows: 1000, workers: 4, token: "not"}.run(t)
		var refused *importer.RefusedError
		if !errors.As(err, &refused) || refused.Code != "9002" {
			t.Fatalf("the push ended with %v", err)
		}
		if counts := q.counts(); counts[importer.StatusFailed] > 4 || counts[importer.StatusFailed]+counts[importer.StatusNotSent] != len(q.claimed) {
			t.Errorf("outcomes are %v of %d claimed", counts, len(q.claimed))
		}
		if sent := len(box.Requests()); sent > 8 {
			t.Errorf("%d requests were sent with a token that is refused", sent)
		}
		for _, o := range q.outcomes {
			if !o.Retry {
				t.Fatalf("row %d would not be pushed when the run goes on: %+v", o.Row, o)
			}
		}
	})
}

func TestPushStopsAfterFailuresInARow(t *testing.T) {
	for _, tc := range []struct {
		name, faults string
		maxFailures  int
		status       importer.Status
		most         int // rows that may have failed
	}{
		{"no answer", "503=100%", 6, importer.StatusFailed, 10},
		{"refused with one code", "code=100%:9022", 6, importer.StatusRejected, 10},
		{"the login source is refused", "code=100%:9015", 20, importer.StatusRejected, 9},
	} {
		synctest.Test(t, func(t *testing.T) {
			q, _, err := pushCase{rows: 300, workers: 4, faults: tc.faults, maxFailures: tc.maxFailures}.run(t)
			var circuit *importer.CircuitError
			if !errors.As(err, &circuit) || circuit.Status != tc.status {
				t.Fatalf("%s: the push ended with %v", tc.name, err)
			}
			if n := q.counts()[tc.status]; n < circuit.Failures || n > tc.most {
				t.Errorf("%s: %d rows are %s, %d in a row stop the run", tc.name, n, tc.status, circuit.Failures)
			}
			for _, o := range q.outcomes {
				if o.Retry != (o.Status != importer.StatusRejected) {
					t.Errorf("%s: whether row %d is pushed again when the run goes on: %+v", tc.name, o.Row, o)
				}
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		q, _, err := pushCase{rows: 50, workers: 4, faults: "code=100%:9022", maxFailures: 0}.run(t)
		if err != nil || q.counts()[importer.StatusRejected] != 50 {
			t.Errorf("without a limit the push ended with %v and %v", err, q.counts())
		}
	})
}

// sharedQueue is the queue of one of several processes that push a run.
type sharedQueue struct {
	*queue
	run    *importer.Streak // of all of them
	before importer.Streak
}

func (q *sharedQueue) Record(ctx context.Context, outcomes []importer.Outcome) error {
	q.before = *q.run
	for i := range outcomes {
		*q.run = q.run.After(&outcomes[i])
	}
	return q.queue.Record(ctx, outcomes)
}

func (q *sharedQueue) StreakBefore() importer.Streak { return q.before }

// Failures in a row are those of all who push the run, as they are recorded one after another.
func TestFailuresInARowOfSeveralPushers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var run importer.Streak
		push := func(rows int, faults string) (importer.Counts, error) {
			q, _, err := pushCase{rows: rows, workers: 1, faults: faults, maxFailures: 30, change: func(p *importer.Pusher, q *queue) { p.Queue = &sharedQueue{queue: q, run: &run} }}.run(t)
			return q.counts(), err
		}
		for range 2 { // what somebody else has pushed ends the streak
			if _, err := push(20, "code=100%:9022"); err != nil {
				t.Fatalf("20 of 30 rows have failed, and the push ended with %v", err)
			}
			if _, err := push(1, ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := push(20, "code=100%:9022"); err != nil {
			t.Fatal(err)
		}
		counts, err := push(200, "code=100%:9022,latency=19ms") // no row ends as outcomes are recorded, after 500 ms
		var circuit *importer.CircuitError
		if !errors.As(err, &circuit) || circuit.Failures != 30 || counts[importer.StatusRejected] != 10 {
			t.Errorf("the last push ended with %v and %v", err, counts)
		}
	})
}

// A failure that comes and goes is not a reason to stop.
func TestPushGoesOnWhileRowsSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _, err := pushCase{rows: 1000, workers: 4, faults: "code=50%:9022", maxFailures: 25}.run(t)
		if err != nil || len(q.outcomes) != 1000 {
			t.Errorf("the push ended with %v and %v", err, q.counts())
		}
	})
}

func TestPushWithAFailingJournal(t *testing.T) {
	full := errors.New("disk full")
	synctest.Test(t, func(t *testing.T) {
		q, _, err := pushCase{rows: 1000, workers: 4, faults: "latency=10ms", change: func(_ *importer.Pusher, q *queue) {
			q.recordErr = func(batch int) error {
				if batch == 3 {
					return full
				}
				return nil
			}
		}}.run(t)
		if !errors.Is(err, full) {
			t.Fatalf("the push ended with %v", err)
		}
		if len(q.outcomes) != len(q.claimed) {
			t.Errorf("%d rows were claimed, %d have an outcome although the journal came back", len(q.claimed), len(q.outcomes))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		q, box, err := pushCase{rows: 10, workers: 4, change: func(_ *importer.Pusher, q *queue) { q.claimErr = full }}.run(t)
		if !errors.Is(err, full) || len(box.Requests()) != 0 {
			t.Errorf("with no claim on the disk the push ended with %v, %v and %d requests", err, q.counts(), len(box.Requests()))
		}
	})
}

// waitingController lets every row wait for its second attempt until the run is stopped.
type waitingController struct {
	mu   sync.Mutex
	rows int
}

func (w *waitingController) Push(fetchCtx, _ context.Context, _ []byte, onRetry func()) (importer.Answer, error) {
	if fetchCtx.Err() != nil {
		return importer.Answer{Status: importer.StatusNotSent}, nil
	}
	w.mu.Lock()
	w.rows++
	w.mu.Unlock()
	onRetry()
	<-fetchCtx.Done()
	return importer.Answer{Status: importer.StatusUnknown, Attempts: 1}, nil
}

// So many rows are parked at most; beyond that, workers wait with their row. When the
// run is stopped, all of them end at once.
func TestParkedRowsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, parked = 4, 2000
		w := &waitingController{}
		q := newQueue(3000)
		fetchCtx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		began := time.Now()
		pusher := importer.Pusher{Queue: q, Controller: w, Workers: workers}
		if err := pusher.Push(fetchCtx, t.Context()); !errors.Is(err, importer.ErrInterrupted) {
			t.Errorf("the push ended with %v", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("it ended %v after the interrupt", took-time.Second)
		}
		if counts := q.counts(); w.rows != parked+workers || counts[importer.StatusUnknown] != w.rows || counts.Sum() != len(q.claimed) {
			t.Errorf("%d rows were taken, %d claimed, and the outcomes are %v", w.rows, len(q.claimed), counts)
		}
	})
}

// An interrupt ends the run at once while rows wait for another attempt: those may
// have arrived, the others certainly did not.
func TestPushInterruptedWhileRowsAreParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const interrupt = 3 * time.Second
		began := time.Now()
		q, box, err := pushCase{rows: 1000, workers: 4, faults: "latency=10ms,500=50%", interrupt: interrupt}.run(t)
		if !errors.Is(err, importer.ErrInterrupted) {
			t.Fatalf("the push ended with %v", err)
		}
		if took := time.Since(began); took > interrupt+10*time.Millisecond {
			t.Errorf("it ended %v after the interrupt", took-interrupt)
		}
		counts := q.counts()
		if counts.Sum() != len(q.claimed) || counts[importer.StatusPushed] != box.People() || counts[importer.StatusUnknown] <= 4 {
			t.Errorf("%d rows were claimed, the outcomes are %v, the sandbox has %d people", len(q.claimed), counts, box.People())
		}
		attempts := 0
		for _, o := range q.outcomes {
			attempts += o.Attempts
			if sent := o.Attempts > 0; o.Status == importer.StatusUnknown && !sent || o.Status == importer.StatusNotSent && sent {
				t.Errorf("row %d is %s after %d attempts", o.Row, o.Status, o.Attempts)
			}
		}
		if attempts != len(box.Requests()) {
			t.Errorf("%d attempts were recorded, %d requests came", attempts, len(box.Requests()))
		}
	})
}
