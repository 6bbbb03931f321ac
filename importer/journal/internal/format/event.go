package format

import (
	"encoding/binary"
	"fmt"
	"slices"

	"opscom-import/importer"
)

// An event is what was found out about one row after its plan was stored: an
// amendment of the plan, or an outcome. The events of a batch are packed, those of
// one chunk together:
//
//	row%256, flags, status, attempts (of a duplicate: the row that it repeats; of an
//	amended pending row: its round),
//	finished at (microseconds since 1970, 0 for never),
//	and as texts reference id, error code, field, message;
//	the problem of an amendment, if the flags announce it (see appendProblem)
type Event struct {
	importer.Outcome
	amendment *importer.Amendment // nil: it is an outcome
}

const (
	flagRetry     = 1 << 0
	flagAmendment = 1 << 1
	flagProblem   = 1 << 2
)

func AppendEvent(dst []byte, e *Event) ([]byte, error) {
	status, number, flags := e.Status, e.Attempts, byte(0)
	if e.Retry {
		flags |= flagRetry
	}
	if a := e.amendment; a != nil {
		status, number, flags = a.Status(), max(a.DuplicateOf, a.Round), flagAmendment
		if a.Problem != nil {
			flags |= flagProblem
		}
	}
	code, err := StatusCode(status)
	if err != nil {
		return dst, fmt.Errorf("row %d: %w", e.Row, err)
	}
	dst = append(dst, byte(e.Row%ChunkRows), flags, code)
	dst = binary.AppendUvarint(dst, uint64(number))
	dst = binary.AppendUvarint(dst, uint64(MicroOf(e.FinishedAt)))
	dst = AppendTexts(dst, e.ReferenceID, e.ErrorCode, e.Field, e.Message)
	if flags&flagProblem != 0 {
		dst = appendProblem(dst, e.amendment.Problem)
	}
	return dst, nil
}

// ReadEvents unpacks the events of one batch on one chunk.
func ReadEvents(run, chunk, seq int64, data []byte, visit func(*Event) error) error {
	blob, err := Unseal(data, run, chunk, seq)
	if err != nil {
		return err
	}
	for e := new(Event); blob.more(); {
		*e = Event{}
		e.Row = int(chunk)*ChunkRows + int(blob.byte())
		flags := blob.byte()
		e.Retry = flags&flagRetry != 0
		e.Status = blob.status(blob.byte())
		e.Attempts = int(blob.number())
		e.FinishedAt = TimeOf(int64(blob.number()))
		e.ReferenceID, e.ErrorCode, e.Field, e.Message = blob.text(), blob.text(), blob.text(), blob.text()
		if flags&flagAmendment != 0 {
			e.amendment = blob.amendment(e, flags)
		}
		if err := blob.Err(); err != nil {
			return err
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

// amendment completes an amendment from the members that it shares with outcomes.
func (r *blobReader) amendment(e *Event, flags byte) *importer.Amendment {
	a := &importer.Amendment{Row: e.Row}
	if flags&flagProblem != 0 {
		a.Problem = new(r.problem(e.Row))
	}
	switch {
	case e.Status == importer.StatusPending:
		a.Round = e.Attempts
	case e.Status != importer.StatusDuplicate:
	case e.Attempts > 0:
		a.DuplicateOf = e.Attempts
	default: // version 1 stored it as a sentence
		_, err := fmt.Sscanf(e.Message, "The same as row %d.", &a.DuplicateOf)
		r.bad = r.bad || err != nil
	}
	return a
}

// Apply applies the event to the row that it is about.
func (c *Chunk) Apply(e *Event) error {
	row := c.Row(e.Row)
	if row == nil {
		return ErrDamaged
	}
	row.Apply(e)
	return nil
}

func (r *rowState) Apply(e *Event) {
	if e.amendment != nil {
		r.Plan.Amend(e.amendment)
		return
	}
	r.record(&e.Outcome)
}

// record applies an outcome. A row that is claimed once more gets an unknown outcome
// with the claim, without an attempt. When it is released unsent, the outcome that it
// had before holds again, since nothing more is known of the earlier request. A claim
// on top of a claim means that the process died in between.
func (r *rowState) record(o *importer.Outcome) {
	r.attempts += o.Attempts
	claim := r.recorded && o.Status == importer.StatusUnknown && o.Attempts == 0
	switch {
	case claim && r.again:
		r.earlier = *o
	case claim:
		r.earlier = r.outcome
	case r.again && o.Status == importer.StatusNotSent:
		r.outcome, r.again = r.earlier, false
		return
	}
	r.outcome, r.recorded, r.again = *o, true, claim
}

// PackEvents packs events and calls store with those of each chunk, in the order of
// the chunks; data is reused after it returns. It sorts the slice.
func PackEvents(events []Event, store func(chunk int64, data []byte) error) error {
	slices.SortStableFunc(events, func(a, b Event) int { return a.Row - b.Row })
	var data []byte
	for i := 0; i < len(events); {
		chunk := ChunkOf(events[i].Row)
		data = data[:0]
		for ; i < len(events) && ChunkOf(events[i].Row) == chunk; i++ {
			var err error
			if data, err = AppendEvent(data, &events[i]); err != nil {
				return err
			}
		}
		if err := store(chunk, data); err != nil {
			return err
		}
	}
	return nil
}

// AmendmentEvents returns amendments as events.
func AmendmentEvents(amendments []importer.Amendment) []Event {
	events := make([]Event, len(amendments))
	for i := range amendments {
		events[i] = Event{amendment: &amendments[i], Outcome: importer.Outcome{Row: amendments[i].Row}}
	}
	return events
}

// Unknown returns the outcome of a row that may have been sent.
func Unknown(row int) Event {
	return Event{Outcome: importer.Outcome{Row: row, Answer: importer.Answer{Status: importer.StatusUnknown}, Retry: true}}
}
