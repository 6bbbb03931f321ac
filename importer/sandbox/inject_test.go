package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// faultyServer serves a sandbox with the faults on a port of its own.
func faultyServer(t *testing.T, faults string) (*Sandbox, *Server) {
	t.Helper()
	config := trialConfig()
	var err error
	if config.Faults, err = ParseFaults(faults); err != nil {
		t.Fatal(err)
	}
	s := newSandbox(t, config)
	server, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, server
}

// send pushes over the network, on a connection of its own.
func send(ctx context.Context, t *testing.T, client *http.Client, url string, content any) (response *http.Response, text string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+pushPath, strings.NewReader(string(body(t, content))))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Close = true
	response, err = client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
	}()
	read, err := io.ReadAll(response.Body)
	return response, string(read), err
}

func TestFailures(t *testing.T) {
	const success = `{"status":"success","reference_id":1001}`
	for _, tc := range []struct {
		faults     string
		status     int    // of the answer, 0 for none
		retryAfter string // the header
		text       string // in the answer
		err        error
		want       Entry
	}{
		{"429=1", 429, "", "<h1>429 Too Many Requests</h1>", nil, Entry{Fault: TooMany, Status: 429, Delivered: true}},
		{"429=1:1500ms", 429, "2", "<h1>", nil, Entry{Fault: TooMany, Status: 429, Delivered: true}},
		{"500=1", 500, "", "<h1>", nil, Entry{Fault: InternalError, Status: 500, Delivered: true}},
		{"502=1", 502, "", "<h1>", nil, Entry{Fault: BadGateway, Status: 502, Delivered: true}},
		{"503=1:2s", 503, "2", "<h1>", nil, Entry{Fault: ServiceUnavailable, Status: 503, Delivered: true}},
		{"504=1", 504, "", "<h1>", nil, Entry{Fault: GatewayTimeout, Status: 504, Delivered: true}},
		{"code=1", 200, "", `"ErrorCode":9022`, nil, Entry{Fault: CodeIn200, Status: 200, ErrorCode: 9022, Delivered: true}},
		{"code=1:9019", 200, "", `"ErrorCode":9019`, nil, Entry{Fault: CodeIn200, Status: 200, ErrorCode: 9019, Delivered: true}},
		{"truncate=1", 200, "", success[:len(success)/2], nil, Entry{Fault: Truncate, Status: 200, ReferenceID: 1001, Applied: true}},
		{"drop-before=1", 0, "", "", syscall.ECONNRESET, Entry{Fault: DropBefore}},
		{"drop-after=1", 0, "", "", io.EOF, Entry{Fault: DropAfter, ReferenceID: 1001, Applied: true}},
		{"drop-during=1", 200, "", success[:len(success)/2], io.ErrUnexpectedEOF, Entry{Fault: DropDuring, Status: 200, ReferenceID: 1001, Applied: true}},
		{"outage=1:1", 503, "", "<h1>", nil, Entry{Fault: outage, Status: 503, Delivered: true}},
	} {
		t.Run(tc.faults, func(t *testing.T) {
			s, server := faultyServer(t, tc.faults)
			response, text, err := send(t.Context(), t, http.DefaultClient, server.URL, personWith(nil))
			if !errors.Is(err, tc.err) || !strings.Contains(text, tc.text) {
				t.Errorf("%q, %v; want %q, %v", text, err, tc.text, tc.err)
			}
			if response != nil && (response.StatusCode != tc.status || response.Header.Get("Retry-After") != tc.retryAfter) {
				t.Errorf("status %d, Retry-After %q; want %d, %q", response.StatusCode, response.Header.Get("Retry-After"), tc.status, tc.retryAfter)
			}
			got := s.Requests()[0]
			tc.want.Sequence, tc.want.Call, tc.want.Key = 1, PushCall, KeyOf("SSO", "900123456")
			tc.want.Time, tc.want.Body = got.Time, got.Body
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("request log differs (-want +got):\n%s", diff)
			}
			// The next send is past the fault, and finds anyone who was accepted.
			if _, text, err := send(t.Context(), t, http.DefaultClient, server.URL, personWith(nil)); err != nil || text != success {
				t.Errorf("second send: %q, %v", text, err)
			}
			if s.People() != 1 {
				t.Errorf("%d people, want 1", s.People())
			}
		})
	}
}

