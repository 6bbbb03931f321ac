package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// deliver sends the answer, or does to the connection what the fault requires. It
// returns false if the caller has to cut the connection.
func (s *Sandbox) deliver(w http.ResponseWriter, r *http.Request, fault injectedFault, a answer) bool {
	if !s.wait(r.Context(), fault.delay) {
		return false
	}
	body := a.body
	switch fault.kind {
	case DropBefore:
		resetConnection(w)
		return false
	case DropAfter:
		return false
	case Hang:
		s.wait(r.Context(), math.MaxInt64)
		return false
	case Truncate:
		body = body[:len(body)/2]
	case Bomb:
		body = gzipBomb(body)
		w.Header().Set("Content-Encoding", "gzip")
	}
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	if fault.kind != Endless {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	if a.retryAfter != "" {
		header.Set("Retry-After", a.retryAfter)
	}
	w.WriteHeader(a.status)
	switch fault.kind {
	case Drip:
		return s.sendSlowly(w, r, body, fault.over)
	case Endless:
		s.sendEndlessly(w, r, body)
		return false
	case DropDuring:
		body = body[:len(body)/2] // http.Server cuts the connection if less is written than announced
	}
	if _, err := w.Write(body); err != nil {
		return false
	}
	// Flushed now to know whether it can be written.
	return http.NewResponseController(w).Flush() == nil
}

// wait waits for d. It returns false as soon as the request is aborted or the
// sandbox is closed.
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

// sendSlowly sends the body byte by byte, evenly over a time, and reports whether
// all of it could be sent.
func (s *Sandbox) sendSlowly(w http.ResponseWriter, r *http.Request, body []byte, over time.Duration) bool {
	flush := http.NewResponseController(w).Flush
	for i := range body {
		if !s.wait(r.Context(), over/time.Duration(len(body))) {
			return false
		}
		if _, err := w.Write(body[i : i+1]); err != nil || flush() != nil {
			return false
		}
	}
	return true
}

// sendEndlessly sends the body, and then spaces until the request is aborted or the
// sandbox is closed.
func (s *Sandbox) sendEndlessly(w http.ResponseWriter, r *http.Request, body []byte) {
	spaces := bytes.Repeat([]byte(" "), 64<<10)
	for next := slices.Concat(body, spaces); ; next = spaces {
		if _, err := w.Write(next); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.closed:
			return
		default:
		}
	}
}

// gzipBomb returns a gzip that expands to the body and a GiB of spaces: a gzip may
// be a sequence of gzips, and that of a MiB of spaces is repeated.
func gzipBomb(body []byte) []byte {
	return append(zipped(body), bytes.Repeat(zipped(bytes.Repeat([]byte(" "), 1<<20)), 1<<10)...)
}

func zipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text) // neither fails in memory
	_ = w.Close()
	return b.Bytes()
}

// resetConnection closes a TCP connection so that the client sees a reset. Any
// other connection is left for the caller to close.
func resetConnection(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // if this fails the client sees an end of file, which is a fault too
	}
	_ = connection.Close() // nothing was written
}
