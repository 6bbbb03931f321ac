package fleet

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
)

// fakeLane always has rows.
type fakeLane struct {
	Lane
	claimed int
}

func (l *fakeLane) Claim(context.Context, int) ([]importer.Job, error) {
	l.claimed++
	return []importer.Job{{Row: l.claimed}}, nil
}
func (*fakeLane) NextRound() bool { return true }

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
				lane := &fakeLane{}
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
