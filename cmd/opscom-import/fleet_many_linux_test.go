package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/importer/journal/postgres/pgtest"
)

var (
	fleetClients = flag.Int("fleet-clients", 4, "how many clients TestFleetMany has; every tenth is a small one")
	fleetRows    = flag.Int("fleet-rows", 40, "rows of each client of TestFleetMany; a small one has a tenth")
	fleetWorkers = flag.Int("fleet-workers", 2, "workers of TestFleetMany")
)

// fleetManyRate is the rate of each client, in requests a second.
const fleetManyRate = 10

// TestFleetMany lets two workers push the files of many clients at once, each at its own rate, to a server that answers at
// once: no second of a client has more requests than its rate. It tells how much longer that takes than the rate alone, and what a row
// costs, with the database and the server on this machine too. The long version:
//
//	go test ./cmd/opscom-import -run 'TestFleetMany$' -v -fleet-clients 300 -fleet-rows 2000
func TestFleetMany(t *testing.T) {
	skipShort(t)
	server := pgtest.Start(t, pgtest.Options{FSync: true, Settings: map[string]string{"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min"}})
	crowd := &fleetCrowd{clients: make(map[string]*crowdClient)}
	f := &fleetTrial{T: t, url: server.NewDatabase(t)}
	f.open(crowd)
	f.slots = (*fleetClients*fleetLanes + *fleetWorkers - 1) / *fleetWorkers
	submitting := new(errgroup.Group)
	submitting.SetLimit(16) // each waits a second for the first turn of its client
	for i := range *fleetClients {
		c := &crowdClient{fleetClient: &fleetClient{fleetTrial: f, code: fmt.Sprintf("OC_%03d", i), rate: fleetManyRate}, rows: *fleetRows}
		if i%10 == 0 {
			c.rows = max(*fleetRows/10, 1)
		}
		crowd.clients[c.code] = c
		f.clients = append(f.clients, c.fleetClient)
		f.check(os.Mkdir(c.path(""), 0o700))
		f.check(writeProfiles(c.path("people.csv"), c.rows))
		submitting.Go(func() error {
			if end := f.run(c.process(0, "submit", c.path("people.csv"))); end.code != app.ExitDone {
				return fmt.Errorf("%s: %+v", c.code, end)
			}
			return nil
		})
	}
	f.check(submitting.Wait())
	f.check(os.RemoveAll(filepath.Join(f.folder, "state")))

	postmaster := f.postmaster()
	transactions, syncs, log := f.activity()
	database, mock, began := treeTime(t, postmaster), cpuTime(), time.Now()
	for range *fleetWorkers {
		f.start()
	}
	rows := 0
	for _, c := range crowd.clients {
		rows += c.rows
	}
	for last, since := int64(-1), began; crowd.pushed.Load() < int64(rows); time.Sleep(50 * time.Millisecond) {
		if n := crowd.pushed.Load(); n > last {
			last, since = n, time.Now()
		} else if time.Since(since) > fleetPatience {
			t.Fatalf("%d of %d rows were sent", n, rows)
		}
	}
	for _, c := range crowd.clients {
		for c.fleetClient.state() != importer.RunFinished {
			time.Sleep(100 * time.Millisecond)
		}
	}
	seconds := time.Since(began).Seconds()
	database, mock = treeTime(t, postmaster)-database, cpuTime()-mock
	var workers time.Duration
	for _, w := range slices.Clone(f.workers) {
		f.check(w.process.Process.Signal(unix.SIGTERM))
		f.remove(w)
		workers += w.process.ProcessState.UserTime() + w.process.ProcessState.SystemTime()
	}
	crowd.tell(t, began, rows)
	moreTransactions, moreSyncs, moreLog := f.activity()
	t.Logf("in the database: %.1f transactions and %.1f syncs of the log a second, %.0f bytes of log a row",
		float64(moreTransactions-transactions)/seconds, float64(moreSyncs-syncs)/seconds, float64(moreLog-log)/float64(rows))
	each := func(d time.Duration) string { return fmt.Sprintf("%.0f µs", float64(d.Microseconds())/float64(rows)) }
	t.Logf("processor time a row: workers %s, database %s, server %s", each(workers), each(database), each(mock))
}

