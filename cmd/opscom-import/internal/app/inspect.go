package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/report"
)

// Inspection is a check whose rows can be looked at until it is closed. It may be used by
// several goroutines.
type Inspection struct {
	Receipt   report.Receipt // as Check gives it
	Changes   report.Changes // compared with what was last accepted, whether or not only changes are sent
	Digest    string         // of what a push would send: see Reviewed
	Header    importer.Header
	Sheet     string                      // "" for a file without sheets
	Notes     []string                    // what a person should know, a sentence each
	NotSent   []string                    // headers of the columns of which nothing is made
	Choices   map[int][]string            // by column: the values that a cell may have
	Void      []importer.Correction       // those that do not apply any more
	Proposals map[ProblemPlace]int        // in how many rows the cell could be replaced by what is proposed
	Columns   map[mapping.Attribute][]int // of each attribute that has some: the first that is not blank counts

	corrections []importer.Correction
	mapper      *mapping.Mapper
	whole       map[int]string // by number: the text in the file of the rows with a correction of the whole row
	mutex       sync.RWMutex   // Close waits until nobody reads
	rows        *inspectedRows
}

// ProblemPlace is a kind of problem in one column.
type ProblemPlace struct {
	Rule   mapping.Rule
	Column int
}

// Tab is a selection of an inspection's rows.
type Tab string

// The tabs.
const (
	TabAll        Tab = "all"
	TabToFix      Tab = "fix"        // not sent as they are
	TabWarnings   Tab = "warnings"   // sent, and worth a look
	TabCorrected  Tab = "corrected"  // changed or left out by a person
	TabLeftOut    Tab = "left"       // by the mapping's where, or by a person
	TabDuplicates Tab = "duplicates" // the same as an earlier row
)

// Tabs returns the tabs in the order in which they are shown.
func Tabs() []Tab {
	return []Tab{TabAll, TabToFix, TabWarnings, TabCorrected, TabLeftOut, TabDuplicates}
}

// InspectedRow is one row of an inspection.
type InspectedRow struct {
	Number      int
	Status      importer.Status // valid, unchanged, duplicate, skipped or invalid
	DuplicateOf int             // of a duplicate: the row that it repeats
	Cells       []mapping.Cell  // as read, and corrected
	Problems    []importer.RowProblem
	AsRead      string // the row's text in the file, for a correction of the whole row
}

// Cell returns the text of a cell, "" for one that the row does not have.
func (r *InspectedRow) Cell(column int) string {
	if column < 0 || column >= len(r.Cells) {
		return ""
	}
	return r.Cells[column].Text
}

// Correct returns the correction that writes text into a cell of the row.
func (r *InspectedRow) Correct(column int, text string) importer.Correction {
	return importer.Correction{Row: r.Number, Column: column, Old: r.Cell(column), New: text, Line: importer.LineSum(r.AsRead)}
}

// Whole returns a correction of the row as a whole.
func (r *InspectedRow) Whole(what int) importer.Correction {
	return importer.Correction{Row: r.Number, Column: what, Old: r.AsRead}
}

// Inspect checks a file as Check does, writes no reports, and keeps the rows in
// temporary files so that they can be looked at. The caller closes the inspection.
func Inspect(ctx context.Context, env Env, file string) (i *Inspection, err error) {
	defer func() { err = OrInterrupted(ctx, err) }()
	var notes []string
	env.Notify = func(note string) { notes = append(notes, note) }
	checker, err := newChecker(ctx, env)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, checker.Close()) }()
	_, err = env.withTable(ctx, file, checker.userTypes, func(t *table) (_ report.Receipt, err error) {
		i, err = checker.inspect(ctx, t)
		return report.Receipt{}, err
	})
	if err != nil {
		if i != nil {
			err = errors.Join(err, i.Close())
		}
		return nil, err
	}
	i.Notes = append(i.Notes, notes...)
	if checker.note != "" {
		i.Notes = append(i.Notes, checker.note)
	}
	return i, nil
}

