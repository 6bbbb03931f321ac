package journal

import (
	"encoding/binary"
	"fmt"
	"opscom-import/importer"
	"opscom-import/mapping"
)

// chunkRows is how many row numbers belong to a chunk. A row is found by
// arithmetic: it is row%chunkRows of chunk row/chunkRows.
const chunkRows = 256

func chunkOf(row int) int64 { return int64(row) / chunkRows }

// These bits say that a record was written with version 2 of the schema. Version 1
// stored field, message and warnings after a row's reference id, which now follow
// from its problems, a problem's advice within its message, and cleaned_text under
// another name.
const (
	statusVersion2   = 1 << 7
	severityVersion2 = 1 << 7
)

// statusWithoutDigests says that a row is stored without its digests, as every row is that
// was not pending, unless it is a leaver. Those of others are not looked at again, and would
// be half of what a night leaves behind in which nearly everybody is unchanged.
const statusWithoutDigests = 1 << 4

// statusUnique says that unique values follow. Before version 5 of the schema none did.
const statusUnique = 1 << 5

// leaverRow says that a row is a leaver, and not in the file.
const leaverRow = 1 << 6

// chunkBuilder packs the planned rows of one chunk:
//
//	row%256, status + statusVersion2; of a pending row and a leaver key and hash, else + statusWithoutDigests;
//	with statusUnique a byte with a bit for each unique value that is sent, and these, 8 bytes each;
//	and as texts unique id, login source, reference id; the number of problems, and each of them
//
// and apart from them, because they are deleted earlier, the payloads of the
// pending ones:
//
//	row%256, payload as a text
type chunkBuilder struct {
	number   int64
	rows     int
	plan     []byte
	payloads []byte
}

// add adds a row. Before the first row of another chunk it calls store.
func (b *chunkBuilder) add(p *importer.PlannedRow, store func() error) error {
	code, err := statusCode(p.Status)
	if err != nil {
		return fmt.Errorf("store the plan: row %d: %w", p.Row, err)
	}
	if number := chunkOf(p.Row); number != b.number {
		if err := store(); err != nil {
			return err
		}
		*b = chunkBuilder{number: number, plan: b.plan[:0], payloads: b.payloads[:0]}
	}
	b.rows++
	code |= statusVersion2
	if p.Leaver {
		code |= leaverRow
	}
	if p.Unique != (importer.UniqueValues{}) {
		code |= statusUnique
	}
	if p.Status == importer.StatusPending || p.Leaver {
		b.plan = append(b.plan, byte(p.Row%chunkRows), code)
		b.plan = append(append(b.plan, p.Key[:]...), p.Hash[:]...)
	} else {
		b.plan = append(b.plan, byte(p.Row%chunkRows), code|statusWithoutDigests)
	}
	if code&statusUnique != 0 {
		b.plan = appendUnique(b.plan, p.Unique)
	}
	b.plan = appendTexts(b.plan, p.UniqueID, p.LoginSource, p.ReferenceID)
	b.plan = binary.AppendUvarint(b.plan, uint64(len(p.Problems)))
	for i := range p.Problems {
		b.plan = appendProblem(b.plan, &p.Problems[i])
	}
	if p.Status == importer.StatusPending {
		b.payloads = append(b.payloads, byte(p.Row%chunkRows))
		b.payloads = binary.AppendUvarint(b.payloads, uint64(len(p.Payload)))
		b.payloads = append(b.payloads, p.Payload...)
	}
	return nil
}

// appendProblem appends a problem:
//
//	severity + severityVersion2, attribute, column + 1, and as texts rule, header, value, message, advice
func appendProblem(dst []byte, p *importer.RowProblem) []byte {
	dst = append(dst, byte(p.Severity)|severityVersion2, byte(p.Attribute))
	dst = binary.AppendUvarint(dst, uint64(p.Column-mapping.NoColumn))
	return appendTexts(dst, string(p.Rule), p.Header, p.Value, p.Message, p.Advice)
}

func (r *blobReader) problem(row int) importer.RowProblem {
	p := importer.RowProblem{Row: row}
	severity := r.byte()
	p.Severity, p.Attribute = mapping.Severity(severity&^severityVersion2), mapping.Attribute(r.byte())
	p.Column = int(r.number()) + mapping.NoColumn
	p.Rule, p.Header, p.Value, p.Message = mapping.Rule(r.text()), r.text(), r.text(), r.text()
	if severity&severityVersion2 != 0 {
		p.Advice = r.text()
	} else if p.Rule == "mended_text" {
		p.Rule = mapping.RuleCleanedText
	}
	return p
}

// section says where in the run's payload file the payloads of a chunk are.
type section struct {
	at, size int64
}

// chunk is one chunk of a run, with all that is known of its rows.
type chunk struct {
	number   int64
	payloads section
	rows     [chunkRows]rowState // by row%256; see row
}

// rowState is what is known of one row.
type rowState struct {
	plan     importer.PlannedRow // as amended; without its payload
	outcome  importer.Outcome    // the last
	recorded bool                // it has an outcome
	again    bool                // it was claimed again, and that claim has no outcome yet
	earlier  importer.Outcome    // the outcome before that claim
	attempts int                 // over every outcome
}

