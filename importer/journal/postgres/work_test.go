package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres/pgtest"
)

// controllerFunc is a Controller that pushes with a function of the payload.
type controllerFunc func(fetchCtx context.Context, payload string) (importer.Answer, error)

func (f controllerFunc) Push(fetchCtx, _ context.Context, payload []byte, _ func()) (importer.Answer, error) {
	return f(fetchCtx, string(payload))
}

// delivery counts how often each payload was sent.
type delivery struct {
	mu    sync.Mutex
	times map[string]int
}

func (s *delivery) controller(delay time.Duration) importer.Controller {
	return controllerFunc(func(fetchCtx context.Context, payload string) (importer.Answer, error) {
		if fetchCtx.Err() != nil {
			return importer.Answer{Status: importer.StatusNotSent}, nil
		}
		time.Sleep(delay)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.times == nil {
			s.times = map[string]int{}
		}
		s.times[payload]++
		return importer.Answer{Status: importer.StatusPushed, Attempts: 1}, nil
	})
}

func (s *delivery) n() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.times)
}

// work pushes the run as one process does, with a queue of its own for each turn.
func work(ctx context.Context, r *Run, c importer.Controller) error {
	return r.Work(ctx, func(ctx context.Context) error {
		pusher := importer.Pusher{Queue: r, Controller: c, Workers: 4, MinClaim: 8}
		return pusher.Push(ctx, context.WithoutCancel(ctx))
	})
}

func TestTwoProcessesPushOneRun(t *testing.T) {
	url := newDatabase(t)
	j, other := opened(t, url), opened(t, url)
	var amendments []importer.Amendment
	for _, row := range numbers(300, 400) {
		amendments = append(amendments, importer.Amendment{Row: row, Round: 1 + row%2})
	}
	r := planned(t, j, importer.RunPushing, numbers(2, 1500), amendments...)
	var s delivery
	ended := make(chan error)
	for _, r := range []*Run{r, again(t, other, r)} {
		go func() { ended <- work(t.Context(), r, s.controller(time.Millisecond)) }()
	}
	must(t, <-ended)
	must(t, <-ended) // neither ends before both are done
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "rows", s.n(), 1499)
	for payload, n := range s.times {
		if n != 1 {
			t.Errorf("%s was sent %d times", payload, n)
		}
	}
	counts, attempts, err := r.Counts(t.Context())
	must(t, err)
	diff(t, "counts", counts, importer.Counts{importer.StatusPushed: 1499})
	diff(t, "attempts", attempts, 1499)
}

// That another process was first to finish the run is no error.
func TestFinishedByAnotherProcess(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, numbers(2, 20))
	other := again(t, j, r)
	diff(t, "claimed by another", len(claim(t, other, 99)), 19)
	var s delivery
	ended := make(chan error)
	go func() { ended <- work(t.Context(), r, s.controller(0)) }()
	record(t, other, importer.StatusPushed, numbers(2, 20)...)
	must(t, other.Finish(t.Context(), testTime))
	must(t, <-ended)
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "state", r.Info().State, importer.RunFinished)
	if err := r.Finish(t.Context(), testTime); err != nil {
		t.Errorf("finished again: %v", err)
	}
	if err := again(t, j, r).Finish(t.Context(), testTime); !errors.As(err, new(*journal.StateError)) {
		t.Errorf("finished by one who has not worked on it: %v", err)
	}
}

// The leases of a slow push are renewed, and nobody else gets its rows.
func TestLeasesAreRenewed(t *testing.T) {
	j := opened(t, newDatabase(t))
	j.term = 2 * time.Second
	r := planned(t, j, importer.RunPushing, numbers(2, 41))
	other := again(t, j, r).Lane()
	var s delivery
	ended := make(chan error)
	go func() { ended <- work(t.Context(), r, s.controller(500*time.Millisecond)) }() // in 10 × 0.5 s
	for {
		select {
		case err := <-ended:
			must(t, err)
			diff(t, "rows", s.n(), 40)
			diff(t, "left", len(claim(t, other, 99)), 0)
			must(t, r.Finish(t.Context(), testTime))
			return
		case <-time.After(100 * time.Millisecond):
			if s.n() > 0 && s.n() < 40 {
				diff(t, "meanwhile", len(claim(t, other, 99)), 0)
			}
		}
	}
}

