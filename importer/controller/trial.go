package controller

import "time"

const (
	trialCuts      = 3           // cuts that have not helped, after which refusals are noise,
	trialPauses    = 5           // or so many with the pauses that the Controller asks for
	trialRefused   = 2           // refusals after the last of the cuts, at least, unless it asks for pauses
	trialSeen      = 10          // answers after the first of the cuts, at least
	trialSurprise  = 3           // standard deviations by which a share of refusals differs from that before
	trialExpected  = 2           // refusals that a cut waits for before the rate grows
	flood          = 0.5         // share of refusals that is no noise, but a limit far below the rate
	examInterval   = time.Minute // from learning what is noise until that is looked at again
	examExpected   = 4           // refusals of the noise that an exam waits for
	harmlessShare  = 0.02        // of refusals, that is not looked at again
	mostKnownShare = 0.9         // of refusals
)

// trial tells refusals that have to do with the rate from those that have not, by
// whether slowing down helps.
//
// Against a limit a cut helps: hardly a request is refused while the rate holds. If one
// is, the limit may have fallen, so the rate is cut again. After some cuts in a row the
// share of refusals is compared with that before the last cut. If it is much the same,
// the refusals are noise: the rate becomes what it was before the first cut, and from
// then on only more refusals than that share lets expect are a reason for a cut. If it
// is not, the limit still moves.
//
// Once in a while an exam looks whether noise has become a limit: the rate is cut. If
// that halves the share of refusals, there is a limit.
type trial struct {
	cuts   int           // while the rate holds
	before tally         // answers before the last of them
	base   float64       // base rate before the first,
	grown  time.Duration // and for how long the rate had grown
	pause  time.Duration // the longest that the Controller has asked for since
	exam   bool          // the cut is an exam
	examAt time.Time     // when the next exam is due
}

// onAnswer records that the Controller answered a request, and did not refuse it.
func (l *limiter) onAnswer(now time.Time) {
	l.taken.add(now)
	if now.Before(l.noise.since) {
		return
	}
	l.noise.count(false, now)
	l.look(now)
}

// onThrottled records that a request was refused, and the pause that the Controller
// asks for (0: none). It reports whether that concerns every request: noise concerns
// only the one that was refused. A request that started before the last cut says
// nothing about the rate since.
func (l *limiter) onThrottled(started, now time.Time, pause time.Duration) (everyone bool) {
	n, t := &l.noise, &l.trial
	if started.Before(l.cutAt) || now.Before(n.since) {
		return !n.isKnown()
	}
	n.count(true, now)
	flooded := n.recent.refused >= minThreshold && n.recent.share() > flood
	switch {
	case n.explains():
		l.look(now)
		return false
	case t.cuts == 0 || now.After(l.growsFrom):
		if l.isNew(now) && pause == 0 {
			break // what a second accepts is not known yet
		}
		l.beginTrial(now)
		l.cutAgain(now, pause)
	case flooded:
		t.cuts = 0
		l.cutAgain(now, pause)
	case t.cuts < trialCuts, t.pause+pause > 0 && t.cuts < trialPauses:
		l.cutAgain(now, pause)
	case t.pause+pause == 0 && n.recent.refused < trialRefused, t.before.plus(n.recent).seen < trialSeen:
	case max(n.recent.surprise(t.before), -n.recent.surprise(t.before)) > trialSurprise:
		t.before = tally{}
		l.cutAgain(now, pause)
	default:
		l.learn(now)
	}
	return true
}

// beginTrial notes the rate before the first cut.
func (l *limiter) beginTrial(now time.Time) {
	l.trial = trial{base: l.base, grown: now.Sub(l.growsFrom)}
}

// cutAgain cuts the rate, and holds it until it can be seen whether that helps.
func (l *limiter) cutAgain(now time.Time, pause time.Duration) {
	t := &l.trial
	if t.cuts == 0 {
		t.before = tally{}
	}
	t.pause = max(t.pause, pause)
	t.before = t.before.plus(l.noise.recent) // cut forgets them
	enough := l.cut(now, t.pause)
	if t.cuts++; !enough {
		t.cuts, t.before = 1, tally{}
	}
	if t.cuts > 1 {
		expected := trialExpected / (t.before.share() * l.base) // seconds
		hold := time.Duration(min(expected, maxHold.Seconds()) * float64(time.Second))
		if until := now.Add(hold); until.After(l.growsFrom) {
			l.growsFrom = until
		}
	}
}

// learn takes the recent refusals for noise.
func (l *limiter) learn(now time.Time) {
	l.noise.known = l.trial.before.plus(l.noise.recent)
	if l.noise.isEpoch(now, 1) && l.noise.recent.refused >= examExpected {
		l.noise.known = l.noise.recent
	}
	l.endTrial(now)
}

// endTrial makes the rate what it was before the first cut.
func (l *limiter) endTrial(now time.Time) {
	l.base, l.growsFrom, l.cutAt = l.trial.base, now.Add(-l.trial.grown), now
	l.trial = trial{examAt: now.Add(examInterval)}
	l.noise.restart(now)
}

// look forgets old answers, and begins and ends exams.
func (l *limiter) look(now time.Time) {
	n, t := &l.noise, &l.trial
	switch {
	case t.exam:
		if n.isEpoch(now, 1) && n.known.share()*n.recent.seen >= examExpected {
			l.endExam(now)
		}
	case t.cuts >= trialCuts && !now.After(l.growsFrom): // the trial needs all of them
	case n.known.share() > harmlessShare && now.After(t.examAt) && l.isSteady(now) && n.isEpoch(now, 1):
		l.beginTrial(now)
		t.exam = true
		l.cut(now, 0)
		l.growsFrom = now.Add(maxHold) // or until the exam ends
	default:
		n.forget(now, l.isSteady(now))
	}
}

// endExam looks whether the cut has helped.
func (l *limiter) endExam(now time.Time) {
	n := &l.noise
	if n.recent.share() >= n.known.share()/2 {
		n.known = n.known.plus(n.recent)
		l.endTrial(now)
		return
	}
	n.known = tally{}
	n.restart(now)
	l.trial = trial{}
	l.growsFrom = now.Add(holdTime)
}
