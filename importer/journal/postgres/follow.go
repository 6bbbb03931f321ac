package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// $3 and $4 are the chunks of which records are known, and how many. OFFSET 0 keeps PostgreSQL from
// reading all records of a large run where few chunks have new ones.
const selectNews = `
	SELECT s.chunk, e.seq, e.data FROM opscom.chunk_state s
	LEFT JOIN unnest($3::int[], $4::int[]) AS k (chunk, seq) ON k.chunk = s.chunk
	CROSS JOIN LATERAL (SELECT e.seq, e.data FROM opscom.event e
		WHERE e.night = $1 AND e.run = $2 AND e.chunk = s.chunk AND e.seq > coalesce(k.seq, s.resumed) OFFSET 0) AS e
	WHERE s.run = $2 AND s.events > coalesce(k.seq, s.resumed)
	ORDER BY s.chunk, e.seq`

// Follow returns a function that returns how many rows got an outcome, by status, since it was called
// before, or since the run was last started, also those that others pushed. It reads no more than is new.
func (r *Run) Follow() func(ctx context.Context) (importer.Counts, error) {
	known := map[int]int{} // records by chunk
	return func(ctx context.Context) (importer.Counts, error) {
		counts, err := r.news(ctx, known)
		return counts, r.journal.failed(fmt.Sprintf("follow run %d", r.id), err)
	}
}

// news returns what is new, and then it is known.
func (r *Run) news(ctx context.Context, known map[int]int) (importer.Counts, error) {
	r.mu.Lock()
	night := r.record.night
	r.mu.Unlock()
	var chunks, seqs []int
	for chunk, seq := range known {
		chunks, seqs = append(chunks, chunk), append(seqs, seq)
	}
	rows, err := r.journal.pool.Query(ctx, selectNews, night, r.id, chunks, seqs)
	if err != nil {
		return nil, err
	}
	counts := importer.Counts{}
	latest := map[int]int{}
	var chunk, seq int
	var sealed []byte
	_, err = pgx.ForEachRow(rows, []any{&chunk, &seq, &sealed}, func() error {
		latest[chunk] = seq
		data, err := r.journal.keys.Open(sealed, r.id, int64(chunk), int64(seq))
		if err != nil {
			return err
		}
		return format.ReadEvents(r.id, int64(chunk), int64(seq), data, func(e *format.Event) error {
			if isKnown(e.Status) {
				counts[e.Status]++
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	for chunk, seq := range latest {
		known[chunk] = seq
	}
	return counts, nil
}
