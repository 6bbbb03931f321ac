package postgres

import "github.com/jackc/pgx/v5/pgxpool"

// Pool returns the journal's connections, for River, which keeps its jobs in the same database.
func (j *Journal) Pool() *pgxpool.Pool { return j.pool }
