package postgres

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// A process that does not reach the database stops sending while its lease lasts: a request that it
// begins then has its answer, as a rule, before anybody else sends the row.
func TestSendingEndsBeforeTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, err := pgxpool.ParseConfig("postgres://nobody@127.0.0.1:1/nowhere?sslmode=disable")
		must(t, err)
		config.ConnConfig.DialFunc = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
		}
		pool, err := pgxpool.NewWithConfig(t.Context(), config)
		must(t, err)
		defer pool.Close()
		const term = 10 * time.Second
		asked := time.Now()
		lane := &Lane{journal: &Journal{}, held: map[int]*heldChunk{3: {leased: leased{chunk: 3}, renewed: asked}}, leases: leases{pool: pool, term: term}}
		diff(t, "a claim may be made until then", lane.until([]change{{chunk: 3}}).Sub(asked), 7500*time.Millisecond)
		err = lane.Work(t.Context(), func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})
		if lasted := time.Since(asked); !errors.Is(err, ErrLeaseLost) || lasted < term/2 || lasted > 8*time.Second {
			t.Errorf("rows were sent for %s, then: %v", lasted, err)
		}
	})
}

// What renews and what records for a lane lock chunks in the same order, so that they do not wait for each other.
func TestChunksInOrder(t *testing.T) {
	lane := &Lane{held: map[int]*heldChunk{}}
	marks := map[int]int{}
	var want []int
	for chunk := range 20 {
		lane.held[chunk], marks[chunk] = &heldChunk{leased: leased{chunk: chunk}}, 1
		want = append(want, chunk)
	}
	changes, err := lane.changes(marks, nil)
	must(t, err)
	for _, some := range [][]change{changes, lane.all()} {
		var got []int
		for _, one := range some {
			got = append(got, one.chunk)
		}
		diff(t, "chunks", got, want)
	}
}

// Once it is said that a run is about to be stopped, also by a process that died then, nobody gets rows.
func TestNothingIsClaimedOfARunThatIsAboutToBeStopped(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, "pushing", []int{2, 3})
	execute(t, j, "UPDATE opscom.run SET stopping = 'the token was refused'")
	jobs, err := again(t, j, r).Lane().Claim(t.Context(), 1)
	stopped := new(StoppedError)
	if len(jobs) > 0 || !errors.As(err, &stopped) || stopped.Reason != "the token was refused" {
		t.Errorf("claimed %d rows, %v", len(jobs), err)
	}
	diff(t, "rows", statuses(t, r), "2 not_sent 0, 3 not_sent 0")
}
