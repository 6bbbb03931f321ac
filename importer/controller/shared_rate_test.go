package controller

import (
	"context"
	"errors"
	"testing"
	"time"

	"opscom-import/importer"
)

// TestTurnsAreUsedInTime has turns used as late as the keeper's clock is known for.
func TestTurnsAreUsedInTime(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		unsure, late time.Duration
		used         bool
	}{
		{0, 15 * ms, true}, {0, 15*ms + 1, false}, {5 * ms, 15 * ms, true}, {5 * ms, 15*ms + 1, false},
		{12 * ms, 8 * ms, true}, {12 * ms, 8*ms + 1, false}, {30 * ms, 2 * ms, true}, {30 * ms, 2*ms + 1, false},
	}
	for _, test := range tests {
		now := time.Now()
		s := &sharedRate{pacer: newPacer(1, newLimiter(0, 1), halfway, nil), wanted: make(chan struct{}, 1)}
		s.clock = keeperClock{local: now, keeper: now, least: -test.unsure, at: now}
		s.inHand = []time.Time{now.Add(-test.late)}
		over := now.Add(max(leastSlack, min(mostSlack, latestUse-test.unsure)) - test.late)
		notAfter, wait := s.take(now)
		if used := wait == 0; used != test.used {
			t.Errorf("a turn %v old was used: %v, with a clock that is known to %v; want %v", test.late, used, test.unsure, test.used)
		} else if used && !notAfter.Equal(over) {
			t.Errorf("a turn %v old is over %v later, want %v", test.late, notAfter.Sub(now), over.Sub(now))
		}
	}
}

// TestFarKeeperIsToldFromALateAnswer has answers take so long that the rate is exact only if they took no longer than the questions: that is
// believed when the keeper is far away, and not of a late answer of one that is near.
func TestFarKeeperIsToldFromALateAnswer(t *testing.T) {
	const ms = time.Millisecond
	s := &sharedRate{pacer: newPacer(1, newLimiter(0, 1), halfway, nil), wanted: make(chan struct{}, 1)}
	now := time.Now()
	for i, step := range []struct {
		after, roundTrip time.Duration
		certain          bool
	}{
		{0, 30 * ms, false}, {0, 30 * ms, false}, {0, 30 * ms, false}, {0, 30 * ms, false}, {0, 30 * ms, true}, {0, 40 * ms, true}, // the quickest counts
		{0, ms, true}, {20 * time.Second, 30 * ms, false}, {0, 17 * ms, true}, {0, 5 * ms, true}, {0, 30 * ms, true},
		{20 * time.Second, 40 * ms, false}, {20 * time.Second, 40 * ms, false}, {20 * time.Second, 40 * ms, false}, {20 * time.Second, 40 * ms, false}, {20 * time.Second, 40 * ms, false},
	} {
		asked := now.Add(step.after)
		now = asked.Add(step.roundTrip)
		r := importer.Reservation{Now: asked.Add(step.roundTrip / 2), Interval: 100 * ms, Turns: 1}
		if certain := s.accept(asked, now, r); certain != step.certain {
			t.Errorf("answer %d, of a round trip of %v: certain: %v, want %v", i, step.roundTrip, certain, step.certain)
		}
	}
}

// TestTurnsThatAreOwed are taken out of those in hand, or of the next ones, which are reserved for that.
func TestTurnsThatAreOwed(t *testing.T) {
	now := time.Now()
	s := &sharedRate{pacer: newPacer(1, newLimiter(0, 1), halfway, nil), wanted: make(chan struct{}, 1), interval: 100 * time.Millisecond}
	r := importer.Reservation{Now: now, First: now.Add(1), Interval: s.interval, Turns: 2}
	s.accept(now, now, r)
	for range 4 {
		s.forgo()
	}
	if len(s.inHand) != 0 || s.owed != 2 || len(s.wanted) != 1 || s.missing() != 2 {
		t.Errorf("with two turns, and four to forgo, %d are in hand, %d owed, and %d missing", len(s.inHand), s.owed, s.missing())
	}
	r.First, r.Turns = now.Add(2*s.interval+1), 3
	s.accept(now, now, r)
	if len(s.inHand) != 1 || s.owed != 0 || !s.inHand[0].Equal(now.Add(4*s.interval+1)) {
		t.Errorf("after three more, %v are in hand, and %d owed", s.inHand, s.owed)
	}
}

// pauses is a keeper that only hears of pauses.
type pauses []time.Duration

func (*pauses) Reserve(context.Context, int) (importer.Reservation, error) {
	return importer.Reservation{}, errors.New("there are no turns")
}

func (p *pauses) Pause(_ context.Context, d time.Duration) error {
	*p = append(*p, d)
	return nil
}

// TestPauseIsToldAtTheEnd has the client closed when a pause was learned just before.
func TestPauseIsToldAtTheEnd(t *testing.T) {
	for range 20 { // which of both is seen first is chance
		var told pauses
		s := &sharedRate{turns: &told, pacer: newPacer(1, newLimiter(0, 1), halfway, nil), news: make(chan struct{}, 1)}
		s.tell(time.Now().Add(time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.tellPauses(ctx)
		if len(told) != 1 {
			t.Fatalf("told of %d pauses, want one", len(told))
		}
	}
}
