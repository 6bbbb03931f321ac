package postgres

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"opscom-import/importer/journal/postgres/keyring"
	"opscom-import/importer/journal/postgres/pgtest"
)

// tester is a test, or one of many that a property has.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

func must(t tester, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func diff(t tester, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmp.AllowUnexported(leased{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func testKeys(t testing.TB) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Parse("test " + strings.Repeat("0123456789abcdef", 4))
	must(t, err)
	return ring
}

func otherKeys(t testing.TB) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Parse("test " + strings.Repeat("fedcba9876543210", 4))
	must(t, err)
	return ring
}

// newDatabase returns the URL of a database with the schema.
func newDatabase(t *testing.T) string {
	t.Helper()
	url := pgtest.Shared(t).NewDatabase(t)
	_, err := Migrate(t.Context(), url, Options{})
	must(t, err)
	return url
}

// newPool returns connections to a database. They are not tried before they are used: an answer may get lost.
func newPool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	must(t, err)
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	must(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// gathers returns what writes to a database for several lanes.
func gathers(t *testing.T, pool *pgxpool.Pool) *gathering {
	t.Helper()
	g := newGathering(pool)
	t.Cleanup(g.close)
	return g
}

// someNight is the night of the runs in these tests.
var someNight = time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)

// pushing stores a run that is being pushed, whose chunks wait with these rounds.
func pushing(t *testing.T, pool *pgxpool.Pool, rounds ...[]int) *leases {
	t.Helper()
	l := &leases{pool: pool, gather: gathers(t, pool), night: someNight, term: time.Minute}
	must(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "SELECT opscom.ensure_night($1)", l.night); err != nil {
			return err
		}
		err := tx.QueryRow(t.Context(), `WITH t AS (INSERT INTO opscom.target (name) SELECT 'target ' || count(*) FROM opscom.target RETURNING id)
			INSERT INTO opscom.run (night, target, client, source, file_hash, mapping_hash, state, started_at, timeline)
			SELECT $1, id, '', '', '', '', 'pushing', now(), opscom.timeline() FROM t RETURNING id, timeline`, l.night).Scan(&l.run, &l.timeline)
		for chunk, waiting := range rounds {
			if err == nil {
				_, err = tx.Exec(t.Context(), "INSERT INTO opscom.chunk_state (run, chunk, rounds) VALUES ($1, $2, $3)", l.run, chunk, waiting)
			}
		}
		return err
	}))
	return l
}

// take leases up to n chunks, and returns them in their order.
func take(t tester, l *leases, n int) []leased {
	t.Helper()
	taken, err := l.lease(context.Background(), n)
	must(t, err)
	slices.SortFunc(taken, func(a, b leased) int { return a.chunk - b.chunk })
	return taken
}

// put writes changes, and returns the chunks that are still held.
func put(t tester, l *leases, changes ...change) []int {
	t.Helper()
	kept, _, err := l.write(context.Background(), changes, streak{})
	must(t, err)
	return sorted(kept)
}

