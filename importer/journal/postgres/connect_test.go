package postgres

import (
	"net"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer/journal/postgres/pgtest"
)

func databaseOf(t *testing.T, url string) string {
	t.Helper()
	u, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

// with returns a URL with other parts.
func with(t *testing.T, url string, change func(u *neturl.URL, query neturl.Values)) string {
	t.Helper()
	u, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	change(u, query)
	u.RawQuery = query.Encode()
	return u.String()
}

func TestOpen(t *testing.T) {
	server := pgtest.Shared(t)
	url := migrated(t)
	j := opened(t, url)
	if want := "postgres@" + server.Address() + "/" + databaseOf(t, url); j.Address() != want {
		t.Errorf("address %s, want %s", j.Address(), want)
	}
	for name, want := range map[string]string{
		"TimeZone": "UTC", "search_path": "opscom", "statement_timeout": "1min", "lock_timeout": "20s", "idle_in_transaction_session_timeout": "10s",
		"synchronous_commit": "on", "application_name": "opscom-import",
	} {
		var got string
		if err := j.pool.QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", name, got, want, err)
		}
	}
	if n := j.pool.Config().MaxConns; n != maxConns {
		t.Errorf("%d connections", n)
	}
	socket := server.SocketURL(databaseOf(t, url))
	j = opened(t, socket)
	if !strings.HasPrefix(j.Address(), "postgres@/") {
		t.Errorf("address %s", j.Address())
	}
	j = opened(t, url+"&pool_max_conns=3&application_name=mine")
	if n := j.pool.Config().MaxConns; n != 3 {
		t.Errorf("%d connections, want those of the address", n)
	}
}

// What a database has as default must not weaken what is promised.
func TestDatabaseDefaults(t *testing.T) {
	url := migrated(t)
	name := databaseOf(t, url)
	for _, c := range []struct{ set, setting, want string }{
		{"synchronous_commit = off", "synchronous_commit", "on"},
		{"synchronous_commit = remote_apply", "synchronous_commit", "remote_apply"},
		{"default_transaction_isolation = 'serializable'", "transaction_isolation", "read committed"},
		{"TimeZone = 'Asia/Tokyo'", "TimeZone", "UTC"},
		{"jit = on", "jit", "off"},
	} {
		pgtest.Shared(t).Exec(t, "postgres", "ALTER DATABASE "+name+" SET "+c.set)
		j := opened(t, url)
		var got string
		if err := j.pool.QueryRow(t.Context(), `SELECT current_setting($1)`, c.setting).Scan(&got); err != nil || got != c.want {
			t.Errorf("with %s: %s is %s, want %s (%v)", c.set, c.setting, got, c.want, err)
		}
	}
}

// Who migrates changes tables that others are using: a statement that was prepared before works at the second attempt.
func TestMigratedMeanwhile(t *testing.T) {
	j := opened(t, migrated(t))
	conn, err := j.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	const query = `SELECT * FROM opscom.worker`
	if _, err := conn.Exec(t.Context(), query+` WHERE name = $1`, "a"); err != nil {
		t.Fatal(err)
	}
	execute(t, j, `ALTER TABLE opscom.worker ADD added int`)
	_, err = conn.Exec(t.Context(), query+` WHERE name = $1`, "a")
	if err == nil || !IsTransient(err) {
		t.Errorf("the first attempt: %v, want a transient error", err)
	}
	if _, err = conn.Exec(t.Context(), query+` WHERE name = $1`, "a"); err != nil {
		t.Errorf("the second attempt: %v", err)
	}
}

