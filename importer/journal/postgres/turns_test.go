package postgres

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/controller"
	"opscom-import/importer/journal/postgres/pgtest"
)

// The client's interface is what the turns are for.
var _ controller.Turns = (*Turns)(nil)

// rated returns a journal in which targets have a rate.
func rated(t *testing.T, url string, rate float64, targets ...string) *Journal {
	t.Helper()
	j, err := connect(t.Context(), url, Options{}, nil)
	must(t, err)
	t.Cleanup(func() { must(t, j.Close()) })
	for _, target := range targets {
		must(t, j.SetRate(t.Context(), target, rate))
	}
	return j
}

// keeps returns a keeper that ends with the test.
func keeps(t *testing.T, j *Journal) *Keeper {
	k := j.NewKeeper()
	t.Cleanup(k.Close)
	return k
}

// reserve reserves turns.
func reserve(t *testing.T, turns *Turns, n int) importer.Reservation {
	t.Helper()
	before := time.Now()
	r, err := turns.Reserve(t.Context(), n)
	must(t, err)
	if r.Asked.Before(before) || r.Answered.Before(r.Asked) {
		t.Errorf("asked at %v, answered at %v", r.Asked, r.Answered)
	}
	return r
}

// forgotten moves the next turn of every target so far from now.
func forgotten(t *testing.T, j *Journal, fromNow time.Duration) {
	t.Helper()
	_, err := j.pool.Exec(t.Context(), "UPDATE opscom.pace SET tat = extract(epoch FROM clock_timestamp() + $1) * 1000000", fromNow)
	must(t, err)
}

// step is the distance of turns at a rate.
func step(rate float64) time.Duration {
	return time.Duration(math.Ceil(float64(time.Second+importer.TurnMargin)/rate/1000)) * time.Microsecond
}

func TestReserve(t *testing.T) {
	j := rated(t, newDatabase(t), 4, "OC_TOMA")
	turns := keeps(t, j).Turns("OC_TOMA")

	first := reserve(t, turns, 5)
	if first.Turns != 0 || first.First.After(first.Now.Add(time.Second)) {
		t.Errorf("the first reservation is %+v, want to be asked to wait for a moment: it may be after a crash", first)
	}

	forgotten(t, j, -time.Hour)
	r := reserve(t, turns, 2)
	if r.Turns != 2 || r.Interval != step(4) || r.First.After(r.Now) || r.Now.Sub(r.First) > time.Minute {
		t.Errorf("the reservation after an hour is %+v, want two turns from now on", r)
	}
	next := reserve(t, turns, 100)
	if from := r.First.Add(2 * step(4)); next.Turns < 1 || next.Turns > 4 || next.First.Before(from) {
		t.Errorf("the next reservation is %+v, want the rest of a second from %v on", next, from)
	}
	if last := next.First.Add(time.Duration(next.Turns-1) * next.Interval); last.After(next.Now.Add(time.Second)) {
		t.Errorf("a turn is at %v, which is more than a second after %v", last, next.Now)
	}

	forgotten(t, j, 30*time.Second) // the clock was put back
	r = reserve(t, turns, 1)
	if r.Turns != 0 || r.First.After(r.Now.Add(time.Second)) {
		t.Errorf("the reservation is %+v, want to be asked to wait for a moment", r)
	}
	if again := reserve(t, turns, 1); again.Turns == 0 && again.First.After(r.First) {
		t.Errorf("the reservation is %+v, want to wait for no longer than until %v", again, r.First)
	}
}

func TestReserveWithoutALimit(t *testing.T) {
	j := rated(t, newDatabase(t), 0, "OC_TOMA")
	turns := keeps(t, j).Turns("OC_TOMA")
	if r := reserve(t, turns, 77); r.Turns != 77 || r.Interval != 0 || r.First.After(r.Now) {
		t.Errorf("the reservation is %+v, want all turns now", r)
	}
	_, err := keeps(t, j).Turns("OC_OTHER").Reserve(t.Context(), 1)
	if !errors.Is(err, ErrNoRate) {
		t.Errorf("turns of an unknown target: %v, want that no rate is set", err)
	}
}

func TestRateIsSet(t *testing.T) {
	j := rated(t, newDatabase(t), 10, "OC_TOMA at https://ops.example")
	turns := keeps(t, j).Turns("OC_TOMA at HTTPS://OPS.example:443/")
	must(t, j.SetRate(t.Context(), "OC_TOMA at https://OPS.example/", 250))
	forgotten(t, j, 0)
	reserve(t, turns, 1)
	forgotten(t, j, 0)
	if r := reserve(t, turns, 1); r.Interval != step(250) {
		t.Errorf("turns are %v apart, want %v: the rate was set", r.Interval, step(250))
	}
}

