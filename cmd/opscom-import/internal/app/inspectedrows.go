package app

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"slices"
	"sort"
	"strconv"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// inspectedRows keeps the rows of an inspection: their cells and problems in temporary
// files, and in memory only where they are there, 44 bytes a row. It is a
// [importer.PlanStore].
type inspectedRows struct {
	rows     []inspectedRow // in the file's order, once they are planned
	cellsAt  []section      // of the rows as they are read, which runs ahead
	record   []byte         // memory of addCells
	cells    spool
	problems spool
	tabs     map[Tab][]int32 // indexes of rows; all but TabAll

	seed      maphash.Seed
	alike     map[uint64]int // problems by keyOf
	proposals map[ProblemPlace]int
	buffer    []byte
	closed    bool
}

type inspectedRow struct {
	number      int32
	duplicateOf int32
	status      importer.Status
	problems    section // of no size where there are none
	doubtful    bool    // it has a warning that a person should look at
	corrected   bool
}

func newInspectedRows() *inspectedRows {
	return &inspectedRows{seed: maphash.MakeSeed(), alike: map[uint64]int{}, proposals: map[ProblemPlace]int{}}
}

// addCells keeps the cells of the next row. It is called by the goroutine that reads,
// while another one calls Append.
func (s *inspectedRows) addCells(row *importer.Row) error {
	s.record = binary.AppendUvarint(s.record[:0], uint64(len(row.Cells)))
	for _, c := range row.Cells {
		s.record = appendText(append(s.record, byte(c.Kind)), c.Text)
	}
	at, err := s.cells.add(s.record)
	s.cellsAt = append(s.cellsAt, at)
	return err
}

// Append keeps what the plan says of the next rows.
func (s *inspectedRows) Append(_ context.Context, rows []importer.PlannedRow) error {
	for i := range rows {
		planned := &rows[i]
		row := inspectedRow{number: int32(planned.Row), status: planned.Status}
		if err := s.keepProblems(&row, planned.Problems); err != nil {
			return err
		}
		for j := range planned.Problems {
			s.countProblem(&planned.Problems[j])
		}
		s.rows = append(s.rows, row)
	}
	return nil
}

