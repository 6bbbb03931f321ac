package postgres

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

// Check makes sure that what is stored can be read, as far as that is quickly known: the schema
// is that of this version of the program, and the keys are those of the journal.
func (j *Journal) Check(ctx context.Context) error {
	if err := j.checkSchema(ctx); err != nil {
		return err
	}
	const action = "read the key of the digests"
	var sealed []byte
	err := j.pool.QueryRow(ctx, "SELECT salt FROM opscom.journal").Scan(&sealed)
	if err != nil {
		return j.failed(action, orDamaged(err))
	}
	salt, err := j.keys.Open(sealed)
	if err == nil && !bytes.Equal(salt, j.salt) {
		err = fmt.Errorf("%w: it is another one than before", format.ErrDamaged)
	}
	return j.failed(action, err)
}

// Stats returns how large the journal is: its bytes are those of the tables and indexes, with
// what PostgreSQL has not vacuumed yet.
func (j *Journal) Stats(ctx context.Context) (s journal.Stats, err error) {
	var oldest *time.Time
	err = j.pool.QueryRow(ctx, `SELECT (SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class WHERE relnamespace = 'opscom'::regnamespace AND relkind = 'r'),
		count(*), count(*) FILTER (WHERE NOT `+isOver+`), min(started_at) FROM opscom.run`).Scan(&s.Bytes, &s.Runs, &s.Unfinished, &oldest)
	s.Oldest = timeOf(oldest)
	return s, j.failed("measure the journal", err)
}

// exactRows is up to about how many rows a table's are counted; of larger ones PostgreSQL's own
// estimate is given.
const exactRows = 100_000

// Statistics measures the journal. Its pages are those of all tables and indexes; how many of
// them are free is not known. The rows of large tables are estimates, and those of a table with
// partitions are of all nights.
func (j *Journal) Statistics(ctx context.Context) (s journal.Statistics, err error) {
	err = j.view(ctx, "measure the journal", func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `SELECT (SELECT max(version_id) FROM `+versionTable+`), current_setting('block_size')::bigint,
			(SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint / current_setting('block_size')::bigint FROM pg_class WHERE relnamespace = 'opscom'::regnamespace AND relkind = 'r')`).
			Scan(&s.Schema, &s.PageSize, &s.Pages)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT c.relname, pg_stat_get_live_tuples(c.oid) + (SELECT coalesce(sum(pg_stat_get_live_tuples(p.relid)), 0)::bigint FROM pg_partition_tree(c.oid) AS p WHERE p.isleaf)
			FROM pg_class c WHERE c.relnamespace = 'opscom'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname COLLATE "C"`)
		if err != nil {
			return err
		}
		if s.Tables, err = pgx.CollectRows(rows, pgx.RowToStructByPos[journal.TableCount]); err != nil {
			return err
		}
		for i := range s.Tables {
			if t := &s.Tables[i]; t.Rows <= exactRows {
				if err := countRows(ctx, tx, t); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return s, err
}

// countRows counts the rows of a table, if this account may read it.
func countRows(ctx context.Context, tx pgx.Tx, t *journal.TableCount) error {
	name := pgx.Identifier{schema, t.Table}.Sanitize()
	var isReadable bool
	if err := tx.QueryRow(ctx, "SELECT has_table_privilege($1, 'SELECT')", name).Scan(&isReadable); err != nil || !isReadable {
		return err
	}
	return tx.QueryRow(ctx, "SELECT count(*) FROM "+name).Scan(&t.Rows)
}
