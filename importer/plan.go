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
	Salt        []byte      // of the digests
	Target      string      // whose acceptances count
	Acceptances Acceptances // nil: rows that did not change are pushed too
	OnRows      func(n int) // told how many more rows were read; may be nil
}

// Plan is what became of a source: the verdicts themselves are in the store.
type Plan struct {
	Rows     int // rows read below the header
	Counts   Counts
	Problems []ProblemCount // the commonest first
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

const planBatch = 256

// Make reads the whole source and stores the plan. Rows are read and mapped on
// one goroutine and stored on another.
func (p *Planner) Make(ctx context.Context) (Plan, error) {
	r := &planRun{
		Planner: p, index: newDuplicateIndex(), digester: NewDigester(p.Salt),
		problems: map[problemKey]*ProblemCount{},
	}
	group, groupCtx := errgroup.WithContext(ctx)
	full, empty := make(chan *batch, 2), make(chan *batch, 4)
	for range cap(empty) {
		empty <- &batch{}
	}
	group.Go(func() error {
		defer close(full)
		return r.read(groupCtx, full, empty)
	})
	group.Go(func() error { return r.store(groupCtx, full, empty) })
	if err := group.Wait(); err != nil {
		return Plan{}, err
	}
	for range cap(empty) {
		r.settle(<-empty)
	}
	if err := r.amend(ctx); err != nil {
		return Plan{}, err
	}
	return Plan{Rows: len(r.index.rows), Counts: r.index.counts(), Problems: r.commonest()}, nil
}

// batch is some rows of the plan on their way to the store.
type batch struct {
	rows      []PlannedRow
	sequences []int  // in the duplicate index, one a row
	unchanged []int  // sequences of the rows that proved to be unchanged
	payloads  []byte // what the rows' payloads are cut from
}

// planRun is what one Make works with.
type planRun struct {
	*Planner
	index    *duplicateIndex
	digester *Digester
	problems map[problemKey]*ProblemCount
}

type problemKey struct {
	rule     mapping.Rule
	severity mapping.Severity
	column   int
}

func (r *planRun) read(ctx context.Context, full chan<- *batch, empty <-chan *batch) error {
	var row Row
	var result mapping.Result
	for done := false; !done; {
		var b *batch
		select {
		case b = <-empty:
		case <-ctx.Done():
			return ctx.Err()
		}
		r.settle(b)
		for len(b.rows) < planBatch {
			if err := r.Source.Next(&row); errors.Is(err, io.EOF) {
				done = true
				break
			} else if err != nil {
				return err
			}
			r.Mapper.Map(row.Cells, &result)
			if err := r.judge(b, &row, &result); err != nil {
				return err
			}
		}
		select {
		case full <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
		if r.OnRows != nil {
			r.OnRows(len(b.rows))
		}
	}
	return nil
}

// settle notes what the store found out about the batch's rows, and empties it.
// The index belongs to the reading goroutine.
func (r *planRun) settle(b *batch) {
	for _, sequence := range b.unchanged {
		r.index.statuses[sequence] = planStatusOf(Unchanged)
	}
	b.rows, b.sequences, b.unchanged, b.payloads = b.rows[:0], b.sequences[:0], b.unchanged[:0], b.payloads[:0]
}

// judge adds the verdict on one row to the batch.
func (r *planRun) judge(b *batch, row *Row, result *mapping.Result) error {
	planned := PlannedRow{Row: row.Number, Status: Pending}
	planned.UniqueID, _ = result.Profile.Get(mapping.UniqueID)
	planned.LoginSource, _ = result.Profile.Get(mapping.LoginSource)
	switch {
	case result.Skipped:
		planned.Status = Skipped
	default:
		r.describe(&planned, row.Problems)
		r.describe(&planned, result.Problems)
	}
	if planned.UniqueID != "" && planned.LoginSource != "" {
		planned.Key = r.digester.Key(planned.LoginSource, planned.UniqueID)
	}
	if planned.Status == Pending {
		start := len(b.payloads)
		var err error
		if b.payloads, err = result.Profile.AppendJSON(b.payloads); err != nil {
			return fmt.Errorf("row %d: %w", row.Number, err)
		}
		planned.Payload = b.payloads[start:len(b.payloads):len(b.payloads)]
		planned.Hash = r.digester.Profile(planned.Payload)
	}
	b.sequences = append(b.sequences, r.index.add(row.Number, planned.Status, &result.Profile))
	b.rows = append(b.rows, planned)
	return nil
}

// describe adds the problems to the row's verdict and to the counts.
func (r *planRun) describe(planned *PlannedRow, problems []mapping.Problem) {
	for _, p := range problems {
		header := ""
		if names := r.Source.Header().Names; p.Column >= 0 && p.Column < len(names) {
			header = names[p.Column]
		}
		message := p.Message
		if p.Column != mapping.NoColumn {
			message = fmt.Sprintf("%s (column %s): %s", cmp.Or(header, "no header"), mapping.ColumnLetter(p.Column), p.Message)
		}
		r.count(ProblemCount{Rule: p.Rule, Severity: p.Severity, Column: p.Column, Header: header, Row: planned.Row, Message: message})
		if p.Severity == mapping.Warning {
			planned.Warnings = joinMessages(planned.Warnings, message)
			continue
		}
		planned.Status = Invalid
		planned.Field = cmp.Or(planned.Field, p.Attribute.String())
		planned.Message = joinMessages(planned.Message, message)
	}
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

// commonest returns the problems counted: errors before warnings, the commonest first.
func (r *planRun) commonest() []ProblemCount {
	list := make([]ProblemCount, 0, len(r.problems))
	for p := range maps.Values(r.problems) {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b ProblemCount) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule))
	})
	return list
}

func (r *planRun) store(ctx context.Context, full <-chan *batch, empty chan<- *batch) error {
	for b := range full {
		if err := r.markUnchanged(ctx, b); err != nil {
			return err
		}
		if err := r.Store.Append(ctx, b.rows); err != nil {
			return err
		}
		select {
		case empty <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// markUnchanged marks the rows whose profile is the one that the Controller last
// accepted.
func (r *planRun) markUnchanged(ctx context.Context, b *batch) error {
	if r.Acceptances == nil {
		return nil
	}
	var keys []Digest
	for _, row := range b.rows {
		if row.Status == Pending {
			keys = append(keys, row.Key)
		}
	}
	accepted, err := r.Acceptances.Accepted(ctx, r.Target, keys)
	if err != nil {
		return err
	}
	for i := range b.rows {
		row := &b.rows[i]
		if last, ok := accepted[row.Key]; ok && row.Status == Pending && last.Hash == row.Hash {
			row.Status, row.ReferenceID, row.Payload = Unchanged, last.ReferenceID, nil
			b.unchanged = append(b.unchanged, b.sequences[i])
		}
	}
	return nil
}

// amend stores the verdicts that only the whole source gives.
func (r *planRun) amend(ctx context.Context) error {
	var pending []Amendment
	flush := func() error {
		defer func() { pending = pending[:0] }()
		if len(pending) == 0 {
			return nil
		}
		return r.Store.Amend(ctx, pending)
	}
	err := r.index.amendments(func(a Amendment) error {
		if a.Status == Invalid {
			r.count(ProblemCount{Rule: a.Rule, Column: mapping.NoColumn, Row: a.Row, Message: a.Message})
		}
		if pending = append(pending, a); len(pending) < planBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