func TestOpenRefused(t *testing.T) {
	server := pgtest.Shared(t)
	url := migrated(t)
	name := databaseOf(t, url)
	server.Exec(t, "postgres", `DROP ROLE IF EXISTS nobody_in_particular`)
	server.Exec(t, "postgres", `CREATE ROLE nobody_in_particular LOGIN PASSWORD 'secret'`)
	at := "@" + server.Address() + "/"

	t.Run("password", func(t *testing.T) {
		refused(t, server.URLFor("postgres", "secret-but-wrong", name), "the journal at postgres"+at+name+" refuses the password", "PGPASSFILE")
	})
	t.Run("account", func(t *testing.T) {
		refused(t, with(t, server.SocketURL(name), func(u *neturl.URL, _ neturl.Values) { u.User = neturl.UserPassword("stranger", "secret") }),
			"does not admit this account", "stranger", "create it")
	})
	t.Run("database", func(t *testing.T) {
		refused(t, server.URL("nowhere"), "the journal at postgres"+at+"nowhere ", "there is no such database", "createdb")
	})
	t.Run("rights", func(t *testing.T) {
		refused(t, server.URLFor("nobody_in_particular", "secret", name), "refuses this account a right", "roles.sql")
		if _, err := Migrate(t.Context(), server.URLFor("nobody_in_particular", "secret", name), Options{}); err == nil || !strings.Contains(err.Error(), "the account that owns the database") {
			t.Errorf("to migrate: %v", err)
		}
	})
	t.Run("read only", func(t *testing.T) {
		server.Exec(t, "postgres", "ALTER DATABASE "+name+" SET default_transaction_read_only = on")
		defer server.Exec(t, "postgres", "ALTER DATABASE "+name+" RESET default_transaction_read_only")
		refused(t, url, "is a read-only standby, or is set to read only")
	})
	t.Run("certificate", func(t *testing.T) {
		refused(t, with(t, url, func(_ *neturl.URL, q neturl.Values) { q.Set("sslmode", "require") }), "offers no TLS", "ssl = on")
	})
	t.Run("address", func(t *testing.T) {
		for _, address := range []string{
			"postgres://u:secret@127.0.0.1:port/db", "postgres://u:secret@127.0.0.1/db?sslmode=secret", "postgres://u:sec/ret@127.0.0.1/db",
			"postgres://u:secret@127.0.0.1/db?pool_max_conns=many", "postgres://u:se%zzcret@127.0.0.1/db", "postgres://u:secret@127.0.0.1/db?sslmode=verify-full&sslrootcert=/no/such/secret",
		} {
			j, err := Open(t.Context(), address, Options{})
			if err == nil {
				j.Close()
				t.Errorf("%s is opened", address)
				continue
			}
			if strings.Contains(strings.ReplaceAll(err.Error(), "/no/such/secret", ""), "secret") || strings.Contains(err.Error(), "ret@") {
				t.Errorf("%s: %v", address, err)
			}
		}
	})
}

// refusedForNow checks that Open fails with a transient error that has these words.
func refusedForNow(t *testing.T, url string, words ...string) {
	t.Helper()
	j, err := Open(t.Context(), url, Options{})
	if err == nil {
		j.Close()
		t.Errorf("opened; want an error with %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error lacks %q: %v", word, err)
		}
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has a password, or more than a line: %v", err)
	}
	if !IsTransient(err) {
		t.Errorf("not transient: %v", err)
	}
}

func TestNoServer(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	t.Run("silent", func(t *testing.T) {
		refusedForNow(t, "postgres://opscom:secret@"+address+"/db?sslmode=disable&connect_timeout=1", "the journal at opscom@"+address+"/db", "does not answer")
	})
	listener.Close()
	t.Run("refused", func(t *testing.T) {
		refusedForNow(t, "postgres://opscom:secret@"+address+"/db?sslmode=disable", "the journal at opscom@"+address+"/db", "cannot be reached", "refused", "whether PostgreSQL runs there")
	})
	t.Run("socket", func(t *testing.T) {
		folder := t.TempDir()
		refusedForNow(t, "postgres://opscom:secret@/db?host="+folder, "opscom@", "cannot be reached", "no such file")
	})
	t.Run("closing", func(t *testing.T) {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				conn.Close()
			}
		}()
		refusedForNow(t, "postgres://opscom:secret@"+listener.Addr().String()+"/db?sslmode=disable", "is away: the connection was cut")
		listener.Close()
		<-done
	})
}

