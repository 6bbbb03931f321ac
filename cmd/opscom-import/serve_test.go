package main

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/cmd/opscom-import/internal/metrics"
)

// TestFiguresServerKeepsNoConnection lets clients of /metrics and /healthz stay away in each way that keeps
// a connection, and expects that it ends.
func TestFiguresServerKeepsNoConnection(t *testing.T) {
	for name, c := range map[string]struct {
		request string
		reads   bool          // the client reads the answer
		within  time.Duration // the connection ends
	}{
		"sends nothing":        {"", false, 10 * time.Second},
		"sends half a request": {"GET /healthz HT", false, 10 * time.Second},
		"sends half a body":    {"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", true, 10 * time.Second},
		"reads no answer":      {"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", false, 30 * time.Second},
		"asks nothing more":    {"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", true, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := newPipeListener()
				server := newFiguresServer(metrics.NewFleet("test"), func() string { return "" })
				ended := make(chan error, 1)
				go func() { ended <- server.Serve(listener) }()
				conn, err := listener.dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if _, err := io.WriteString(conn, c.request); err != nil {
					t.Fatal(err)
				}
				if c.reads {
					answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
					if err != nil || answer.StatusCode != http.StatusOK {
						t.Errorf("answered %v, %v", answer, err)
					}
				} else {
					time.Sleep(c.within)
					synctest.Wait()
				}
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Error(err)
				}
				if after := time.Since(began); after > c.within {
					t.Errorf("the connection has ended after %s", after)
				}
				if err := server.Close(); err != nil {
					t.Error(err)
				}
				if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
			})
		})
	}
}
