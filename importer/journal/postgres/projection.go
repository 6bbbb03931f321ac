package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// The places of what is stored of a chunk, after the numbers of the run and the chunk. Events
// follow, from 1 on.
const (
	placeOfPlan     = 0
	placeOfPayloads = -1
)

// readBatch is how many chunks are read in one query.
const readBatch = 64

const selectChunks = `SELECT c.chunk, c.data, s.claimed, s.events,
	ARRAY(SELECT e.data FROM opscom.event e WHERE e.night = $1 AND e.run = $2 AND e.chunk = c.chunk ORDER BY e.seq)
	FROM opscom.chunk c LEFT JOIN opscom.chunk_state s ON s.run = c.run AND s.chunk = c.chunk
	WHERE c.night = $1 AND c.run = $2 AND `

// project calls visit with each chunk of the run in row order, plan and events brought
// together, and the row up to which its pending rows may have been sent. It keeps some
// chunks in memory; visit must not keep what it gets. Whether anything is missing is known,
// and reported, at the end.
func (j *Journal) project(ctx context.Context, tx pgx.Tx, r *runRecord, visit func(c *format.Chunk, claimed int) error) error {
	assembler := format.Assembler{Run: r.ID, Chunk: new(format.Chunk)}
	for last, more := -1, true; more; {
		rows, err := tx.Query(ctx, selectChunks+"c.chunk > $3 ORDER BY c.chunk LIMIT $4", r.night, r.ID, last, readBatch)
		if err != nil {
			return err
		}
		stored, err := pgx.CollectRows(rows, scanChunk)
		if err != nil {
			return err
		}
		for i := range stored {
			last = stored[i].number
			if err := j.assemble(&assembler, &stored[i], func() error { return visit(assembler.Chunk, r.claimed(&stored[i])) }); err != nil {
				return err
			}
		}
		more = len(stored) == readBatch
	}
	if r.State != importer.RunPlanning && (assembler.Found.Chunks != int64(r.chunks) || assembler.Found.Planned != r.planned) {
		return fmt.Errorf("%w: run %d has %d of %d rows", format.ErrDamaged, r.ID, assembler.Found.Planned, r.planned)
	}
	return nil
}

// claimed returns the row up to which the pending rows of a chunk may have been sent. What a
// failover may have lost of it nobody knows.
func (r *runRecord) claimed(s *storedChunk) int {
	if r.isMoved && r.payloadKey != nil {
		return format.Everything
	}
	return s.claimed
}

// storedChunk is what is stored of a chunk.
type storedChunk struct {
	number  int
	plan    []byte
	claimed int
	events  [][]byte
	known   int // number of events that there should be; -1: nobody knows
}

func scanChunk(row pgx.CollectableRow) (s storedChunk, err error) {
	var claimed, known *int
	if err = row.Scan(&s.number, &s.plan, &claimed, &known, &s.events); err != nil {
		return s, err
	}
	s.state(claimed, known)
	return s, nil
}

// state takes over where the chunk stands; nil when that is missing.
func (s *storedChunk) state(claimed, known *int) {
	if s.known = -1; claimed != nil && known != nil {
		s.claimed, s.known = *claimed, *known
	}
}

// assemble makes the assembler's chunk of what is stored, and visits it.
func (j *Journal) assemble(a *format.Assembler, s *storedChunk, visit func() error) error {
	if len(s.events) != s.known {
		return fmt.Errorf("%w: chunk %d of run %d has %d of %d records", format.ErrDamaged, s.number, a.Run, len(s.events), s.known)
	}
	a.Visit = func() error { return nil }
	number := int64(s.number)
	plan, err := j.keys.Open(s.plan, a.Run, number, placeOfPlan)
	if err == nil {
		err = a.AddPlan(number, format.Section{}, plan)
	}
	for i, sealed := range s.events {
		if err != nil {
			return err
		}
		var events []byte
		if events, err = j.keys.Open(sealed, a.Run, number, int64(i+1)); err == nil {
			err = a.AddEvents(number, int64(i+1), events)
		}
	}
	if err != nil {
		return err
	}
	return visit()
}

// eachResult calls visit with each row's line in the results of the run, in row order.
func (j *Journal) eachResult(ctx context.Context, tx pgx.Tx, r *runRecord, visit func(importer.Result) error) error {
	return j.project(ctx, tx, r, func(c *format.Chunk, claimed int) error {
		for row := range c.All {
			if err := visit(row.Result(claimed)); err != nil {
				return err
			}
		}
		return nil
	})
}
