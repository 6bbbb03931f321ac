package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres/keyring"
)

// databaseError says in one sentence what happened to which database, and what to do. The cause is for IsTransient and
// the like: its own text may hold values of rows.
type databaseError struct {
	text  string
	cause error
}

func (e *databaseError) Error() string { return e.text }
func (e *databaseError) Unwrap() error { return e.cause }

// wrap explains an error of the database. The action is what could not be done, "" for the connection itself.
// The error of a context that was canceled stays what it is.
func (j *Journal) wrap(action string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.As(err, new(*databaseError)) {
		return err
	}
	text := fmt.Sprintf("the journal at %s %s", j.address, explain(err))
	if action != "" {
		text = action + ": " + text
	}
	return &databaseError{text, err}
}

// Explain says in one sentence what an error of the database means that somebody else got over the journal's pool.
func (j *Journal) Explain(action string, err error) error { return j.failed(action, err) }

// refuse returns the error of a database that cannot be used. The reason continues the sentence "the journal at …".
func (j *Journal) refuse(format string, args ...any) error {
	return &databaseError{text: fmt.Sprintf("the journal at %s "+format, append([]any{j.address}, args...)...)}
}

// explain continues the sentence "the journal at …".
func explain(err error) string {
	old := new(tooOldError)
	certificate := new(tls.CertificateVerificationError)
	lookup := new(net.DNSError)
	operation := new(net.OpError)
	server := new(pgconn.PgError)
	switch {
	case errors.As(err, &old):
		return "cannot be used: " + old.Error()
	case errors.As(err, &server):
		return explainServer(server)
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return readOnly
	case errors.As(err, &certificate):
		return fmt.Sprintf("shows a certificate that this machine does not trust (%v): name its authority with sslrootcert=FILE in the address, or correct the host's name",
			certificate.Err)
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return "offers no TLS: switch it on there with ssl = on, or allow a connection that others can read with --insecure-journal and sslmode=disable"
	case errors.As(err, &lookup):
		return fmt.Sprintf("cannot be reached: the name %s is not known: check the address and the network", lookup.Name)
	case errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err):
		return "does not answer: check the address, the network and whether PostgreSQL runs there"
	case errors.As(err, &operation) && operation.Op == "dial":
		return fmt.Sprintf("cannot be reached (%v): check the address, and whether PostgreSQL runs there", operation.Err)
	case isCut(err):
		return "is away: the connection was cut; check the network and whether PostgreSQL still runs there"
	}
	return fmt.Sprintf("fails: %v", err)
}

const (
	readOnly       = "is a read-only standby, or is set to read only: name the primary, or all servers with target_session_attrs=read-write"
	sharedSessions = "is behind a pooler that gives each transaction another session, where locks and settings get lost: " +
		"let it pool sessions (pool_mode = session in PgBouncer), or connect to PostgreSQL itself"
	migrate = `run "opscom-import migrate" with the account that owns the database`
)

// explainServer explains what the server says. The codes are in appendix A of PostgreSQL's manual.
func explainServer(e *pgconn.PgError) string {
	switch e.Code {
	case "28P01":
		return "refuses the password: correct it in the file of PGPASSFILE, in PGPASSWORD, or in the address in OPSCOM_JOURNAL"
	case "28000":
		if strings.Contains(e.Message, "no encryption") { // which it also says where TLS would change nothing
			return fmt.Sprintf("does not admit this account without TLS (%s): write sslmode=verify-full in the address, or let the server's pg_hba.conf admit it", e.Message)
		}
		return fmt.Sprintf("does not admit this account (%s): create it, and let the server's pg_hba.conf admit it", e.Message)
	case "3D000":
		return "cannot be used: there is no such database; create it with createdb, or correct the address"
	case "42501":
		return fmt.Sprintf("refuses this account a right that it needs (%s): grant it a role of docs/fleet/roles.sql", e.Message)
	case "3F000", "42P01", "42703", "42883", "42704":
		if strings.Contains(e.Message, "configuration parameter") { // it became a setting of the session
			return fmt.Sprintf("does not know a parameter of the address (%s): correct or remove it there", e.Message)
		}
		return fmt.Sprintf("lacks a part of its schema (%s): %s", e.Message, migrate)
	case "25006":
		return readOnly
	case "26000", "42P05": // prepared statements get lost, or are there already
		return sharedSessions
	case "53100":
		return "has no space left on its disk: free some there, or enlarge it"
	case "53300":
		return "has too many connections: raise its max_connections, or let fewer processes work on it"
	case "57P03":
		return fmt.Sprintf("takes no connections now (%s): wait until it does", e.Message)
	case "57P01", "57P02":
		return "is away: PostgreSQL was stopped, or has closed the connection; start it again"
	case "57P05", "25P03":
		return "has closed a connection that this process did not use in time: the process was stopped meanwhile, or the machine is overloaded"
	case "57014", "55P03":
		return fmt.Sprintf("takes too long (%s): the server is overloaded, or somebody holds a lock; look into pg_stat_activity", e.Message)
	case "08P01":
		if strings.Contains(e.Message, "startup parameter") {
			return "is behind a pooler that refuses parameters of the address: remove them, or connect to PostgreSQL itself"
		}
	}
	switch e.Code[:min(2, len(e.Code))] {
	case "53":
		return fmt.Sprintf("lacks memory or other resources (%s): look into the server's log", e.Message)
	case "22", "23": // the message may quote a value
		return fmt.Sprintf("refuses what it was given (SQLSTATE %s %s): this is a mistake in opscom-import; please report it", e.Code, e.ConstraintName)
	}
	return fmt.Sprintf("fails (%s, SQLSTATE %s): look into the server's log", e.Message, e.Code)
}

// IsOfDatabase says whether an error is of the database of a journal, of what it holds, or of the keys to that.
func IsOfDatabase(err error) bool {
	var damaged *journal.DamagedError
	return errors.As(err, new(*databaseError)) || errors.As(err, &damaged) && damaged.Database != "" ||
		errors.As(err, new(*keyring.UnknownKeyError)) || errors.Is(err, keyring.ErrDamaged) || errors.Is(err, keyring.ErrMoved)
}

// IsAway says whether an error is that the database of a journal does not answer now.
func IsAway(err error) bool { return IsOfDatabase(err) && IsTransient(err) }

// IsFull says whether an error is that the disk of a journal's database is full.
func IsFull(err error) bool {
	server := new(pgconn.PgError)
	return errors.As(err, &server) && server.Code == "53100"
}

// IsTransient says whether the same may work later: the database is away, starting, failing over, or full, or somebody
// else was in the way. The deadline of a context counts as well, because it is how a
// network that was cut shows; a canceled context does not.
func IsTransient(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if server := new(pgconn.PgError); errors.As(err, &server) {
		switch server.Code {
		case "40001", "40P01", // serialization failure, deadlock
			"55P03", "57014", // took too long
			"57P01", "57P02", "57P03", // stopped, crashed, starting
			"57P05", "25P03", // idle for too long
			"25006": // was the primary until now
			return true
		case "0A000": // somebody has migrated: the next attempt prepares the statement again
			return server.Routine == "RevalidateCachedQuery"
		case "08P01":
			return false
		}
		class := server.Code[:min(2, len(server.Code))]
		return class == "08" || class == "53" // connection, resources
	}
	if errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(*tooOldError)) {
		return false
	}
	return errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) || errors.Is(err, pgconn.ErrReadOnlyConnection) || isCut(err)
}

// isCut says whether a connection ended, or there was none.
func isCut(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, pgconn.ErrConnClosed)
}
