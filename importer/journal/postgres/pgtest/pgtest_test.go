package pgtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// connect returns a connection that ends with the test.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// value returns the one value of a query.
func value[T any](t *testing.T, url, sql string) (v T) {
	t.Helper()
	if err := connect(t, url).QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDatabasesOfTheSharedServer(t *testing.T) {
	server := Shared(t)
	if Shared(t) != server {
		t.Fatal("a second server was started")
	}
	first, second := server.NewDatabase(t), server.NewDatabase(t)
	if _, err := connect(t, first).Exec(t.Context(), "CREATE TABLE only_here (id int)"); err != nil {
		t.Fatal(err)
	}
	if n := value[int](t, second, "SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'"); n != 0 {
		t.Error("two databases have the same table")
	}
	var dropped string
	t.Run("of a test that ends", func(t *testing.T) { dropped = server.NewDatabase(t) })
	if conn, err := pgx.Connect(t.Context(), dropped); err == nil {
		conn.Close(t.Context())
		t.Error("the database is still there")
	}
	if off := value[string](t, first, "SHOW fsync"); off != "off" {
		t.Errorf("fsync is %s", off)
	}
}

func TestPassword(t *testing.T) {
	server := Shared(t)
	conn, err := pgx.Connect(t.Context(), server.URLFor(superuser, "wrong", "postgres"))
	if err == nil {
		conn.Close(t.Context())
		t.Fatal("any password will do")
	}
	if value[bool](t, server.SocketURL("postgres"), "SELECT inet_server_addr() IS NOT NULL") {
		t.Error("SocketURL is not that of the Unix socket")
	}
}

func TestStopAndRestart(t *testing.T) {
	server := Start(t, Options{FSync: true, Settings: map[string]string{"application_name": "it's set"}})
	url := server.URL("postgres")
	if got := value[string](t, server.SocketURL("postgres"), "SHOW fsync"); got != "on" {
		t.Errorf("fsync is %s", got)
	}
	if got := value[string](t, url, "SHOW application_name"); got != "it's set" {
		t.Errorf("application_name is %s", got)
	}
	server.Exec(t, "postgres", "CREATE TABLE logged (id int)")
	server.Exec(t, "postgres", "CREATE UNLOGGED TABLE unlogged (id int)")
	for _, c := range []struct {
		how  string
		stop func()
		lost bool
	}{
		{"fast", func() { server.Stop(Fast) }, false},
		{"immediate", func() { server.Stop(Immediate) }, true},
		{"kill", server.Kill, true},
		{"restart", func() {}, false},
	} {
		t.Run(c.how, func(t *testing.T) {
			server.Exec(t, "postgres", "TRUNCATE logged, unlogged")
			server.Exec(t, "postgres", "INSERT INTO logged VALUES (1)")
			server.Exec(t, "postgres", "INSERT INTO unlogged VALUES (1)")
			idle := connect(t, url) // its server process ends as well
			c.stop()
			if c.how != "restart" {
				if conn, err := pgx.Connect(t.Context(), url); err == nil {
					conn.Close(t.Context())
					t.Fatal("it still answers")
				}
			}
			server.Restart()
			if err := idle.Ping(t.Context()); err == nil {
				t.Error("a connection of before is still open")
			}
			if n := value[int](t, url, "SELECT count(*) FROM logged"); n != 1 {
				t.Errorf("%d committed rows", n)
			}
			if n := value[int](t, url, "SELECT count(*) FROM unlogged"); (n == 0) != c.lost {
				t.Errorf("%d rows of the unlogged table", n)
			}
		})
	}
}

func TestFailover(t *testing.T) {
	primary := Start(t, Options{})
	primary.Exec(t, "postgres", "CREATE TABLE kept (id int)")
	standby := primary.Standby(t)
	primary.Exec(t, "postgres", "INSERT INTO kept VALUES (1)")
	standby.CatchUp(primary)
	if n := value[int](t, standby.URL("postgres"), "SELECT count(*) FROM kept"); n != 1 {
		t.Fatalf("%d rows on the standby", n)
	}
	standby.Detach()
	primary.Exec(t, "postgres", "INSERT INTO kept VALUES (2)")
	url := FailoverURL("postgres", primary, standby)
	if n := value[int](t, url, "SELECT count(*) FROM kept"); n != 2 {
		t.Fatalf("%d rows on the primary", n)
	}
	primary.Kill()
	standby.Promote()
	if n := value[int](t, url, "SELECT count(*) FROM kept"); n != 1 {
		t.Errorf("%d rows after the failover", n)
	}
	standby.Exec(t, "postgres", "INSERT INTO kept VALUES (3)")
	if timeline := value[string](t, url, "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"); timeline != "00000002" {
		t.Errorf("timeline %s", timeline)
	}
}

// A test process that is killed leaves neither a server nor a folder.
func TestServerEndsWithTheProcess(t *testing.T) {
	if os.Getenv("PGTEST_CHILD") != "" {
		server := Shared(t)
		fmt.Println("folder", server.folder, server.URL("postgres"))
		time.Sleep(patience)
		return
	}
	programs(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerEndsWithTheProcess$", "-test.v")
	cmd.Env = append(os.Environ(), "PGTEST_CHILD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var folder, url string
	lines := bufio.NewScanner(out)
	for url == "" && lines.Scan() {
		fmt.Sscanf(lines.Text(), "folder %s %s", &folder, &url)
	}
	if url == "" {
		t.Fatal("the process has no server")
	}
	value[int](t, url, "SELECT 1")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, out)
	cmd.Wait() // it was killed
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(folder); err != nil {
			if !os.IsNotExist(err) {
				t.Fatal(err)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", folder)
		}
	}
	if conn, err := pgx.Connect(t.Context(), url); err == nil {
		conn.Close(t.Context())
		t.Error("the server is still there")
	}
}

// Where there is no PostgreSQL, CI fails and a developer's machine skips.
func TestMissingServer(t *testing.T) {
	for ci, want := range map[string]string{"true": "fatal", "1": "fatal", "false": "skip", "": "skip"} {
		t.Setenv("CI", ci)
		fake := &recorder{TB: t}
		missing(fake)
		if fake.did != want || !strings.Contains(fake.text, "not installed") {
			t.Errorf("with CI=%q: %s, %s", ci, fake.did, fake.text)
		}
	}
}

type recorder struct {
	testing.TB
	did, text string
}

func (r *recorder) Fatal(args ...any) { r.did, r.text = "fatal", fmt.Sprint(args...) }
func (r *recorder) Skip(args ...any)  { r.did, r.text = "skip", fmt.Sprint(args...) }
