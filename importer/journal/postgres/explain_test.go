package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestExplain(t *testing.T) {
	j := &Journal{address: "opscom@db:5432/opscom"}
	const value = "Ada's e-mail address" // which the server may quote
	refused := func(code, message string) error {
		return fmt.Errorf("the driver's words: %w", &pgconn.PgError{
			Severity: "ERROR", Code: code, Message: message, Detail: "Key (email)=(" + value + ") already exists.", ConstraintName: "run_one_a_target",
		})
	}
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		err       error
		want      string
		transient bool
	}{
		{refused("53100", "could not extend file"), "has no space left on its disk: free some there, or enlarge it", true},
		{refused("53200", "out of memory"), "lacks memory or other resources (out of memory): look into the server's log", true},
		{refused("53300", "sorry, too many clients already"), "has too many connections: raise its max_connections, or let fewer processes work on it", true},
		{refused("57P01", "terminating connection due to administrator command"), "is away: PostgreSQL was stopped, or has closed the connection; start it again", true},
		{refused("57P03", "the database system is starting up"), "takes no connections now (the database system is starting up): wait until it does", true},
		{refused("57P05", "terminating connection due to idle-session timeout"), "has closed a connection that this process did not use in time: the process was stopped meanwhile, or the machine is overloaded", true},
		{refused("55P03", "canceling statement due to lock timeout"), "takes too long (canceling statement due to lock timeout): the server is overloaded, or somebody holds a lock; look into pg_stat_activity", true},
		{refused("40P01", "deadlock detected"), "fails (deadlock detected, SQLSTATE 40P01): look into the server's log", true},
		{refused("40001", "could not serialize access"), "fails (could not serialize access, SQLSTATE 40001): look into the server's log", true},
		{refused("25006", "cannot execute INSERT in a read-only transaction"), readOnly, true},
		{refused("42501", "permission denied for table run"), "refuses this account a right that it needs (permission denied for table run): grant it a role of docs/fleet/roles.sql", false},
		{refused("42704", `unrecognized configuration parameter "sslmod"`), `does not know a parameter of the address (unrecognized configuration parameter "sslmod"): correct or remove it there`, false},
		{refused("42P01", `relation "opscom.run" does not exist`), `lacks a part of its schema (relation "opscom.run" does not exist): ` + migrate, false},
		{refused("42P05", `prepared statement "a" already exists`), sharedSessions, false},
		{refused("08P01", "unsupported startup parameter: options"), "is behind a pooler that refuses parameters of the address: remove them, or connect to PostgreSQL itself", false},
		{refused("23505", value), "refuses what it was given (SQLSTATE 23505 run_one_a_target): this is a mistake in opscom-import; please report it", false},
		{refused("22P02", "invalid input syntax: "+value), "refuses what it was given (SQLSTATE 22P02 run_one_a_target): this is a mistake in opscom-import; please report it", false},
		{refused("XX001", "invalid page in block 0"), "fails (invalid page in block 0, SQLSTATE XX001): look into the server's log", false},
		{fmt.Errorf("connect: %w", dial), "cannot be reached (connection refused): check the address, and whether PostgreSQL runs there", true},
		{&net.DNSError{Name: "db", IsNotFound: true}, "cannot be reached: the name db is not known: check the address and the network", true},
		{io.ErrUnexpectedEOF, "is away: the connection was cut; check the network and whether PostgreSQL still runs there", true},
		{pgconn.ErrConnClosed, "is away: the connection was cut; check the network and whether PostgreSQL still runs there", true},
		{context.DeadlineExceeded, "does not answer: check the address, the network and whether PostgreSQL runs there", true},
		{&tooOldError{"13.4"}, "cannot be used: it is PostgreSQL 13.4, and 14 or newer is needed: upgrade it", false},
		{errors.New("something else"), "fails: something else", false},
	} {
		err := j.wrap("store the plan", c.err)
		if want := "store the plan: the journal at opscom@db:5432/opscom " + c.want; err.Error() != want {
			t.Errorf("%v:\n got %v\nwant %v", c.err, err, want)
		}
		if IsTransient(err) != c.transient || IsTransient(c.err) != c.transient {
			t.Errorf("%v: transient %t", c.err, IsTransient(err))
		}
		if IsFull(err) != strings.Contains(c.want, "no space") {
			t.Errorf("%v: full %t", c.err, IsFull(err))
		}
		if strings.Contains(err.Error(), value) {
			t.Errorf("an error has a value: %v", err)
		}
		if again := j.wrap("push", err); again != err {
			t.Errorf("explained twice: %v", again)
		}
	}
	for _, err := range []error{nil, context.Canceled, fmt.Errorf("query: %w", context.Canceled)} {
		if got := j.wrap("push", err); got != err || IsTransient(err) {
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestCheckVersion(t *testing.T) {
	for version, old := range map[string]bool{"13.4 (Debian)": true, "9.6.24": true, "14.0": false, "15.18 (Debian 15.18-0+deb12u1)": false, "18beta1": false, "": false} {
		if err := checkVersion(version); (err != nil) != old {
			t.Errorf("%s: %v", version, err)
		}
	}
}
