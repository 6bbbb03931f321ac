package format

import (
	"encoding/binary"
	"fmt"
	"math"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// ChunkRows is how many row numbers belong to a chunk. A row is found by
// arithmetic: it is row%ChunkRows of chunk row/ChunkRows.
const ChunkRows = 256

// ChunkOf returns the number of a row's chunk.
func ChunkOf(row int) int64 { return int64(row) / ChunkRows }

// These bits say that a record was written with version 2 of the schema. Version 1
// stored field, message and warnings after a row's reference id, which now follow
// from its problems, a problem's advice within its message, and cleaned_text under
// another name.
const (
	StatusVersion2   = 1 << 7
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

// ChunkBuilder packs the planned rows of one chunk:
//
//	row%256, status + statusVersion2; of a pending row and a leaver key and hash, else + statusWithoutDigests;
//	with statusUnique a byte with a bit for each unique value that is sent, and these, 8 bytes each;
//	and as texts unique id, login source, reference id; the number of problems, and each of them
//
// and apart from them, because they are deleted earlier, the payloads of the
// pending ones:
//
//	row%256, payload as a text
type ChunkBuilder struct {
	Number   int64
	Rows     int
	Plan     []byte
	Payloads []byte
}

// Add adds a row. Before the first row of another chunk it calls store.
func (b *ChunkBuilder) Add(p *importer.PlannedRow, store func() error) error {
	code, err := StatusCode(p.Status)
	if err != nil {
		return fmt.Errorf("store the plan: row %d: %w", p.Row, err)
	}
	if number := ChunkOf(p.Row); number != b.Number {
		if err := store(); err != nil {
			return err
		}
		*b = ChunkBuilder{Number: number, Plan: b.Plan[:0], Payloads: b.Payloads[:0]}
	}
	b.Rows++
	code |= StatusVersion2
	if p.Leaver {
		code |= leaverRow
	}
	if p.Unique != (importer.UniqueValues{}) {
		code |= statusUnique
	}
	if p.Status == importer.StatusPending || p.Leaver {
		b.Plan = append(b.Plan, byte(p.Row%ChunkRows), code)
		b.Plan = append(append(b.Plan, p.Key[:]...), p.Hash[:]...)
	} else {
		b.Plan = append(b.Plan, byte(p.Row%ChunkRows), code|statusWithoutDigests)
	}
	if code&statusUnique != 0 {
		b.Plan = appendUnique(b.Plan, p.Unique)
	}
	b.Plan = AppendTexts(b.Plan, p.UniqueID, p.LoginSource, p.ReferenceID)
	b.Plan = binary.AppendUvarint(b.Plan, uint64(len(p.Problems)))
	for i := range p.Problems {
		b.Plan = appendProblem(b.Plan, &p.Problems[i])
	}
	if p.Status == importer.StatusPending {
		b.Payloads = append(b.Payloads, byte(p.Row%ChunkRows))
		b.Payloads = binary.AppendUvarint(b.Payloads, uint64(len(p.Payload)))
		b.Payloads = append(b.Payloads, p.Payload...)
	}
	return nil
}

// appendProblem appends a problem:
//
//	severity + severityVersion2, attribute, column + 1, and as texts rule, header, value, message, advice
func appendProblem(dst []byte, p *importer.RowProblem) []byte {
	dst = append(dst, byte(p.Severity)|severityVersion2, byte(p.Attribute))
	dst = binary.AppendUvarint(dst, uint64(p.Column-mapping.NoColumn))
	return AppendTexts(dst, string(p.Rule), p.Header, p.Value, p.Message, p.Advice)
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

// Section says where in the run's payload file the payloads of a chunk are.
type Section struct {
	At, Size int64
}

// Chunk is one chunk of a run, with all that is known of its rows.
type Chunk struct {
	Number   int64
	Payloads Section
	Rows     [ChunkRows]rowState // by row%256; see row
}

// rowState is what is known of one row.
type rowState struct {
	Plan     importer.PlannedRow // as amended; without its payload
	outcome  importer.Outcome    // the last
	recorded bool                // it has an outcome
	again    bool                // it was claimed again, and that claim has no outcome yet
	earlier  importer.Outcome    // the outcome before that claim
	attempts int                 // over every outcome
}

// Row returns a row of the chunk, nil when nothing is known of it.
func (c *Chunk) Row(number int) *rowState {
	if row := &c.Rows[number%ChunkRows]; number > 0 && row.Plan.Row == number {
		return row
	}
	return nil
}

// All yields the rows of which something is known, in order.
func (c *Chunk) All(yield func(*rowState) bool) {
	for i := range c.Rows {
		if row := &c.Rows[i]; row.Plan.Row > 0 && !yield(row) {
			return
		}
	}
}

// Read unpacks the chunk's plan, and returns the number of rows.
func (c *Chunk) Read(run, number int64, payloads Section, data []byte) (rows int64, err error) {
	*c = Chunk{Number: number, Payloads: payloads}
	blob, err := Unseal(data, run, number, payloads.At, payloads.Size)
	if err != nil {
		return 0, err
	}
	for ; blob.more(); rows++ {
		remainder := blob.byte()
		p := &c.Rows[remainder].Plan
		p.Row = int(number)*ChunkRows + int(remainder)
		code := blob.byte()
		p.Status, p.Leaver = blob.status(code&(statusWithoutDigests-1)), code&leaverRow != 0
		if code&statusWithoutDigests == 0 {
			p.Key, p.Hash = blob.digest(), blob.digest()
		}
		if code&statusUnique != 0 {
			p.Unique = blob.unique()
		}
		p.UniqueID, p.LoginSource, p.ReferenceID = blob.text(), blob.text(), blob.text()
		if code&StatusVersion2 == 0 {
			blob.text() // the field
			blob.text() // the message
			blob.text() // the warnings
		}
		for n := blob.number(); n > 0 && !blob.bad; n-- {
			p.Problems = append(p.Problems, blob.problem(p.Row))
		}
	}
	return rows, blob.Err()
}

// Waits reports whether the row is to be pushed, for the first time or again.
func (r *rowState) Waits() bool {
	return r.Plan.Status == importer.StatusPending && (!r.recorded || r.outcome.Retry)
}

// Everything says, instead of a row up to which the pending ones were claimed, that nobody
// knows which were.
const Everything = math.MaxInt32

// Lost reports whether the row was claimed and has no outcome. Those of later rounds have
// one as soon as they are claimed.
func (r *rowState) Lost(claimed int) bool {
	return r.Plan.Status == importer.StatusPending && !r.recorded && (r.Plan.Round == 0 && r.Plan.Row <= claimed || claimed == Everything)
}

// Result returns the row's line in the results of a run that claimed its pending
// rows up to claimed.
func (r *rowState) Result(claimed int) importer.Result {
	line := r.Plan.Result()
	line.Attempts = r.attempts
	switch {
	case r.Plan.Status != importer.StatusPending:
	case r.Lost(claimed):
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

// ReadPayloads unpacks the payloads of the pending rows of a round. They share the memory of
// data.
func ReadPayloads(run int64, round int, c *Chunk, data []byte) ([]importer.Job, error) {
	rest, err := verify(data, run, c.Number)
	if err != nil {
		return nil, err
	}
	jobs := make([]importer.Job, 0, ChunkRows)
	for len(rest) > 0 {
		row := c.Row(int(c.Number)*ChunkRows + int(rest[0]))
		size, width := binary.Uvarint(rest[1:])
		start := 1 + uint64(max(width, 0))
		if row == nil || width <= 0 || size > uint64(len(rest))-start {
			return nil, ErrDamaged
		}
		end := start + size
		if row.Waits() && row.Plan.Round == round {
			jobs = append(jobs, importer.Job{Row: row.Plan.Row, Payload: rest[start:end:end]})
		}
		rest = rest[end:]
	}
	return jobs, nil
}

// Tally counts what was stored or read of a run, so that a reader notices if any is missing.
type Tally struct {
	Chunks  int64
	Planned int64 // rows in them
	Events  int64 // records of them
}

// Assembler brings plans and events together: each chunk's plan is added first, then its
// events in their order, then the next chunk's.
type Assembler struct {
	Run   int64
	Chunk *Chunk       // its memory is used for every chunk
	Visit func() error // called when chunk is complete
	Found Tally
}

func (a *Assembler) AddPlan(number int64, payloads Section, data []byte) error {
	if err := a.End(); err != nil {
		return err
	}
	planned, err := a.Chunk.Read(a.Run, number, payloads, data)
	a.Found.Chunks++
	a.Found.Planned += planned
	return err
}

func (a *Assembler) AddEvents(number, seq int64, data []byte) error {
	if a.Found.Chunks == 0 || number != a.Chunk.Number {
		return ErrDamaged // events on a chunk that is missing
	}
	a.Found.Events++
	return ReadEvents(a.Run, number, seq, data, a.Chunk.Apply)
}

// End visits the last chunk.
func (a *Assembler) End() error {
	if a.Found.Chunks == 0 {
		return nil
	}
	return a.Visit()
}
