package postgres

import (
	"net/url"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// proxied returns a proxy before a database, and the database's URL through it.
func proxied(t *testing.T, databaseURL string) (*toxiproxy.Proxy, string) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	must(t, err)
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "postgres", "127.0.0.1:0", u.Host)
	must(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	u.Host = proxy.Listen
	return proxy, u.String()
}

// loseAnswers cuts every connection as soon as the database answers, until restore is called.
func loseAnswers(t *testing.T, proxy *toxiproxy.Proxy) (restore func()) {
	t.Helper()
	toxic, err := proxy.Toxics.AddToxicJson(strings.NewReader(`{"type": "limit_data", "attributes": {"bytes": 0}}`))
	must(t, err)
	return func() { must(t, proxy.Toxics.RemoveToxic(t.Context(), toxic.Name)) }
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// The database commits, and the answer does not arrive: nothing is lost, nothing doubled.
func TestLostAnswer(t *testing.T) {
	t.Run("together", func(t *testing.T) { lostAnswer(t, true, streak{}) })
	t.Run("alone", func(t *testing.T) {
		lostAnswer(t, false, streak{failed: true, failing: "failed", failures: 3, isWhole: true})
	})
}

func lostAnswer(t *testing.T, together bool, own streak) {
	database := newDatabase(t)
	direct := newPool(t, database)
	near := pushing(t, direct, []int{0}, []int{0, 1}, []int{0})
	proxy, address := proxied(t, database)
	pool := newPool(t, address)
	far := leases{pool: pool, run: near.run, night: near.night, timeline: near.timeline, term: near.term}
	if together {
		far.gather = gathers(t, pool)
	}

	held := take(t, near, 3)
	put(t, &far, held[0].text("a")) // the connection knows the statement
	held[0].events++
	restore := loseAnswers(t, proxy)
	first, last := held[0].text("b"), held[1].text("c")
	first.claimed, last.over = 200, 0
	kept := make(chan []int)
	go func() {
		written, _, err := far.write(t.Context(), []change{first, last, held[2].text("d")}, own)
		if err != nil {
			written = nil
		}
		kept <- sorted(written)
	}()
	want := []string{
		"0: epoch 1, claimed 200, rounds {0}, held, 2 of 2: 1a 2b",
		"1: epoch 1, claimed 0, rounds {1}, free, 1 of 1: 1c",
		"2: epoch 1, claimed 0, rounds {0}, held, 1 of 1: 1d",
	}
	eventually(t, "committed", func() bool { return standing(t, near)[0] == want[0] })
	expire(t, near, 2)
	diff(t, "taken over meanwhile", take(t, near, 1), []leased{{chunk: 2, epoch: 2, events: 1}})
	want[2] = strings.Replace(want[2], "epoch 1", "epoch 2", 1)
	restore()
	diff(t, "kept", <-kept, []int{0, 1})
	diff(t, "in the end", standing(t, near), want)
	diff(t, "failures in a row", failuresOf(t, near), own.failures)
}

// The connection ends before the database has seen the statement.
func TestLostStatement(t *testing.T) {
	database := newDatabase(t)
	direct := newPool(t, database)
	l := pushing(t, direct, []int{0})
	held := take(t, l, 1)
	_, err := direct.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	must(t, err)
	diff(t, "kept", put(t, l, held[0].text("a")), []int{0})
	diff(t, "in the end", standing(t, l), []string{"0: epoch 1, claimed 0, rounds {0}, held, 1 of 1: 1a"})
}

// A first attempt that is still being executed when the second one comes counts.
func TestSlowFirstAttempt(t *testing.T) {
	database := newDatabase(t)
	pool := newPool(t, database)
	l := pushing(t, pool, []int{0})
	held := take(t, l, 1)
	tx, err := pool.Begin(t.Context())
	must(t, err)
	_, err = tx.Exec(t.Context(), "SELECT FROM opscom.chunk_state FOR UPDATE") // so both attempts wait
	must(t, err)
	kept := make(chan []int, 2)
	for range cap(kept) {
		go func() {
			written, _, err := l.write(t.Context(), []change{held[0].text("a")}, streak{failed: true, failing: "failed", failures: 2, isWhole: true})
			if err != nil {
				written = nil
			}
			kept <- sorted(written)
		}()
	}
	eventually(t, "waiting", func() bool {
		var waiting int
		must(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()").Scan(&waiting))
		return waiting == cap(kept)
	})
	must(t, tx.Rollback(t.Context()))
	diff(t, "kept", <-kept, []int{0})
	diff(t, "kept", <-kept, []int{0})
	diff(t, "in the end", standing(t, l), []string{"0: epoch 1, claimed 0, rounds {0}, held, 1 of 1: 1a"})
	diff(t, "failures in a row", failuresOf(t, l), 2)
}

// failuresOf returns how many rows of the run have failed in a row.
func failuresOf(t *testing.T, l *leases) (n int) {
	t.Helper()
	must(t, l.pool.QueryRow(t.Context(), "SELECT failures FROM opscom.run WHERE id = $1", l.run).Scan(&n))
	return n
}