// state returns the state of the client's newest run.
func (c *fleetClient) state() importer.RunState {
	run, _ := c.newest(0)
	return run.State
}

// fleetCrowd is a server of many clients that answers at once, and takes down when requests come.
type fleetCrowd struct {
	clients map[string]*crowdClient
	pushed  atomic.Int64
}

type crowdClient struct {
	*fleetClient
	rows    int
	pushed  atomic.Int64
	mu      sync.Mutex
	arrived []time.Time
}

func (s *fleetCrowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, code, _ := strings.Cut(r.URL.Path, "/api/")
	code, _, _ = strings.Cut(code, "/")
	c := s.clients[code]
	if _, err := io.Copy(io.Discard, r.Body); err != nil || c == nil {
		http.NotFound(w, r)
		return
	}
	at := cameAt(r)
	c.mu.Lock()
	c.arrived = append(c.arrived, at)
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasSuffix(r.URL.Path, "/push") {
		_, _ = io.WriteString(w, `{"status":"success","user_types":[{"id":"1","type_name":"Full Time Student","ext_info":"Student"}]}`) // the sender notices
		return
	}
	c.pushed.Add(1)
	_, _ = fmt.Fprintf(w, `{"status":"success","reference_id":%d}`, s.pushed.Add(1)) // likewise
}

// tell says how long the pushes took.
func (s *fleetCrowd) tell(t *testing.T, began time.Time, rows int) {
	var last, lastSmall time.Duration
	most, shortest := 0, time.Hour
	for _, c := range s.clients {
		slices.SortFunc(c.arrived, time.Time.Compare)
		took := c.arrived[len(c.arrived)-1].Sub(began)
		if last = max(last, took); c.rows < *fleetRows {
			lastSmall = max(lastSmall, took)
		}
		n, _ := rush(c.arrived)
		if most = max(most, n); n > c.rate {
			t.Errorf("%s: %d requests came in a second, and the rate is %d", c.code, n, c.rate)
		}
		for i := range max(len(c.arrived)-c.rate, 0) {
			shortest = min(shortest, c.arrived[i+c.rate].Sub(c.arrived[i]))
		}
		if n := int(c.pushed.Load()); n < c.rows {
			t.Errorf("%s: %d rows were sent, of %d", c.code, n, c.rows)
		}
	}
	ideal := func(rows int) float64 { return float64(rows) / fleetManyRate }
	small := max(*fleetRows/10, 1)
	t.Logf("%d clients, %d rows, %d requests: the last one after %.1f s, %.2f of the ideal %.0f s; of the small clients after %.1f s, %.2f of %.1f s",
		len(s.clients), rows, s.pushed.Load(), last.Seconds(), last.Seconds()/ideal(*fleetRows), ideal(*fleetRows), lastSmall.Seconds(), lastSmall.Seconds()/ideal(small), ideal(small))
	t.Logf("the fullest second of a client has %d requests, of %d; one more took %v at least", most, fleetManyRate, shortest.Round(time.Microsecond))
}

// activity returns how many transactions the database has had until now, how often its log was synced, and how many bytes it has. A session
// tells within a second, or when it ends.
func (f *fleetTrial) activity() (transactions, syncs, log int64) {
	f.Helper()
	f.check(f.journal.Pool().QueryRow(f.Context(), `SELECT (SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database)::bigint, wal_sync, wal_bytes::bigint
		FROM pg_stat_wal`).Scan(&transactions, &syncs, &log))
	return transactions, syncs, log
}

// postmaster returns the number of the database's main process.
func (f *fleetTrial) postmaster() int {
	f.Helper()
	var text string
	f.check(f.journal.Pool().QueryRow(f.Context(), "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)").Scan(&text))
	pid, err := strconv.Atoi(text)
	f.check(err)
	return pid
}

// treeTime returns the processor time that a process and its children have used, also of those that have ended.
func treeTime(t *testing.T, pid int) (used time.Duration) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		number, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		parent, _ := strconv.Atoi(fields[1])
		times := fields[11:13] // utime and stime
		if number == pid {
			times = fields[11:15] // and those of children that have ended
		} else if parent != pid {
			continue
		}
		for _, ticks := range times {
			n, _ := strconv.Atoi(ticks)
			used += time.Duration(n) * 10 * time.Millisecond // 100 ticks a second, on every Linux
		}
	}
	return used
}
