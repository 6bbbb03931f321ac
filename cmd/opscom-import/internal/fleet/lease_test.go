package fleet

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
)

// fakeLane is a lane whose renewals go as a test says.
type fakeLane struct {
	renew   func(ctx context.Context) error
	claimed int
	rounds  bool
}

func (l *fakeLane) Claim(context.Context, int) ([]importer.Job, error) {
	l.claimed++
	return []importer.Job{{Row: l.claimed}}, nil
}
func (*fakeLane) Record(context.Context, []importer.Outcome) error { return nil }
func (l *fakeLane) NextRound() bool                                { return l.rounds }
func (l *fakeLane) Renew(ctx context.Context) error                { return l.renew(ctx) }
func (*fakeLane) Release(context.Context) error                    { return nil }

func TestKeepLeases(t *testing.T) {
	const lease = 10 * time.Second
	away := errors.New("the database is away")
	for name, tc := range map[string]struct {
		renew   func(ctx context.Context, since time.Duration) error
		stopped time.Duration // when the push has to be stopped; 0: not within a minute
	}{
		"renewed": {func(context.Context, time.Duration) error { return nil }, 0},
		"lost":    {func(context.Context, time.Duration) error { return ErrLeaseLost }, lease / 3},
		"away":    {func(context.Context, time.Duration) error { return away }, lease * 3 / 4},
		"away for a time": {func(_ context.Context, since time.Duration) error {
			return map[bool]error{true: away}[since < 7*time.Second]
		}, 0},
		"without answer": {func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }, lease * 3 / 4},
		"away later": {func(_ context.Context, since time.Duration) error { return map[bool]error{true: away}[since > lease] },
			lease + lease*3/4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, end := context.WithTimeout(t.Context(), time.Minute)
				defer end()
				var stopped time.Duration
				var why error
				lane := &fakeLane{renew: func(ctx context.Context) error { return tc.renew(ctx, time.Since(began)) }}
				keepLeases(ctx, lane, lease, func(cause error) { stopped, why = time.Since(began), cause })
				if (stopped - tc.stopped).Abs() > time.Millisecond {
					t.Errorf("stopped after %s, want %s", stopped, tc.stopped)
				}
				if stopped > 0 && !errors.Is(why, ErrLeaseLost) {
					t.Errorf("stopped because of %v", why)
				}
			})
		})
	}
}

func TestTurn(t *testing.T) {
	failure := errors.New("no answer")
	for name, tc := range map[string]struct {
		waits func() (bool, error)
		after time.Duration
		rows  int // claimed from the lane
		over  bool
		err   error
	}{
		"in its turn":      {func() (bool, error) { return true, nil }, time.Second, 1, false, nil},
		"others wait":      {func() (bool, error) { return true, nil }, 30 * time.Second, 0, true, nil},
		"nobody waits":     {func() (bool, error) { return false, nil }, 30 * time.Second, 1, false, nil},
		"nobody can tell":  {func() (bool, error) { return false, failure }, 30 * time.Second, 0, false, failure},
		"a very long turn": {func() (bool, error) { return false, nil }, 3 * 30 * time.Second, 2, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lane := &fakeLane{rounds: true}
				q := &turn{Lane: lane, length: 30 * time.Second, until: time.Now().Add(30 * time.Second), left: 2,
					waits: func(context.Context) (bool, error) { return tc.waits() }}
				var err error
				for begin := time.Now(); time.Since(begin) < tc.after && err == nil; {
					time.Sleep(min(tc.after, 30*time.Second))
					_, err = q.Claim(t.Context(), 8)
				}
				if !errors.Is(err, tc.err) || lane.claimed != tc.rows || q.over != tc.over || q.NextRound() == tc.over {
					t.Errorf("claimed %d times, over %v, next round %v, %v", lane.claimed, q.over, q.NextRound(), err)
				}
			})
		})
	}
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made, closed := 0, 0
		failure := errors.New("no token")
		s := newSessions(func(_ context.Context, target string) (*Session, error) {
			time.Sleep(time.Second)
			made++
			if made == 1 {
				return nil, failure
			}
			return &Session{Close: func() error { closed++; return nil }}, nil
		})
		if _, _, err := s.get(t.Context(), "OC_A"); !errors.Is(err, failure) {
			t.Fatalf("the first: %v", err)
		}
		shared := make(chan *Session)
		for range 2 {
			go func() {
				session, done, err := s.get(t.Context(), "OC_A")
				if err != nil {
					t.Error(err)
				}
				shared <- session
				time.Sleep(time.Minute)
				done()
			}()
		}
		if a, b := <-shared, <-shared; a == nil || a != b || made != 2 {
			t.Errorf("two lanes of a target have two sessions, %d made", made)
		}
		idle := func(want int) {
			t.Helper()
			if err := s.closeIdle(time.Minute); err != nil || closed != want {
				t.Errorf("%d closed, want %d; %v", closed, want, err)
			}
		}
		idle(0) // both use it
		time.Sleep(time.Minute + time.Second)
		idle(0) // it was used just now
		time.Sleep(time.Minute)
		idle(1)
		if _, done, err := s.get(t.Context(), "OC_A"); err != nil || made != 3 {
			t.Errorf("it is not made again: %d, %v", made, err)
		} else {
			done()
		}
	})
}
