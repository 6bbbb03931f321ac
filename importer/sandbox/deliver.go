package sandbox

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"
)

// deliver sends the answer, or does with the connection what the mishap asks
// for. It reports false where the connection must be cut, and leaves that to the
// caller.
func (s *Sandbox) deliver(w http.ResponseWriter, r *http.Request, m injectedFault, a answer) bool {
	if !s.wait(r.Context(), m.delay) {
		return false
	}
	body := a.body
	switch m.kind {
	case DropBefore:
		resetConnection(w)
		return false
	case DropAfter:
		return false
	case Hang:
		select {
		case <-r.Context().Done():
		case <-s.closed:
		}
		return false
	case Truncate:
		body = body[:len(body)/2]
	case Bomb:
		body = gzipBomb(body)
		w.Header().Set("Content-Encoding", "gzip")
	}
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	if m.kind != Endless {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	if a.retryAfter != "" {
		header.Set("Retry-After", a.retryAfter)
	}
	w.WriteHeader(a.status)
	switch m.kind {
	case Drip:
		return s.sendSlowly(w, r, body, m.over)
	case Endless:
		s.sendEndlessly(w, r, body)
		return false
	case DropDuring:
		body = body[:len(body)/2] // http.Server cuts a connection on which less comes than was announced
	}
	if _, err := w.Write(body); err != nil {
		return false
	}
	// Written at once, so that it is known whether it could be.
	return http.NewResponseController(w).Flush() == nil
}

// wait returns after d, or false as soon as the client or the sandbox ends the wait.
func (s *Sandbox) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.closed:
	}
	return false
}

// resetConnection closes a TCP connection in the way that the client sees as
// reset. Any other connection is left to the caller to close.
func resetConnection(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the client sees an end of file, which is as good a fault
	}
	_ = connection.Close() // nothing was written that could be lost
}
