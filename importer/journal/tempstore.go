package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// TempStore keeps the plan of a check until its reports are written. Nothing
// outlives it, so it needs no database, only a temporary file, and that only once
// there is something to keep. It is for one goroutine at a time.
type TempStore struct {
	all      bool     // pending and unchanged rows without a problem are kept too
	file     *os.File // nil while nothing is kept
	size     int64    // bytes written
	building format.ChunkBuilder
	records  []tempRecord
}

// tempRecord says where a record is in the file: the plan of a chunk, or events on
// its rows.
type tempRecord struct {
	chunk  int64
	events bool
	format.Section
}

// NewTempStore returns an empty store. It keeps all rows, or only those with something
// to report: rows that have a problem, or are neither pending nor unchanged, and leavers.
func NewTempStore(all bool) *TempStore { return &TempStore{all: all} }

// Append takes rows in rising order, as [Run.Append] does.
func (s *TempStore) Append(_ context.Context, rows []importer.PlannedRow) error {
	for i := range rows {
		row := &rows[i]
		isQuiet := (row.Status == importer.StatusPending || row.Status == importer.StatusUnchanged) && len(row.Problems) == 0 && !row.Leaver
		if isQuiet && !s.all {
			continue
		}
		if err := s.building.Add(row, s.flush); err != nil {
			return err
		}
	}
	return nil
}

// flush writes the chunk that is being built, if it has rows.
func (s *TempStore) flush() error {
	b := &s.building
	if b.Rows == 0 {
		return nil
	}
	b.Rows = 0
	return s.write(tempRecord{chunk: b.Number}, format.Seal(b.Plan, 0, b.Number, 0, 0))
}

// Amend amends rows that were appended, whether they were kept or not.
func (s *TempStore) Amend(_ context.Context, amendments []importer.Amendment) error {
	if err := s.flush(); err != nil {
		return err
	}
	return format.PackEvents(format.AmendmentEvents(amendments), func(chunk int64, data []byte) error {
		return s.write(tempRecord{chunk: chunk, events: true}, format.Seal(data, 0, chunk, 0))
	})
}

// write appends a record to the file.
func (s *TempStore) write(r tempRecord, data []byte) error {
	if s.file == nil {
		var err error
		if s.file, err = os.CreateTemp("", "opscom-import-check-*"); err != nil {
			return fmt.Errorf("create a temporary file for the check: %w", err)
		}
	}
	r.Section = format.Section{At: s.size, Size: int64(len(data))}
	if _, err := s.file.WriteAt(data, r.At); err != nil {
		return fmt.Errorf("keep the plan of the check: %w", err)
	}
	s.size += r.Size
	s.records = append(s.records, r)
	return nil
}

// Results yields one line for each row that was kept or amended, in row order. A
// row that a push would send is Valid; one that was amended and not kept has
// neither unique id nor login source. An error comes last.
func (s *TempStore) Results() iter.Seq2[importer.Result, error] {
	return format.Sequence(func(visit func(importer.Result) error) error {
		if err := s.eachResult(visit); err != nil {
			return fmt.Errorf("read the plan of the check: %w", err)
		}
		return nil
	})
}

// eachResult brings plans and events together, chunk by chunk, and visits the rows.
func (s *TempStore) eachResult(visit func(importer.Result) error) error {
	if err := s.flush(); err != nil {
		return err
	}
	slices.SortStableFunc(s.records, func(a, b tempRecord) int { return cmp.Compare(a.chunk, b.chunk) })
	c := new(format.Chunk)
	for rest := s.records; len(rest) > 0; {
		*c = format.Chunk{Number: rest[0].chunk}
		for ; len(rest) > 0 && rest[0].chunk == c.Number; rest = rest[1:] {
			if err := s.read(c, rest[0]); err != nil {
				return err
			}
		}
		for row := range c.All {
			line := row.Result(0)
			if line.Status == importer.StatusNotSent {
				line.Status = importer.StatusValid
			}
			if err := visit(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// read reads a record into the chunk.
func (s *TempStore) read(c *format.Chunk, r tempRecord) error {
	data := make([]byte, r.Size)
	if _, err := s.file.ReadAt(data, r.At); err != nil {
		return err
	}
	if !r.events {
		_, err := c.Read(0, r.chunk, format.Section{}, data)
		return err
	}
	return format.ReadEvents(0, r.chunk, 0, data, func(e *format.Event) error {
		row := &c.Rows[e.Row%format.ChunkRows]
		row.Plan.Row = e.Row // it may not have been kept
		row.Apply(e)
		return nil
	})
}

// Close removes the file.
func (s *TempStore) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
