package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Address returns host:port, for a proxy.
func (s *Server) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// URL returns the address of a database, for its superuser, by TCP.
func (s *Server) URL(database string) string { return s.URLFor(superuser, password, database) }

// URLFor returns the address of a database for somebody else.
func (s *Server) URLFor(user, password, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(user, password), Host: s.Address(), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// SocketURL returns the address of a database, for its superuser, on the Unix socket.
func (s *Server) SocketURL(database string) string {
	query := url.Values{"host": {s.folder}, "port": {strconv.Itoa(s.port)}}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: query.Encode()}
	return u.String()
}

// FailoverURL returns the address of a database on the first of the servers that is up and can be written.
func FailoverURL(database string, servers ...*Server) string {
	addresses := make([]string, len(servers))
	for i, s := range servers {
		addresses[i] = s.Address()
	}
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable&target_session_attrs=read-write", superuser, password, strings.Join(addresses, ","), database)
}

// NewDatabase makes an empty database, and returns its URL. It is dropped at the end of the test.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	return s.newDatabase(t, "template1")
}

// CopyDatabase makes a copy of a database, and returns its URL. It is dropped at the end of the
// test. Nobody can connect to the original any more.
func (s *Server) CopyDatabase(t testing.TB, original string) string {
	t.Helper()
	u, err := url.Parse(original)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	s.closeDatabase(t, name)
	return s.newDatabase(t, name)
}

// closeDatabase ends all connections to a database, and lets nobody connect any more. It is done
// once at a time: PostgreSQL refuses a change of what somebody else changes just then.
func (s *Server) closeDatabase(t testing.TB, name string) {
	t.Helper()
	s.closing.Lock()
	defer s.closing.Unlock()
	s.Exec(t, "postgres", "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false")
	s.Exec(t, "postgres", "SELECT pg_terminate_backend(pid, $2) FROM pg_stat_activity WHERE datname = $1", name, patience.Milliseconds())
}

func (s *Server) newDatabase(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.names.Add(1))
	if err := s.execute("postgres", "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.t == nil { // otherwise it goes with the server, which may be stopped
			if err := s.execute("postgres", "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
				t.Error(err)
			}
		}
	})
	return s.URL(name)
}

// Exec executes SQL as the superuser.
func (s *Server) Exec(t testing.TB, database, sql string, args ...any) {
	t.Helper()
	if err := s.execute(database, sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) execute(database, sql string, args ...any) error {
	return s.connected(database, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql, args...)
		return err
	})
}

// ask returns one value that the server says.
func ask[T any](s *Server, sql string, args ...any) (value T, err error) {
	err = s.connected("postgres", func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, sql, args...).Scan(&value)
	})
	return value, err
}

func (s *Server) connected(database string, f func(ctx context.Context, conn *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.SocketURL(database))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return f(ctx, conn)
}

// WriteHBA replaces the server's pg_hba.conf.
func (s *Server) WriteHBA(t testing.TB, rules string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.data(), "pg_hba.conf"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	// a session has this time from the main process, which reads both files
	const reload = "SELECT extract(epoch FROM pg_conf_load_time())::float8"
	before, err := ask[float64](s, reload)
	if err == nil {
		err = s.execute("postgres", "SELECT pg_reload_conf()")
	}
	for after := before; err == nil && after == before; {
		after, err = ask[float64](s, reload)
	}
	if err != nil {
		t.Fatal(err)
	}
}
