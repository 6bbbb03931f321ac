package controller_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/controller"
)

// guard accepts requests with its token, refuses others, and echoes them.
type guard struct {
	token   atomic.Value // string
	refusal string       // body of a refusal, "" for a page
	status  int          // of a refusal
	refused atomic.Int64
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a part has no token
	if bytes.Contains(body, fmt.Appendf(nil, `{"apiToken":"%s",`, g.token.Load())) {
		_, _ = io.WriteString(w, `{"status":"success","reference_id":44}`)
		return
	}
	g.refused.Add(1)
	w.WriteHeader(g.status)
	_, _ = fmt.Fprintf(w, g.refusal, bytes.ReplaceAll(body, []byte(`"`), nil))
}

// TestNewToken: when the token is refused in mid-run, all workers go on with the one
// that there is by then, which is read once.
func TestNewToken(t *testing.T) { eachClient(t, testNewToken) }

func testNewToken(t *testing.T, newClient makeClient) {
	for _, tc := range []struct {
		name, refusal string
		status        int
	}{
		{"9001", `{"ErrorCode":9001,"ErrorMessage":"%s"}`, 401},
		{"9002", `{"ErrorCode":9002,"ErrorMessage":"%s"}`, 401},
		{"9002 in a 200", `{"ErrorCode":9002,"ErrorMessage":"%s"}`, 200},
		{"401", "%s", 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := &guard{refusal: tc.refusal, status: tc.status}
			g.token.Store(secret)
			server := serve(t, g.ServeHTTP)
			var read, told atomic.Int64
			client := newClient(t, server.URL, func(c *controller.Config) {
				c.MaxAttempts = 1
				c.RereadToken = func() controller.Token {
					read.Add(1)
					return controller.NewToken("new-" + secret)
				}
				c.OnNewToken = func() { told.Add(1) }
			})
			pushBy8(t, client, 8)
			g.token.Store("new-" + secret)
			pushBy8(t, client, 24)
			if read.Load() != 1 || told.Load() != 1 {
				t.Errorf("the token was read %d times and told of %d times, want once", read.Load(), told.Load())
			}
			if got := g.refused.Load(); got < 1 || got > 8 {
				t.Errorf("%d requests were refused, want one of each worker at most", got)
			}
		})
	}
}

// pushBy8 pushes so many rows, by 8 workers, all of which must be accepted.
func pushBy8(t *testing.T, client *controller.Client, rows int) {
	t.Helper()
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range rows / 8 {
				if answer, err := push(client); err != nil || answer.Status != importer.StatusPushed {
					t.Errorf("got %+v, %v", answer, err)
				}
			}
		})
	}
	workers.Wait()
}

// TestNoNewToken: without another token than those that were refused, the run is
// refused, and nothing shows one of them.
func TestNoNewToken(t *testing.T) { eachClient(t, testNoNewToken) }

func testNoNewToken(t *testing.T, newClient makeClient) {
	for name, tc := range map[string]struct {
		reread   []string // what is read each time, "" for nothing; the last over and over
		attempts int
	}{
		"nothing":           {[]string{""}, 1},
		"the same":          {[]string{secret}, 1},
		"another wrong one": {[]string{"wrong-" + secret}, 2},
		"a part of it":      {[]string{secret[:9]}, 2},
		"then the first":    {[]string{"wrong", secret, "other"}, 2},
		"half of the next":  {[]string{"wro", "wrong", "wrong"}, 3},
		"not text":          {[]string{"\xff"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			g := &guard{refusal: `{"ErrorCode":9002,"ErrorMessage":"%s"}`, status: 401}
			g.token.Store("right")
			server := serve(t, g.ServeHTTP)
			read := 0
			client := newClient(t, server.URL, func(c *controller.Config) {
				c.RereadToken = func() controller.Token {
					read++
					return controller.NewToken(tc.reread[min(read, len(tc.reread))-1])
				}
			})
			answer, err := push(client)
			var refused *importer.RefusedError
			if !errors.As(err, &refused) || answer.Status != importer.StatusFailed || answer.Attempts != tc.attempts {
				t.Errorf("got %+v, %v; want a refusal after %d attempts", answer, err, tc.attempts)
			}
			if !strings.Contains(answer.Message, "{apiToken:[token],unique_id:") {
				t.Errorf("the message is %q", answer.Message)
			}
		})
	}
}

// TestNewTokenInTime: what is stopped before the request with the new token is not said
// to be refused.
func TestNewTokenInTime(t *testing.T) { eachClient(t, testNewTokenInTime) }

func testNewTokenInTime(t *testing.T, newClient makeClient) {
	g := &guard{refusal: `{"ErrorCode":9002,"ErrorMessage":"%s"}`, status: 401}
	g.token.Store("new")
	server := serve(t, g.ServeHTTP)
	ctx, stop := context.WithCancel(t.Context())
	client := newClient(t, server.URL, func(c *controller.Config) {
		c.RereadToken = func() controller.Token { return controller.NewToken("new") }
		c.OnNewToken = stop
	})
	answer, err := client.Push(ctx, t.Context(), []byte(profile), nil)
	if err != nil || answer.Status != importer.StatusUnknown || answer.Attempts != 1 {
		t.Errorf("got %+v, %v", answer, err)
	}
	if answer, err = push(client); err != nil || answer.Status != importer.StatusPushed || answer.Attempts != 1 {
		t.Errorf("the next row: got %+v, %v", answer, err)
	}
}
