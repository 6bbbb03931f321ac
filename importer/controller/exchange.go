package controller

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"opscom-import/importer"
)

const (
	maxBody   = 128 << 10 // bytes that are read of an answer's body at most; in chunks of a byte 1 MiB on the wire
	keptBody  = 16 << 10  // bytes of a buffer for bodies that is worth keeping
	maxHeader = 64 << 10  // bytes of an answer's header that are accepted
)

// talk is what became of one call after as many attempts as it took.
type talk struct {
	last     verdict
	attempts int
	alike    bool // every attempt ended like the last
	seen     bool // an attempt without an answer may have reached the Controller
	stopped  bool // it was told to stop before it had an answer
}

// status returns the status of a profile that has no answer.
func (t talk) status() importer.Status {
	switch {
	case !t.seen && (t.stopped || t.last.class == refused):
		return importer.StatusNotSent
	case t.stopped || t.last.class == refused:
		return importer.StatusUnknown
	}
	return importer.StatusFailed
}

// converse sends a request until there is a usable answer, most attempts are
// made, or it is told to stop: feed keeps it from starting another attempt, send
// aborts the one in progress too.
func (c *Client) converse(feed, send context.Context, e *endpoint, body []byte, most int, success func(document) error) talk {
	t := talk{alike: true}
	for {
		ps, ok := c.pacer.enter(feed, send, t.attempts > 0)
		if !ok {
			t.stopped = true
			return t
		}
		v := c.attempt(send, e, body, success)
		c.pacer.leave(ps, v.ending(), v.tryAfter)
		t.alike = t.alike && (t.attempts == 0 || v.what == t.last.what)
		t.attempts++
		t.last = v
		if v.class != again {
			return t
		}
		t.seen = t.seen || !v.unseen
		t.stopped = v.aborted
		if t.stopped || t.attempts == most {
			return t
		}
		if !sleep(feed, send, backoff(t.attempts, maxBackoff, c.jitter()), nil) {
			t.stopped = true
			return t
		}
	}
}

// ending returns what the attempt means for the pace of the others.
func (v verdict) ending() ending {
	switch {
	case v.aborted:
		return givenUp
	case v.class != again:
		return answered
	}
	return v.failure
}

// attempt sends one request and judges what comes back.
func (c *Client) attempt(send context.Context, e *endpoint, body []byte, success func(document) error) verdict {
	ctx := c.deadlines.begin(send, c.timeout)
	whole := false
	defer func() { c.deadlines.end(ctx, whole) }()
	response, err := c.transport.RoundTrip(e.post(ctx, body)) // unlike http.Client it follows no redirect
	if err != nil {
		v := c.fault(err, ctx.Err() != nil)
		v.aborted = send.Err() != nil
		return v
	}
	defer response.Body.Close() // its error could say nothing of the answer
	buffer := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(buffer)
	r := reply{status: response.StatusCode, header: response.Header}
	r.body, r.flaw = readBody(response, (*buffer)[:0])
	whole = r.flaw == ""
	if !whole && ctx.Err() != nil {
		r.flaw = fmt.Sprintf("a body that did not end within %v", c.timeout)
	}
	if cap(r.body) <= keptBody {
		*buffer = r.body
	}
	v := classify(r, success)
	v.aborted = v.class == again && send.Err() != nil
	return v
}

// readBody appends the answer's body to buffer; flaw says why it cannot be used.
// A body is read to its end, so that the connection can be used again, but never
// further than maxBody.
func readBody(response *http.Response, buffer []byte) (body []byte, flaw string) {
	if response.StatusCode == http.StatusSwitchingProtocols {
		return buffer, "no body" // what follows would be another protocol, without an end
	}
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := response.Body.Read(buffer[len(buffer):min(cap(buffer), maxBody)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case err == io.EOF:
			return buffer, ""
		case err != nil:
			return buffer, "a body that was cut off"
		case len(buffer) == maxBody:
			return buffer, "a body that is too large"
		}
	}
}
