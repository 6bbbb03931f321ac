package journal

import (
	"encoding/binary"
	"fmt"

	"opscom-import/importer"
)

// sliceRows is how many row numbers belong to a slice. A row is found by
// arithmetic: it is row%sliceRows of slice row/sliceRows.
const sliceRows = 256

func sliceOf(row int) int64 { return int64(row) / sliceRows }

// sliceBuilder packs the planned rows of one slice:
//
//	row%256, status, key, hash, and as texts unique id, login source, reference id, field, message, warnings;
//	the number of problems, and each of them (see problem.go)
//
// and apart from them, because they leave earlier, the payloads of the pending ones:
//
//	row%256, payload as a text
type sliceBuilder struct {
	number   int64
	rows     int
	plan     []byte
	payloads []byte
}

func (b *sliceBuilder) reset(number int64) {
	*b = sliceBuilder{number: number, plan: b.plan[:0], payloads: b.payloads[:0]}
}

func (b *sliceBuilder) add(p *importer.PlannedRow) error {
	code, err := statusCode(p.Status)
	if err != nil {
		return fmt.Errorf("row %d: %w", p.Row, err)
	}
	b.rows++
	b.plan = append(b.plan, byte(p.Row%sliceRows), code)
	b.plan = append(b.plan, p.Key[:]...)
	b.plan = append(b.plan, p.Hash[:]...)
	for _, text := range [...]string{p.UniqueID, p.LoginSource, p.ReferenceID, p.Field, p.Message, p.Warnings} {
		b.plan = appendText(b.plan, text)
	}
	b.plan = binary.AppendUvarint(b.plan, uint64(len(p.Problems)))
	for i := range p.Problems {
		b.plan = appendProblem(b.plan, &p.Problems[i])
	}
	if p.Status == importer.StatusPending {
		b.payloads = append(b.payloads, byte(p.Row%sliceRows))
		b.payloads = binary.AppendUvarint(b.payloads, uint64(len(p.Payload)))
		b.payloads = append(b.payloads, p.Payload...)
	}
	return nil
}

// section says where in the run's payload file the payloads of a slice are.
type section struct {
	at, size int64
}

// slice is one slice of a run, with all that was found out about its rows.
type slice struct {
	number   int64
	payloads section
	rows     []rowState
	index    [sliceRows]int16 // place in rows by row%256; -1: there is no such row
}

// rowState is what is known of one row.
type rowState struct {
	plan     importer.PlannedRow // as amended; without its payload
	outcome  importer.Outcome    // the last
	recorded bool                // it has an outcome
	again    bool                // it was claimed again, and the claim has no outcome yet
	earlier  importer.Outcome    // what held before that claim
	attempts int                 // over every outcome
}

func newSlice() *slice { return &slice{rows: make([]rowState, 0, sliceRows)} }

// reset empties the slice.
func (s *slice) reset(number int64) {
	s.number, s.payloads, s.rows = number, section{}, s.rows[:0]
	for i := range s.index {
		s.index[i] = -1
	}
}

// read unpacks the slice's plan.
func (s *slice) read(run, number int64, payloads section, data []byte) error {
	s.reset(number)
	s.payloads = payloads
	blob, err := opened(data, run, number, payloads.at, payloads.size)
	if err != nil {
		return err
	}
	for blob.more() && len(s.rows) < sliceRows {
		p := &s.add(blob.byte()).plan
		p.Status = blob.status()
		p.Key, p.Hash = blob.digest(), blob.digest()
		p.UniqueID, p.LoginSource, p.ReferenceID = blob.text(), blob.text(), blob.text()
		p.Field, p.Message, p.Warnings = blob.text(), blob.text(), blob.text()
		for n := blob.number(); n > 0 && !blob.bad; n-- {
			p.Problems = append(p.Problems, blob.problem(p.Row))
		}
	}
	return blob.err()
}

// add appends the row with that remainder, of which nothing is known.
func (s *slice) add(low byte) *rowState {
	s.index[low] = int16(len(s.rows))
	s.rows = append(s.rows, rowState{plan: importer.PlannedRow{Row: int(s.number)*sliceRows + int(low)}})
	return &s.rows[len(s.rows)-1]
}

// row returns what is known of the row with that remainder, nil when there is no
// such row.
func (s *slice) row(low byte) *rowState {
	if i := s.index[low]; i >= 0 {
		return &s.rows[i]
	}
	return nil
}

// waits reports whether the row is to be pushed, for the first time or again.
func (r *rowState) waits() bool {
	return r.plan.Status == importer.StatusPending && (!r.recorded || r.outcome.Open)
}

// lost reports whether the row was claimed and no outcome came.
func (r *rowState) lost(claimed int) bool {
	return r.plan.Status == importer.StatusPending && !r.recorded && r.plan.Row <= claimed
}

// result is the row's line in the results of a run that claimed its pending rows
// up to claimed.
func (r *rowState) result(claimed int) importer.Result {
	line := importer.Result{
		Row: r.plan.Row, UniqueID: r.plan.UniqueID, LoginSource: r.plan.LoginSource, Status: r.plan.Status,
		ReferenceID: r.plan.ReferenceID, Field: r.plan.Field, Message: r.plan.Message, Warnings: r.plan.Warnings,
		Attempts: r.attempts, Problems: r.plan.Problems,
	}
	switch {
	case r.lost(claimed):
		line.Status = importer.StatusUnknown
	case r.plan.Status != importer.StatusPending:
	case !r.recorded:
		line.Status = importer.StatusNotSent
	default:
		o := &r.outcome
		line.Status, line.ReferenceID, line.ErrorCode = o.Status, o.ReferenceID, o.ErrorCode
		line.Field, line.Message, line.FinishedAt = o.Field, o.Message, o.FinishedAt
	}
	return line
}
