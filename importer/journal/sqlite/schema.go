package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"opscom-import/importer/journal/internal/format"
)

// selectSchema lists what the tables are made of, a line each. A name in the schema that a
// flipped bit has changed is well-formed, and no check of SQLite's own finds it.
const selectSchema = `SELECT t.name || ' has ' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || ifnull(c.dflt_value, '') || ' ' || c.pk
		FROM sqlite_schema AS t, pragma_table_xinfo(t.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'backup%'
	UNION ALL SELECT t.name || ' refers to ' || f."table" || ' ' || f."from" || ' ' || ifnull(f."to", '') || ' ' || f.on_delete
		FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table'
	UNION ALL SELECT t.name || ' is indexed by ' || i.name || ' ' || i."unique" || ' ' || ifnull(c.name, '') || ' ' || c.seqno
		FROM sqlite_schema AS t, pragma_index_list(t.name) AS i, pragma_index_xinfo(i.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'backup%'`

func schemaOf(ctx context.Context, q querier) (lines []string, err error) {
	rows, err := q.QueryContext(ctx, selectSchema)
	err = eachRow(rows, err, func() error {
		var line string
		err := rows.Scan(&line)
		lines = append(lines, line)
		return err
	})
	slices.Sort(lines)
	return lines, err
}

// checkSchema compares the tables with those of a new journal of the same version: a backup
// may be older than the program.
func (j *Journal) checkSchema(ctx context.Context, _ *Health) (err error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // each would have a database of its own
	own, err := schema(j.reader)
	if err != nil {
		return err
	}
	version, _, err := versions(ctx, own)
	if err == nil && version < 1 || IsUnwritable(err) { // goose would make the table that is missing
		err = fmt.Errorf("%w: its version is not known", format.ErrDamaged)
	}
	if err != nil {
		return err
	}
	fresh, err := schema(db)
	if err != nil {
		return err
	}
	if _, err := fresh.UpTo(ctx, version); err != nil {
		return err
	}
	want, err := schemaOf(ctx, db)
	if err != nil {
		return err
	}
	got, err := schemaOf(ctx, j.reader)
	for _, line := range want {
		if err == nil && !slices.Contains(got, line) {
			err = fmt.Errorf("%w: not as it should be: %s", format.ErrDamaged, line)
		}
	}
	return err
}