// Amend changes rows that were appended.
func (s *inspectedRows) Amend(_ context.Context, amendments []importer.Amendment) error {
	for i := range amendments {
		a := &amendments[i]
		sequence, ok := s.find(a.Row)
		if !ok {
			return fmt.Errorf("amend row %d: it was not planned", a.Row)
		}
		row := &s.rows[sequence]
		problems, err := s.problemsOf(sequence)
		if err != nil {
			return err
		}
		planned := importer.PlannedRow{Problems: problems}
		planned.Amend(a)
		row.status, row.duplicateOf = planned.Status, int32(planned.DuplicateOf)
		if a.Problem != nil {
			s.countProblem(a.Problem)
			if err := s.keepProblems(row, planned.Problems); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *inspectedRows) keepProblems(row *inspectedRow, problems []importer.RowProblem) (err error) {
	if len(problems) == 0 {
		return nil
	}
	s.buffer = binary.AppendUvarint(s.buffer[:0], uint64(len(problems)))
	for i := range problems {
		p := &problems[i]
		corrected := p.Rule == mapping.RuleCorrected
		row.corrected = row.corrected || corrected
		row.doubtful = row.doubtful || !corrected && p.Severity == mapping.SeverityWarning
		s.buffer = append(s.buffer, byte(p.Severity), byte(p.Attribute))
		s.buffer = binary.AppendVarint(s.buffer, int64(p.Column))
		for _, text := range []string{string(p.Rule), p.Header, p.Value, p.Message, p.Advice, p.Proposal} {
			s.buffer = appendText(s.buffer, text)
		}
	}
	row.problems, err = s.problems.add(s.buffer)
	return err
}

// countProblem counts the problem among those like it.
func (s *inspectedRows) countProblem(p *importer.RowProblem) {
	if p.Column == mapping.NoColumn {
		return
	}
	s.alike[s.keyOf(p)]++
	if p.Proposal != "" {
		s.proposals[ProblemPlace{p.Rule, p.Column}]++
	}
}

// keyOf is the same for problems of the same kind with the same value.
func (s *inspectedRows) keyOf(p *importer.RowProblem) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, text := range []string{string(p.Rule), strconv.Itoa(p.Column), p.Severity.String(), p.Value} {
		_, _ = h.WriteString(text) // it never fails
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// finish sorts the rows into tabs.
func (s *inspectedRows) finish() {
	s.tabs = map[Tab][]int32{}
	for i := range s.rows {
		row := &s.rows[i]
		add := func(tab Tab, belongs bool) {
			if belongs {
				s.tabs[tab] = append(s.tabs[tab], int32(i))
			}
		}
		add(TabToFix, row.status == importer.StatusInvalid)
		add(TabWarnings, row.doubtful && (row.status == importer.StatusPending || row.status == importer.StatusUnchanged))
		add(TabCorrected, row.corrected)
		add(TabLeftOut, row.status == importer.StatusSkipped)
		add(TabDuplicates, row.status == importer.StatusDuplicate)
	}
}

func (s *inspectedRows) count(tab Tab) int {
	if tab == TabAll {
		return len(s.rows)
	}
	return len(s.tabs[tab])
}

// at returns the index of the row at an offset of the tab.
func (s *inspectedRows) at(tab Tab, offset int) int {
	if tab == TabAll {
		return offset
	}
	return int(s.tabs[tab][offset])
}

// offset returns the offset in the tab of the first row whose index is not less.
func (s *inspectedRows) offset(tab Tab, sequence int) int {
	if tab == TabAll {
		return sequence
	}
	offset, _ := slices.BinarySearch(s.tabs[tab], int32(sequence))
	return offset
}

// find returns the index of the row with this number, or of the next one.
func (s *inspectedRows) find(number int) (sequence int, ok bool) {
	return sort.Find(len(s.rows), func(i int) int { return number - int(s.rows[i].number) })
}

// status returns the status as a check shows it.
func (s *inspectedRows) status(row *inspectedRow) importer.Status {
	if row.status == importer.StatusPending {
		return importer.StatusValid
	}
	return row.status
}

func (s *inspectedRows) cellsOf(sequence int) ([]mapping.Cell, error) {
	r, err := s.cells.read(s.cellsAt[sequence])
	if err != nil {
		return nil, err
	}
	cells := make([]mapping.Cell, r.number())
	for i := range cells {
		cells[i].Kind = mapping.CellKind(r.byte())
		cells[i].Text = r.text()
	}
	return cells, nil
}

func (s *inspectedRows) problemsOf(sequence int) ([]importer.RowProblem, error) {
	row := &s.rows[sequence]
	if row.problems.size == 0 {
		return nil, nil
	}
	r, err := s.problems.read(row.problems)
	if err != nil {
		return nil, err
	}
	problems := make([]importer.RowProblem, r.number())
	for i := range problems {
		p := &problems[i]
		p.Row = int(row.number)
		p.Severity, p.Attribute, p.Column = mapping.Severity(r.byte()), mapping.Attribute(r.byte()), r.signed()
		p.Rule, p.Header, p.Value, p.Message, p.Advice, p.Proposal = mapping.Rule(r.text()), r.text(), r.text(), r.text(), r.text(), r.text()
	}
	return problems, nil
}

func (s *inspectedRows) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return errors.Join(s.cells.close(), s.problems.close())
}

// spool is a temporary file of records, which only this user can read.
type spool struct {
	file     *os.File // nil while all is in the buffer
	unlinked bool     // the file has no name any more, so that nothing is left of it whatever happens
	size     int64    // bytes in the file
	buffer   []byte   // that follow them
}

// section is where a record is.
type section struct {
	at   int64
	size int32
}

// spoolBuffer is how much is collected before it is written.
const spoolBuffer = 256 << 10

func (s *spool) add(record []byte) (section, error) {
	at := section{s.size + int64(len(s.buffer)), int32(len(record))}
	s.buffer = append(s.buffer, record...)
	if len(s.buffer) < spoolBuffer {
		return at, nil
	}
	return at, s.flush()
}

// flush writes the buffer to the file.
func (s *spool) flush() error {
	if len(s.buffer) == 0 {
		return nil
	}
	if s.file == nil {
		var err error
		if s.file, err = os.CreateTemp("", "opscom-import-rows-*"); err != nil {
			return fmt.Errorf("create a temporary file for the rows: %w", err)
		}
		s.unlinked = os.Remove(s.file.Name()) == nil // Windows does not
	}
	if _, err := s.file.WriteAt(s.buffer, s.size); err != nil {
		return fmt.Errorf("keep the rows: %w", err)
	}
	s.size += int64(len(s.buffer))
	s.buffer = s.buffer[:0]
	return nil
}

// read returns a record that was added. It changes nothing.
func (s *spool) read(at section) (recordReader, error) {
	if at.at >= s.size {
		start := at.at - s.size
		return recordReader(s.buffer[start : start+int64(at.size)]), nil
	}
	data := make([]byte, at.size)
	_, err := s.file.ReadAt(data, at.at)
	return recordReader(data), err
}

func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if !s.unlinked {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// recordReader reads a record that this process has written, from its start.
type recordReader string

func (r *recordReader) byte() byte {
	b := (*r)[0]
	*r = (*r)[1:]
	return b
}

func (r *recordReader) number() int {
	value, width := binary.Uvarint([]byte((*r)[:min(len(*r), binary.MaxVarintLen64)]))
	*r = (*r)[width:]
	return int(value)
}

func (r *recordReader) signed() int {
	value, width := binary.Varint([]byte((*r)[:min(len(*r), binary.MaxVarintLen64)]))
	*r = (*r)[width:]
	return int(value)
}

func (r *recordReader) text() string {
	size := r.number()
	text := (*r)[:size]
	*r = (*r)[size:]
	return string(text)
}