// row returns a row of the chunk, nil when nothing is known of it.
func (c *chunk) row(number int) *rowState {
	if row := &c.rows[number%chunkRows]; number > 0 && row.plan.Row == number {
		return row
	}
	return nil
}

// all yields the rows of which something is known, in order.
func (c *chunk) all(yield func(*rowState) bool) {
	for i := range c.rows {
		if row := &c.rows[i]; row.plan.Row > 0 && !yield(row) {
			return
		}
	}
}

// read unpacks the chunk's plan, and returns the number of rows.
func (c *chunk) read(run, number int64, payloads section, data []byte) (rows int64, err error) {
	*c = chunk{number: number, payloads: payloads}
	blob, err := unseal(data, run, number, payloads.at, payloads.size)
	if err != nil {
		return 0, err
	}
	for ; blob.more(); rows++ {
		remainder := blob.byte()
		p := &c.rows[remainder].plan
		p.Row = int(number)*chunkRows + int(remainder)
		code := blob.byte()
		p.Status, p.Leaver = blob.status(code&(statusWithoutDigests-1)), code&leaverRow != 0
		if code&statusWithoutDigests == 0 {
			p.Key, p.Hash = blob.digest(), blob.digest()
		}
		if code&statusUnique != 0 {
			p.Unique = blob.unique()
		}
		p.UniqueID, p.LoginSource, p.ReferenceID = blob.text(), blob.text(), blob.text()
		if code&statusVersion2 == 0 {
			blob.text() // the field
			blob.text() // the message
			blob.text() // the warnings
		}
		for n := blob.number(); n > 0 && !blob.bad; n-- {
			p.Problems = append(p.Problems, blob.problem(p.Row))
		}
	}
	return rows, blob.err()
}

// waits reports whether the row is to be pushed, for the first time or again.
func (r *rowState) waits() bool {
	return r.plan.Status == importer.StatusPending && (!r.recorded || r.outcome.Retry)
}

// lost reports whether the row was claimed and has no outcome. Those of later rounds have
// one as soon as they are claimed.
func (r *rowState) lost(claimed int) bool {
	return r.plan.Status == importer.StatusPending && r.plan.Round == 0 && !r.recorded && r.plan.Row <= claimed
}

// result returns the row's line in the results of a run that claimed its pending
// rows up to claimed.
func (r *rowState) result(claimed int) importer.Result {
	line := r.plan.Result()
	line.Attempts = r.attempts
	switch {
	case r.plan.Status != importer.StatusPending:
	case r.lost(claimed):
		line.Status = importer.StatusUnknown
	case !r.recorded:
		line.Status = importer.StatusNotSent
	default:
		o := &r.outcome
		line.Status, line.ReferenceID, line.ErrorCode = o.Status, o.ReferenceID, o.ErrorCode
		line.Field, line.Message, line.FinishedAt = o.Field, o.Message, o.FinishedAt
	}
	return line
}

// readPayloads unpacks the payloads of the pending rows of a round. They share the memory of
// data.
func readPayloads(run int64, round int, c *chunk, data []byte) ([]importer.Job, error) {
	rest, err := verify(data, run, c.number)
	if err != nil {
		return nil, err
	}
	jobs := make([]importer.Job, 0, chunkRows)
	for len(rest) > 0 {
		row := c.row(int(c.number)*chunkRows + int(rest[0]))
		size, width := binary.Uvarint(rest[1:])
		start := 1 + uint64(max(width, 0))
		if row == nil || width <= 0 || size > uint64(len(rest))-start {
			return nil, errDamaged
		}
		end := start + size
		if row.waits() && row.plan.Round == round {
			jobs = append(jobs, importer.Job{Row: row.plan.Row, Payload: rest[start:end:end]})
		}
		rest = rest[end:]
	}
	return jobs, nil
}

// tally counts what was stored or read of a run, so that a reader notices if any is missing.
type tally struct {
	chunks  int64
	planned int64 // rows in them
	events  int64 // records of them
}

// assembler brings plans and events together: each chunk's plan is added first, then its
// events in their order, then the next chunk's.
type assembler struct {
	run   int64
	chunk *chunk       // its memory is used for every chunk
	visit func() error // called when chunk is complete
	found tally
}

func (a *assembler) addPlan(number int64, payloads section, data []byte) error {
	if err := a.end(); err != nil {
		return err
	}
	planned, err := a.chunk.read(a.run, number, payloads, data)
	a.found.chunks++
	a.found.planned += planned
	return err
}

func (a *assembler) addEvents(number, seq int64, data []byte) error {
	if a.found.chunks == 0 || number != a.chunk.number {
		return errDamaged // events on a chunk that is missing
	}
	a.found.events++
	return readEvents(a.run, number, seq, data, a.chunk.apply)
}

// end visits the last chunk.
func (a *assembler) end() error {
	if a.found.chunks == 0 {
		return nil
	}
	return a.visit()
}
