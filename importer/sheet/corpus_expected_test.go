package sheet

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// The bounds of BOUNDED, which no other file may exceed either.
const (
	mostTime   = 5 * time.Second
	mostMemory = 256 << 20 // bytes of heap above what was in use before
)

// reading is all that a file gave.
type reading struct {
	header importer.Header
	rows   []importer.Row
	notes  []string
	left   int   // rows below the table that were left out, and named
	err    error // of Open or of Next; nil when the file was read to its end
}

// assess reads the file, and returns what is wrong with what it gave; "" when it
// is what is expected.
func (s specimen) assess(t *testing.T, counts *tally) string {
	if s.expected == oracle {
		return s.comparedWithExcel(t, counts)
	}
	before := heap(s.expected == bounded)
	start := time.Now()
	got, err := readAll(s.path, Options{}, s.expected == bounded)
	took := time.Since(start)
	used := heap(false) - before
	if took > mostTime { // a busy machine may be to blame, but not twice
		start = time.Now()
		got, err = readAll(s.path, Options{}, s.expected == bounded)
		took = time.Since(start)
	}
	var fe *rows.FileError
	switch {
	case err != nil:
		return err.Error()
	case took > mostTime:
		return fmt.Sprintf("it took %v", took)
	case s.expected == bounded && used > mostMemory:
		return fmt.Sprintf("it took %d MiB", used>>20)
	case got.err != nil && !errors.As(got.err, &fe):
		return fmt.Sprintf("error %v (%T) is not a *FileError", got.err, got.err)
	case fe != nil && len(fe.Message) < 20:
		return fmt.Sprintf("the error says next to nothing: %v", fe)
	case got.err == nil && len(got.rows) == 0 && len(got.notes) == 0:
		return "no rows, and not a word about it"
	}
	switch s.expected {
	case accept:
		return s.accepted(t, got)
	case rowErrors:
		return s.faultyRows(t, got, counts)
	case warnOrAsk:
		return s.warned(t, got, counts)
	case refuseFile:
		return s.refused(got)
	}
	return ""
}

// heap returns how many bytes of memory the heap has from the system. What is not
// in use is given back first when that is asked for, so that growth from there on
// is the most that was in use at any time.
func heap(trim bool) int64 {
	if trim {
		debug.FreeOSMemory()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapSys - m.HeapReleased)
}

// readAll reads a file to its end. A panic is an error.
func readAll(path string, o Options, countOnly bool) (got reading, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	table, openErr := openUnhurried(path, o)
	if openErr != nil {
		return reading{err: openErr}, nil
	}
	defer func() { err = errors.Join(err, table.Close()) }()
	got.header = table.Header()
	for {
		var row importer.Row
		if err := table.Next(&row); err == io.EOF {
			break
		} else if err != nil {
			got.err = err
			break
		}
		if !countOnly || len(got.rows) == 0 {
			got.rows = append(got.rows, row)
		}
	}
	got.notes, got.left = table.Notes(), len(table.body.footers)
	return got, nil
}

// isQuestion reports whether the error names the setting that answers it.
func isQuestion(err error) bool {
	return err != nil && strings.Contains(err.Error(), "--")
}

func isFault(p mapping.Problem) bool { return p.Severity == mapping.SeverityError }

// hasFault counts a formula without a result and an error such as #N/A as faults:
// they are problems as soon as a mapping asks for the cell.
func hasFault(row importer.Row) bool {
	return slices.ContainsFunc(row.Problems, isFault) || slices.ContainsFunc(row.Cells, func(c mapping.Cell) bool {
		return c.Kind == mapping.NoValueCell || c.Kind == mapping.ErrorCell
	})
}

// warned wants a word about what is odd: of the reader, of the plan, or at least the
// question which column holds the ids. Where the trouble is known, the word must be
// about it.
func (s specimen) warned(t *testing.T, got reading, counts *tally) string {
	said, asks := s.said(t, got), got.err == nil && asksForMapping(got)
	isSaid := func(text string) bool {
		return slices.ContainsFunc(s.trouble.words, func(word string) bool { return strings.Contains(text, word) })
	}
	switch {
	case s.trouble == nil:
		counts.unknown++
		if said == "" && !asks {
			return "not a word about it"
		}
	case !isSaid(said) && !(asks && isSaid(whichIDs)):
		return fmt.Sprintf("not a word about it: none of %q", s.trouble.words)
	case !isSaid(said):
		counts.asked++
	}
	return ""
}

