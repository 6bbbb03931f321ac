package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// modelChunk is what a chunk should be.
type modelChunk struct {
	epoch, claimed int
	records        []string
	rounds         []int
	held           bool // its lease has not ended
}

// modelLane is what somebody believes to hold, rightly or not.
type modelLane map[int]*leased

type leaseModel struct {
	*leases
	chunks []modelChunk
	lanes  [3]modelLane
	n      int // changes
}

// next returns the first n chunks that can be leased.
func (m *leaseModel) next(n int) (chunks []int) {
	round := 1 << 30
	for i := range m.chunks {
		if rounds := m.chunks[i].rounds; len(rounds) > 0 {
			round = min(round, rounds[0])
		}
	}
	for i := range m.chunks {
		if c := &m.chunks[i]; len(c.rounds) > 0 && c.rounds[0] == round && !c.held && len(chunks) < n {
			chunks = append(chunks, i)
		}
	}
	return chunks
}

func (m *leaseModel) lane(t *rapid.T) modelLane {
	return m.lanes[rapid.IntRange(0, len(m.lanes)-1).Draw(t, "lane")]
}

// some returns some chunks that the lane believes to hold.
func (m *leaseModel) some(t *rapid.T, lane modelLane) (some []*leased) {
	for chunk := range m.chunks {
		if c := lane[chunk]; c != nil && rapid.Bool().Draw(t, fmt.Sprint("chunk ", chunk)) {
			some = append(some, c)
		}
	}
	if len(some) == 0 {
		t.Skip("no chunk")
	}
	return some
}

func (m *leaseModel) lease(t *rapid.T) {
	lane, n := m.lane(t), rapid.IntRange(1, 4).Draw(t, "n")
	want := m.next(n)
	taken := take(t, m.leases, n)
	diff(t, "leased", chunksOf(taken), want)
	for _, got := range taken {
		c := &m.chunks[got.chunk]
		c.epoch++
		c.held = true
		diff(t, "lease", got, leased{chunk: got.chunk, epoch: c.epoch, round: c.rounds[0], claimed: c.claimed, events: len(c.records)})
		lane[got.chunk] = &got
	}
}

// write writes any changes, once or repeatedly.
func (m *leaseModel) write(t *rapid.T) {
	lane := m.lane(t)
	var changes []change
	var want []int
	for _, held := range m.some(t, lane) {
		m.n++
		one := change{chunk: held.chunk, epoch: held.epoch, events: held.events, claimed: rapid.IntRange(0, 9).Draw(t, "claimed"), over: notOver}
		if rapid.Bool().Draw(t, "record") {
			one.data = fmt.Appendf(nil, "x%d", m.n)
			held.events++
		}
		if rapid.IntRange(0, 3).Draw(t, "over") == 0 {
			one.over = held.round
		}
		changes = append(changes, one)
		c := &m.chunks[held.chunk]
		if c.epoch != held.epoch {
			delete(lane, held.chunk)
			continue
		}
		want = append(want, held.chunk)
		c.claimed, c.held = max(c.claimed, one.claimed), one.over < 0
		if one.data != nil {
			c.records = append(c.records, string(one.data))
		}
		if one.over >= 0 {
			c.rounds = c.rounds[1:]
			delete(lane, held.chunk)
		}
	}
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		diff(t, "kept", put(t, m.leases, changes...), want)
	}
}

func (m *leaseModel) renew(t *rapid.T) {
	var held []change
	var want []int
	for _, c := range m.some(t, m.lane(t)) {
		held = append(held, c.text(""))
		if m.chunks[c.chunk].epoch == c.epoch {
			m.chunks[c.chunk].held = true
			want = append(want, c.chunk)
		}
	}
	kept, err := m.leases.renew(t.Context(), held)
	must(t, err)
	diff(t, "renewed", sorted(kept), want)
}

func (m *leaseModel) giveBack(t *rapid.T) {
	lane := m.lane(t)
	var held []change
	for _, c := range m.some(t, lane) {
		held = append(held, c.text(""))
		if m.chunks[c.chunk].epoch == c.epoch {
			m.chunks[c.chunk].held = false
		}
		delete(lane, c.chunk)
	}
	must(t, m.leases.giveBack(t.Context(), held))
}

// expire lets time pass: a lane is away for longer than its lease.
func (m *leaseModel) expire(t *rapid.T) {
	for chunk := range m.chunks {
		if m.chunks[chunk].held && rapid.Bool().Draw(t, fmt.Sprint("chunk ", chunk)) {
			m.chunks[chunk].held = false
			expire(t, m.leases, chunk)
		}
	}
}

// die lets a lane forget all.
func (m *leaseModel) die(t *rapid.T) { clear(m.lane(t)) }

func (m *leaseModel) check(t *rapid.T) {
	want := make([]string, len(m.chunks))
	for i, c := range m.chunks {
		standing := map[bool]string{true: "held", false: "free"}[c.held]
		want[i] = fmt.Sprintf("%d: epoch %d, claimed %d, rounds {%s}, %s", i, c.epoch, c.claimed, strings.ReplaceAll(strings.Trim(fmt.Sprint(c.rounds), "[]"), " ", ","), standing)
		if n := len(c.records); n > 0 {
			want[i] += fmt.Sprintf(", %d of %d: ", n, n)
		}
		var records []string
		for k, record := range c.records {
			records = append(records, fmt.Sprint(k+1, record))
		}
		want[i] += strings.Join(records, " ")
	}
	diff(t, "the database", standing(t, m.leases), want)
}

// Whatever several lanes do, in whatever order, the database is as a simple model has it.
func TestLeasesAreAsTheModel(t *testing.T) {
	pool := newPool(t, newDatabase(t))
	rapid.Check(t, func(rt *rapid.T) {
		m := &leaseModel{}
		for i := range m.lanes {
			m.lanes[i] = modelLane{}
		}
		rounds := rapid.SliceOfN(rapid.SliceOfNDistinct(rapid.IntRange(0, 2), 0, 3, rapid.ID), 1, 6).Draw(rt, "rounds")
		for _, waiting := range rounds {
			slices.Sort(waiting)
			m.chunks = append(m.chunks, modelChunk{rounds: waiting})
		}
		m.leases = pushing(t, pool, rounds...)
		rt.Repeat(map[string]func(*rapid.T){
			"": m.check, "lease": m.lease, "write": m.write, "renew": m.renew, "give back": m.giveBack, "expire": m.expire, "die": m.die,
		})
	})
}
