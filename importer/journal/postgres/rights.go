package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Duty is what an account may do, and the rights that it needs for that.
type Duty struct {
	name   string
	who    string   // does it
	role   string   // of docs/fleet/roles.sql
	rights []string // a privilege and what it is on: a table or sequence, or a function
}

// ToLook is the duty of those who look at runs.
func ToLook() Duty {
	return Duty{"look at runs", "a viewer", "opscom_viewer", []string{"SELECT opscom.run", "SELECT opscom.chunk", "SELECT opscom.event", "SELECT opscom.chunk_state"}}
}

// ToPlan is the duty of those who plan, approve, stop and forget runs.
func ToPlan() Duty {
	return Duty{"plan runs", "a planner", "opscom_planner", []string{
		"INSERT opscom.run", "INSERT opscom.chunk", "INSERT opscom.payload", "INSERT opscom.chunk_state", "INSERT opscom.event", "UPDATE opscom.pace",
	}}
}

func toPush() Duty { return Duty{"push them", "a worker", "opscom_worker", rightsToPush()} }

// rightsToPush are those that a worker needs.
func rightsToPush() []string {
	return []string{
		"SELECT opscom.journal", "SELECT opscom.run", "UPDATE opscom.run", "SELECT opscom.chunk", "SELECT opscom.payload",
		"SELECT opscom.chunk_state", "UPDATE opscom.chunk_state", "SELECT opscom.event", "INSERT opscom.event", "USAGE opscom.event_id",
		"SELECT opscom.target", "UPDATE opscom.target", "SELECT opscom.pace", "INSERT opscom.pace", "UPDATE opscom.pace",
		"EXECUTE opscom.reserve", "EXECUTE opscom.timeline", "EXECUTE opscom.drop_payloads", "SELECT opscom.lane", "UPDATE opscom.lane",
		"SELECT opscom.worker", "INSERT opscom.worker", "UPDATE opscom.worker", "DELETE opscom.worker",
		"SELECT river.river_job", "INSERT river.river_job", "UPDATE river.river_job", "DELETE river.river_job", "USAGE river.river_job_id_seq",
		"SELECT river.river_queue", "INSERT river.river_queue", "UPDATE river.river_queue", "DELETE river.river_queue",
		"SELECT river.river_leader", "INSERT river.river_leader", "UPDATE river.river_leader", "DELETE river.river_leader",
		"SELECT river.river_notification", "INSERT river.river_notification", "DELETE river.river_notification", "USAGE river.river_notification_id_seq",
	}
}

// missingRight returns the first of the rights that the account lacks, as in "INSERT on opscom.run"; "" for none. It
// needs no right itself.
func missingRight(ctx context.Context, conn querier, rights []string) (missing string, err error) {
	privileges, names := make([]string, len(rights)), make([]string, len(rights))
	for i, right := range rights {
		privileges[i], names[i], _ = strings.Cut(right, " ")
	}
	err = conn.QueryRow(ctx, `
		SELECT coalesce((SELECT n.privilege || ' on ' || n.name
			FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS n (privilege, name, place)
			LEFT JOIN pg_namespace s ON s.nspname = split_part(n.name, '.', 1)
			LEFT JOIN pg_class c ON c.relnamespace = s.oid AND c.relname = split_part(n.name, '.', 2)
			LEFT JOIN pg_proc p ON p.pronamespace = s.oid AND p.proname = split_part(n.name, '.', 2)
			WHERE NOT coalesce(has_schema_privilege(s.oid, 'USAGE') AND CASE
				WHEN c.oid IS NULL THEN has_function_privilege(p.oid, n.privilege)
				WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, n.privilege)
				WHEN n.privilege = 'DELETE' THEN has_table_privilege(c.oid, n.privilege)
				ELSE has_any_column_privilege(c.oid, n.privilege) END, false)
			ORDER BY n.place LIMIT 1), '')`, privileges, names).Scan(&missing)
	return missing, err
}

// CheckRights says which right the account lacks for a duty.
func (j *Journal) CheckRights(ctx context.Context, d Duty) error {
	missing, err := missingRight(ctx, j.pool, d.rights)
	if err != nil || missing == "" {
		return j.wrap("", err)
	}
	return j.refuse(`refuses this account a right that %s needs (%s): use another account, or let the owner run docs/fleet/roles.sql, and then GRANT %s TO "%s"`,
		d.who, missing, d.role, j.pool.Config().ConnConfig.User)
}

// IsRefused says whether the database refuses what it was asked, or this account, and will do so again: a right is
// missing, a table or function, or the account itself.
func IsRefused(err error) bool {
	server := new(pgconn.PgError)
	return errors.As(err, &server) && slices.Contains([]string{"28", "3D", "3F", "42"}, server.Code[:min(2, len(server.Code))])
}