func sorted(set map[int]bool) (list []int) {
	for n := range set {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// expire ends the leases on a chunk as if its holder had been away for too long.
func expire(t tester, l *leases, chunk int) {
	t.Helper()
	_, err := l.pool.Exec(context.Background(), "UPDATE opscom.chunk_state SET lease_until = now() - interval '1 second' WHERE run = $1 AND chunk = $2 AND lease_until IS NOT NULL", l.run, chunk)
	must(t, err)
}

// standing returns where each chunk of the run stands, a line each, with what is recorded of it.
func standing(t tester, l *leases) (lines []string) {
	t.Helper()
	rows, err := l.pool.Query(context.Background(), `SELECT format('%s: epoch %s, claimed %s, rounds %s, %s', chunk, epoch, claimed, rounds, CASE WHEN lease_until > now() THEN 'held' ELSE 'free' END)
		|| coalesce((SELECT format(', %s of %s: ', count(*), events) || string_agg(seq || convert_from(data, 'UTF8'), ' ' ORDER BY seq) FROM opscom.event e WHERE e.night = $2 AND e.run = s.run AND e.chunk = s.chunk), '')
		FROM opscom.chunk_state s WHERE run = $1 ORDER BY chunk`, l.run, l.night)
	must(t, err)
	lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return lines
}

func chunksOf(taken []leased) (chunks []int) {
	for _, c := range taken {
		chunks = append(chunks, c.chunk)
	}
	return chunks
}

// text is a change that adds a record.
func (c leased) text(text string) change {
	return change{chunk: c.chunk, epoch: c.epoch, events: c.events, data: []byte(text), over: notOver}
}

func TestTwoLanesNeverHoldTheSameChunk(t *testing.T) {
	pool := newPool(t, newDatabase(t))
	l := pushing(t, pool, []int{0}, []int{0}, []int{}, []int{0}, []int{0})
	diff(t, "the first", chunksOf(take(t, l, 2)), []int{0, 1})
	diff(t, "the second", chunksOf(take(t, l, 1)), []int{3})
	diff(t, "the third", chunksOf(take(t, l, 5)), []int{4})
	diff(t, "nothing is left", chunksOf(take(t, l, 5)), []int(nil))
	expire(t, l, 1)
	diff(t, "of one that died", take(t, l, 5), []leased{{chunk: 1, epoch: 2}})
	expire(t, l, 0)
	expire(t, l, 1)
	must(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "SELECT FROM opscom.chunk_state WHERE run = $1 AND chunk = 0 FOR UPDATE", l.run)
		diff(t, "without one that somebody has locked", chunksOf(take(t, l, 1)), []int{1})
		return err
	}))
	_, err := pool.Exec(t.Context(), "UPDATE opscom.run SET state = 'stopped' WHERE id = $1", l.run)
	must(t, err)
	expire(t, l, 1)
	diff(t, "of a run that is stopped", chunksOf(take(t, l, 5)), []int(nil))
}

func TestManyLanesAtOnce(t *testing.T) {
	pool := newPool(t, newDatabase(t))
	rounds := make([][]int, 200)
	for i := range rounds {
		rounds[i] = []int{0, 1}
	}
	l := pushing(t, pool, rounds...)
	taken := make(chan leased)
	for range 8 {
		go func() {
			for {
				some, err := l.lease(t.Context(), 3)
				if err != nil {
					return // the test has ended
				}
				for _, c := range some {
					taken <- c
					if _, _, err := l.write(t.Context(), []change{{chunk: c.chunk, epoch: c.epoch, events: c.events, data: []byte("x"), over: c.round}}, streak{}); err != nil {
						return
					}
				}
			}
		}()
	}
	times := map[leased]int{}
	round := 0
	for range 2 * len(rounds) {
		c := <-taken
		times[leased{chunk: c.chunk, round: c.round}]++
		if c.round < round {
			t.Errorf("chunk %d of round %d came after one of round %d", c.chunk, c.round, round)
		}
		round = c.round
	}
	for c, n := range times {
		if n != 1 {
			t.Errorf("chunk %d of round %d was leased %d times", c.chunk, c.round, n)
		}
	}
	diff(t, "chunks", len(times), 2*len(rounds))
}

