package fleet

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"opscom-import/importer"
	"opscom-import/importer/controller"
	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/postgres/keyring"
	"opscom-import/importer/sandbox"
	"opscom-import/importer/sandbox/audit"
)

const (
	testKeys  = "key-1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	testToken = "secret"

	testController = "http://127.0.0.1:1" // as in the names of targets
)

// college is a client with a Controller of its own.
type college struct {
	code   string
	box    *sandbox.Sandbox
	url    string
	rows   []audit.SourceRow
	run    int64
	shared *postgres.Journal
}

// open returns a journal in the database at that URL, which enqueues its runs.
func open(t *testing.T, url string, lanes int) *postgres.Journal {
	t.Helper()
	keys, err := keyring.Parse(testKeys)
	if err != nil {
		t.Fatal(err)
	}
	queue, err := NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	j, err := postgres.Open(t.Context(), url, postgres.Options{
		Keys: keys, Enqueue: func(ctx context.Context, tx pgx.Tx, run importer.RunInfo) error {
			return queue.Enqueue(ctx, tx, run.ID, Order{Lanes: lanes, Priority: Person})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// newCollege stores a run of so many rows in progress.
func newCollege(t *testing.T, j *postgres.Journal, code string, rows int, faults string) *college {
	t.Helper()
	parsed, err := sandbox.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(sandbox.Config{Client: code, Token: testToken, KeepRequests: true, Faults: parsed})
	if err != nil {
		t.Fatal(err)
	}
	server, err := box.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); box.Close() })
	c := &college{code: code, box: box, url: server.URL, shared: j}
	run, err := j.Begin(t.Context(), importer.RunInfo{Client: code, Target: importer.TargetOf(code, testController), Source: "/" + code, StartedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	c.run = run.Info().ID
	digester := importer.NewDigester(j.Salt())
	var planned []importer.PlannedRow
	for n := range rows {
		id := fmt.Sprintf("%s-%d", code, n)
		payload := fmt.Appendf(nil, `{"unique_id":%q,"login_source":"SSO","first_name":"Given"}`, id)
		planned = append(planned, importer.PlannedRow{
			Row: n + 2, UniqueID: id, LoginSource: "SSO", Status: importer.StatusPending, Key: digester.Key("SSO", id), Hash: digester.Profile(payload), Payload: payload,
		})
		c.rows = append(c.rows, audit.SourceRow{Number: n + 2, Status: importer.StatusPending, Key: sandbox.KeyOf("SSO", id), Body: sha256.Sum256(payload)})
	}
	if err := run.Append(t.Context(), planned); err != nil {
		t.Fatal(err)
	}
	if err := run.Seal(t.Context(), importer.RunPushing, rows, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// state returns the state of the college's run.
func (c *college) state(t *testing.T) importer.RunState {
	t.Helper()
	run, err := c.shared.Run(t.Context(), c.run)
	if err != nil {
		t.Fatal(err)
	}
	return run.Info().State
}

// audit holds the run's results against what the Controller got, and returns how many rows it accepted twice.
func (c *college) audit(t *testing.T) (repeated int) {
	t.Helper()
	run, err := c.shared.Run(t.Context(), c.run)
	if err != nil {
		t.Fatal(err)
	}
	var results []importer.Result
	for line, err := range run.Results(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, line)
	}
	evidence := audit.Evidence{Source: c.rows, Requests: c.box.Requests(), Journal: results, Results: results, Crashes: []audit.Crash{{}}}
	for _, violation := range audit.Check(evidence) {
		t.Errorf("%s: %s", c.code, violation)
	}
	accepted := map[sandbox.Key]int{}
	for _, entry := range evidence.Requests {
		if entry.Applied {
			accepted[entry.Key]++
		}
	}
	for _, row := range c.rows {
		if accepted[row.Key] == 0 {
			t.Errorf("%s: row %d was never accepted", c.code, row.Number)
		}
		repeated += max(accepted[row.Key]-1, 0)
	}
	return repeated
}

// startShared starts a worker that reaches the database at that URL.
func startShared(t *testing.T, name, url string, colleges ...*college) *testWorker {
	t.Helper()
	j := open(t, url, 2)
	return start(t, name, Config{
		Pool: j.Pool(), Journal: Runs(j), Process: Process{ID: name, Slots: 20, Controller: testController},
		Connect: func(_ context.Context, target string) (*Session, error) {
			for _, c := range colleges {
				if importer.TargetOf(c.code, testController) != target {
					continue
				}
				client, err := controller.New(controller.Config{
					BaseURL: c.url, Client: c.code, Token: controller.NewToken(testToken), Workers: 4, Rate: 200, Burst: 1, MaxAttempts: 5, Timeout: 10 * time.Second,
				})
				if err != nil {
					return nil, err
				}
				return &Session{Controller: client, Workers: 4, MaxFailures: 20, Close: func() error { client.Close(); return nil }}, nil
			}
			return nil, fmt.Errorf("no token for %s", target)
		},
	})
}

// proxied returns a proxy before the database, and the database's URL through it.
func proxied(t *testing.T, databaseURL string) (*toxiproxy.Proxy, string) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "postgres", "127.0.0.1:0", u.Host)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	u.Host = proxy.Listen
	return proxy, u.String()
}

// Two workers push three clients; one of them loses the database in the midst, and so counts as
// dead. Every row is accepted, few twice, and the results say what happened.
func TestDeadWorkerCostsFewRepeats(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	j := open(t, url, 2)
	var colleges []*college
	for _, code := range []string{"OC_A", "OC_B", "OC_C"} {
		colleges = append(colleges, newCollege(t, j, code, 1500, "latency=10ms"))
	}
	proxy, through := proxied(t, url)
	startShared(t, "a", through, colleges...)
	startShared(t, "b", url, colleges...)
	eventually(t, "rows of each", func() bool {
		for _, c := range colleges {
			if len(c.box.Requests()) < 100 {
				return false
			}
		}
		return true
	})
	proxy.Stop()
	repeated := 0
	for _, c := range colleges {
		eventually(t, "the end of "+c.code, func() bool { return c.state(t) == importer.RunFinished })
		repeated += c.audit(t)
	}
	// What a had claimed: while its leases last it goes on with that.
	t.Logf("%d rows were accepted twice", repeated)
	if repeated > 3*300 {
		t.Errorf("%d rows were accepted twice", repeated)
	}
}