// inspect plans one file and keeps its rows.
func (c *checker) inspect(ctx context.Context, opened *table) (i *Inspection, err error) {
	t, err := opened.withUserTypes(c.Settings, c.userTypes)
	if err != nil {
		return nil, err
	}
	rows := newInspectedRows()
	defer func() {
		if err != nil {
			err = errors.Join(err, rows.close())
		}
	}()
	planner := importer.Planner{Source: &recordedSource{t, rows}, Store: rows, Digest: true, CheckOnly: true, Everybody: !c.Settings.OnlyChanges}
	if c.journal != nil {
		known := c.journal.Acceptances()
		planner.Salt, planner.Acceptances, planner.Owners = c.journal.Salt(), known, known
	}
	plan, err := c.planQuietly(ctx, t, planner)
	if err != nil {
		return nil, err
	}
	i = &Inspection{
		Changes: changesOf(plan), Digest: plan.Digest,
		Header: t.Header(), Sheet: t.Sheet(), Notes: plan.Notes, Choices: t.userTypeChoices(), Void: t.rows.Void(),
		Proposals: rows.proposals, Columns: map[mapping.Attribute][]int{}, corrections: c.Corrections, whole: map[int]string{}, mapper: t.mapper, rows: rows,
	}
	void := map[importer.Correction]bool{}
	for _, correction := range i.Void {
		void[correction] = true
	}
	for _, correction := range c.Corrections {
		if correction.Column < 0 && !void[correction] {
			i.whole[correction.Row] = correction.Old
		}
	}
	for column, name := range i.Header.Names {
		if name = strings.TrimSpace(name); name != "" && !t.mapper.Uses(column) {
			i.NotSent = append(i.NotSent, name)
		}
	}
	for _, f := range t.mapping.Fields {
		if columns := t.mapper.Columns(f.Attribute); len(columns) > 0 {
			i.Columns[f.Attribute] = columns
		}
	}
	held, err := c.judge(ctx, c.journal, plan, t.in.source)
	if err != nil {
		return nil, err
	}
	counts := plan.Counts
	counts[importer.StatusValid] = counts[importer.StatusPending]
	delete(counts, importer.StatusPending)
	i.Receipt = report.Receipt{
		Command: report.CheckCommand, File: t.in.shown, Target: c.Host(), Problems: plan.Problems, Rows: plan.Rows, Counts: counts, Held: held,
		Seconds: time.Since(t.in.opened).Seconds(), Exit: RunExitCode(counts, nil, false),
	}
	rows.finish()
	return i, i.Receipt.Check()
}

// recordedSource keeps the cells of the rows that are read from a source.
type recordedSource struct {
	importer.Source
	rows *inspectedRows
}

func (s *recordedSource) Next(row *importer.Row) error {
	if err := s.Source.Next(row); err != nil {
		return err
	}
	return s.rows.addCells(row)
}

// Count returns how many rows are in the tab.
func (i *Inspection) Count(tab Tab) int { return i.rows.count(tab) }

