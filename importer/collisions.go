package importer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"opscom-import/mapping"
)

// collision is a value of a row that somebody else has, by what the Controller accepted
// earlier. If this person's own row gives it up, it only has to be sent first.
type collision struct {
	sequence   uint32 // of the row
	attribute  uint8  // index in uniqueAttributes
	owner      Digest
	acceptedAt time.Time // when the Controller accepted the owner
	ownersRow  int       // sequence of the owner's row, noRow when there is none
}

const noRow = -1

// takenTexts are what is said of values of uniqueAttributes that somebody else has.
var takenTexts = [...]struct {
	rule                     mapping.Rule
	bySomeone, someoneAdvice string
	byRow, rowAdvice         string
	inCircle, circleAdvice   string
}{
	{
		mapping.RuleEmailTaken,
		"The Controller has this e-mail address for someone else, as accepted on %s.",
		"If it is the same person, give the ID and login source of then. If that person has another address now, push their row first. Otherwise correct the address.",
		"The Controller has this e-mail address for the person in row %d, who does not give it up.",
		"Look at row %d: it has to be accepted with another address first.",
		"The Controller has this e-mail address for the person in row %d, and the rows wait for each other in a circle.",
		"Give one of these people a temporary address and push the file; then give them the right one.",
	},
	{
		mapping.RuleUserNameTaken,
		"The Controller has this user name for someone else, as accepted on %s.",
		"If it is the same person, give the ID and login source of then. If that person has another user name now, push their row first. Otherwise correct the user name.",
		"The Controller has this user name for the person in row %d, who does not give it up.",
		"Look at row %d: it has to be accepted with another user name first.",
		"The Controller has this user name for the person in row %d, and the rows wait for each other in a circle.",
		"Give one of these people a temporary user name and push the file; then give them the right one.",
	},
}

// findCollisions notes the values of the batch's pending rows that somebody else has. first
// is the sequence of the batch's first row in the index.
func (r *planRun) findCollisions(ctx context.Context, b *batch, first int) error {
	if r.Owners == nil {
		return nil
	}
	for i := range b.rows {
		row := &b.rows[i]
		for attribute, value := range row.Unique { // others than pending rows have none
			if !value.IsDigest() {
				continue
			}
			owner, ok, err := r.Owners.Owner(ctx, r.Target, value)
			if err != nil {
				return err
			}
			if ok && owner.Key != row.Key {
				r.collisions = append(r.collisions, collision{uint32(first + i), uint8(attribute), owner.Key, owner.AcceptedAt, noRow})
			}
		}
	}
	return nil
}

// amendCollisions yields, in the file's order, a warning for each value that will still be
// somebody else's, and the round of each row that has to wait for another one.
func (r *planRun) amendCollisions(yield func(Amendment) bool) {
	r.collisions = slices.DeleteFunc(r.collisions, func(c collision) bool { return !r.isSent(int(c.sequence)) })
	if len(r.collisions) == 0 {
		return
	}
	r.findOwnersRows()
	order := r.order()
	for i := range r.collisions {
		c := &r.collisions[i]
		number := int(r.index.rows.at(int(c.sequence)).number)
		if p, warned := r.warning(c, order); warned && !yield(Amendment{Row: number, Problem: &RowProblem{Problem: p}}) {
			return
		}
		isLast := i+1 == len(r.collisions) || r.collisions[i+1].sequence != c.sequence
		if round := order.rounds[c.sequence]; round > 0 && isLast && !yield(Amendment{Row: number, Round: round}) {
			return
		}
	}
}

// isSent reports whether a push sends the row with that sequence.
func (r *planRun) isSent(sequence int) bool {
	status := planStatuses[r.index.rows.at(sequence).status]
	return status == StatusPending || status == StatusUnchanged && r.Everybody
}

