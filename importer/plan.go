package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

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

// PlanStore keeps the plan's verdicts.
type PlanStore interface {
	// Append takes rows in rising order. It keeps nothing of the slice or of the
	// payloads once it returns.
	Append(ctx context.Context, rows []PlannedRow) error
	Amend(ctx context.Context, amendments []Amendment) error
}

// Acceptances knows what the Controller last accepted.
type Acceptances interface {
	Accepted(ctx context.Context, target string, keys []Digest) (map[Digest]Acceptance, error)
}

// Planner turns a source into a plan: each row read, mapped, validated, compared
// with every other row and, when asked, with what the Controller last accepted.
type Planner struct {
	Source      Source
	Mapper      *mapping.Mapper
	Store       PlanStore
	Salt        []byte      // of the digests; nil where nothing is pushed or compared: no row gets digests or a payload
	Target      string      // whose acceptances count
	Acceptances Acceptances // nil: rows that did not change are pushed too
}

// Plan is what became of a source: the verdicts themselves are in the store.
type Plan struct {
	Rows     int // rows read below the header
	Counts   Counts
	Problems []ProblemCount // the most common first
	Changed  int            // pending rows of people of whom the Controller last accepted something else
	Notes    []string       // what was found out about columns, a sentence each; no row's value
}

// ProblemCount counts the rows that broke one rule in one column.
type ProblemCount struct {
	Rule     mapping.Rule
	Severity mapping.Severity
	Column   int    // index in the sheet; mapping.NoColumn when no single cell is meant
	Header   string // of that column
	Count    int
	Row      int    // the first such row
	Message  string // about that row; holds its value
}

// planBatch is how many rows go from one goroutine to the next together: few enough
// for a processor's cache.
const planBatch = 128

// Make reads the whole source and stores the plan. Four goroutines work on it side
// by side: one reads rows, one maps them, one judges what was mapped, and one
// stores the verdicts.
func (p *Planner) Make(ctx context.Context) (Plan, error) {
	r := &planRun{
		Planner: p, names: p.Source.Header().Names, index: newDuplicateIndex(), digester: NewDigester(p.Salt),
		problems: map[problemKey]*ProblemCount{},
	}
	group, groupCtx := errgroup.WithContext(ctx)
	empty, read, mapped, judged := make(chan *batch, 6), make(chan *batch, 1), make(chan *batch, 1), make(chan *batch, 1)
	for range cap(empty) {
		empty <- &batch{source: make([]Row, planBatch), results: make([]mapping.Result, planBatch)}
	}
	group.Go(func() error {
		defer close(read)
		return r.read(groupCtx, empty, read)
	})
	group.Go(func() error {
		defer close(mapped)
		return pipe(groupCtx, read, mapped, r.mapRows)
	})
	group.Go(func() error {
		defer close(judged)
		return pipe(groupCtx, mapped, judged, r.judge)
	})
	group.Go(func() error { return pipe(groupCtx, judged, empty, r.store) })
	if err := group.Wait(); err != nil {
		return Plan{}, err
	}
	review, err := r.Mapper.Review(func(sequence int) int { return int(r.index.rows[sequence]) })
	if err != nil {
		return Plan{}, err
	}
	if err := r.amend(ctx, review.Findings); err != nil {
		return Plan{}, err
	}
	return Plan{
		Rows: len(r.index.rows), Counts: r.index.counts(), Problems: r.mostCommon(), Changed: r.changed, Notes: review.Notes,
	}, nil
}

// batch is some rows on their way to the store. Its memory is used again.
type batch struct {
	source   []Row            // as read
	size     int              // rows of source that are filled
	results  []mapping.Result // of these
	rows     []PlannedRow
	payloads []byte // what the rows' payloads are cut from
}

// planRun is what one Make works with.
type planRun struct {
	*Planner
	names    []string // of the columns
	index    *duplicateIndex
	digester *Digester
	problems map[problemKey]*ProblemCount
	changed  int
}

type problemKey struct {
	rule     mapping.Rule
	severity mapping.Severity
	column   int
}