// Rows returns at most n rows of the tab, from the one at the offset on.
func (i *Inspection) Rows(tab Tab, offset, n int) (rows []InspectedRow, err error) {
	err = i.reading(func() error {
		for at := max(offset, 0); at < min(offset+n, i.rows.count(tab)); at++ {
			row, err := i.row(i.rows.at(tab, at))
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

// Row returns the row with this number, and false if the file has none.
func (i *Inspection) Row(number int) (row InspectedRow, ok bool, err error) {
	err = i.reading(func() (err error) {
		sequence, found := i.rows.find(number)
		if ok = found; found {
			row, err = i.row(sequence)
		}
		return err
	})
	return row, ok, err
}

// Offset returns where in the tab the first row is whose number is not less.
func (i *Inspection) Offset(tab Tab, number int) int {
	sequence, _ := i.rows.find(number)
	return i.rows.offset(tab, sequence)
}

// Alike returns in how many rows the same is wrong with the same value as in this
// problem.
func (i *Inspection) Alike(p importer.RowProblem) int { return i.rows.alike[i.rows.keyOf(&p)] }

// ReplaceAlike returns the corrections that write text into every cell that Alike counts.
func (i *Inspection) ReplaceAlike(p importer.RowProblem, text string) ([]importer.Correction, error) {
	return i.replace(func(other *importer.RowProblem) (string, bool) {
		return text, other.Rule == p.Rule && other.Column == p.Column && other.Severity == p.Severity && other.Value == p.Value
	})
}

// TakeProposals returns the corrections that write into every cell with this kind of
// problem what is proposed for it.
func (i *Inspection) TakeProposals(place ProblemPlace) ([]importer.Correction, error) {
	return i.replace(func(p *importer.RowProblem) (string, bool) {
		return p.Proposal, p.Proposal != "" && p.Rule == place.Rule && p.Column == place.Column
	})
}

// LeaveOut returns the corrections that leave out every row that the rule keeps from being
// sent.
func (i *Inspection) LeaveOut(rule mapping.Rule) (corrections []importer.Correction, err error) {
	err = i.reading(func() error {
		for _, sequence := range i.rows.tabs[TabToFix] {
			row, err := i.row(int(sequence))
			if err != nil {
				return err
			}
			if slices.ContainsFunc(row.Problems, func(p importer.RowProblem) bool { return p.Rule == rule && p.Severity == mapping.SeverityError }) {
				corrections = append(corrections, row.Whole(importer.LeaveOut))
			}
		}
		return nil
	})
	return corrections, err
}

// replace returns a correction for each problem for which it is told another text.
func (i *Inspection) replace(with func(*importer.RowProblem) (string, bool)) (corrections []importer.Correction, err error) {
	err = i.reading(func() error {
		for sequence := range i.rows.rows {
			problems, err := i.rows.problemsOf(sequence)
			if err != nil {
				return err
			}
			for at := range problems {
				p := &problems[at]
				text, wanted := with(p)
				if !wanted || p.Column == mapping.NoColumn {
					continue
				}
				row, err := i.row(sequence)
				if err != nil {
					return err
				}
				corrections = append(corrections, row.Correct(p.Column, text))
				break
			}
		}
		return nil
	})
	return corrections, err
}

// reading calls f unless the inspection is closed, and keeps Close waiting.
func (i *Inspection) reading(f func() error) error {
	i.mutex.RLock()
	defer i.mutex.RUnlock()
	if i.rows.closed {
		return fmt.Errorf("look at the rows: %w", os.ErrClosed)
	}
	if err := f(); err != nil {
		return fmt.Errorf("look at the rows: %w", err)
	}
	return nil
}

// row reads the row that was read as that many.
func (i *Inspection) row(sequence int) (InspectedRow, error) {
	kept := &i.rows.rows[sequence]
	row := InspectedRow{Number: int(kept.number), Status: i.rows.status(kept), DuplicateOf: int(kept.duplicateOf)}
	var err error
	if row.Cells, err = i.rows.cellsOf(sequence); err != nil {
		return row, err
	}
	if row.Problems, err = i.rows.problemsOf(sequence); err != nil {
		return row, err
	}
	row.AsRead = i.asRead(&row)
	return row, nil
}

// asRead returns the row's text in the file: the cells, with the old values of those that
// were corrected. A correction of the whole row may have cut cells, and has the text.
func (i *Inspection) asRead(row *InspectedRow) string {
	if text, ok := i.whole[row.Number]; ok {
		return text
	}
	cells := slices.Clone(row.Cells)
	for at := range row.Problems {
		if p := &row.Problems[at]; p.Rule == mapping.RuleCorrected && p.Column >= 0 {
			cells[p.Column].Text = p.Value
		}
	}
	return importer.RowText(cells)
}

// Close removes what the inspection has kept.
func (i *Inspection) Close() error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.rows.close()
}

// FixRows returns the number of rows that WriteFix writes.
func (i *Inspection) FixRows() int { return min(len(i.rows.tabs[TabToFix]), report.MaxFixRows) }

// WriteFix writes the first [report.MaxFixRows] rows to fix as a workbook, as
// [report.WriteFix] does, with the cells as they are corrected. Without any it has only the
// header.
func (i *Inspection) WriteFix(w io.Writer) error {
	return i.reading(func() error {
		_, err := report.WriteFix(report.To("-", w), i.fixSheet(), func(yield func(report.FixRow, error) bool) {
			for _, sequence := range i.rows.tabs[TabToFix][:i.FixRows()] {
				row, err := i.row(int(sequence))
				if !yield(i.fixRow(&row), err) || err != nil {
					return
				}
			}
		})
		return err
	})
}

func (i *Inspection) fixSheet() report.FixSheet {
	return report.FixSheet{Sheet: i.Sheet, HeaderRow: i.Header.Row, Header: i.Header.Names, Choices: i.Choices, ToFix: len(i.rows.tabs[TabToFix])}
}

func (i *Inspection) fixRow(row *InspectedRow) report.FixRow {
	return fixRow(importer.Result{Row: row.Number, Problems: row.Problems}, importer.Row{Cells: row.Cells}, i.mapper)
}

// WriteProblems writes a line for each problem, as [report.WriteProblems] does.
func (i *Inspection) WriteProblems(w io.Writer) error {
	return i.reading(func() error {
		_, err := report.WriteProblems(report.To("-", w), i.problems())
		return err
	})
}

func (i *Inspection) problems() iter.Seq2[importer.RowProblem, error] {
	return func(yield func(importer.RowProblem, error) bool) {
		for sequence := range i.rows.rows {
			problems, err := i.rows.problemsOf(sequence)
			if err != nil {
				yield(importer.RowProblem{}, err)
				return
			}
			for _, p := range problems {
				if !yield(p, nil) {
					return
				}
			}
		}
	}
}