// findOwnersRows finds the rows of the owners: of several rows of one person the one that
// is sent, if any is.
func (r *planRun) findOwnersRows() {
	rows := make(map[fingerprint]int, len(r.collisions)) // of owners, by their keys
	for i := range r.collisions {
		high, low := keyFingerprint(r.collisions[i].owner)
		rows[fingerprint{high, low}] = noRow
	}
	for sequence, row := range r.index.rows.all() {
		at, wanted := rows[row.fingerprint(uniqueKey)]
		if wanted && (at == noRow || !r.isSent(at) && r.isSent(sequence)) {
			rows[row.fingerprint(uniqueKey)] = sequence
		}
	}
	for i := range r.collisions {
		high, low := keyFingerprint(r.collisions[i].owner)
		r.collisions[i].ownersRow = rows[fingerprint{high, low}]
	}
}

// givesUp reports whether the owner's row gives the value up, if it is accepted. It has
// another value then: rows that share one are invalid.
func (r *planRun) givesUp(c *collision) bool {
	return c.ownersRow != noRow && r.isSent(c.ownersRow) && r.index.rows.at(c.ownersRow).sends&(1<<c.attribute) != 0
}

// sendingOrder is what is known of rows, by sequence, that wait for others or are waited for.
type sendingOrder struct {
	rounds  map[uint32]int  // of rows that wait, from 1
	waits   map[uint32]int  // rows that wait in a circle, or for one that does
	refused map[uint32]bool // rows with a value that will still be somebody else's
}

// order puts the rows of collisions in rounds: each row comes after those that give up what
// it takes.
func (r *planRun) order() sendingOrder {
	o := sendingOrder{map[uint32]int{}, map[uint32]int{}, map[uint32]bool{}}
	takers := map[uint32][]uint32{} // rows that take what a row gives up
	for i := range r.collisions {
		if c := &r.collisions[i]; r.givesUp(c) {
			o.waits[c.sequence]++
			takers[uint32(c.ownersRow)] = append(takers[uint32(c.ownersRow)], c.sequence)
		} else {
			o.refused[c.sequence] = true
		}
	}
	var free []uint32 // rows that wait for none
	for giver := range takers {
		if o.waits[giver] == 0 {
			free = append(free, giver)
		}
	}
	for ; len(free) > 0; free = free[1:] {
		giver := free[0]
		for _, taker := range takers[giver] {
			o.rounds[taker] = max(o.rounds[taker], o.rounds[giver]+1)
			o.refused[taker] = o.refused[taker] || o.refused[giver]
			if o.waits[taker]--; o.waits[taker] == 0 {
				delete(o.waits, taker)
				free = append(free, taker)
			}
		}
	}
	for sequence := range o.waits { // no order helps them
		delete(o.rounds, sequence)
	}
	return o
}

// warning returns what is to be said of a collision, if anything is.
func (r *planRun) warning(c *collision, o sendingOrder) (p mapping.Problem, warned bool) {
	texts, attribute := &takenTexts[c.attribute], uniqueAttributes[c.attribute]
	p = mapping.Problem{Rule: texts.rule, Severity: mapping.SeverityWarning, Attribute: attribute, Column: r.Mapper.Column(attribute)}
	if c.ownersRow == noRow {
		p.Message = fmt.Sprintf(texts.bySomeone, c.acceptedAt.Local().Format(time.DateOnly))
		p.Advice = texts.someoneAdvice
		return p, true
	}
	number := r.index.rows.at(c.ownersRow).number
	switch giver := uint32(c.ownersRow); {
	case !r.givesUp(c), o.waits[giver] == 0 && o.refused[giver]:
		p.Message, p.Advice = fmt.Sprintf(texts.byRow, number), fmt.Sprintf(texts.rowAdvice, number)
	case o.waits[giver] > 0:
		p.Message, p.Advice = fmt.Sprintf(texts.inCircle, number), texts.circleAdvice
	default:
		return p, false
	}
	return p, true
}