func TestServerInTrouble(t *testing.T) {
	server := pgtest.Start(t, pgtest.Options{TLS: true, Settings: map[string]string{"max_connections": "10", "superuser_reserved_connections": "0"}})
	url := server.URL("postgres")
	if _, err := Migrate(t.Context(), url, Options{}); err != nil {
		t.Fatal(err)
	}
	t.Run("too many connections", func(t *testing.T) {
		var conns []*pgx.Conn
		for len(conns) < 20 {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				break
			}
			conns = append(conns, conn)
		}
		refusedForNow(t, url, "has too many connections", "max_connections")
		for _, conn := range conns {
			conn.Close(t.Context())
		}
	})
	t.Run("TLS", func(t *testing.T) {
		const root = "sslrootcert"
		host := strings.Replace(server.Address(), "127.0.0.1", "localhost", 1)
		verified := with(t, url, func(u *neturl.URL, q neturl.Values) {
			u.Host = host
			q.Set("sslmode", "verify-full")
			q.Set(root, server.CertificateFile())
		})
		j := opened(t, verified)
		var encrypted bool
		if err := j.pool.QueryRow(t.Context(), `SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`).Scan(&encrypted); err != nil || !encrypted {
			t.Errorf("the connection is not encrypted (%v)", err)
		}
		refused(t, with(t, verified, func(_ *neturl.URL, q neturl.Values) { q.Del(root) }), "shows a certificate that this machine does not trust", "sslrootcert=FILE")
	})
	t.Run("only TLS", func(t *testing.T) {
		hba := "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
		server.WriteHBA(t, hba)
		refused(t, url, "does not admit this account without TLS", "sslmode=verify-full")
		server.WriteHBA(t, "local all all trust\n")
		refused(t, url, "does not admit this account", "pg_hba.conf")
		refused(t, with(t, url, func(_ *neturl.URL, q neturl.Values) { q.Set("sslmode", "require") }), "does not admit this account (")
		server.WriteHBA(t, "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\nlocal replication all trust\nhost replication all 127.0.0.1/32 scram-sha-256\n")
		opened(t, url)
	})
	t.Run("standby", func(t *testing.T) {
		standby := server.Standby(t)
		j := opened(t, pgtest.FailoverURL("postgres", standby, server)) // the second is the primary
		if a, b := standby.Address(), server.Address(); !strings.Contains(j.Address(), a) || !strings.Contains(j.Address(), b) {
			t.Errorf("address %s", j.Address())
		}
		refused(t, standby.URL("postgres"), "is a read-only standby")
		both := "postgres://postgres:secret@" + standby.Address() + "," + server.Address() + "/postgres?sslmode=disable"
		opened(t, both)
		server.Kill()
		refusedForNow(t, both, "read-only")
		_, err := j.pool.Exec(t.Context(), `SELECT 1`)
		if err = j.wrap("store the plan", err); !IsTransient(err) || !strings.HasPrefix(err.Error(), "store the plan: the journal at postgres@") {
			t.Errorf("after a kill: %v", err)
		}
		standby.Promote()
		if _, err := j.pool.Exec(t.Context(), `CREATE TABLE opscom.after (id int)`); err != nil {
			t.Errorf("after the failover: %v", err)
		}
	})
}

// Off this machine nothing is sent in the clear unless that is allowed.
func TestTLSIsRequired(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	root := filepath.Join(t.TempDir(), "root.crt")
	if err := os.WriteFile(root, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{ // "": refused
		"postgres://u:secret@db.example.edu/d":                                    "verify",
		"postgres://u:secret@db.example.edu/d?application_name=x":                 "verify",
		"postgres://u:secret@db.example.edu/d?sslmode=verify-full":                "verify",
		"postgres://u:secret@db.example.edu/d?sslmode=require":                    "encrypt",
		"postgres://u:secret@db.example.edu/d?sslmode=prefer":                     "",
		"postgres://u:secret@db.example.edu/d?sslmode=allow":                      "",
		"postgres://u:secret@db.example.edu/d?sslmode=disable":                    "",
		"postgres://u:secret@192.0.2.1/d?sslmode=disable":                         "",
		"postgres://u:secret@localhost,db.example.edu/d?sslmode=disable":          "",
		"postgres://u:secret@localhost.example.edu/d?sslmode=disable":             "",
		"postgres://u:secret@127.0.0.1/d?host=db.example.edu&sslmode=disable":     "",
		"postgres://u:secret@db.example.edu/d?hostaddr=127.0.0.1&sslmode=disable": "",
		"postgres://u:secret@localhost/d?sslmode=disable":                         "open",
		"postgres://u:secret@127.0.0.1/d?sslmode=disable":                         "open",
		"postgres://u:secret@[::1]/d?sslmode=disable":                             "open",
		"postgres://u:secret@/d?host=/run/postgresql":                             "open",
		"postgres://u:secret@localhost/d":                                         "encrypt", // or not, if the server has no TLS
	} {
		config, err := configure(address, Options{})
		got := ""
		if err == nil {
			got = "open"
			if c := config.ConnConfig.TLSConfig; c != nil {
				got = "encrypt"
				if !c.InsecureSkipVerify && c.ServerName != "" {
					got = "verify"
				}
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q (%v)", address, got, want, err)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "sslmode=verify-full")) {
			t.Errorf("%s: %v", address, err)
		}
		if _, err := configure(address, Options{Insecure: true}); err != nil {
			t.Errorf("%s: refused although it is allowed: %v", address, err)
		}
	}
	t.Setenv("PGSSLMODE", "disable")
	if _, err := configure("postgres://u@db.example.edu/d", Options{}); err == nil {
		t.Error("PGSSLMODE=disable is not refused")
	}
}

// Where the system has no locale, databases are made without an encoding.
func TestOtherEncoding(t *testing.T) {
	server := pgtest.Shared(t)
	server.Exec(t, "postgres", "CREATE DATABASE unencoded ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
	refusedWith(t, server.URL("unencoded"), Options{Keys: testKeys(t)}, "has the encoding SQL_ASCII", `"createdb -E UTF8 -T template0"`)
}
