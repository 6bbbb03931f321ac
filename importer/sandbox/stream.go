package sandbox

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"slices"
	"time"
)

// drip sends the body a byte at a time, evenly over a time, and reports whether
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

// pour sends the body, and spaces after it until the client or the sandbox ends it.
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

// bombOf returns the body as a gzip that unpacks to itself and a GiB of spaces. A
// gzip may be made of several, one after the other: that of a MiB stands there
// over and over.
func gzipBomb(body []byte) []byte {
	return append(zipped(body), bytes.Repeat(zipped(bytes.Repeat([]byte(" "), 1<<20)), 1<<10)...)
}

func zipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text) // neither fails: it is in memory
	_ = w.Close()
	return b.Bytes()
}
