package connection

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"os"
	"syscall"
	"time"
)

// conn is a connection that serves one request at a time.
type conn struct {
	raw    net.Conn
	secure *tls.Conn // over raw; nil for http
	stream net.Conn  // secure, or raw
	reader *bufio.Reader
	out    []byte // buffer for a request

	headerLeft int64 // bytes that may still be read of a header
	spoken     bool  // a byte has come since the request began
	failed     bool  // a read or write ended with an error, be it the end of the stream
	used       bool  // it has had a request

	idleSince time.Time
	socket    syscall.RawConn // of raw; nil if it is no socket
	peek      func(fd uintptr)
	unread    bool // found by peek

	done    <-chan struct{} // of the context whose end closes the connection
	stop    func() bool     // ends that; nil if there is no such context
	aborted chan struct{}   // closed when the context has closed the connection
}

func newConn(raw net.Conn, secure *tls.Conn) *conn {
	c := &conn{raw: raw, secure: secure, stream: raw}
	if secure != nil {
		c.stream = secure
	}
	c.reader = bufio.NewReader(c)
	if s, ok := raw.(syscall.Conn); ok {
		if socket, err := s.SyscallConn(); err == nil {
			c.socket = socket
		}
	}
	c.peek = func(fd uintptr) { c.unread = hasUnread(fd) }
	return c
}

// errLongHeader is the error of an answer whose header is too long.
var errLongHeader = errors.New("the header of the answer is too long")

// Read implements io.Reader for the conn's own buffered reader.
func (c *conn) Read(p []byte) (int, error) {
	if c.headerLeft <= 0 {
		c.failed = true
		return 0, errLongHeader
	}
	n, err := c.stream.Read(p[:min(int64(len(p)), c.headerLeft)])
	c.headerLeft -= int64(n)
	c.spoken = c.spoken || n > 0
	c.failed = c.failed || err != nil
	return n, err
}

// noLimit is the headerLeft of a body.
const noLimit = math.MaxInt64

// write sends a request. It returns how many bytes of it the system took.
func (c *conn) write(request []byte) (int, error) {
	n, err := c.stream.Write(request)
	c.failed = c.failed || err != nil
	return n, err
}

// prepare makes the connection end with ctx, and what is read and written fail at the
// deadline. It returns false if the context of an earlier request has closed it.
func (c *conn) prepare(ctx context.Context, deadline time.Time) bool {
	if c.stream.SetDeadline(deadline) != nil {
		return false
	}
	if c.done == ctx.Done() {
		return true
	}
	if !c.release() {
		return false
	}
	if c.done = ctx.Done(); c.done != nil {
		aborted := make(chan struct{})
		c.aborted = aborted
		c.stop = context.AfterFunc(ctx, func() {
			defer close(aborted)
			_ = c.raw.Close() // the request fails with another error
		})
	}
	return true
}

// release makes the connection independent of its context. It returns false if that
// has closed it.
func (c *conn) release() bool {
	if c.stop == nil {
		return true
	}
	stopped := c.stop()
	if !stopped {
		<-c.aborted
	}
	c.stop, c.done = nil, nil
	return stopped
}

// close closes the connection. The other end of a sound one that is secured is told.
func (c *conn) close() {
	if !c.release() || c.failed {
		_ = c.raw.Close() // closing loses nothing
		return
	}
	_ = c.stream.Close()
}

// isQuiet reports whether an idle connection is as the last answer left it: the other
// end has neither closed it, as far as the system tells, nor sent anything. What it
// sent would be taken for the next request's answer.
func (c *conn) isQuiet() bool {
	if c.secure != nil && c.hasUnreadRecord() {
		return false
	}
	if c.socket == nil {
		return true
	}
	err := c.socket.Control(c.peek)
	return err == nil && !c.unread
}

// hasUnreadRecord reports whether something is left of what was read for an earlier
// answer. With a deadline in the past, a read gives nothing else.
func (c *conn) hasUnreadRecord() bool {
	if c.secure.SetReadDeadline(time.Unix(1, 0)) != nil {
		return true
	}
	n, err := c.secure.Read(make([]byte, 1))
	return n > 0 || !errors.Is(err, os.ErrDeadlineExceeded)
}
