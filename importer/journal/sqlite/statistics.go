package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"opscom-import/importer/journal"
	"slices"
)

// Statistics measures the journal.
func (j *Journal) Statistics(ctx context.Context) (s journal.Statistics, err error) {
	err = j.view(ctx, "measure the journal", func(tx *sql.Tx) error {
		for pragma, into := range map[string]*int64{"page_count": &s.Pages, "freelist_count": &s.FreePages, "page_size": &s.PageSize} {
			if err := tx.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(into); err != nil {
				return err
			}
		}
		if err := tx.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version").Scan(&s.Schema); err != nil {
			return err
		}
		tables, err := tx.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
		if err != nil {
			return err
		}
		defer tables.Close() // only read
		for tables.Next() {
			var t journal.TableCount
			if err := tables.Scan(&t.Table); err != nil {
				return err
			}
			s.Tables = append(s.Tables, t)
		}
		if err := tables.Err(); err != nil {
			return err
		}
		for i := range s.Tables {
			if err := tx.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %q", s.Tables[i].Table)).Scan(&s.Tables[i].Rows); err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(s.Tables, func(a, b journal.TableCount) int { return slices.Compare([]byte(a.Table), []byte(b.Table)) })
	return s, err
}
