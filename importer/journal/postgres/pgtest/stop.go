package pgtest

import (
	"fmt"
	"time"
)

// Mode is how a server stops.
type Mode int

const (
	Fast      Mode = iota // transactions are rolled back, and everything is written
	Immediate             // nothing more is written: the next start recovers as after a crash
)

// Stop stops the server.
func (s *Server) Stop(mode Mode) {
	s.t.Helper()
	if err := s.stop(mode); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) stop(mode Mode) error {
	process := s.process
	if process == nil {
		return nil
	}
	s.process = nil
	if err := process.Signal(stopSignals[mode]); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); !ended(process); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			killTree(process)
			return fmt.Errorf("PostgreSQL does not stop\n%s", s.logEnd())
		}
	}
	return nil
}

// Kill ends all processes of the server at once.
func (s *Server) Kill() {
	s.t.Helper()
	process := s.process
	if process == nil {
		s.t.Fatal("kill PostgreSQL: it does not run")
	}
	s.process = nil
	if err := killTree(process); err != nil {
		s.t.Fatal(err)
	}
}

// Restart starts the server again, with the same port and folder; a running one is stopped first.
func (s *Server) Restart() {
	s.t.Helper()
	if err := s.stop(Fast); err != nil {
		s.t.Fatal(err)
	}
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
}
