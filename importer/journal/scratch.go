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
)

// Scratch keeps the verdicts of a check until its reports are written. It is no
// journal: nothing outlives it, so it needs no database, only a temporary file,
// and that only once there is something to keep. It belongs to one goroutine at
// a time.
type Scratch struct {
	whole    bool     // rows of which there is nothing to tell are kept too
	file     *os.File // nil while nothing is kept
	size     int64    // of what was written
	building sliceBuilder
	plans    []piece // in row order
	verdicts []piece // amendments, as they came
}

// piece is where a record stands in the file: the plan of a slice, or what was
// found out about its rows later.
type piece struct {
	slice int64
	section
}

// NewScratch returns an empty store. One that is whole keeps every row; any other
// leaves out those of which there is nothing to tell: pending, without a problem.
func NewScratch(whole bool) *Scratch { return &Scratch{whole: whole} }

// Append takes rows in rising order, as [Run.Append] does.
func (s *Scratch) Append(_ context.Context, rows []importer.PlannedRow) error {
	for i := range rows {
		row := &rows[i]
		if !s.whole && row.Status == importer.StatusPending && len(row.Problems) == 0 {
			continue
		}
		if number := sliceOf(row.Row); number != s.building.number {
			if err := s.flush(); err != nil {
				return err
			}
			s.building.reset(number)
		}
		if err := s.building.add(row); err != nil {
			return fmt.Errorf("keep the check's verdicts: %w", err)
		}
	}
	return nil
}

// flush writes the slice that is being built, if it has rows.
func (s *Scratch) flush() error {
	b := &s.building
	if b.rows == 0 {
		return nil
	}
	at, err := s.write(closed(b.plan, 0, b.number, 0, 0))
	s.plans = append(s.plans, piece{b.number, at})
	b.rows = 0
	return err
}

// Amend changes the verdict on rows that were appended, be they kept or not.
func (s *Scratch) Amend(_ context.Context, amendments []importer.Amendment) error {
	return eachSlice(amending(amendments), func(number int64, data []byte) error {
		at, err := s.write(closed(data, 0, number, 0))
		s.verdicts = append(s.verdicts, piece{number, at})
		return err
	})
}

// write appends a record to the file.
func (s *Scratch) write(record []byte) (section, error) {
	if s.file == nil {
		var err error
		if s.file, err = os.CreateTemp("", "opscom-import-check-*"); err != nil {
			return section{}, fmt.Errorf("create a temporary file for the check: %w", err)
		}
	}
	at := section{s.size, int64(len(record))}
	if _, err := s.file.WriteAt(record, at.at); err != nil {
		return at, fmt.Errorf("keep the check's verdicts: %w", err)
	}
	s.size += at.size
	return at, nil
}

// Results yields one line for each row that was kept or amended, in row order. A
// row that a push would send is Valid; one that was amended and not kept has
// neither unique id nor login source. An error comes last.
func (s *Scratch) Results() iter.Seq2[importer.Result, error] {
	return func(yield func(importer.Result, error) bool) {
		if err := s.project(yield); err != nil && !errors.Is(err, errEnough) {
			yield(importer.Result{}, fmt.Errorf("read the check's verdicts: %w", err))
		}
	}
}

// project brings plans and verdicts together, slice by slice, and yields the rows.
func (s *Scratch) project(yield func(importer.Result, error) bool) error {
	if err := s.flush(); err != nil {
		return err
	}
	plans, verdicts := s.plans, s.verdicts
	slices.SortStableFunc(verdicts, func(a, b piece) int { return cmp.Compare(a.slice, b.slice) })
	for one := newSlice(); len(plans) > 0 || len(verdicts) > 0; {
		if len(verdicts) == 0 || len(plans) > 0 && plans[0].slice <= verdicts[0].slice {
			if err := s.readPlan(one, plans[0]); err != nil {
				return err
			}
			plans = plans[1:]
		} else {
			one.reset(verdicts[0].slice)
		}
		for ; len(verdicts) > 0 && verdicts[0].slice == one.number; verdicts = verdicts[1:] {
			if err := s.readVerdicts(one, verdicts[0]); err != nil {
				return err
			}
		}
		slices.SortFunc(one.rows, func(a, b rowState) int { return a.plan.Row - b.plan.Row })
		for i := range one.rows {
			line := one.rows[i].result(0)
			if line.Status == importer.StatusNotSent {
				line.Status = importer.StatusValid
			}
			if !yield(line, nil) {
				return errEnough
			}
		}
	}
	return nil
}

func (s *Scratch) readPlan(one *slice, p piece) error {
	data, err := s.read(p)
	if err != nil {
		return err
	}
	return one.read(0, p.slice, section{}, data)
}

func (s *Scratch) readVerdicts(one *slice, p piece) error {
	data, err := s.read(p)
	if err != nil {
		return err
	}
	return readVerdicts(0, p.slice, 0, data, func(v *verdict) error {
		row := one.row(byte(v.Row % sliceRows))
		if row == nil {
			row = one.add(byte(v.Row % sliceRows))
		}
		row.apply(v)
		return nil
	})
}

func (s *Scratch) read(p piece) ([]byte, error) {
	data := make([]byte, p.size)
	_, err := s.file.ReadAt(data, p.at)
	return data, err
}

// Close removes the file.
func (s *Scratch) Close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
