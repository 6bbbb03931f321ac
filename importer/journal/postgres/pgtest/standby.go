package pgtest

import (
	"fmt"
	"testing"
	"time"
)

// Standby makes a copy of the server that follows it asynchronously.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	standby := &Server{t: t, bin: s.bin}
	if err := standby.follow(s); err != nil {
		t.Fatal(err)
	}
	standby.endWith(t)
	standby.CatchUp(s)
	return standby
}

func (s *Server) follow(primary *Server) error {
	if err := s.makeFolder(); err != nil {
		return err
	}
	if err := s.run("pg_basebackup", "--pgdata", s.data(), "--dbname", primary.URL("postgres"), "--write-recovery-conf",
		"--wal-method", "stream", "--checkpoint", "fast", "--no-sync"); err != nil {
		return err
	}
	return s.startOnFreePort()
}

// CatchUp waits until the standby has everything that is committed on the primary.
func (s *Server) CatchUp(primary *Server) {
	s.t.Helper()
	written, err := ask[string](primary, "SELECT pg_current_wal_flush_lsn()::text")
	if err != nil {
		s.t.Fatal(err)
	}
	s.until("replays what is on the primary", "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", written)
}

// Detach lets the standby follow nobody: it loses what the primary commits from now on.
func (s *Server) Detach() {
	s.t.Helper()
	for _, statement := range []string{"ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()"} {
		if err := s.execute("postgres", statement); err != nil {
			s.t.Fatal(err)
		}
	}
	s.until("is detached", "SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")
}

// Promote makes the standby a primary, on a timeline of its own.
func (s *Server) Promote() {
	s.t.Helper()
	if err := s.execute("postgres", "SELECT pg_promote(wait => false)"); err != nil {
		s.t.Fatal(err)
	}
	s.until("is promoted", "SELECT NOT pg_is_in_recovery()")
}

// until waits for the server to say yes.
func (s *Server) until(what, sql string, args ...any) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		yes, err := ask[bool](s, sql, args...)
		if err == nil && yes {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal(fmt.Errorf("the standby never %s: %v\n%s", what, err, s.logEnd()))
		}
	}
}