func TestRetryAfterAsDate(t *testing.T) {
	_, server := faultyServer(t, "429-date=1:1h")
	response, _, err := send(t.Context(), t, http.DefaultClient, server.URL, personWith(nil))
	if err != nil {
		t.Fatal(err)
	}
	until, err := http.ParseTime(response.Header.Get("Retry-After"))
	served, err2 := http.ParseTime(response.Header.Get("Date"))
	if wait := until.Sub(served); err != nil || err2 != nil || wait < time.Hour-2*time.Second || wait > time.Hour {
		t.Errorf("Retry-After is %s after Date, %v, %v; want an hour", wait, err, err2)
	}
}

func TestHang(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(cancel context.CancelFunc, s *Sandbox)
	}{
		{"until the client gives up", func(cancel context.CancelFunc, _ *Sandbox) { cancel() }},
		{"until the sandbox is closed", func(_ context.CancelFunc, s *Sandbox) { _ = s.Close() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, client := pipeServer(t, "hang=1")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan error, 1)
				go func() {
					_, _, err := send(ctx, t, client, "http://sandbox", personWith(nil))
					ended <- err
				}()
				time.Sleep(24 * time.Hour)
				select {
				case err := <-ended:
					t.Fatalf("it ended by itself: %v", err)
				default:
				}
				tc.end(cancel, s)
				if err := <-ended; err == nil {
					t.Error("there was an answer")
				}
				if entry := s.Requests()[0]; entry.Fault != Hang || entry.Applied || entry.Delivered || s.People() != 0 {
					t.Errorf("entry %+v, %d people", entry, s.People())
				}
			})
		})
	}
}

func TestDelays(t *testing.T) {
	for _, tc := range []struct {
		faults   string
		min, max time.Duration
	}{
		{"latency=20ms", 20 * time.Millisecond, 20 * time.Millisecond},
		{"latency=20ms,jitter=10ms", 20 * time.Millisecond, 30 * time.Millisecond},
		{"latency=20ms,jitter=10ms,slow=100%:1s", time.Second, time.Second},
		{"latency=20ms,503=1", 20 * time.Millisecond, 20 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, client := pipeServer(t, tc.faults)
			start := time.Now()
			if _, _, err := send(t.Context(), t, client, "http://sandbox", personWith(nil)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < tc.min || took > tc.max {
				t.Errorf("%s: %s, want %s to %s", tc.faults, took, tc.min, tc.max)
			}
		})
	}
}

// A client that gives up while it waits may have been accepted all the same.
func TestAnswerThatNobodyWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, client := pipeServer(t, "latency=2s")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := send(ctx, t, client, "http://sandbox", personWith(nil)); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		synctest.Wait()
		requests := s.Requests()
		if len(requests) != 1 || !requests[0].Applied || requests[0].Delivered || s.People() != 1 {
			t.Errorf("entry %+v, %d people; want one entry, applied, not delivered", requests, s.People())
		}
	})
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := trialConfig()
		config.Rate = 2
		s := newSandbox(t, config)
		var got []int
		for range 4 {
			got = append(got, push(t, s, personWith(nil)).HTTP)
		}
		time.Sleep(time.Second / 2)
		got = append(got, push(t, s, personWith(nil)).HTTP, push(t, s, personWith(nil)).HTTP)
		if diff := cmp.Diff([]int{200, 200, 429, 429, 200, 429}, got); diff != "" {
			t.Errorf("statuses differ (-want +got):\n%s", diff)
		}
		if entry := s.Requests()[2]; entry.Fault != rateExceeded || entry.Applied {
			t.Errorf("entry %+v", entry)
		}
	})
}

func TestOutageIsAWindow(t *testing.T) {
	config := trialConfig()
	config.Faults.Outage = Window{From: 2, Length: 2}
	s := newSandbox(t, config)
	var got []int
	for range 5 {
		got = append(got, post(t, s, "/api/OC_TRIAL/v1/profiles/types/list", `{"apiToken":"trial-token"}`).HTTP)
	}
	if diff := cmp.Diff([]int{200, 503, 503, 200, 200}, got); diff != "" {
		t.Errorf("statuses differ (-want +got):\n%s", diff)
	}
}

// statusesOverTime pushes once in each step of time, and returns the statuses.
func statusesOverTime(t *testing.T, faults string, step time.Duration, times int) (got []int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		config := trialConfig()
		var err error
		if config.Faults, err = ParseFaults(faults); err != nil {
			t.Fatal(err)
		}
		s := newSandbox(t, config)
		time.Sleep(time.Hour) // nothing counts until the first request
		for range times {
			got = append(got, push(t, s, personWith(nil)).HTTP)
			time.Sleep(step)
		}
	})
	return got
}

