package postgres

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres/keyring"
)

const (
	// maxConns is how many connections a process has at most, besides one for each target that it locks,
	// and one for turns: the database's 100 are for many processes. The parameter pool_max_conns of the address changes it.
	maxConns = 6

	connectTimeout = 10 * time.Second // unless the address has connect_timeout

	oldestVersion = 14 // of PostgreSQL: it has idle_session_timeout
)

// sessionSettings hold for every connection, whatever the database's defaults are. They
// are no startup parameters, which poolers refuse. The timeouts free what a process
// holds that was stopped in the middle of something, or that the network has lost. To compile a
// statement takes up to a second, where none takes that long.
const sessionSettings = `
SET TimeZone = 'UTC';
SET search_path = opscom;
SET default_transaction_isolation = 'read committed';
SET jit = off;
SET statement_timeout = '60s';
SET lock_timeout = '20s';
SET idle_in_transaction_session_timeout = '10s';
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = '20s';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`

// Options are how to connect.
type Options struct {
	// Insecure allows a connection to another machine without TLS.
	Insecure bool
	// Push says that the account has to have the rights of a worker.
	Push bool
	// Keys encrypt what is stored of people. Open needs them; migrations need none.
	Keys *keyring.Ring
	// Enqueue is called in the transaction that lets a run be pushed, to give its work to
	// others. May be nil.
	Enqueue func(ctx context.Context, tx pgx.Tx, run importer.RunInfo) error
	// Say is told what a person should know while a run is pushed. May be nil.
	Say func(note string)
	// Away is told why the database is away while a run is pushed, and nil when it is back. May be nil.
	Away func(err error)
}

// Journal is a journal in PostgreSQL. It is safe for concurrent use.
type Journal struct {
	journal.Earlier
	pool    *pgxpool.Pool
	gather  *gathering
	address string // user@host:port/database
	keys    *keyring.Ring
	salt    []byte
	enqueue func(ctx context.Context, tx pgx.Tx, run importer.RunInfo) error
	say     func(note string)
	away    func(err error)
	isAway  atomic.Bool   // a person was told
	term    time.Duration // of leases

	keepKeys atomic.Bool // see KeepKeys
}

// Open connects to the journal at a URL, and checks that it can be used. It does not wait for a database
// that is away: IsTransient says whether to try again.
func Open(ctx context.Context, url string, options Options) (*Journal, error) {
	j, err := OpenUnread(ctx, url, options)
	if err != nil {
		return nil, err
	}
	j.keys, j.enqueue, j.say, j.away, j.term = options.Keys, options.Enqueue, options.Say, options.Away, leaseTerm
	if err = j.failed("open the journal", j.loadSalt(ctx)); err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

// OpenUnread is Open without keys, for those who only ask who works on which runs: what is stored
// of people cannot be read.
func OpenUnread(ctx context.Context, url string, options Options) (*Journal, error) {
	j, err := connect(ctx, url, options, nil)
	if err != nil {
		return nil, err
	}
	err = j.checkSchema(ctx)
	if options.Push && (err == nil || IsRefused(err)) {
		err = cmp.Or(j.CheckRights(ctx, toPush()), err)
	}
	if err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

// Salt returns 32 random bytes that were created with the journal: the key of its digests.
func (j *Journal) Salt() []byte { return j.salt }

// loadSalt reads the salt, and creates it the first time. If the account may, it encrypts what
// outlives the runs with the first key.
func (j *Journal) loadSalt(ctx context.Context) error {
	if j.keys == nil {
		return errors.New("it needs the keys that encrypt it: name their file with --journal-key-file, or set OPSCOM_JOURNAL_KEY")
	}
	const query = `SELECT salt, current_setting('transaction_read_only') = 'off' AND
		has_column_privilege('opscom.journal', 'salt', 'UPDATE') AND has_table_privilege('opscom.roster', 'UPDATE') FROM opscom.journal`
	var sealed []byte
	var mayWrite bool
	err := j.pool.QueryRow(ctx, query).Scan(&sealed, &mayWrite)
	if errors.Is(err, pgx.ErrNoRows) {
		salt := make([]byte, 32)
		rand.Read(salt) // never fails
		if _, err = j.pool.Exec(ctx, "INSERT INTO opscom.journal (salt, timeline) VALUES ($1, opscom.timeline()) ON CONFLICT DO NOTHING", j.keys.Seal(nil, salt)); err == nil {
			err = j.pool.QueryRow(ctx, query).Scan(&sealed, &mayWrite)
		}
	}
	if err != nil {
		return err
	}
	if j.salt, err = j.keys.Open(sealed); err != nil {
		return &databaseError{text: fmt.Sprintf("read the key of its digests: %v", err)} // it is the keys that are wrong
	}
	if !mayWrite {
		return nil
	}
	if err := j.sealSaltAgain(ctx, sealed); err != nil {
		return err
	}
	return j.sealRostersAgain(ctx)
}

// sealSaltAgain encrypts the salt with the first key of the ring, if another one encrypted it, so
// that the other can be dropped. It does no harm if two do it at once.
func (j *Journal) sealSaltAgain(ctx context.Context, sealed []byte) error {
	if j.keys.IsFirst(sealed) {
		return nil
	}
	_, err := j.pool.Exec(ctx, "UPDATE opscom.journal SET salt = $1 WHERE salt = $2", j.keys.Seal(nil, j.salt), sealed)
	return err
}

// connect connects to a database of whatever schema. Each connection is prepared by a function, if there is one.
func connect(ctx context.Context, url string, options Options, prepare func(context.Context, *pgx.Conn) error) (*Journal, error) {
	config, err := configure(url, options)
	if err != nil {
		return nil, err
	}
	j := &Journal{address: addressOf(config)}
	j.Earlier = journal.NewEarlier(history{j})
	if err := j.checkServer(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, sessionSettings); err != nil || prepare == nil {
			return err
		}
		return prepare(ctx, conn)
	}
	j.pool, err = pgxpool.NewWithConfig(ctx, config)
	j.gather = newGathering(j.pool)
	return j, j.wrap("", err)
}

// Close closes all connections. It waits for those that are in use.
func (j *Journal) Close() error {
	j.gather.close()
	j.pool.Close()
	return nil
}

// Address returns user@host:port/database.
func (j *Journal) Address() string { return j.address }

// configure reads an address. No error holds its password.
func configure(address string, options Options) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, unreadable(err)
	}
	if !options.Insecure && open(config) != "" && sslModeUnset(address) {
		// the driver would go on without TLS where it fails with TLS
		if config, err = pgxpool.ParseConfig(withParameter(address, "sslmode", "verify-full")); err != nil {
			return nil, unreadable(err)
		}
	}
	if host := open(config); host != "" && !options.Insecure {
		return nil, fmt.Errorf("the journal at %s is on another machine, and its sslmode allows a connection to %s that others can read: "+
			"write sslmode=verify-full, or sslmode=require, or allow it with --insecure-journal", addressOf(config), host)
	}
	if !strings.Contains(address, "pool_max_conns=") {
		config.MaxConns = maxConns
	}
	config.MaxConnIdleTime, config.PingTimeout = time.Minute, connectTimeout
	connection := config.ConnConfig
	if connection.ConnectTimeout == 0 || connection.ConnectTimeout > time.Minute { // two minutes is the driver's default
		connection.ConnectTimeout = connectTimeout
	}
	if len(hosts(config)) > 1 && connection.ValidateConnect == nil {
		connection.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite // the one that is the primary now
	}
	if connection.RuntimeParams["application_name"] == "" {
		connection.RuntimeParams["application_name"] = "opscom-import"
	}
	connection.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}).DialContext
	return config, nil
}