func TestPauseIsShared(t *testing.T) {
	url := newDatabase(t)
	j := rated(t, url, 100, "OC_TOMA", "OC_OTHER")
	turns := keeps(t, j).Turns("OC_TOMA")
	reserve(t, turns, 1)
	forgotten(t, j, 0)

	other := keeps(t, rated(t, url, 100)).Turns("OC_TOMA")
	for _, d := range []time.Duration{time.Hour, time.Minute} { // the shorter one changes nothing
		must(t, turns.Pause(t.Context(), d))
		r := reserve(t, other, 1)
		if left := r.PausedUntil.Sub(r.Now); r.Turns != 0 || left < 50*time.Minute || left > time.Hour {
			t.Errorf("the reservation is %+v, want a pause of an hour", r)
		}
	}
	reserve(t, keeps(t, j).Turns("OC_OTHER"), 1)
	forgotten(t, j, 0)
	if r := reserve(t, keeps(t, j).Turns("OC_OTHER"), 1); r.Turns != 1 || r.PausedUntil.After(r.Now) {
		t.Errorf("the reservation of another target is %+v", r)
	}
	_, err := j.pool.Exec(t.Context(), "UPDATE opscom.target SET paused_until = 'infinity'")
	must(t, err)
	if r := reserve(t, other, 1); r.PausedUntil.Sub(r.Now) < 300*24*time.Hour {
		t.Errorf("the reservation is %+v, want a pause without end", r)
	}
}

// TestTurnsBelongToOne has several processes reserve turns of many targets at once, with the
// targets in different orders. No two turns of a target are nearer than they should be.
func TestTurnsBelongToOne(t *testing.T) {
	const targets, processes, rounds, rate = 20, 4, 30, 5000
	names := make([]string, targets)
	for i := range names {
		names[i] = fmt.Sprintf("OC_%d", i)
	}
	url := newDatabase(t)
	rated(t, url, rate, names...)
	var mu sync.Mutex
	given := make(map[string]*[]time.Time, targets)
	for _, name := range names {
		given[name] = new([]time.Time)
	}
	var working sync.WaitGroup
	for p := range processes {
		keeper := keeps(t, rated(t, url, rate))
		for i := range targets {
			name := names[i]
			if p%2 == 1 {
				name = names[targets-1-i]
			}
			for range 2 { // clients of the target
				turns := logged{keeper.Turns(name), &mu, given[name]}
				working.Go(func() {
					for range rounds {
						if _, err := turns.Reserve(t.Context(), 3); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
		}
	}
	working.Wait()
	all := 0
	for name, turns := range given {
		all += len(*turns)
		apart(t, name, *turns, rate)
	}
	if all == 0 {
		t.Error("no turns were given out")
	}
}

// apart checks that turns keep their distance.
func apart(t *testing.T, name string, turns []time.Time, rate float64) {
	t.Helper()
	slices.SortFunc(turns, time.Time.Compare)
	for i := range max(len(turns)-1, 0) {
		if d := turns[i+1].Sub(turns[i]); d < step(rate) {
			t.Fatalf("two of %d turns of %s are %v apart, want %v", len(turns), name, d, step(rate))
		}
	}
}

// It is of no use to ask again where the database refuses to answer.
func TestReserveIsRefused(t *testing.T) {
	j := rated(t, newDatabase(t), 4, "OC_TOMA")
	execute(t, j, "DROP FUNCTION opscom.reserve")
	if _, err := keeps(t, j).Turns("OC_TOMA").Reserve(t.Context(), 1); !errors.As(err, new(*importer.NoTurnsError)) {
		t.Errorf("without what answers: %v", err)
	}
}

// Two questions for turns of the same targets lock these in the same order.
func TestReserveInOrder(t *testing.T) {
	j := rated(t, newDatabase(t), 1000, "OC_A", "OC_B")
	const ask = "SELECT count(*) FROM opscom.reserve($1, array_fill(1, ARRAY[cardinality($1::text[])]))"
	for _, targets := range [][]string{{"OC_A", "OC_B"}, {"OC_B", "OC_A"}} {
		ended := make(chan error)
		must(t, pgx.BeginFunc(t.Context(), j.pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), ask, []string{"OC_A"})
			must(t, err)
			go func() {
				_, err := j.pool.Exec(t.Context(), ask, targets)
				ended <- err
			}()
			eventually(t, "the other waits", func() (waits bool) {
				must(t, j.pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").Scan(&waits))
				return waits
			})
			_, err = tx.Exec(t.Context(), ask, []string{"OC_B"})
			return err
		}))
		must(t, <-ended)
	}
}

// TestKeeperGoesOn has the connection cut while somebody asks.
func TestKeeperGoesOn(t *testing.T) {
	url := newDatabase(t)
	j := rated(t, url, 1000, "OC_TOMA")
	proxy, address := proxied(t, url)
	turns := keeps(t, rated(t, address, 1000)).Turns("OC_TOMA")
	reserve(t, turns, 1)
	restore := loseAnswers(t, proxy)
	for range 3 {
		if _, err := turns.Reserve(t.Context(), 1); !IsTransient(err) || !strings.Contains(err.Error(), "reserve turns of the rate: the journal at ") {
			t.Errorf("with the connection cut: %v", err)
		}
		if err := turns.Pause(t.Context(), time.Minute); !IsTransient(err) {
			t.Errorf("with the connection cut: %v", err)
		}
	}
	restore()
	must(t, j.SetRate(t.Context(), "OC_TOMA", 1000))
	eventually(t, "turns", func() bool {
		r, err := turns.Reserve(t.Context(), 1)
		return err == nil && (r.Turns > 0 || r.PausedUntil.After(r.Now)) // a pause may have arrived
	})
}

// logged notes the turns that somebody reserves.
type logged struct {
	*Turns
	mu    *sync.Mutex
	given *[]time.Time
}

func (l logged) Reserve(ctx context.Context, n int) (importer.Reservation, error) {
	r, err := l.Turns.Reserve(ctx, n)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range r.Turns {
		*l.given = append(*l.given, r.First.Add(time.Duration(i)*r.Interval))
	}
	return r, err
}

// sent notes when requests are sent.
type sent struct {
	mu sync.Mutex
	at []time.Time
}

func (s *sent) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.at = append(s.at, time.Now())
	s.mu.Unlock()
	time.Sleep(5 * time.Millisecond)
	body := io.NopCloser(strings.NewReader(`{"status":"success","reference_id":44}`))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body}, nil
}

