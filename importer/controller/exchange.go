package controller

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"opscom-import/importer/controller/internal/connection"
)

// exchange is one request and what came of it: an answer, or err.
type exchange struct {
	status  int
	header  http.Header
	body    []byte
	problem string // why the body cannot be used, "" if it can

	err       error
	timedOut  bool // it took too long, or its context was done
	connected bool // there was a connection to the Controller, by way of a proxy or not
	unsent    bool // certainly no byte of the request was sent
	late      bool // for that reason
	reused    bool // the connection was kept from an earlier request
	spoken    bool // a byte of an answer has come
}

// isStale reports whether the request failed because its connection, kept from an
// earlier request, was closed at the other end in the meantime: the connection ended
// before any byte of an answer. The request may have been received all the same.
func (x exchange) isStale() bool {
	return x.reused && !x.spoken && !x.timedOut && isClosed(x.err)
}

// exchanger sends requests to the Controller and reads the answers.
type exchanger interface {
	// exchange appends the answer's body to buffer. If fresh is true, the request goes
	// over a new connection, which is not kept. It is not sent after notAfter, if that is
	// not zero, or late is called, because it may have been.
	exchange(ctx context.Context, e *endpoint, body []byte, fresh bool, notAfter time.Time, buffer []byte) exchange
	// close closes idle connections. No request may be in progress.
	close()
}

// direct sends requests over connections of its own.
type direct struct {
	pool    *connection.Pool
	timeout time.Duration
	late    func() // called when a request may have been sent after its notAfter
}

func (d direct) exchange(ctx context.Context, e *endpoint, body []byte, fresh bool, notAfter time.Time, buffer []byte) exchange {
	request := connection.Request{Head: e.head, Body: body, Deadline: time.Now().Add(d.timeout), NotAfter: notAfter, Late: d.late, Fresh: fresh}
	if fresh {
		request.Head = e.lastHead
	}
	timedOut := func() bool { return ctx.Err() != nil || !time.Now().Before(request.Deadline) }
	response, trace, err := d.pool.Do(ctx, request)
	if err != nil {
		return exchange{
			err: err, timedOut: timedOut(), connected: trace.Sent, unsent: !trace.Sent, late: errors.Is(err, connection.ErrLate),
			reused: trace.Kept, spoken: trace.Spoken,
		}
	}
	return read(response, buffer, timedOut, d.timeout)
}

func (d direct) close() { d.pool.Close() }

// read reads the body of an answer, appends it to buffer, and closes it.
func read(response *http.Response, buffer []byte, timedOut func() bool, timeout time.Duration) exchange {
	defer response.Body.Close() // its error would say nothing about the answer
	x := exchange{status: response.StatusCode, header: response.Header}
	x.body, x.problem = readBody(response, buffer)
	if x.problem != "" && timedOut() {
		x.problem = fmt.Sprintf("a body that did not end within %v", timeout)
	}
	return x
}

// readBody appends the answer's body to buffer; problem says why it cannot be used.
// A body is read to its end, so that the connection can be used again, but never
// further than maxBody.
func readBody(response *http.Response, buffer []byte) (body []byte, problem string) {
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
