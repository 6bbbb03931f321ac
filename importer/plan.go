package importer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"opscom-import/mapping"
)

// Source is a table of rows, read once from top to bottom.
type Source interface {
	Header() Header
	// Next fills row, whose memory is used again by the next call (texts stay
	// valid). io.EOF after the last row; any other error means that the source
	// cannot be trusted.
	Next(row *Row) error
}

// PlanStore keeps the planned rows.
type PlanStore interface {
	// Append takes rows in rising order. It keeps neither the slice nor the payloads
	// after it returns.
	Append(ctx context.Context, rows []PlannedRow) error
	Amend(ctx context.Context, amendments []Amendment) error
}

// Acceptances knows what the Controller last accepted.
type Acceptances interface {
	Accepted(ctx context.Context, target string, keys []Digest) (map[Digest]Acceptance, error)
}

// Planner turns a source into a plan: each row read, mapped, validated, compared
// with every other row and, when asked, with what the Controller last accepted for this
// person and for others.
type Planner struct {
	Source      Source
	Mapper      *mapping.Mapper
	Store       PlanStore
	Salt        []byte        // of the digests; nil when nothing is pushed or compared: no row gets digests or a payload
	CheckOnly   bool          // nothing is pushed: no row gets a payload or its digest, unless Acceptances are compared
	Target      string        // whose acceptances count
	Acceptances Acceptances   // nil: rows are not compared, and unchanged ones are pushed too
	Owners      Owners        // nil: nobody else's values are known. With a Salt only
	Everybody   bool          // unchanged rows are pushed too, though Acceptances tell them
	Digest      bool          // the plan gets its digest
	Leavers     *LeaverSearch // nil: leavers are not looked for
}

// Plan sums up a planned source; the rows themselves are in the store.
type Plan struct {
	Rows     int // rows read below the header
	Counts   Counts
	Problems []ProblemCount // the most common first
	Leavers  *Leavers       // rows after those of the file, which no other member counts; nil when they were not to be looked for
	Changed  int            // pending rows of people for whom the Controller last accepted something else
	Same     int            // pending rows that are unchanged; with Planner.Everybody only
	Doubted  int            // pending rows that would be unchanged if it were certain what the Controller last accepted
	Digest   string         // tells plans apart by what they would send: target, rows, profiles and statuses; "" when none was asked for
	CutRow   int            // row in the middle of which the file ends, 0 for none; the source knows, not the planner
	LastLine LastLine       // of a text file; likewise
	Notes    []string       // what the mapper learned about columns, a sentence each; no row's value
}

// LastLine is the last line of a text file; zero for other files.
type LastLine struct {
	Row     int  // its number
	IsEnded bool // by a line end
}

// planBatch is how many rows pass from one goroutine to the next together: few
// enough for a processor's cache.
const planBatch = 128