// Who was away for longer than the lease can write nothing any more.
func TestZombieWritesNothing(t *testing.T) {
	pool := newPool(t, newDatabase(t))
	l := pushing(t, pool, []int{0}, []int{0})
	zombie := take(t, l, 2)
	diff(t, "claimed", put(t, l, change{chunk: 0, epoch: 1, claimed: 100, over: notOver}), []int{0})
	expire(t, l, 0)
	diff(t, "an expired lease that nobody took", put(t, l, zombie[0].text("a")), []int{0})
	expire(t, l, 0)
	heir := take(t, l, 1)
	diff(t, "the heir knows", heir, []leased{{chunk: 0, epoch: 2, claimed: 100, events: 1}})
	zombie[0].events = 1
	gone := zombie[0].text("zombie")
	gone.claimed, gone.over = 200, 0
	diff(t, "kept of the zombie's", put(t, l, gone, zombie[1].text("b")), []int{1})
	kept, err := l.renew(t.Context(), []change{gone, {chunk: 1, epoch: 1}})
	must(t, err)
	diff(t, "renewed", sorted(kept), []int{1})
	must(t, l.giveBack(t.Context(), []change{gone}))
	diff(t, "free after the zombie has given it back", chunksOf(take(t, l, 1)), []int(nil))
	diff(t, "the heir's", put(t, l, heir[0].text("c")), []int{0})
	diff(t, "in the end", standing(t, l), []string{"0: epoch 2, claimed 100, rounds {0}, held, 2 of 2: 1a 2c", "1: epoch 1, claimed 0, rounds {0}, held, 1 of 1: 1b"})
}

// A chunk of a later round waits until nothing of an earlier one is left, in nobody's hands.
func TestRoundsInOrder(t *testing.T) {
	pool := newPool(t, newDatabase(t))
	l := pushing(t, pool, []int{0, 2}, []int{1}, []int{0}, []int{2})
	first := take(t, l, 1)
	second := take(t, l, 9)
	diff(t, "round 0", append(chunksOf(first), chunksOf(second)...), []int{0, 2})
	over := func(c leased, text string) change {
		done := c.text(text)
		done.over = c.round
		return done
	}
	put(t, l, over(first[0], "a"))
	diff(t, "while one of round 0 is held", chunksOf(take(t, l, 9)), []int(nil))
	must(t, l.giveBack(t.Context(), []change{second[0].text("")}))
	second = take(t, l, 9)
	diff(t, "the one that was given back", second, []leased{{chunk: 2, epoch: 2}})
	put(t, l, over(second[0], "b"))
	third := take(t, l, 9)
	diff(t, "round 1", third, []leased{{chunk: 1, epoch: 1, round: 1}})
	put(t, l, over(third[0], "c"))
	diff(t, "round 2", take(t, l, 9), []leased{{chunk: 0, epoch: 2, round: 2, events: 1}, {chunk: 3, epoch: 1, round: 2}})
}

// Between the moment that a statement sees and the lock on a chunk its holder may have ended the round,
// although its lease was over, and another one may have taken it.
func TestLeasesOfOneRound(t *testing.T) {
	pool := newPool(t, newDatabase(t))
	l := pushing(t, pool, []int{0, 1}, []int{0}, []int{0}, []int{0})
	_, err := pool.Exec(t.Context(), `CREATE OR REPLACE FUNCTION opscom.timeline() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
		BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN (SELECT timeline FROM opscom.run); END $$`)
	must(t, err)
	lock, err := pool.Acquire(t.Context())
	must(t, err)
	defer lock.Release()
	_, err = lock.Exec(t.Context(), "SELECT pg_advisory_lock(1)")
	must(t, err)
	taken := make(chan []int)
	go func() {
		some, err := l.lease(t.Context(), 3)
		if err != nil {
			t.Error(err)
		}
		taken <- chunksOf(some)
	}()
	eventually(t, "the statement has begun", func() (waits bool) {
		must(t, pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)").Scan(&waits))
		return waits
	})
	_, err = lock.Exec(t.Context(), "UPDATE opscom.chunk_state SET rounds = array_remove(rounds, 0) WHERE run = $1 AND chunk IN (0, 2)", l.run)
	must(t, err)
	_, err = lock.Exec(t.Context(), "UPDATE opscom.chunk_state SET epoch = 1, lease_until = now() + interval '1 minute' WHERE run = $1 AND chunk = 3", l.run)
	must(t, err)
	_, err = lock.Exec(t.Context(), "SELECT pg_advisory_unlock(1)")
	must(t, err)
	diff(t, "leased", <-taken, []int{1})
}