func TestWindowsOfTime(t *testing.T) {
	for faults, want := range map[string][]int{
		"outage=2m:2m": {200, 200, 503, 503, 200},
		"outage=0s:1m": {503, 200, 200, 200, 200},
		"outage=3m":    {200, 200, 200, 503, 503},
		"revoke=1m:1m": {200, 401, 200, 200, 200},
		"revoke=3":     {200, 200, 401, 401, 401},
		"revoke=3:2":   {200, 200, 401, 401, 200},
	} {
		if diff := cmp.Diff(want, statusesOverTime(t, faults, time.Minute, 5)); diff != "" {
			t.Errorf("%s: statuses differ (-want +got):\n%s", faults, diff)
		}
	}
}

func TestRevokedTokenIsRefusedLikeAnyOther(t *testing.T) {
	config := trialConfig()
	config.Faults.Revoked = Window{From: 1, Length: 1}
	s := newSandbox(t, config)
	if got := push(t, s, personWith(nil)); got.HTTP != 401 || got.ErrorCode != 9002 {
		t.Errorf("answer %+v", got)
	}
	if entry := s.Requests()[0]; entry.Fault != revoked || entry.ErrorCode != 9002 || entry.Applied || !entry.Delivered || s.People() != 0 {
		t.Errorf("entry %+v, %d people", entry, s.People())
	}
}

// A limit that moves between 10 and 100 a second takes no more than it says, and
// what it says moves.
func TestMovingRate(t *testing.T) {
	const perSecond, period = 400, 20
	taken := make([]int, period)
	for i, status := range statusesOverTime(t, "rate=10:100:20s", time.Second/perSecond, perSecond*period) {
		if status == 200 {
			taken[i/perSecond]++
		}
	}
	for second, n := range taken {
		limit := MovingRate{Low: 10, High: 100, Period: period * time.Second}.at(time.Duration(second)*time.Second + time.Second/2)
		burst := 0.0
		if second == 0 {
			burst = 10
		}
		if got := float64(n); got < limit-6 || got > limit+burst+6 {
			t.Errorf("second %d: %d requests were taken, the limit is %.0f", second, n, limit)
		}
	}
}

func TestRequiredAttributes(t *testing.T) {
	config := trialConfig()
	var err error
	if config.Faults, err = ParseFaults("require=email+first_name+last_name+city"); err != nil {
		t.Fatal(err)
	}
	s := newSandbox(t, config)
	all := fields{"email": "a@example.edu", "first_name": "Ada", "last_name": "Byron", "city": "Hull"}
	for name, code := range map[string]int{"email": 9016, "first_name": 9017, "last_name": 9018, "city": 9031} {
		lacking := maps.Clone(all)
		lacking[name] = ""
		if got := push(t, s, personWith(lacking)); got.ErrorCode != code {
			t.Errorf("without %s: %+v", name, got)
		}
	}
	if got := push(t, s, personWith(all)); got.Status != "success" {
		t.Errorf("with all of them: %+v", got)
	}
	if got := push(t, s, personWith(nil)); got.Status != "success" {
		t.Errorf("what was sent before counts: %+v", got)
	}
	if got := push(t, s, personWith(fields{"email": ""})); got.ErrorCode != 9016 {
		t.Errorf("a cleared address: %+v", got)
	}
}

func TestFailuresMeetPushesOnly(t *testing.T) {
	config := trialConfig()
	config.Faults.Failures = []Failure{{Kind: ServiceUnavailable, Share: 1}}
	s := newSandbox(t, config)
	if got := post(t, s, "/api/OC_TRIAL/v1/profiles/types/list", `{"apiToken":"trial-token"}`); got.Status != "success" {
		t.Errorf("answer %+v", got)
	}
}

func TestCountsComeOneAfterTheOther(t *testing.T) {
	faults, err := ParseFaults("429=1,503=2,lie=1")
	if err != nil {
		t.Fatal(err)
	}
	d := newFaultSource(faults, 1)
	for _, id := range []string{"1", "2"} { // each key has its own count
		var got []Kind
		for range 5 {
			got = append(got, d.next(Entry{Call: PushCall, Key: KeyOf("SSO", id)}).kind)
		}
		if diff := cmp.Diff([]Kind{TooMany, ServiceUnavailable, ServiceUnavailable, Lie, ""}, got); diff != "" {
			t.Errorf("kinds differ (-want +got):\n%s", diff)
		}
	}
}

