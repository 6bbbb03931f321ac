package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// fill leases more chunks until that many rows are ready, or no chunk is to be had. A chunk may
// have few rows that wait.
func (l *Lane) fill(ctx context.Context, rows int) error {
	for factor := 1; ; factor *= 2 {
		l.mu.Lock()
		missing, isLost := rows-len(l.ready), l.isLost
		l.mu.Unlock()
		switch {
		case isLost:
			return ErrLeaseLost
		case missing <= 0:
			return nil
		}
		n := factor * ((missing + format.ChunkRows - 1) / format.ChunkRows)
		if taken, err := l.take(ctx, min(n, readBatch)); err != nil || taken == 0 {
			return err
		}
	}
}

// take leases up to n chunks, makes their rows ready, and returns how many it were.
func (l *Lane) take(ctx context.Context, n int) (int, error) {
	ctx, stop := context.WithTimeout(ctx, l.leases.term)
	defer stop()
	asked := time.Now()
	taken, err := l.leases.lease(ctx, n)
	if err == nil && len(taken) == 0 {
		err = l.heal(ctx)
	}
	if err != nil || len(taken) == 0 {
		return 0, err
	}
	chunks := make(map[int]*heldChunk, len(taken))
	for _, c := range taken {
		chunks[c.chunk] = &heldChunk{leased: c, renewed: asked, open: map[int]bool{}, lost: map[int]bool{}, claims: map[int]bool{}}
	}
	var ready []importer.Job
	err = l.leases.insist(ctx, func(ctx context.Context) (err error) {
		ready, err = l.load(ctx, chunks)
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(taken), l.keep(ctx, chunks, ready)
}

// keep holds chunks that were leased, and gives those back in which nothing waits.
func (l *Lane) keep(ctx context.Context, chunks map[int]*heldChunk, ready []importer.Job) error {
	var over []change
	l.mu.Lock()
	for _, c := range chunks {
		l.held[c.chunk], l.coming = c, c.round
		if len(c.open) == 0 {
			over = append(over, change{chunk: c.chunk, epoch: c.epoch, events: c.events, over: c.round})
		}
	}
	l.ready = append(l.ready, ready...)
	l.mu.Unlock()
	if len(over) == 0 {
		return nil
	}
	_, _, err := l.write(ctx, over, streak{})
	return err
}

const selectLeased = `SELECT c.chunk, c.data, s.claimed, s.events,
	ARRAY(SELECT e.data FROM opscom.event e WHERE e.night = $1 AND e.run = $2 AND e.chunk = c.chunk ORDER BY e.seq), p.data
	FROM opscom.chunk c LEFT JOIN opscom.chunk_state s ON s.run = c.run AND s.chunk = c.chunk
	LEFT JOIN opscom.payload p ON p.night = $1 AND p.run = $2 AND p.chunk = c.chunk
	WHERE c.night = $1 AND c.run = $2 AND c.chunk = ANY($3) ORDER BY c.chunk`

// load returns the rows of leased chunks that are to be pushed, with their payloads.
func (l *Lane) load(ctx context.Context, chunks map[int]*heldChunk) (ready []importer.Job, err error) {
	numbers := make([]int, 0, len(chunks))
	for chunk := range chunks {
		numbers = append(numbers, chunk)
	}
	rows, err := l.leases.pool.Query(ctx, selectLeased, l.leases.night, l.leases.run, numbers)
	if err != nil {
		return nil, err
	}
	stored, err := pgx.CollectRows(rows, scanLeased)
	if err != nil {
		return nil, err
	}
	if len(stored) != len(chunks) {
		return nil, fmt.Errorf("%w: chunks of run %d are missing", format.ErrDamaged, l.leases.run)
	}
	assembler := format.Assembler{Run: l.leases.run, Chunk: new(format.Chunk)}
	for i := range stored {
		s := &stored[i]
		err := l.journal.assemble(&assembler, &s.storedChunk, func() error {
			jobs, err := l.open(chunks[s.number], assembler.Chunk, s)
			ready = append(ready, jobs...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return ready, nil
}

// leasedChunk is a stored chunk with its payloads.
type leasedChunk struct {
	storedChunk
	payloads []byte
}

func scanLeased(row pgx.CollectableRow) (s leasedChunk, err error) {
	var claimed, known *int
	if err = row.Scan(&s.number, &s.plan, &claimed, &known, &s.events, &s.payloads); err != nil {
		return s, err
	}
	s.state(claimed, known)
	return s, nil
}

// open returns the rows of a leased chunk that are to be pushed, with their payloads. What failed
// since the run was last started is not.
func (l *Lane) open(c *heldChunk, rows *format.Chunk, s *leasedChunk) ([]importer.Job, error) {
	number := int64(c.chunk)
	failed := map[int]bool{}
	for seq := c.resumed + 1; seq <= len(s.events); seq++ {
		data, err := l.journal.keys.Open(s.events[seq-1], l.leases.run, number, int64(seq))
		if err != nil {
			return nil, err
		}
		if err := format.ReadEvents(l.leases.run, number, int64(seq), data, func(e *format.Event) error {
			failed[e.Row] = isKnown(e.Status)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	if s.payloads == nil {
		return nil, fmt.Errorf("%w: what is to be sent for chunk %d of run %d is missing", format.ErrDamaged, c.chunk, l.leases.run)
	}
	data, err := l.payloads.Open(s.payloads, l.leases.run, number, placeOfPayloads)
	if err != nil {
		return nil, err
	}
	jobs, err := format.ReadPayloads(l.leases.run, c.round, rows, data)
	if err != nil {
		return nil, err
	}
	waiting := jobs[:0]
	for _, job := range jobs {
		if failed[job.Row] {
			continue
		}
		waiting = append(waiting, job)
		c.open[job.Row] = false
		if rows.Row(job.Row).Lost(c.claimed) {
			c.lost[job.Row] = true
		}
	}
	return waiting, nil
}
