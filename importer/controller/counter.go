package controller

import "time"

const (
	counterSteps = 20 // so many steps make a second
	stepTime     = time.Second / counterSteps
)

// counter counts the events of the last second (a sliding window of steps), and
// remembers in which second there were most of late.
type counter struct {
	began   time.Time
	steps   [counterSteps + 1]float64 // a second, and the rest of the step in which it began
	present int64                     // number of the step that is not over
	most    float64                   // events of any second since the last call of best,
	before  float64                   // and between the one before and that
}

// add counts an event.
func (c *counter) add(now time.Time) {
	c.turn(now)
	c.steps[c.present%int64(len(c.steps))]++
	c.most = max(c.most, c.rate(now))
}

// rate returns how many events the last second had.
func (c *counter) rate(now time.Time) (events float64) {
	c.turn(now)
	for _, n := range c.steps {
		events += n
	}
	passed := float64(now.Sub(c.began)%stepTime) / float64(stepTime) // share of the present step
	return events - passed*c.steps[(c.present+1)%int64(len(c.steps))]
}

// best returns the events of the best second since the last call but one, and forgets
// the last second.
func (c *counter) best(now time.Time) float64 {
	most := max(c.most, c.rate(now))
	best := max(most, c.before)
	*c = counter{began: c.began, present: c.present, before: most}
	return best
}

// turn empties the steps that have begun since the last call.
func (c *counter) turn(now time.Time) {
	if c.began.IsZero() {
		c.began = now
	}
	present := int64(now.Sub(c.began) / stepTime)
	for range min(present-c.present, int64(len(c.steps))) {
		c.present++
		c.steps[c.present%int64(len(c.steps))] = 0
	}
	if present > c.present { // all are empty
		c.present = present
	}
}
