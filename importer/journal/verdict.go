package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"

	"opscom-import/importer"
)

// A verdict is what was found out about one row after its plan was stored. The
// verdicts of a batch are packed, those of one slice together:
//
//	row%256, flags, status, attempts, finished at (microseconds since 1970, 0 for never),
//	and as texts reference id, error code, field, message;
//	the problem that the flags announce (see problem.go)
type verdict struct {
	importer.Outcome
	amendment bool                 // of the plan; otherwise it is an outcome
	problem   *importer.RowProblem // of an amendment; nil for none
}

const (
	flagOpen      = 1 << 0
	flagAmendment = 1 << 1
	flagProblem   = 1 << 2
)

func appendVerdict(dst []byte, v *verdict) ([]byte, error) {
	code, err := statusCode(v.Status)
	if err != nil {
		return dst, fmt.Errorf("row %d: %w", v.Row, err)
	}
	flags := byte(0)
	if v.Open {
		flags |= flagOpen
	}
	if v.amendment {
		flags |= flagAmendment
	}
	if v.problem != nil {
		flags |= flagProblem
	}
	dst = append(dst, byte(v.Row%sliceRows), flags, code)
	dst = binary.AppendUvarint(dst, uint64(v.Attempts))
	dst = binary.AppendUvarint(dst, uint64(microOf(v.FinishedAt)))
	for _, text := range [...]string{v.ReferenceID, v.ErrorCode, v.Field, v.Message} {
		dst = appendText(dst, text)
	}
	if v.problem != nil {
		dst = appendProblem(dst, v.problem)
	}
	return dst, nil
}

// readVerdicts unpacks the verdicts of one batch on one slice.
func readVerdicts(run, slice, seq int64, data []byte, visit func(*verdict) error) error {
	blob, err := opened(data, run, slice, seq)
	if err != nil {
		return err
	}
	for v := new(verdict); blob.more(); {
		*v = verdict{}
		v.Row = int(slice)*sliceRows + int(blob.byte())
		flags := blob.byte()
		v.Open, v.amendment = flags&flagOpen != 0, flags&flagAmendment != 0
		v.Status = blob.status()
		v.Attempts = int(blob.number())
		v.FinishedAt = timeOf(int64(blob.number()))
		v.ReferenceID, v.ErrorCode, v.Field, v.Message = blob.text(), blob.text(), blob.text(), blob.text()
		if flags&flagProblem != 0 {
			v.problem = new(blob.problem(v.Row))
		}
		if err := blob.err(); err != nil {
			return err
		}
		if err := visit(v); err != nil {
			return err
		}
	}
	return nil
}

// apply takes the verdict into account.
func (r *rowState) apply(v *verdict) {
	if !v.amendment {
		r.settle(&v.Outcome)
		return
	}
	r.plan.Status, r.plan.Field = v.Status, v.Field
	if v.problem != nil {
		r.plan.Problems = append(r.plan.Problems, *v.problem)
	}
	if r.plan.Message == "" {
		r.plan.Message = v.Message
	} else {
		r.plan.Message = v.Message + "; " + r.plan.Message
	}
}

// settle takes an outcome into account. A row that is claimed once more has got an
// unknown one with the claim, without an attempt. Given back, it stands as it stood
// before: what an earlier request for it has come to is not better known for that. A
// claim on top of a claim says that the process died in between.
func (r *rowState) settle(o *importer.Outcome) {
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

const insertVerdict = "INSERT INTO verdict (run, slice, seq, data) VALUES (?, ?, ?, ?)"

// storeVerdicts stores verdicts, those of one slice as one record, and counts
// them in the run. It sorts the slice that it is given.
func (j *Journal) storeVerdicts(ctx context.Context, tx *sql.Tx, run *runRecord, verdicts []verdict) error {
	insert := tx.StmtContext(ctx, j.insertVerdict)
	return eachSlice(verdicts, func(number int64, data []byte) error {
		run.verdicts++
		data = closed(data, run.ID, number, run.verdicts)
		_, err := insert.ExecContext(ctx, run.ID, number, run.verdicts, data)
		return err
	})
}

// eachSlice packs verdicts and calls store with those of each slice, in the order
// of the slices; data is used again once it returns. It sorts the slice that it is
// given.
func eachSlice(verdicts []verdict, store func(number int64, data []byte) error) error {
	slices.SortStableFunc(verdicts, func(a, b verdict) int { return a.Row - b.Row })
	var data []byte
	for i := 0; i < len(verdicts); {
		number := sliceOf(verdicts[i].Row)
		data = data[:0]
		for ; i < len(verdicts) && sliceOf(verdicts[i].Row) == number; i++ {
			var err error
			if data, err = appendVerdict(data, &verdicts[i]); err != nil {
				return err
			}
		}
		if err := store(number, data); err != nil {
			return err
		}
	}
	return nil
}

// amending returns the verdicts that the amendments of a plan are.
func amending(amendments []importer.Amendment) []verdict {
	verdicts := make([]verdict, len(amendments))
	for i, a := range amendments {
		verdicts[i] = verdict{amendment: true, problem: a.Problem, Outcome: importer.Outcome{Row: a.Row, Status: a.Status, Field: a.Field(), Message: a.Message}}
	}
	return verdicts
}
