package postgres

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Finding is what one step of Examine found. The fields are as a person reads them.
type Finding struct {
	What   string // what was looked at
	Detail string // what was found
	Note   string // what a person should look at, though it keeps nothing from working; "" for nothing
	Err    error  // what is wrong, and what to do; nil when nothing is
}

// Examine looks at the database of a journal a step at a time: whether it can be reached and how, its sessions, its
// schema, what this account may do, its clock, and what could lose something or run out. It changes nothing. What
// comes after a step that failed is left out if it needs that step.
func Examine(ctx context.Context, url string, options Options) []Finding {
	config, err := configure(url, options)
	if err != nil {
		return []Finding{{What: "database", Err: err}}
	}
	j := &Journal{address: addressOf(config)}
	plain := config.ConnConfig.Copy()
	plain.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // as the way through a pooler
	conn, err := pgx.ConnectConfig(ctx, plain)
	if err != nil {
		return []Finding{{What: "database", Err: j.wrap("", err)}}
	}
	defer conn.Close(context.WithoutCancel(ctx))
	way, note := transport(conn)
	findings := []Finding{
		{What: "database", Detail: fmt.Sprintf("%s, PostgreSQL %s, %s", j.address, conn.PgConn().ParameterStatus("server_version"), way), Note: note},
		{What: "sessions", Detail: "it can be written to, and no pooler takes them away", Err: j.checkServer(ctx, config.ConnConfig)},
	}
	if findings[1].Err != nil {
		return findings
	}
	findings = append(findings, j.examineClock(ctx, conn), j.examineRoom(ctx, conn))
	if j, err = connect(ctx, url, options, nil); err != nil {
		return append(findings, Finding{What: "schema", Err: err})
	}
	defer j.Close()
	schema := j.examineSchema(ctx)
	findings = append(findings, schema)
	if schema.Err == nil {
		findings = append(findings, j.examineRights(ctx, conn))
	}
	return findings
}

// transport says how a connection reaches the server, and what is not good about that.
func transport(conn *pgx.Conn) (way, note string) {
	secure, ok := conn.PgConn().Conn().(*tls.Conn)
	if !ok {
		remote := conn.PgConn().Conn().RemoteAddr()
		if tcp, ok := remote.(*net.TCPAddr); !ok || tcp.IP.IsLoopback() {
			return "on this machine", ""
		}
		return "without TLS", "; others can read what is sent: write sslmode=verify-full in the address"
	}
	config, state := conn.Config(), secure.ConnectionState()
	way = tls.VersionName(state.Version)
	if len(state.VerifiedChains) > 0 || config.TLSConfig != nil && config.TLSConfig.VerifyPeerCertificate != nil {
		return way, ""
	}
	return way, "; its certificate is not checked: write sslmode=verify-full in the address"
}

// clockWorth is the difference of the clocks that is worth a look. Leases and the rate need none: both are measured on
// one clock each.
const clockWorth = time.Minute

func (j *Journal) examineClock(ctx context.Context, conn *pgx.Conn) Finding {
	f := Finding{What: "db clock"}
	var theirs time.Time
	asked := time.Now()
	if err := conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&theirs); err != nil {
		f.Err = j.wrap("", err)
		return f
	}
	ours := asked.Add(time.Since(asked) / 2)
	apart := ours.Sub(theirs).Abs().Round(time.Second)
	f.Detail = fmt.Sprintf("%s apart from this machine's", apart)
	if apart > clockWorth {
		f.Note = "; times in lists and reports differ by that: set both clocks"
	}
	return f
}

// examineRoom looks at what runs out, and at settings with which what was committed can get lost.
func (j *Journal) examineRoom(ctx context.Context, conn *pgx.Conn) Finding {
	f := Finding{What: "connections"}
	var used, most int
	var fsync, fullPages string
	err := conn.QueryRow(ctx, `SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
		current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer,
		current_setting('fsync'), current_setting('full_page_writes')`).Scan(&used, &most, &fsync, &fullPages)
	if err != nil {
		f.Err = j.wrap("", err)
		return f
	}
	f.Detail = fmt.Sprintf("%d of %d in use; a process needs up to %d, and one for each run that it begins", used, most, maxConns)
	if most-used < 2*maxConns {
		f.Note = "; raise max_connections"
	}
	if fsync == "off" || fullPages == "off" {
		f.Note += "; fsync or full_page_writes is off there: after a power failure rows that were sent may be missing. Switch both on"
	}
	return f
}

func (j *Journal) examineSchema(ctx context.Context) Finding {
	f := Finding{What: "schema", Err: j.checkSchema(ctx)}
	if f.Err != nil {
		return f
	}
	steps, err := j.steps(ctx)
	if err != nil {
		f.Err = j.wrap("", err)
		return f
	}
	newest := map[string]int64{}
	for _, s := range steps {
		newest[s.Schema] = max(newest[s.Schema], s.Version)
	}
	f.Detail = fmt.Sprintf("%s version %d, %s version %d, as this program needs", schema, newest[schema], riverSchema, newest[riverSchema])
	return f
}

// examineRights looks at what the account may do. It may do less than everything on purpose.
func (j *Journal) examineRights(ctx context.Context, conn *pgx.Conn) Finding {
	f := Finding{What: "rights"}
	var may, mayNot []string
	for _, d := range []Duty{ToLook(), ToPlan(), toPush()} {
		missing, err := missingRight(ctx, conn, d.rights)
		if err != nil {
			f.Err = j.wrap("", err)
			return f
		}
		if missing == "" {
			may = append(may, d.name)
		} else {
			mayNot = append(mayNot, fmt.Sprintf("%s (no %s)", d.name, missing))
		}
	}
	if len(may) == 0 {
		f.Err = fmt.Errorf("this account may not %s: grant it a role of docs/fleet/roles.sql", strings.Join(mayNot, ", "))
		return f
	}
	f.Detail = "this account may " + strings.Join(may, ", ")
	if len(mayNot) > 0 {
		f.Detail += ", and not " + strings.Join(mayNot, ", ")
	}
	var isSuperuser bool
	if err := conn.QueryRow(ctx, `SELECT rolsuper FROM pg_roles WHERE rolname = current_user`).Scan(&isSuperuser); err != nil {
		f.Err = j.wrap("", err)
	}
	if isSuperuser {
		f.Note = "; it is a superuser: give the program an account with less"
	}
	return f
}
