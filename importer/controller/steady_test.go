package controller_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/controller"
)

// endless is a stored plan without an end.
type endless struct {
	mu     sync.Mutex
	rows   int
	counts importer.Counts
}

func (e *endless) Claim(_ context.Context, most int) ([]importer.Job, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	jobs := make([]importer.Job, most)
	for i := range jobs {
		e.rows++
		jobs[i] = jobOf(e.rows)
	}
	return jobs, nil
}

func (e *endless) Record(_ context.Context, outcomes []importer.Outcome) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, o := range outcomes {
		e.counts[o.Status]++
	}
	return nil
}

func (*endless) NextRound() bool { return false }

// failing returns a Controller of whose answers, each after a while, that share is a 500.
func failing(share float64, after time.Duration) *inMemory {
	random := rand.New(rand.NewPCG(3, 4))
	var mu sync.Mutex
	return &inMemory{answer: func(int, *http.Request) (*http.Response, error) {
		mu.Lock()
		fails := random.Float64() < share
		mu.Unlock()
		time.Sleep(after)
		if fails {
			return answered(500, "")
		}
		return success()
	}}
}

// TestRowsInBackOffHoldNoWorker pushes to a Controller that fails now and then, and
// asks for nearly all that the workers can send.
func TestRowsInBackOffHoldNoWorker(t *testing.T) {
	const d, way = 10 * time.Second, 2 * time.Millisecond
	tests := []struct {
		workers int
		rate    float64 // 0: no limit
		share   float64 // of the answers that are a 500
	}{
		{16, 0, 0.01}, {16, 0, 0.05}, {16, 0, 0.2},
		{8, 10, 0.01}, {8, 10, 0.05}, {8, 10, 0.2},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d workers, %v a second, %v", test.workers, test.rate, test.share), func(t *testing.T) {
			m := failing(test.share, way)
			settings := func(c *controller.Config) { c.Workers, c.Rate, c.Burst = test.workers, test.rate, 1 }
			virtual(t, m, settings, func(t *testing.T, client *controller.Client) {
				e := &endless{counts: importer.Counts{}}
				pusher := importer.Pusher{Queue: e, Controller: client, Workers: test.workers, MaxFailures: 20}
				fetchCtx, cancel := context.WithTimeout(t.Context(), d)
				defer cancel()
				if err := pusher.Push(fetchCtx, t.Context()); !errors.Is(err, importer.ErrInterrupted) {
					t.Errorf("the push ended with %v", err)
				}
				most := float64(test.workers) * float64(d/way)
				if test.rate > 0 {
					most = test.rate * d.Seconds()
				}
				pushed := e.counts[importer.StatusPushed]
				t.Logf("%.1f rows a second", float64(pushed)/d.Seconds())
				if share := float64(pushed) / most; share < 0.97*(1-test.share) {
					t.Errorf("%d rows were pushed, %.2f of the requests that could be sent", pushed, share)
				}
				if m.highest > test.workers {
					t.Errorf("%d requests at a time", m.highest)
				}
				if e.counts.Sum() != e.rows {
					t.Errorf("%d rows were claimed, the outcomes are %v", e.rows, e.counts)
				}
			})
		})
	}
}

// TestLastRowsAreNotHeldUp pushes a whole plan: once no row is left to begin, those
// that wait for another attempt have to end soon.
func TestLastRowsAreNotHeldUp(t *testing.T) {
	const rows, workers, way = 20_000, 16, 2 * time.Millisecond
	for _, share := range []float64{0.01, 0.05, 0.2} {
		virtual(t, failing(share, way), func(c *controller.Config) { c.Workers = workers }, func(t *testing.T, client *controller.Client) {
			p := newPlan(rows)
			start := time.Now()
			pusher := importer.Pusher{Queue: p, Controller: client, Workers: workers, MaxFailures: 20}
			if err := pusher.Push(t.Context(), t.Context()); err != nil {
				t.Errorf("%v of 500s: the push ended with %v", share, err)
			}
			// At full pace 2.5 s and more, and then the pauses of the last rows, of which a few fail again and again.
			took := time.Since(start)
			t.Logf("%v of 500s: %v", share, took)
			if took > 20*time.Second {
				t.Errorf("%v of 500s: %d rows took %v, want less than 20s", share, rows, took)
			}
		})
	}
}

// oneRow is a stored plan with a single row, of which it keeps nothing.
type oneRow struct {
	payload []byte
	endless
}

func (o *oneRow) Claim(context.Context, int) ([]importer.Job, error) {
	if o.payload == nil {
		return nil, nil
	}
	job := importer.Job{Row: 2, Payload: o.payload}
	o.payload = nil
	return []importer.Job{job}, nil
}

// TestParkedRowKeepsOnlyItsPayload has a row wait whose payload is a small part of a
// large buffer, as the journal reads them, and collects the garbage until that is gone.
func TestParkedRowKeepsOnlyItsPayload(t *testing.T) {
	fetchCtx, stop := context.WithCancel(t.Context())
	defer stop()
	tried := make(chan struct{})
	m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
		defer close(tried)
		return answered(429, "", "Retry-After", "300")
	}}
	client, err := controller.New(controllerConfig(m, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	buffer := make([]byte, 1<<20)
	freed := make(chan struct{})
	runtime.AddCleanup(&buffer[0], func(freed chan struct{}) { close(freed) }, freed)
	q := &oneRow{payload: buffer[:copy(buffer, profile)], endless: endless{counts: importer.Counts{}}}
	pusher := importer.Pusher{Queue: q, Controller: client, Workers: 1}
	ended := make(chan error)
	go func() { ended <- pusher.Push(fetchCtx, t.Context()) }()
	<-tried
	for waiting := true; waiting; {
		runtime.GC()
		select {
		case <-freed:
			waiting = false
		case err := <-ended:
			t.Fatalf("the push ended with %v", err)
		default:
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, importer.ErrInterrupted) || q.counts[importer.StatusUnknown] != 1 {
		t.Errorf("the push ended with %v and %v", err, q.counts)
	}
}