// A run that another process stops ends for this one too.
func TestStoppedByAnotherProcess(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, numbers(2, 2000))
	var s delivery
	ended := make(chan error, 1)
	go func() { ended <- work(t.Context(), r, s.controller(50*time.Millisecond)) }()
	eventually(t, "begun", func() bool { return s.n() > 20 })
	must(t, again(t, j, r).StopBecause(t.Context(), "the token was refused"))
	err := <-ended
	must(t, r.Stop(t.Context())) // as push does after an error
	var stopped *StoppedError
	if !errors.As(err, &stopped) || stopped.Reason != "the token was refused" {
		t.Errorf("the push ended with %v", err)
	}
	counts, _, err := r.Counts(t.Context())
	must(t, err)
	diff(t, "counts", counts, importer.Counts{importer.StatusPushed: s.n(), importer.StatusNotSent: 1999 - s.n()})
}

// A process that holds rows when another one stops the run can still record what is in flight.
func TestStopAwaitsThoseWhoHoldRows(t *testing.T) {
	j := opened(t, newDatabase(t))
	j.term = time.Minute
	r := planned(t, j, importer.RunPushing, []int{2, 3, 4, 5, 300})
	holder, idle := again(t, j, r).Lane(), again(t, j, r).Lane()
	diff(t, "claimed", claim(t, holder, 3), []int{2, 3, 4})
	ended := make(chan error, 2)
	go func() { ended <- r.StopBecause(t.Context(), "the token was refused") }()
	eventually(t, "announced", func() bool { return again(t, j, r).Reason() != "" })
	other := again(t, j, r)
	go func() { ended <- other.Stop(t.Context()) }() // which another process may do at the same time
	must(t, holder.Renew(t.Context()))
	for name, lane := range map[string]*Lane{"who holds rows": holder, "who holds none": idle} {
		var stopped *StoppedError
		if _, err := lane.Claim(t.Context(), 9); !errors.As(err, &stopped) || stopped.Reason != "the token was refused" {
			t.Errorf("%s claims: %v", name, err)
		}
	}
	record(t, holder, importer.StatusPushed, 2, 3)
	record(t, holder, importer.StatusNotSent, 4)
	diff(t, "state until all is given back", again(t, j, r).Info().State, importer.RunPushing)
	must(t, holder.Release(t.Context()))
	must(t, errors.Join(<-ended, <-ended))
	diff(t, "state", again(t, j, r).Info().State, importer.RunStopped)
	diff(t, "rows", statuses(t, r), "2 pushed 1, 3 pushed 1, 4 not_sent 0, 5 not_sent 0, 300 not_sent 0")
}

// Others send nothing more as soon as one who pushes is interrupted, and not only when the answers to
// that one have come.
func TestInterruptStopsOthersAtOnce(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, numbers(2, 2000))
	begun, answer := make(chan struct{}, 99), make(chan struct{})
	slow := controllerFunc(func(fetchCtx context.Context, _ string) (importer.Answer, error) {
		if fetchCtx.Err() != nil {
			return importer.Answer{Status: importer.StatusNotSent}, nil
		}
		begun <- struct{}{}
		<-answer
		return importer.Answer{Status: importer.StatusPushed, Attempts: 1}, nil
	})
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- work(ctx, r, slow) }()
	<-begun
	other := again(t, j, r).Lane()
	record(t, other, importer.StatusPushed, claim(t, other, 5)...)
	interrupt()
	eventually(t, "the other one is told", func() bool {
		jobs, err := other.Claim(t.Context(), 1)
		if err == nil {
			record(t, other, importer.StatusNotSent, jobs[0].Row)
		}
		return errors.As(err, new(*StoppedError))
	})
	close(answer)
	if err := <-ended; !errors.Is(err, importer.ErrInterrupted) {
		t.Errorf("the push ended with %v", err)
	}
	must(t, other.Release(t.Context()))
	must(t, r.Stop(t.Context()))
	diff(t, "state", again(t, j, r).Info().State, importer.RunStopped)
	diff(t, "reason", again(t, j, r).Reason(), "")
}

func TestInterruptAfterTheLastRowStopsNobody(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2, 3})
	begun, answer := make(chan struct{}, 2), make(chan struct{})
	slow := controllerFunc(func(context.Context, string) (importer.Answer, error) {
		begun <- struct{}{}
		<-answer
		return importer.Answer{Status: importer.StatusPushed, Attempts: 1}, nil
	})
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- work(ctx, r, slow) }()
	<-begun
	<-begun
	lane := again(t, j, r).Lane()
	eventually(t, "all is claimed", func() bool { return len(claim(t, lane, 1)) == 0 })
	interrupt()
	eventually(t, "announced", func() bool { return again(t, j, r).record.stopping != nil })
	close(answer)
	must(t, <-ended)
	if again(t, j, r).record.stopping != nil {
		t.Errorf("the run is still about to be stopped")
	}
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "rows", statuses(t, r), "2 pushed 1, 3 pushed 1")
}