// Make reads the whole source and stores the plan, in four stages that work side by
// side, each in a goroutine: rows are read, mapped, planned, and stored.
func (p *Planner) Make(ctx context.Context) (Plan, error) {
	r := &planRun{
		Planner: p, names: p.Source.Header().Names, index: newDuplicateIndex(), digester: NewDigester(p.Salt),
	}
	r.leavers.LeaverSearch = p.Leavers
	if p.Digest {
		r.sum = sha256.New()
		r.addToSum(0, []byte(p.Target))
	}
	empty := make(chan *batch, 6)
	for range cap(empty) {
		empty <- &batch{source: make([]Row, planBatch), results: make([]mapping.Result, planBatch)}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	channels := []chan *batch{empty, make(chan *batch, 1), make(chan *batch, 1), make(chan *batch, 1)}
	for i, work := range []func(context.Context, *batch) error{r.read, r.mapRows, r.plan, r.store} {
		in, out := channels[i], channels[(i+1)%len(channels)] // the last stage returns batches to the first
		group.Go(func() error { return stage(groupCtx, in, out, work) })
	}
	if err := group.Wait(); err != nil {
		return Plan{}, err
	}
	review, err := r.Mapper.Review(func(sequence int) int { return int(r.index.rows.at(sequence).number) })
	if err != nil {
		return Plan{}, err
	}
	leavers, notes, err := r.addLeavers(ctx, review.Problems)
	if err != nil {
		return Plan{}, err
	}
	if err := r.amend(ctx, review.Problems); err != nil {
		return Plan{}, err
	}
	counts, doubted := r.index.counts()
	same := 0
	if p.Everybody {
		same = counts[StatusUnchanged]
		counts[StatusPending] += same
		delete(counts, StatusUnchanged)
	}
	return Plan{
		Rows: r.index.rows.size, Counts: counts, Problems: r.problems.MostCommon(), Changed: r.changed, Same: same, Doubted: doubted,
		Digest: r.digest(), Notes: slices.Concat(review.Notes, notes, r.leavers.returnNotes(), r.doubtNotes(doubted)), Leavers: leavers,
	}, nil
}

// batch is some rows on their way to the store. Its memory is reused.
type batch struct {
	source   []Row            // as read
	size     int              // rows of source that are filled
	results  []mapping.Result // of these
	rows     []PlannedRow
	payloads []byte // the memory of the rows' payloads
}

// planRun is the state of one Make.
type planRun struct {
	*Planner
	names      []string // of the columns
	index      *duplicateIndex
	digester   *Digester
	leavers    leaverPlan // without a search: leavers are not looked for
	problems   ProblemCounter
	collisions []collision
	changed    int
	sum        hash.Hash // of what would be sent; nil when it is not asked for
	place      []byte    // memory for what addToSum writes
}

// errLastBatch is returned by work on a batch after which none follows.
var errLastBatch = errors.New("the last batch")

// stage does the work on every batch that comes in and passes it on, until in is
// closed, work returns errLastBatch, or the context is done.
func stage(ctx context.Context, in <-chan *batch, out chan<- *batch, work func(context.Context, *batch) error) error {
	defer close(out)
	for {
		var b *batch
		var more bool
		select {
		case b, more = <-in:
		case <-ctx.Done():
		}
		if err := ctx.Err(); err != nil || !more {
			return err
		}
		err := work(ctx, b)
		if err != nil && err != errLastBatch {
			return err
		}
		select {
		case out <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err == errLastBatch {
			return nil
		}
	}
}

// read fills the batch from the source, and returns errLastBatch when that is read.
func (r *planRun) read(_ context.Context, b *batch) error {
	for b.size = 0; b.size < planBatch; b.size++ {
		if err := r.Source.Next(&b.source[b.size]); errors.Is(err, io.EOF) {
			return errLastBatch
		} else if err != nil {
			return err
		}
	}
	return nil
}

// mapRows maps the batch's rows to profiles.
func (r *planRun) mapRows(_ context.Context, b *batch) error {
	for i := range b.size {
		if b.source[i].LeftOut {
			r.Mapper.Skip(b.source[i].Cells, &b.results[i])
		} else {
			r.Mapper.Map(b.source[i].Cells, &b.results[i])
		}
	}
	return nil
}

// plan makes the batch's planned rows.
func (r *planRun) plan(ctx context.Context, b *batch) error {
	b.rows, b.payloads = b.rows[:0], b.payloads[:0]
	first := r.index.rows.size
	for i := range b.size {
		if err := r.planRow(b, &b.source[i], &b.results[i]); err != nil {
			return err
		}
	}
	if err := r.markUnchanged(ctx, b, first); err != nil {
		return err
	}
	if r.Salt == nil {
		return nil
	}
	if err := r.warnReturners(ctx, b); err != nil {
		return err
	}
	for i := range b.rows {
		if b.rows[i].Status == StatusPending {
			b.rows[i].Unique = r.digester.Unique(&b.results[i].Profile)
		}
	}
	return r.findCollisions(ctx, b, first)
}

// planRow adds a planned row to the batch.
func (r *planRun) planRow(b *batch, row *Row, result *mapping.Result) error {
	profile := &result.Profile
	planned := PlannedRow{Row: row.Number, Status: StatusPending}
	planned.UniqueID, _ = profile.Get(mapping.UniqueID)
	planned.LoginSource, _ = profile.Get(mapping.LoginSource)
	if row.IsSkipped(result) {
		planned.Status = StatusSkipped
	}
	if row.LeftOut || planned.Status != StatusSkipped {
		r.addProblems(&planned, row.Problems)
		r.addProblems(&planned, result.Problems)
	}
	if r.Salt != nil && planned.Status != StatusSkipped && planned.UniqueID != "" && planned.LoginSource != "" {
		planned.Key = r.digester.Key(planned.LoginSource, planned.UniqueID)
	}
	isSent := r.Salt != nil && (!r.CheckOnly || r.Acceptances != nil)
	if planned.Status == StatusPending && (isSent || r.sum != nil) {
		start := len(b.payloads)
		var err error
		if b.payloads, err = profile.AppendJSON(b.payloads); err != nil {
			return fmt.Errorf("row %d: %w", row.Number, err)
		}
		payload := b.payloads[start:len(b.payloads):len(b.payloads)]
		r.addToSum(row.Number, payload)
		if isSent {
			planned.Payload = payload
			planned.Hash = r.digester.Profile(payload)
		}
	}
	if r.leavers.LeaverSearch != nil && r.leavers.Roster != nil {
		r.leavers.see(r.digester, r.index.rows.size, row, result, &planned)
	}
	r.index.add(row.Number, planned.Status, profile, planned.Key)
	b.rows = append(b.rows, planned)
	return nil
}

// addProblems adds problems to the row, and to the counts.
func (r *planRun) addProblems(planned *PlannedRow, problems []mapping.Problem) {
	for _, p := range problems {
		planned.Problems = append(planned.Problems, r.problem(planned.Row, p))
		if p.Severity == mapping.SeverityError {
			planned.Status = StatusInvalid
		}
	}
}

// problem counts a problem, and returns it with its place.
func (r *planRun) problem(row int, p mapping.Problem) RowProblem {
	located := RowProblem{Row: row, Problem: p}
	if p.Column >= 0 && p.Column < len(r.names) {
		located.Header = r.names[p.Column]
	}
	r.problems.Add(located)
	return located
}

// doubtNotes says how many people are sent again because what the Controller last accepted is not
// certain.
func (p *Planner) doubtNotes(doubted int) []string {
	if doubted == 0 || p.Everybody {
		return nil
	}
	return []string{fmt.Sprintf("People who seem unchanged are sent again (%d): the journal was restored or failed over since they were accepted.", doubted)}
}

// markUnchanged marks the rows whose profile the Controller last accepted, as far as that is
// certain. first is the sequence of the batch's first row in the index.
func (r *planRun) markUnchanged(ctx context.Context, b *batch, first int) error {
	if r.Acceptances == nil {
		return nil
	}
	var keys []Digest
	for i := range b.rows {
		if b.rows[i].Status == StatusPending {
			keys = append(keys, b.rows[i].Key)
		}
	}
	accepted, err := r.Acceptances.Accepted(ctx, r.Target, keys)
	if err != nil {
		return err
	}
	for i := range b.rows {
		row := &b.rows[i]
		last, known := accepted[row.Key]
		switch {
		case !known || row.Status != StatusPending:
		case last.Hash != row.Hash:
			r.changed++
		case last.IsDoubted:
			r.index.rows.at(first + i).status = planDoubted
		default:
			if !r.Everybody {
				row.Status, row.ReferenceID, row.Payload = StatusUnchanged, last.ReferenceID, nil
			}
			r.index.rows.at(first + i).status = planStatusOf(StatusUnchanged)
		}
	}
	return nil
}

// addToSum adds a row that would be sent to the plan's digest.
func (r *planRun) addToSum(row int, payload []byte) {
	if r.sum == nil {
		return
	}
	r.place = binary.AppendUvarint(r.place[:0], uint64(row))
	r.place = binary.AppendUvarint(r.place, uint64(len(payload)))
	_, _ = r.sum.Write(r.place) // a hash takes all
	_, _ = r.sum.Write(payload)
}

// digest returns the plan's digest, once all is amended.
func (r *planRun) digest() string {
	if r.sum == nil {
		return ""
	}
	for _, row := range r.index.rows.all() {
		status := row.status
		if status == planDoubted || r.Everybody && planStatuses[status] == StatusUnchanged {
			status = planStatusOf(StatusPending)
		}
		r.place = append(binary.AppendUvarint(r.place[:0], uint64(row.number)), byte(status))
		_, _ = r.sum.Write(r.place)
	}
	return hex.EncodeToString(r.sum.Sum(nil))
}

func (r *planRun) store(ctx context.Context, b *batch) error {
	return r.Store.Append(ctx, b.rows)
}

// addLeavers stores the people who left as rows after the last one.
func (r *planRun) addLeavers(ctx context.Context, problems []mapping.ReviewProblem) (*Leavers, []string, error) {
	l := &r.leavers
	switch {
	case l.LeaverSearch == nil:
		return nil, nil, nil
	case l.Roster == nil:
		return &l.Leavers, nil, nil
	}
	l.review(problems)
	rows, lastRow := r.index.rows.size, r.Source.Header().Row
	if rows > 0 {
		lastRow = int(r.index.rows.at(rows - 1).number)
	}
	planned, notes, err := l.plan(ctx, r.digester, rows, lastRow)
	for batch := range slices.Chunk(planned, planBatch) {
		if err == nil {
			err = r.Store.Append(ctx, batch)
		}
	}
	return &l.Leavers, notes, err
}

// amend stores what only the whole source shows: the problems of the mapper, then
// duplicates and contradictions.
func (r *planRun) amend(ctx context.Context, problems []mapping.ReviewProblem) error {
	all := func(yield func(Amendment) bool) {
		for _, f := range problems {
			if !yield(r.index.refuse(f.Sequence, f.Problem)) {
				return
			}
		}
		if r.index.amendments(r.Mapper.Column, yield) {
			r.amendCollisions(yield)
		}
	}
	var pending []Amendment
	for a := range all {
		if a.Problem != nil {
			*a.Problem = r.problem(a.Row, a.Problem.Problem)
		}
		if pending = append(pending, a); len(pending) == planBatch {
			if err := r.Store.Amend(ctx, pending); err != nil {
				return err
			}
			pending = pending[:0]
		}
	}
	if len(pending) == 0 {
		return nil
	}
	return r.Store.Amend(ctx, pending)
}