// unreadable returns the error of an address that cannot be read. The driver's may hold a password.
func unreadable(err error) error {
	if file := new(fs.PathError); errors.As(err, &file) {
		return fmt.Errorf("the journal's address names a file that cannot be read: %w", file)
	}
	return errors.New("the journal's address cannot be read (it is not shown, because it may hold a password): " +
		"write it like postgres://opscom@db.example.edu:5432/opscom?sslmode=verify-full")
}

// endpoint is one way to the database.
type endpoint struct {
	host string // or the folder of a Unix socket
	port uint16
	tls  bool
}

func endpoints(config *pgxpool.Config) []endpoint {
	connection := config.ConnConfig
	all := []endpoint{{connection.Host, connection.Port, connection.TLSConfig != nil}}
	for _, f := range connection.Fallbacks {
		all = append(all, endpoint{f.Host, f.Port, f.TLSConfig != nil})
	}
	return all
}

// open returns the first other machine to which the connection may be one without TLS; "" for none.
func open(config *pgxpool.Config) string {
	for _, e := range endpoints(config) {
		if !e.tls && !local(e.host) {
			return e.host
		}
	}
	return ""
}

// local says whether a host is this machine.
func local(host string) bool {
	if network, _ := pgconn.NetworkAddress(host, 0); network == "unix" || host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// hosts returns each host and port once.
func hosts(config *pgxpool.Config) (names []string) {
	for _, e := range endpoints(config) {
		if name := net.JoinHostPort(e.host, strconv.Itoa(int(e.port))); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// addressOf returns user@host:port/database for messages.
func addressOf(config *pgxpool.Config) string {
	connection := config.ConnConfig
	return fmt.Sprintf("%s@%s/%s", connection.User, strings.Join(hosts(config), ","), connection.Database)
}

// sslModeUnset says whether nobody has said what is wanted.
func sslModeUnset(address string) bool {
	u, err := url.Parse(address)
	return err == nil && !u.Query().Has("sslmode") && os.Getenv("PGSSLMODE") == ""
}

// withParameter returns an address with one more parameter.
func withParameter(address, name, value string) string {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + name + "=" + value
}

// checkVersion says whether a server is too old.
func checkVersion(version string) error {
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < oldestVersion {
		return &tooOldError{version}
	}
	return nil // a preview, such as 18beta1, is new
}

type tooOldError struct{ version string }

func (e *tooOldError) Error() string {
	return fmt.Sprintf("it is PostgreSQL %s, and %d or newer is needed: upgrade it", e.version, oldestVersion)
}
