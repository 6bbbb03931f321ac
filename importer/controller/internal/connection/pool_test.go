package connection

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newPipes returns a pool of connections to a server at the other end of pipes, which
// says OK to every request.
func newPipes(t *testing.T, most int, onClose func(n int)) (*Pool, Request) {
	t.Helper()
	dialed := 0
	transport := &http.Transport{MaxConnsPerHost: most, MaxResponseHeaderBytes: 1 << 10, IdleConnTimeout: 90 * time.Second}
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		n := dialed
		dialed++
		go func() {
			defer onClose(n)
			for r := bufio.NewReader(far); ; {
				request, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, request.Body)
				_, _ = io.WriteString(far, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
			}
		}()
		return near, nil
	}
	base, err := url.Parse("http://controller.example")
	if err != nil {
		t.Fatal(err)
	}
	template, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	head, err := NewHead(template)
	if err != nil {
		t.Fatal(err)
	}
	return NewPool(base, transport), Request{Head: head, Body: []byte("{}"), Deadline: time.Now().Add(time.Hour)}
}

func do(t *testing.T, p *Pool, r Request) {
	t.Helper()
	response, _, err := p.Do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(response.Body); err != nil || string(text) != "OK" {
		t.Errorf("the body is %q, %v", text, err)
	}
	for range 2 {
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := response.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
		t.Errorf("a read after Close says %v", err)
	}
}

// TestNewConnectionReplacesAnIdleOne: the limit holds for a fresh connection too, and
// the one that was idle for longest makes room.
func TestNewConnectionReplacesAnIdleOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var closed []int
		p, r := newPipes(t, 2, func(n int) {
			mu.Lock()
			defer mu.Unlock()
			closed = append(closed, n)
		})
		first, _, err := p.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		do(t, p, r) // the second connection, which is idle from now on
		_, _ = io.Copy(io.Discard, first.Body)
		_ = first.Body.Close()
		synctest.Wait()
		if p.open != 2 || len(p.idle) != 2 || len(closed) != 0 {
			t.Errorf("%d connections, %d idle, closed %v", p.open, len(p.idle), closed)
		}
		r.Fresh = true
		do(t, p, r)
		synctest.Wait()
		slices.Sort(closed)
		if !slices.Equal(closed, []int{1, 2}) || p.open != 1 || len(p.idle) != 1 {
			t.Errorf("closed %v, %d connections, %d idle; want the one that was idle for longest and the fresh one closed", closed, p.open, len(p.idle))
		}
		p.Close()
		synctest.Wait()
		if len(closed) != 3 || p.open != 0 {
			t.Errorf("closed %v, %d connections left", closed, p.open)
		}
	})
}

// TestLateRequest is not sent, and leaves its connection to the next one.
func TestLateRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := 0
		p, r := newPipes(t, 2, func(int) { closed++ })
		r.NotAfter = time.Now()
		time.Sleep(time.Nanosecond)
		for n := range 3 {
			_, trace, err := p.Do(t.Context(), r)
			if !errors.Is(err, ErrLate) || trace.Sent || trace.Kept != (n > 0) {
				t.Errorf("%+v, %v; want that it is too late", trace, err)
			}
		}
		if r.NotAfter = time.Now(); p.open != 1 || len(p.idle) != 1 {
			t.Errorf("%d connections are open, and %d idle, want one that is both", p.open, len(p.idle))
		}
		do(t, p, r)
		p.Close()
		synctest.Wait()
		if closed != 1 {
			t.Errorf("%d connections were closed", closed)
		}
	})
}

// TestOldByEitherClock: a connection is old by the wall clock alone after the computer
// has slept, and by the other one if the wall clock was set back.
func TestOldByEitherClock(t *testing.T) {
	p, _ := newPipes(t, 1, func(int) {})
	now := time.Now()
	for _, test := range []struct {
		since time.Time
		old   bool
	}{
		{now, false},
		{now.Add(-89 * time.Second), false},
		{now.Add(-90 * time.Second), true},
		{now.Add(-time.Hour).Round(0), true}, // by the wall clock
		{now.Add(time.Hour).Round(0), false}, // it was set back, and nothing else is known
	} {
		if old := p.isOld(&conn{idleSince: test.since}, now); old != test.old {
			t.Errorf("since %v at %v: old %v, want %v", test.since, now, old, test.old)
		}
	}
}

// TestHeadNeedsALength has requests whose head is not that of others with a body.
func TestHeadNeedsALength(t *testing.T) {
	for method, ok := range map[string]bool{http.MethodPost: true, http.MethodPut: true, http.MethodGet: false} {
		template, err := http.NewRequestWithContext(t.Context(), method, "http://controller.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewHead(template); (err == nil) != ok {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// TestNothingOutlivesThePool ends the pool and the context around a request.
func TestNothingOutlivesThePool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := newPipes(t, 1, func(int) {})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, trace, err := p.Do(ctx, r); !errors.Is(err, context.Canceled) || trace.Sent || p.open != 0 {
			t.Errorf("after its context: %v, %+v, %d connections", err, trace, p.open)
		}
		response, _, err := p.Do(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if p.open != 0 || len(p.idle) != 0 {
			t.Errorf("after the pool: %d connections, %d idle", p.open, len(p.idle))
		}
	})
}