// After a failover nobody holds anything, whether the run knows of it already or not.
func TestAnotherTimeline(t *testing.T) {
	pool := newPool(t, newDatabase(t))
	for name, sql := range map[string]string{
		"not noticed yet":            "UPDATE opscom.run SET timeline = 'earlier' WHERE id = $1",
		"noticed by another process": "UPDATE opscom.run SET timeline = opscom.timeline() WHERE id = $1",
	} {
		t.Run(name, func(t *testing.T) {
			l := pushing(t, pool, []int{0}, []int{0})
			held := take(t, l, 1)
			_, err := pool.Exec(t.Context(), sql, l.run)
			must(t, err)
			l.timeline = "earlier"
			diff(t, "written", put(t, l, held[0].text("a")), []int(nil))
			l.gather = nil
			diff(t, "written alone", put(t, l, held[0].text("a")), []int(nil))
			diff(t, "leased", chunksOf(take(t, l, 9)), []int(nil))
			kept, err := l.renew(t.Context(), []change{held[0].text("")})
			must(t, err)
			diff(t, "renewed", kept, map[int]bool{})
			diff(t, "in the end", standing(t, l)[0], "0: epoch 1, claimed 0, rounds {0}, held")
		})
	}
}

// A renewal that comes late does not keep what was given back.
func TestLateRenewal(t *testing.T) {
	pool := newPool(t, newDatabase(t))
	l := pushing(t, pool, []int{0, 1}, []int{0})
	held := take(t, l, 2)
	last := held[0].text("a")
	last.over = 0
	put(t, l, last)
	must(t, l.giveBack(t.Context(), []change{held[1].text("")}))
	kept, err := l.renew(t.Context(), []change{held[0].text(""), held[1].text("")})
	must(t, err)
	diff(t, "renewed", kept, map[int]bool{})
	diff(t, "free", chunksOf(take(t, l, 2)), []int{1})
}

// A lane that repeats a change because its answer did not come changes nothing more.
func TestRepeatedChange(t *testing.T) {
	pool := newPool(t, newDatabase(t))
	l := pushing(t, pool, []int{0, 1}, []int{0, 1}, []int{0, 1})
	held := take(t, l, 3)
	withRecord, claim, last := held[0].text("a"), held[1].text(""), held[2].text("b")
	claim.data, claim.claimed, last.over = nil, 300, 0
	for range 3 {
		diff(t, "kept", put(t, l, withRecord, claim, last), []int{0, 1, 2})
	}
	diff(t, "in the end", standing(t, l), []string{
		"0: epoch 1, claimed 0, rounds {0,1}, held, 1 of 1: 1a",
		"1: epoch 1, claimed 300, rounds {0,1}, held",
		"2: epoch 1, claimed 0, rounds {1}, free, 1 of 1: 1b",
	})
	claim.over = 0
	for range 2 {
		put(t, l, claim)
	}
	diff(t, "without a record", standing(t, l)[1], "1: epoch 1, claimed 300, rounds {1}, free")
}

// The hot updates touch no index.
func TestUpdatesAreHOT(t *testing.T) {
	pool := newPool(t, newDatabase(t))
	l := pushing(t, pool, []int{0})
	c := take(t, l, 1)[0]
	const writes = 300
	for range writes {
		put(t, l, c.text("x"))
		c.events++
	}
	var updates, hot int
	for deadline := time.Now().Add(time.Minute); updates < writes && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		must(t, pool.QueryRow(t.Context(), "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE schemaname = 'opscom' AND relname = 'chunk_state'").Scan(&updates, &hot))
	}
	if updates < writes || hot < updates*9/10 {
		t.Errorf("%d of %d updates were HOT", hot, updates)
	}
}
