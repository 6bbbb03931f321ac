package connection

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// Request is a request that is to be sent.
type Request struct {
	Head     Head
	Body     []byte
	Deadline time.Time // for all of it, from connecting to the last byte of the answer
	NotAfter time.Time // for its first byte; zero: any time
	Late     func()    // called if it may have been after NotAfter all the same, because a processor was not to be had; not nil if there is a NotAfter
	Fresh    bool      // send it over a connection that has had no request, and do not keep that
}

// Trace says how far a request came that has no answer.
type Trace struct {
	Sent   bool // a byte of it may have been sent
	Kept   bool // its connection was kept from an earlier request
	Spoken bool // a byte of an answer has come
}

// ErrLate says that a request was not sent because it would have been after its NotAfter. The
// connection that it was to be sent over is kept.
var ErrLate = errors.New("it is too late to send the request")

// Do sends a request. The answer's body is to be read and closed; a connection whose
// answer was read to its end is kept. The end of ctx closes the connection.
//
// A kept connection that takes no byte of the request is replaced.
func (p *Pool) Do(ctx context.Context, r Request) (*http.Response, Trace, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, Trace{}, err
		}
		c := p.take(ctx, r.Deadline, r.Fresh)
		kept := c != nil && !r.Fresh
		if c == nil {
			var err error
			if c, err = p.dial(ctx, r.Deadline); err != nil {
				return nil, Trace{}, err
			}
		}
		c.spoken = false
		c.headerLeft = p.transport.MaxResponseHeaderBytes
		c.out = r.Head.appendRequest(c.out[:0], r.Body)
		if !r.NotAfter.IsZero() && time.Now().After(r.NotAfter) {
			p.put(c)
			return nil, Trace{Kept: kept}, ErrLate
		}
		c.used = true
		n, unsent := c.write(c.out)
		if !r.NotAfter.IsZero() && time.Now().After(r.NotAfter) {
			r.Late()
		}
		if n == 0 && kept && !isOver(ctx, unsent) {
			p.discard(c)
			continue
		}
		response, err := c.answer(ctx, r, kept, unsent)
		if err != nil {
			trace := Trace{Sent: n > 0, Kept: kept, Spoken: c.spoken}
			p.discard(c)
			return nil, trace, err
		}
		response.Body = &body{from: response.Body, pool: p, conn: c, keep: !r.Fresh && !response.Close}
		return response, Trace{}, nil
	}
}

// isOver reports whether a request failed because its time or its context is over.
func isOver(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded)
}

// patience is how long to wait for an answer to a request that could not be sent
// whole. What a server said before it closed the connection is there at once.
const patience = time.Second

// answer reads the header of the answer. A server may refuse a request and close the
// connection before it has read all of it; unsent is the error of writing it. Then only
// a refusal is an answer, and only on a new connection: on a kept one it may be about
// the time that was idle.
func (c *conn) answer(ctx context.Context, r Request, kept bool, unsent error) (*http.Response, error) {
	if unsent != nil {
		soon := time.Now().Add(patience)
		if kept || isOver(ctx, unsent) || soon.Before(r.Deadline) && c.stream.SetReadDeadline(soon) != nil {
			return nil, unsent
		}
	}
	response, err := c.readHeader(r.Head.request)
	switch {
	case unsent != nil && (err != nil || response.StatusCode/100 == 2):
		return nil, unsent
	case err != nil && ctx.Err() != nil: // it closed the connection
		return nil, ctx.Err()
	}
	return response, err
}

// readHeader reads the header of the answer, after those that only announce it.
func (c *conn) readHeader(request *http.Request) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(c.reader, request)
		if err != nil {
			return nil, err
		}
		if response.StatusCode/100 != 1 || response.StatusCode == http.StatusSwitchingProtocols {
			c.headerLeft = noLimit
			return response, nil
		}
	}
}

// body is the body of an answer.
type body struct {
	from  io.Reader
	pool  *Pool
	conn  *conn // nil: it was closed
	whole bool  // it was read to its end
	keep  bool  // the connection may be kept
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.conn == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.from.Read(p)
	b.whole = b.whole || err == io.EOF
	return n, err
}

// Close implements io.Closer. What is left of the body is not read.
func (b *body) Close() error {
	c := b.conn
	if c == nil {
		return nil
	}
	b.conn = nil
	if b.keep && b.whole && !c.failed && c.reader.Buffered() == 0 {
		b.pool.put(c)
	} else {
		b.pool.discard(c)
	}
	return nil
}