// accepted takes a question for an answer where no oracle tells it, or the oracle
// itself has made up the header. Where the question is which row is the header, it
// is answered: the row that the question names. A row at fault is not read. Where no
// oracle tells what is right, no more than half of them may be.
func (s specimen) accepted(t *testing.T, got reading) string {
	if got.err != nil {
		if isQuestion(got.err) && (s.oracle == "" || strings.Contains(s.oracle, "survey_sample")) {
			return ""
		}
		if s.oracle != "" && len(withoutBlanks(readOracle(t, s.oracle))) == 0 {
			return "" // there is nothing in it
		}
		fe := asFileError(got.err)
		if fe.Row == 0 || !isQuestion(fe) {
			return got.err.Error()
		}
		var err error
		if got, err = readAll(s.path, Options{HeaderRow: fe.Row}, false); err != nil || got.err != nil {
			return errors.Join(err, got.err).Error()
		}
	}
	faults := 0
	var first string
	for _, row := range got.rows {
		if i := slices.IndexFunc(row.Problems, isFault); i >= 0 {
			if faults++; faults == 1 {
				first = fmt.Sprintf("row %d: %s", row.Number, row.Problems[i].Text())
			}
		}
	}
	switch {
	case faults*2 > len(got.rows) || faults > 0 && s.oracle != "":
		return fmt.Sprintf("%d of %d rows are at fault, the first is %s", faults, len(got.rows), first)
	case s.oracle != "":
		want := withoutBlanks(readOracle(t, s.oracle))
		return compareGrids(want[:max(0, len(want)-got.left)], got.grid())
	}
	return ""
}

// faultyRows wants the rows at fault named, and no others: those that are known, or
// that differ from the oracle. The other rows are those of the oracle.
func (s specimen) faultyRows(t *testing.T, got reading, counts *tally) string {
	named := map[int]bool{}
	if got.err != nil {
		fe := asFileError(got.err)
		if fe.Row == 0 || !isQuestion(fe) {
			return got.err.Error()
		}
		named[fe.Row] = true // the fault is in the header
	}
	for _, row := range got.rows {
		if hasFault(row) {
			named[row.Number] = true
		}
	}
	if len(named) == 0 {
		plan := s.planned(t, got)
		named = plan.atFault()
	}
	wrong, differences := map[int]bool{}, ""
	if s.oracle != "" && got.err == nil {
		wrong, differences = differingRows(readOracle(t, s.oracle), got)
	}
	switch {
	case len(named) == 0:
		return "no row is at fault"
	case differences != "":
		return differences
	case s.trouble != nil:
		for row := range wrong {
			if !named[row] {
				return fmt.Sprintf("row %d is taken for sound", row)
			}
		}
		wrong = map[int]bool{}
		for _, row := range s.trouble.rows {
			wrong[row] = true
		}
	case s.oracle == "" || got.err != nil:
		counts.unknown++
		return ""
	}
	if !maps.Equal(named, wrong) {
		return fmt.Sprintf("named are rows %v, at fault are %v", slices.Sorted(maps.Keys(named)), slices.Sorted(maps.Keys(wrong)))
	}
	return ""
}

// differingRows returns the rows that are not those of the oracle, or why they cannot
// be compared.
func differingRows(want [][]string, got reading) (differing map[int]bool, fault string) {
	if len(want) != len(got.rows)+1 {
		return nil, fmt.Sprintf("%d rows, want %d", len(got.rows), len(want)-1)
	}
	differing = map[int]bool{}
	for i, row := range got.grid() {
		if rowKey(row) == rowKey(want[i]) {
			continue
		}
		if i == 0 {
			return nil, fmt.Sprintf("the header is %q, want %q", row, want[0])
		}
		differing[got.rows[i-1].Number] = true
	}
	return differing, ""
}

// asFileError returns the error as the one that readers give, which assess has seen
// it is.
func asFileError(err error) *rows.FileError {
	var fe *rows.FileError
	errors.As(err, &fe)
	return fe
}

// refused takes for a refusal that nothing of the file can be sent: an error, no
// rows, or no column that holds ids for certain.
func (s specimen) refused(got reading) string {
	if got.err != nil || len(got.rows) == 0 || asksForMapping(got) {
		return ""
	}
	return fmt.Sprintf("%s is read as %d rows", filepath.Base(s.path), len(got.rows))
}