// pipe does the work on every batch that comes in and passes it on. Once the context
// is done it begins no more work.
func pipe(ctx context.Context, in <-chan *batch, out chan<- *batch, work func(context.Context, *batch) error) error {
	for b := range in {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := work(ctx, b); err != nil {
			return err
		}
		select {
		case out <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *planRun) read(ctx context.Context, empty <-chan *batch, read chan<- *batch) error {
	for done := false; !done; {
		var b *batch
		select {
		case b = <-empty:
		case <-ctx.Done():
			return ctx.Err()
		}
		for b.size = 0; b.size < planBatch; b.size++ {
			if err := r.Source.Next(&b.source[b.size]); errors.Is(err, io.EOF) {
				done = true
				break
			} else if err != nil {
				return err
			}
		}
		select {
		case read <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// mapRows makes profiles of the batch's rows.
func (r *planRun) mapRows(_ context.Context, b *batch) error {
	for i := range b.size {
		r.Mapper.Map(b.source[i].Cells, &b.results[i])
	}
	return nil
}

// judge gives each of the batch's rows its verdict.
func (r *planRun) judge(ctx context.Context, b *batch) error {
	b.rows, b.payloads = b.rows[:0], b.payloads[:0]
	first := len(r.index.rows)
	for i := range b.size {
		if err := r.judgeRow(b, &b.source[i], &b.results[i]); err != nil {
			return err
		}
	}
	return r.markUnchanged(ctx, b, first)
}

// judgeRow adds the verdict on one row to the batch.
func (r *planRun) judgeRow(b *batch, row *Row, result *mapping.Result) error {
	profile := &result.Profile
	planned := PlannedRow{Row: row.Number, Status: StatusPending}
	planned.UniqueID, _ = profile.Get(mapping.UniqueID)
	planned.LoginSource, _ = profile.Get(mapping.LoginSource)
	if result.Skipped {
		planned.Status = StatusSkipped
	} else {
		r.describe(&planned, row.Problems)
		r.describe(&planned, result.Problems)
	}
	if planned.Status == StatusPending && r.Salt != nil {
		start := len(b.payloads)
		var err error
		if b.payloads, err = profile.AppendJSON(b.payloads); err != nil {
			return fmt.Errorf("row %d: %w", row.Number, err)
		}
		planned.Payload = b.payloads[start:len(b.payloads):len(b.payloads)]
		planned.Key = r.digester.Key(planned.LoginSource, planned.UniqueID)
		planned.Hash = r.digester.Profile(planned.Payload)
	}
	r.index.add(row.Number, planned.Status, profile)
	b.rows = append(b.rows, planned)
	return nil
}

// describe adds the problems to the row's verdict and to the counts.
func (r *planRun) describe(planned *PlannedRow, problems []mapping.Problem) {
	for _, p := range problems {
		header := r.header(p.Column)
		planned.Problems = append(planned.Problems, RowProblem{Row: planned.Row, Header: header, Problem: p})
		message := r.located(p)
		r.count(ProblemCount{Rule: p.Rule, Severity: p.Severity, Column: p.Column, Header: header, Row: planned.Row, Message: message})
		if p.Severity == mapping.SeverityWarning {
			planned.Warnings = joinMessages(planned.Warnings, message)
			continue
		}
		planned.Status = StatusInvalid
		planned.Field = cmp.Or(planned.Field, p.Attribute.String())
		planned.Message = joinMessages(planned.Message, message)
	}
}

// located puts the place of a problem before its message.
func (r *planRun) located(p mapping.Problem) string {
	if p.Column == mapping.NoColumn {
		return p.Text()
	}
	return fmt.Sprintf("%s (column %s): %s", cmp.Or(r.header(p.Column), "no header"), mapping.ColumnLetter(p.Column), p.Text())
}

// header names a column, "" for none.
func (r *planRun) header(column int) string {
	if column < 0 || column >= len(r.names) {
		return ""
	}
	return r.names[column]
}

func joinMessages(first, second string) string {
	return strings.TrimPrefix(first+"; "+second, "; ")
}

func (r *planRun) count(p ProblemCount) {
	key := problemKey{p.Rule, p.Severity, p.Column}
	known, ok := r.problems[key]
	if !ok {
		known = &p
		r.problems[key] = known
	}
	known.Count++
	if p.Row < known.Row {
		known.Row, known.Message = p.Row, p.Message
	}
}

// most common returns the problems counted: errors before warnings, the most common first.
func (r *planRun) mostCommon() []ProblemCount {
	list := make([]ProblemCount, 0, len(r.problems))
	for p := range maps.Values(r.problems) {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b ProblemCount) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule))
	})
	return list
}

// markUnchanged marks the rows whose profile is the one that the Controller last
// accepted. The batch's rows have the sequences from first on in the index.
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
		default:
			row.Status, row.ReferenceID, row.Payload = StatusUnchanged, last.ReferenceID, nil
			r.index.statuses[first+i] = planStatusOf(StatusUnchanged)
		}
	}
	return nil
}

func (r *planRun) store(ctx context.Context, b *batch) error {
	return r.Store.Append(ctx, b.rows)
}

// amend stores the verdicts that only the whole source gives.
func (r *planRun) amend(ctx context.Context, findings []mapping.Finding) error {
	var pending []Amendment
	flush := func() error {
		defer func() { pending = pending[:0] }()
		if len(pending) == 0 {
			return nil
		}
		return r.Store.Amend(ctx, pending)
	}
	amend := func(a Amendment) error {
		if p := a.Problem; p != nil {
			p.Header = r.header(p.Column)
			r.count(ProblemCount{Rule: p.Rule, Column: p.Column, Header: p.Header, Row: a.Row, Message: a.Message})
		}
		if pending = append(pending, a); len(pending) < planBatch {
			return nil
		}
		return flush()
	}
	for _, f := range findings {
		if err := amend(r.index.refuse(uint32(f.Sequence), f.Problem, r.located(f.Problem))); err != nil {
			return err
		}
	}
	if err := flush(); err != nil { // a row is amended once at a time
		return err
	}
	if err := r.index.amendments(r.Mapper.Column, amend); err != nil {
		return err
	}
	return flush()
}