// An answer that takes longer than a lease lasts is awaited: a run that sends the same person other values
// after this one was stopped must not be overtaken by the request in flight.
func TestStopAwaitsSlowAnswers(t *testing.T) {
	j := opened(t, newDatabase(t))
	j.term = time.Second
	r := planned(t, j, importer.RunPushing, numbers(2, 300))
	var s delivery
	ended := make(chan error, 1)
	go func() { ended <- work(t.Context(), again(t, j, r), s.controller(4*time.Second)) }()
	eventually(t, "begun", func() bool { return s.n() > 0 })
	must(t, r.StopBecause(t.Context(), "the token was refused"))
	diff(t, "state", r.Info().State, importer.RunStopped)
	counts, _, err := r.Counts(t.Context())
	must(t, err)
	diff(t, "counts", counts, importer.Counts{importer.StatusPushed: s.n(), importer.StatusNotSent: 299 - s.n()})
	if err := <-ended; !errors.As(err, new(*StoppedError)) {
		t.Errorf("the push ended with %v", err)
	}
}

// A process that stops a run gives back what it holds itself, and nothing waits in a run that is stopped.
func TestStopperHoldsNothing(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2, 3, 300})
	claim(t, r, 1)
	_, err := r.announceStop(t.Context(), new("the token was refused"))
	must(t, err)
	var held, waiting int
	must(t, j.pool.QueryRow(t.Context(), "SELECT count(lease_until) FROM opscom.chunk_state").Scan(&held))
	must(t, r.Stop(t.Context()))
	must(t, j.pool.QueryRow(t.Context(), "SELECT count(*) FROM opscom.chunk_state WHERE rounds <> '{}'").Scan(&waiting))
	if held != 0 || waiting != 0 {
		t.Errorf("%d chunks were held while it waited for others, and rows of %d wait", held, waiting)
	}
}

// A process that waits for the rows of others hears that the run was stopped, and may stop it too.
func TestStoppedWhileItWaits(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2})
	waits := again(t, j, r)
	must(t, r.StopBecause(t.Context(), "the token was refused"))
	var stopped *StoppedError
	if _, err := waits.awaitRows(t.Context()); !errors.As(err, &stopped) || stopped.Reason != "the token was refused" {
		t.Errorf("it waited until %v", err)
	}
	must(t, waits.Stop(t.Context()))
	diff(t, "reason", again(t, j, r).Reason(), "the token was refused")
}

// A process that has died while the run is stopped is waited for no longer than the lease lasts.
func TestStopWhileAHolderIsDead(t *testing.T) {
	j := opened(t, newDatabase(t))
	j.term = time.Second
	r := planned(t, j, importer.RunPushing, []int{2, 3})
	claim(t, again(t, j, r).Lane(), 1)
	must(t, r.Stop(t.Context()))
	diff(t, "state", r.Info().State, importer.RunStopped)
	diff(t, "rows", statuses(t, r), "2 unknown 0, 3 not_sent 0")
}

// A process that was about to stop the run, and died, is replaced by the next one that meets the
// run: its reason counts.
func TestStopperDies(t *testing.T) {
	j := opened(t, newDatabase(t))
	for name, next := range map[string]func(r *Run) error{
		"another one stops it": func(r *Run) error { return again(t, j, r).StopBecause(t.Context(), "another reason") },
		"who was told ends it": func(r *Run) error { return again(t, j, r).StopAnnounced(t.Context()) },
		"recovered":            func(*Run) error { return j.Recover(t.Context(), testTarget) },
	} {
		r := planned(t, j, importer.RunPushing, []int{2, 3})
		_, err := r.announceStop(t.Context(), new("the token was refused"))
		must(t, err)
		if err := work(t.Context(), again(t, j, r), nil); !errors.As(err, new(*StoppedError)) {
			t.Errorf("%s: a push meanwhile ended with %v", name, err)
		}
		must(t, next(r))
		r = again(t, j, r)
		diff(t, name+": state", r.Info().State, importer.RunStopped)
		diff(t, name+": reason", r.Reason(), "the token was refused")
		late := again(t, j, r)
		late.record.State = importer.RunPushing // as it was when the run was opened
		must(t, r.Start(t.Context()))
		must(t, late.StopAnnounced(t.Context()))
		diff(t, name+": claimed after it was resumed", claim(t, r, 9), []int{2, 3})
		record(t, r, importer.StatusPushed, 2, 3)
		must(t, r.Finish(t.Context(), testTime))
	}
}

