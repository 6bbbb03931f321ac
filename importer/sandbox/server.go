package sandbox

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server is a sandbox that listens on a port of this machine.
type Server struct {
	URL string // base URL, such as "http://127.0.0.1:8080"

	sandbox *Sandbox
	server  *http.Server
	ended   chan error
}

// Listen serves the sandbox on a loopback address such as "127.0.0.1:8080"; port
// 0 means a free one. Any other address is an error: a sandbox serves this machine
// only. Call Close when done.
func (s *Sandbox) Listen(address string) (*Server, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w; write an address such as 127.0.0.1:8080", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("listen on %q: the sandbox serves this machine only; write an address such as 127.0.0.1:8080", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	server := &Server{
		URL:     "http://" + listener.Addr().String(),
		sandbox: s,
		server:  &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute},
		ended:   make(chan error, 1),
	}
	go func() { server.ended <- server.server.Serve(listener) }()
	return server, nil
}

// Close closes every connection and the sandbox.
func (s *Server) Close() error {
	err := s.server.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return errors.Join(err, s.sandbox.Close())
}