func (s *sent) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.at)
}

// shortest returns the least time in which so many requests were sent, and one more.
func (s *sent) shortest(n int) time.Duration {
	shortest := time.Duration(math.MaxInt64)
	slices.SortFunc(s.at, time.Time.Compare)
	for i := range max(len(s.at)-n, 0) {
		shortest = min(shortest, s.at[i+n].Sub(s.at[i]))
	}
	return shortest
}

var exact = flag.Bool("exact", false, "fail if more requests were sent in a second than the rate, as measured here: on a machine that does nothing else")

// TestOneRateForAll has four clients push at one rate, each with connections of its own,
// while the server is stopped, and killed, and started again.
func TestOneRateForAll(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several seconds: not with -short")
	}
	const clients, workers, rate = 4, 8, 200
	server := pgtest.Start(t, pgtest.Options{})
	url := server.NewDatabase(t)
	_, err := Migrate(t.Context(), url, Options{})
	must(t, err)
	rated(t, url, rate, "OC_TOMA")

	var requests sent
	var mu sync.Mutex
	var given []time.Time
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var pushing sync.WaitGroup
	for range clients {
		turns := logged{keeps(t, rated(t, url, rate)).Turns("OC_TOMA"), &mu, &given}
		client, err := controller.New(controller.Config{
			BaseURL: "https://controller.example", Client: "OC_TOMA", Token: controller.NewToken("secret"),
			Workers: workers, MaxAttempts: 5, Timeout: 30 * time.Second, Transport: &requests, Turns: turns,
		})
		must(t, err)
		t.Cleanup(client.Close)
		for range workers {
			pushing.Go(func() {
				for ctx.Err() == nil {
					_, err := client.Push(ctx, ctx, []byte(`{"unique_id":"900123456","login_source":"SSO"}`), nil)
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	until := func(n int) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); requests.count() < n; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d requests were sent in two minutes, want %d", requests.count(), n)
			}
		}
	}
	until(1)
	began := time.Now()
	until(3 * rate)
	used := float64(3*rate) / time.Since(began).Seconds() / rate
	for _, stop := range []func(){server.Kill, func() { server.Stop(pgtest.Immediate) }, func() { server.Stop(pgtest.Fast) }} {
		stop()
		server.Restart()
		until(requests.count() + rate)
	}
	stop()
	pushing.Wait()

	mu.Lock() // the last turns may be reserved just now
	defer mu.Unlock()
	apart(t, "OC_TOMA", given, rate)
	shortest := requests.shortest(rate)
	t.Logf("%d requests of %d turns, at first %.1f %% of the rate; the shortest time for %d was %v",
		requests.count(), len(given), 100*used, rate+1, shortest)
	if *exact && (shortest < time.Second || used < 0.97) {
		t.Error("want more than a second, and 97 % of the rate")
	}
}

// BenchmarkReserve reserves turns of many targets at once, as a process does that pushes to
// all of them: a question is one reservation of one target.
func BenchmarkReserve(b *testing.B) {
	server := pgtest.Shared(b)
	url := server.NewDatabase(b)
	_, err := Migrate(b.Context(), url, Options{})
	must(b, err)
	j, err := connect(b.Context(), url, Options{}, nil)
	must(b, err)
	defer j.Close()
	k := j.NewKeeper()
	defer k.Close()
	const targets = 300
	var asking sync.WaitGroup
	questions := make(chan struct{})
	for i := range targets {
		name := fmt.Sprintf("OC_%d", i)
		must(b, j.SetRate(b.Context(), name, 10))
		asking.Go(func() {
			for range questions {
				if _, err := k.Turns(name).Reserve(b.Context(), 3); err != nil {
					b.Error(err)
				}
			}
		})
	}
	b.ResetTimer()
	for range b.N {
		questions <- struct{}{}
	}
	close(questions)
	asking.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "questions/s")
}
