package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser = "postgres"
	password  = "secret" // over the loopback interface; the Unix socket asks for none

	patience = 2 * time.Minute // with a busy machine
)

// Options are what a test may want otherwise.
type Options struct {
	FSync    bool              // write to the disk, as a crash of the machine would need it
	TLS      bool              // with a certificate for localhost that CertificateFile names
	Settings map[string]string // lines of postgresql.conf
}

// Server is a PostgreSQL server. Its methods end the test when they fail; they
// are called by the goroutine of the test, one at a time.
type Server struct {
	t       testing.TB // nil: shared by several tests
	bin     string     // the folder of PostgreSQL's programs
	folder  string     // data, log, and the Unix socket
	port    int
	process *os.Process // nil: stopped
	watch   *watchdog
	names   atomic.Int64
	closing sync.Mutex // held while a database is closed
}

// Start starts a server that ends with the test.
func Start(t testing.TB, options Options) *Server {
	t.Helper()
	s := &Server{t: t, bin: programs(t)}
	if err := s.create(options); err != nil {
		t.Fatal(err)
	}
	s.endWith(t)
	return s
}

var shared struct {
	sync.Mutex
	server *Server
}

// Shared returns a server that all tests of the process use. It runs until the process ends.
// A test that stops a server starts one of its own.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		s := &Server{bin: programs(t)}
		if err := s.create(Options{}); err != nil {
			t.Fatal(err)
		}
		shared.server = s
	}
	return shared.server
}

// programs returns the folder of PostgreSQL's programs: of the newest version of Debian's packages,
// or the one in the PATH.
func programs(t testing.TB) string {
	t.Helper()
	newest, folder := 0, ""
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is sound
	for _, initdb := range found {
		bin := filepath.Dir(initdb)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			newest, folder = version, bin
		}
	}
	if folder != "" {
		return folder
	}
	if initdb, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(initdb)
	}
	missing(t)
	return ""
}

// missing ends a test that needs a server and can have none.
func missing(t testing.TB) {
	t.Helper()
	const reason = "PostgreSQL is not installed: neither /usr/lib/postgresql/*/bin/initdb nor initdb in the PATH"
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci {
		t.Fatal(reason + "; CI has to install it")
		return
	}
	fmt.Fprintf(os.Stderr, "\n*** SKIPPED: %s: %s. Install the package postgresql.\n\n", t.Name(), reason)
	t.Skip(reason)
}

// create makes the server's folder and starts it.
func (s *Server) create(options Options) error {
	if err := s.makeFolder(); err != nil {
		return err
	}
	passwords := filepath.Join(s.folder, "password")
	if err := os.WriteFile(passwords, []byte(password+"\n"), 0o644); err != nil {
		return err
	}
	if err := s.run("initdb", "--pgdata", s.data(), "--username", superuser, "--pwfile", passwords, "--auth-local", "trust", "--auth-host", "scram-sha-256",
		"--no-locale", "--encoding", "UTF8", "--no-sync"); err != nil {
		return err
	}
	settings := map[string]string{
		"listen_addresses": "127.0.0.1",
		"max_connections":  "200",
		"shared_buffers":   "64MB",
		"wal_keep_size":    "512MB", // a standby that is detached finds its way back
		"log_line_prefix":  "%m [%p] %a ",
	}
	if !options.FSync {
		settings["fsync"], settings["full_page_writes"] = "off", "off"
	}
	if options.TLS {
		if err := s.makeCertificate(); err != nil {
			return err
		}
		settings["ssl"], settings["ssl_cert_file"], settings["ssl_key_file"] = "on", s.CertificateFile(), s.keyFile()
	}
	for name, value := range options.Settings {
		settings[name] = value
	}
	var lines bytes.Buffer
	for name, value := range settings {
		fmt.Fprintf(&lines, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	if err := appendTo(filepath.Join(s.data(), "postgresql.conf"), lines.Bytes()); err != nil {
		return err
	}
	return s.startOnFreePort()
}

// makeFolder makes the server's folder, and what removes it when this process ends.
func (s *Server) makeFolder() (err error) {
	if s.folder, err = os.MkdirTemp("", "pgtest-"); err != nil { // not t.TempDir: the path of a Unix socket has 107 bytes at most
		return err
	}
	if err := giveAway(s.folder); err != nil {
		return err
	}
	s.watch, err = watchOver(s.folder)
	return err
}

// endWith lets the server end with the test, which shows the log when it failed.
func (s *Server) endWith(t testing.TB) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of PostgreSQL's log:\n%s", s.logEnd())
		}
		if err := errors.Join(s.stop(Immediate), s.watch.end()); err != nil {
			t.Error(err)
		}
	})
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }
func (s *Server) log() string  { return filepath.Join(s.folder, "log") }

// run runs one of PostgreSQL's programs to its end.
func (s *Server) run(program string, args ...string) error {
	cmd := s.command(program, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

func (s *Server) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.folder
	cmd.Env = []string{"PATH=" + s.bin + ":" + os.Getenv("PATH"), "HOME=" + s.folder, "LC_ALL=C", "PGPASSWORD=" + password}
	asServer(cmd)
	return cmd
}

// startOnFreePort chooses a port that the server keeps. It is below those that the system gives to connections:
// there a client that dials the port of a stopped server may get connected to itself.
func (s *Server) startOnFreePort() error {
	var err error
	for range 20 {
		s.port = 10_000 + rand.IntN(20_000)
		listener, busy := net.Listen("tcp4", s.Address())
		if busy != nil {
			continue
		}
		listener.Close()
		if err = s.start(); err == nil || !strings.Contains(err.Error(), "Address already in use") {
			return err
		}
	}
	return fmt.Errorf("no free port on the loopback interface: %w", err)
}

// start starts the server in its folder, and waits until it answers.
func (s *Server) start() error {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own descriptor
	cmd := s.command("postgres", "-D", s.data(), "-k", s.folder, "-p", strconv.Itoa(s.port))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process = cmd.Process
	deadline := time.Now().Add(patience)
	for {
		if err = s.answers(); err == nil {
			return nil
		}
		if ended(s.process) {
			s.process = nil
			return fmt.Errorf("PostgreSQL does not start:\n%s", s.logEnd())
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, s.logEnd())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// answers says why the server does not take connections.
func (s *Server) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.SocketURL("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Log returns what the server has logged.
func (s *Server) Log(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(s.log())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// logEnd returns the end of the server's log.
func (s *Server) logEnd() string {
	log, err := os.ReadFile(s.log())
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-8000):])
}

func appendTo(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}
