package controller

import "math"

const (
	chanceSeen    = 100  // answers from which the share of failures is known
	chanceForget  = 4000 // answers after which the older ones count half
	chanceAtLeast = 1e-6 // probability below which failures in a row are more than chance
)

// chance tells failures that come one by one from those that come together, as in an
// outage: by how many there are in a row, and what share of the requests failed before.
type chance struct {
	before tally // answers before the present failures; those that are no answer count as refused
}

// explains reports whether so many failures in a row are no more than chance.
func (c *chance) explains(inARow int) bool {
	share := (c.before.refused + 1) / max(c.before.seen, 1) // as if one more had failed: a share of 0 would explain nothing
	return c.before.seen >= chanceSeen && share < flood && math.Pow(share, float64(inARow)) > chanceAtLeast
}

// answered records an answer that came after so many failures in a row.
func (c *chance) answered(failures int) {
	c.before = c.before.plus(tally{seen: float64(failures + 1), refused: float64(failures)})
	if c.before.seen > chanceForget {
		c.before = c.before.halved()
	}
}
