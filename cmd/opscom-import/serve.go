package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// serve serves figures, and health, where the settings say, until close is called. unwell
// returns what is wrong, "" for nothing.
func (s *session) serve(figures interface{ Handler() http.Handler }, unwell func() string) (close func(), err error) {
	if s.Settings.Listen == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", s.Settings.Listen)
	if err != nil {
		return nil, fmt.Errorf("serve /metrics and /healthz: %w", err)
	}
	server := newFiguresServer(figures, unwell)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	s.Log.Info("serving /metrics and /healthz", "address", listener.Addr().String())
	return func() {
		err := server.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		if err != nil {
			s.Log.Warn("the server of /metrics has ended", "error", err)
		}
	}, nil
}

// newFiguresServer returns the server of /metrics and /healthz. A client that is slow, or gone, does not
// keep its connection.
func newFiguresServer(figures interface{ Handler() http.Handler }, unwell func() string) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", figures.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if why := unwell(); why != "" {
			http.Error(w, why, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
}
