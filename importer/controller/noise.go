package controller

import (
	"math"
	"time"
)

const (
	epoch       = time.Second // answers of at least this time, and
	epochSeen   = 20          // at least so many of them, are compared with what is known
	certainty   = 4           // standard deviations by which refusals exceed it
	mostRefused = 1000        // refusals that are remembered
)

// tally counts answers.
type tally struct {
	seen, refused float64
}

// share returns the share of refusals.
func (t tally) share() float64 { return t.refused / max(t.seen, 1) }

func (t tally) plus(other tally) tally {
	return tally{t.seen + other.seen, t.refused + other.refused}
}

func (t tally) halved() tally { return tally{t.seen / 2, t.refused / 2} }

// surprise returns by how many standard deviations there are more refusals than those
// of another tally let expect. The last of them is not counted: the tally ends with it.
func (t tally) surprise(other tally) float64 {
	variance := t.plus(other).share() * t.seen * (1 + t.seen/max(other.seen, 1))
	return (t.refused - 1 - other.share()*t.seen) / math.Sqrt(variance)
}

// noise knows which share of the requests is refused whatever the rate is, and counts
// the answers at the present rate.
type noise struct {
	known  tally     // refusals that are noise, among others; zero: none are known
	recent tally     // answers of the last one or two epochs
	since  time.Time // from then on answers are recent
}

// isKnown reports whether there is noise.
func (n *noise) isKnown() bool { return n.known.refused > 0 }

// restart forgets the recent answers, and counts those from a time on.
func (n *noise) restart(since time.Time) {
	n.recent, n.since = tally{}, since
}

// count counts an answer.
func (n *noise) count(refused bool, now time.Time) {
	if n.since.IsZero() {
		n.since = now
	}
	n.recent.seen++
	if refused {
		n.recent.refused++
	}
}

// isEpoch reports whether so many epochs of answers have been counted.
func (n *noise) isEpoch(now time.Time, epochs int) bool {
	return n.recent.seen >= float64(epochs*epochSeen) && now.Sub(n.since) >= time.Duration(epochs)*epoch
}

// explains reports whether the recent refusals are no more than those that are known
// let expect: their number varies, and so did that of those that are known.
func (n *noise) explains() bool {
	if !n.isKnown() {
		return n.recent.refused == 0
	}
	expected := n.known.share() * n.recent.seen
	deviation := math.Sqrt(expected * (1 + n.recent.seen/n.known.seen))
	return n.recent.refused <= expected+certainty*deviation+1
}

// forget halves the recent answers once there are two epochs of them. If the rate is
// steady the other half adds to what is known: noise changes.
func (n *noise) forget(now time.Time, steady bool) {
	if !n.isEpoch(now, 2) {
		return
	}
	n.recent = n.recent.halved()
	n.since = n.since.Add(now.Sub(n.since) / 2)
	if steady && n.isKnown() && n.explains() {
		n.known = n.known.plus(n.recent)
	}
	for n.known.refused > mostRefused {
		n.known = n.known.halved()
	}
}