// A run whose last outcomes come while it is stopped can be finished.
func TestFinishedBeforeItIsStopped(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2, 3})
	holder := again(t, j, r)
	claim(t, holder, 9)
	_, err := r.announceStop(t.Context(), new("the token was refused"))
	must(t, err)
	record(t, holder, importer.StatusPushed, 2, 3)
	must(t, holder.Finish(t.Context(), testTime))
	must(t, r.Stop(t.Context()))
	diff(t, "state", again(t, j, r).Info().State, importer.RunFinished)
}

// When the database is away a process stops sending within its lease, and goes on by itself.
func TestDatabaseAway(t *testing.T) {
	server := pgtest.Start(t, pgtest.Options{FSync: true})
	address := server.URL("postgres")
	_, err := Migrate(t.Context(), address, Options{})
	must(t, err)
	j := opened(t, address)
	j.term = 2 * time.Second
	var telling sync.Mutex
	var notes []string
	j.say = func(note string) {
		telling.Lock()
		defer telling.Unlock()
		notes = append(notes, note)
	}
	r := planned(t, j, importer.RunPushing, numbers(2, 3000))
	var s delivery
	ended := make(chan error)
	go func() { ended <- work(t.Context(), r, s.controller(2*time.Millisecond)) }()
	eventually(t, "begun", func() bool { return s.n() > 100 })
	server.Kill()
	eventually(t, "nothing is sent any more", func() bool {
		before := s.n()
		time.Sleep(j.term)
		return s.n() == before
	})
	if s.n() == 2999 {
		t.Fatal("all rows were sent while the database was away")
	}
	server.Restart()
	must(t, <-ended)
	if len(notes) != 2 || !strings.HasPrefix(notes[0], "Nothing is sent for now") || !strings.Contains(notes[1], "is back") {
		t.Errorf("a person was told %q", notes)
	}
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "rows", s.n(), 2999)
	repeats := 0
	for _, n := range s.times {
		repeats += n - 1
	}
	counts, _, err := r.Counts(t.Context())
	must(t, err)
	diff(t, "counts", counts, importer.Counts{importer.StatusPushed: 2999})
	t.Logf("%d rows were sent twice", repeats)
}

// The network loses answers all the time: nothing is lost, nothing is told wrongly.
func TestNetworkLosesAnswers(t *testing.T) {
	database := newDatabase(t)
	j := opened(t, database)
	r := planned(t, j, importer.RunPushing, numbers(2, 1200))
	proxy, address := proxied(t, database)
	far := opened(t, address)
	far.term = 3 * time.Second
	var s delivery
	ended := make(chan error)
	go func() { ended <- work(t.Context(), again(t, far, r), s.controller(2*time.Millisecond)) }()
	for n := range 8 {
		eventually(t, "some are sent", func() bool { return s.n() > 100*n })
		toxic, err := proxy.Toxics.AddToxicJson(strings.NewReader(`{"type": "limit_data", "attributes": {"bytes": 0}}`))
		must(t, err)
		time.Sleep(50 * time.Millisecond)
		must(t, proxy.Toxics.RemoveToxic(t.Context(), toxic.Name))
	}
	must(t, <-ended)
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "rows", s.n(), 1199)
	counts, _, err := r.Counts(t.Context())
	must(t, err)
	diff(t, "counts", counts, importer.Counts{importer.StatusPushed: 1199})
}

// An interrupt that comes after the last row changes nothing.
func TestInterruptAfterTheLastRow(t *testing.T) {
	r := planned(t, newJournal(t), importer.RunPushing, numbers(2, 4))
	ctx, interrupt := context.WithCancel(t.Context())
	err := r.Work(ctx, func(context.Context) error {
		defer interrupt()
		jobs, err := r.Claim(t.Context(), 9)
		must(t, err)
		var outcomes []importer.Outcome
		for _, job := range jobs {
			outcomes = append(outcomes, importer.Outcome{Row: job.Row, Answer: importer.Answer{Status: importer.StatusPushed, Attempts: 1}, FinishedAt: someTime})
		}
		return r.Record(t.Context(), outcomes)
	})
	must(t, err)
	must(t, r.Finish(t.Context(), someTime))
}