// drawAll draws the faults of three sends of each key by several goroutines, the
// keys in the order that next gives.
func drawAll(d *faultSource, keys, workers int) map[string]injectedFault {
	var mu sync.Mutex
	drawn := make(map[string]injectedFault)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < keys; i += workers {
				key := KeyOf("SSO", fmt.Sprint(9e8+i))
				for send := range 3 {
					m := d.next(Entry{Call: PushCall, Key: key})
					mu.Lock()
					drawn[fmt.Sprint(key, send)] = m
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return drawn
}

func TestSeedRepeatsARun(t *testing.T) {
	faults, err := ParseFaults("latency=20ms,jitter=5ms,slow=1%:1s,429=5%:2s,503=2%,drop-before=1%,drop-after=1%,truncate=1%,lie=5%,hang=0.1%")
	if err != nil {
		t.Fatal(err)
	}
	all := cmp.AllowUnexported(injectedFault{}, answer{})
	first := drawAll(newFaultSource(faults, 7), 500, 1)
	if diff := cmp.Diff(first, drawAll(newFaultSource(faults, 7), 500, 8), all); diff != "" {
		t.Errorf("the same seed in another order differs:\n%s", diff)
	}
	if cmp.Equal(first, drawAll(newFaultSource(faults, 8), 500, 1), all) {
		t.Error("another seed gives the same faults")
	}
}

func TestShares(t *testing.T) {
	faults, err := ParseFaults("slow=10%:1s,429=5%,503=2%,lie=20%")
	if err != nil {
		t.Fatal(err)
	}
	const keys = 10_000
	counts := make(map[Kind]int)
	for _, m := range drawAll(newFaultSource(faults, 3), keys, 1) {
		counts[m.kind]++
		if m.delay > 0 {
			counts["slow"]++
		}
	}
	for kind, share := range map[Kind]float64{"slow": 0.1, TooMany: 0.05, ServiceUnavailable: 0.02, Lie: 0.2, "": 0.73} {
		if got := float64(counts[kind]) / (3 * keys); got < share*0.9 || got > share*1.1 {
			t.Errorf("%q meets %.2f %% of the sends, want %.2f %%", kind, 100*got, 100*share)
		}
	}
}

// Every lie is told, and nobody is accepted by it.
func TestLies(t *testing.T) {
	config := trialConfig()
	config.Faults.Failures = []Failure{{Kind: Lie, Share: 1}}
	told := make(map[string]bool)
	d := newFaultSource(config.Faults, 1)
	for i := range 50 * len(falseSuccesses()) {
		m := d.next(Entry{Call: PushCall, Key: KeyOf("SSO", fmt.Sprint(i))})
		if behavior, _ := m.kind.behavior(); behavior.processed || m.answer.status != 200 {
			t.Fatalf("%+v", m)
		}
		told[string(m.answer.body)] = true
	}
	if len(told) != len(falseSuccesses()) {
		t.Errorf("%d different lies, want %d", len(told), len(falseSuccesses()))
	}
	s := newSandbox(t, config)
	push(t, s, personWith(nil))
	if entry := s.Requests()[0]; entry.Applied || entry.ReferenceID != 0 || entry.Status != 200 || s.People() != 0 {
		t.Errorf("entry %+v, %d people", entry, s.People())
	}
}

// pipeServer serves a sandbox in memory, so that a synctest bubble's clock moves.
func pipeServer(t *testing.T, faults string) (*Sandbox, *http.Client) {
	t.Helper()
	config := trialConfig()
	var err error
	if config.Faults, err = ParseFaults(faults); err != nil {
		t.Fatal(err)
	}
	s := newSandbox(t, config)
	listener := pipeListener{make(chan net.Conn), make(chan struct{}), sync.Once{}}
	server := &http.Server{Handler: s}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(&listener) }()
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s, &http.Client{Transport: transport}
}

// pipeListener is a listener without a network.
type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.connections <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "sandbox", Net: "pipe"} }

// On a connection that cannot be reset, drop-before closes it.
func TestDropBeforeWithoutTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := pipeServer(t, "drop-before=1")
		if _, _, err := send(t.Context(), t, client, "http://sandbox", personWith(nil)); !errors.Is(err, io.EOF) {
			t.Errorf("error %v, want an end of file", err)
		}
	})
}

// The sandbox answers one request after the other on one connection.
func TestKeepAlive(t *testing.T) {
	s, server := faultyServer(t, "truncate=1")
	connection, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	reader := bufio.NewReader(connection)
	for i, want := range []string{`{"status":"success",`, `{"status":"success","reference_id":1001}`} {
		content := body(t, personWith(nil))
		if _, err := fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: sandbox\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", pushPath, len(content), content); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(response.Body); err != nil || string(got) != want {
			t.Errorf("answer %d is %q, %v; want %q", i+1, got, err, want)
		}
	}
	if len(s.Requests()) != 2 {
		t.Errorf("%d entries, want 2", len(s.Requests()))
	}
}
