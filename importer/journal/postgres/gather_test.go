package postgres

import (
	"context"
	"slices"
	"sync"
	"testing"
)

// sharing returns a run for each of so many lanes, with a chunk that the lane holds. They write together.
func sharing(t *testing.T, lanes int) (writers []*leases, held []leased) {
	t.Helper()
	pool := newPool(t, newDatabase(t))
	g := gathers(t, pool)
	for range lanes {
		l := pushing(t, pool, []int{0})
		l.gather = g
		writers, held = append(writers, l), append(held, take(t, l, 1)...)
	}
	return writers, held
}

// Many lanes write at once: each gets what is its own, and most of it is in statements that they share.
func TestLanesWriteTogether(t *testing.T) {
	const lanes, records = 20, 10
	writers, held := sharing(t, lanes)
	held[7].epoch-- // another one has taken it over
	var writing sync.WaitGroup
	for i, l := range writers {
		writing.Go(func() {
			c := held[i]
			for range records {
				if kept, _, err := l.write(t.Context(), []change{c.text("a")}, streak{}); err != nil || kept[0] != (i != 7) {
					t.Errorf("lane %d: %v, %v", i, kept, err)
				}
				c.events++
			}
		})
	}
	writing.Wait()
	var events, statements int
	must(t, writers[0].pool.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT xmin::text) FROM opscom.event").Scan(&events, &statements))
	if want := (lanes - 1) * records; events != want || statements > events/2 {
		t.Errorf("%d records in %d statements, want %d in at most half as many", events, statements, want)
	}
}

// Somebody has locked a chunk: its lane waits, and no other.
func TestLockedChunkHoldsNobodyUp(t *testing.T) {
	writers, held := sharing(t, 2)
	lock, err := writers[0].pool.Begin(t.Context())
	must(t, err)
	defer lock.Rollback(context.Background()) // it was committed
	_, err = lock.Exec(t.Context(), "SELECT FROM opscom.chunk_state WHERE run = $1 FOR UPDATE", writers[0].run)
	must(t, err)

	batch := make([]*laneChanges, 2)
	for i := range batch {
		batch[i] = &laneChanges{leases: writers[i], ctx: t.Context(), changes: []change{held[i].text("a")}, done: make(chan struct{})}
	}
	writers[0].gather.flush(batch)
	for i, one := range batch {
		<-one.done
		if one.err != nil || one.kept[0] != (i == 1) {
			t.Errorf("lane %d: %v, %v", i, one.kept, one.err)
		}
	}
	kept := make(chan map[int]bool)
	go func() {
		written, _, err := writers[0].write(t.Context(), []change{held[0].text("a")}, streak{})
		if err != nil {
			t.Error(err)
		}
		kept <- written
	}()
	must(t, lock.Commit(t.Context()))
	if written := <-kept; !written[0] {
		t.Errorf("the lane that waited has written %v", written)
	}
}

// A lane that writes together with others hears that its run is about to be stopped, and theirs are not.
func TestWritersHearOfAStop(t *testing.T) {
	writers, held := sharing(t, 2)
	_, err := writers[0].pool.Exec(t.Context(), "UPDATE opscom.run SET stopping = 'the token was refused' WHERE id = $1", writers[0].run)
	must(t, err)
	batch := make([]*laneChanges, 2)
	for i := range batch {
		batch[i] = &laneChanges{leases: writers[i], ctx: t.Context(), changes: []change{held[i].text("a")}, done: make(chan struct{})}
	}
	writers[0].gather.flush(batch)
	if told := writers[0].stopping.Load(); told == nil || *told != "the token was refused" {
		t.Errorf("its lane heard %v", told)
	}
	if told := writers[1].stopping.Load(); told != nil {
		t.Errorf("another lane heard %q", *told)
	}
}

// What a lane has given up is not written later, if it was not begun.
func TestChangesThatWereGivenUp(t *testing.T) {
	writers, held := sharing(t, 2)
	g := writers[0].gather
	g.isBusy = true // with another statement
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := g.write(ctx, writers[0], []change{held[0].text("a")}, false); err == nil {
		t.Error("it was written")
	}
	waits := &laneChanges{leases: writers[1], ctx: t.Context()}
	g.waiting = append(g.waiting, waits)
	if batch := g.next(); !slices.Equal(batch, []*laneChanges{waits}) {
		t.Errorf("the next statement has %d lanes, want the one that waits", len(batch))
	}
	g.isBusy = false
}

// The database refuses what one lane writes: the others write all the same.
func TestRefusedChangeIsItsLanesAlone(t *testing.T) {
	writers, held := sharing(t, 3)
	_, err := writers[1].pool.Exec(t.Context(), "INSERT INTO opscom.event (night, run, chunk, seq, data) VALUES ($1, $2, 0, 1, '')", someNight, writers[1].run)
	must(t, err) // which is there already, then
	var writing sync.WaitGroup
	for i, l := range writers {
		writing.Go(func() {
			kept, _, err := l.write(t.Context(), []change{held[i].text("a")}, streak{})
			if refused := i == 1; (err != nil) != refused || kept[0] == refused {
				t.Errorf("lane %d: %v, %v", i, kept, err)
			}
		})
	}
	writing.Wait()
}
