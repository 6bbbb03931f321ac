package main

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stampArrivals has the system take down when requests come to a server that is not started yet: see cameAt.
func stampArrivals(server *httptest.Server) error {
	socket, err := server.Listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := socket.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1) }); err != nil {
		return err
	}
	server.Listener = stampingListener{server.Listener}
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, stampedKey{}, c) }
	return failed
}

// cameAt returns when a request came whose body was read. On loopback that is the moment in which its sender wrote it, however
// long the server then waited for a processor.
func cameAt(r *http.Request) time.Time {
	return r.Context().Value(stampedKey{}).(*stampedConn).cameAt()
}

type stampedKey struct{}

// stampingListener is a listener whose sockets have SO_TIMESTAMPNS_NEW, and so those of its connections.
type stampingListener struct{ net.Listener }

// Accept implements net.Listener.
func (l stampingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	socket, err := c.(*net.TCPConn).SyscallConn()
	return &stampedConn{Conn: c, socket: socket}, err
}

// stampedConn knows when what is read from it came.
type stampedConn struct {
	net.Conn
	socket syscall.RawConn

	mu    sync.Mutex
	first time.Time // when the first packet came that was read since cameAt was called; zero: none was
}

// Read implements net.Conn.
func (c *stampedConn) Read(p []byte) (n int, err error) {
	var failed error
	control := make([]byte, unix.CmsgSpace(stampSize))
	err = c.socket.Read(func(fd uintptr) bool {
		var size int
		for failed = unix.EINTR; failed == unix.EINTR; {
			n, size, _, _, failed = unix.Recvmsg(int(fd), p, control, 0)
		}
		if failed == nil {
			c.stamp(control[:size])
		}
		return failed != unix.EAGAIN
	})
	switch {
	case err != nil:
		return 0, err
	case failed != nil:
		return 0, failed
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

const stampSize = 16 // bytes: seconds and nanoseconds

func (c *stampedConn) stamp(control []byte) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return // cameAt says that there is no time
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS_NEW && len(m.Data) >= stampSize {
			number := binary.NativeEndian.Uint64
			c.mu.Lock()
			if c.first.IsZero() {
				c.first = time.Unix(int64(number(m.Data)), int64(number(m.Data[8:])))
			}
			c.mu.Unlock()
		}
	}
}

func (c *stampedConn) cameAt() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.first
	if at.IsZero() {
		panic("the system did not say when the request came")
	}
	c.first = time.Time{} // the client writes the next request when it has the answer to this one
	return at
}
