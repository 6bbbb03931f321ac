package importer

import (
	"cmp"
	"fmt"
	"slices"

	"opscom-import/mapping"
)

// Row is one row of the source below its header.
type Row struct {
	Number   int               // the number that a spreadsheet shows for it; the first row is 1
	Cells    []mapping.Cell    // from column A on; a short row has fewer cells than the header
	Problems []mapping.Problem // what is wrong with the row as it was read, such as quotes that do not pair up
	LeftOut  bool              // a person has left it out; then its problems only say so
}

// IsSkipped reports whether the row is left out: by a person, or by the mapping's where. A
// where that has read values which may be in the wrong columns leaves nobody out.
func (r *Row) IsSkipped(result *mapping.Result) bool {
	return result.Skipped && (r.LeftOut || !slices.ContainsFunc(r.Problems, func(p mapping.Problem) bool { return p.IsOfShape() }))
}

// Header is the row that names the columns.
type Header struct {
	Row   int      // its number in the spreadsheet
	Names []string // from column A on; "" for a column without a name
}

// Digest is a keyed hash of personal data, by which rows are compared without
// keeping their text.
type Digest [16]byte

// PlannedRow is what the plan says of one row.
type PlannedRow struct {
	Row         int
	UniqueID    string       // as it will be sent
	LoginSource string       // as it will be sent
	Key         Digest       // of the folded login source and unique id
	Hash        Digest       // of the profile
	Unique      UniqueValues // of a pending row
	Status      Status       // Pending, Unchanged, Duplicate, Skipped, Invalid or Leaver
	ReferenceID string       // of an unchanged row, and of a leaver who is only reported
	DuplicateOf int          // of a duplicate: the row that it repeats
	Problems    []RowProblem // errors of an invalid row, and warnings of any
	Payload     []byte       // of a pending row: the profile as a JSON object, without the token
	Leaver      bool         // it is not in the file: a person who left, after its last row
	Round       int          // of a pending row: it is sent once all rows of earlier rounds have ended
}

// Amendment changes a row that was planned earlier, once the whole source shows
// what is to be known of it.
type Amendment struct {
	Row         int
	Problem     *RowProblem // an error makes the row invalid; a pending row may get a warning
	DuplicateOf int         // the row that a duplicate repeats; else 0
	Round       int         // of a pending row
}

// Status returns what the row becomes: Duplicate, Invalid, or Pending as it was.
func (a *Amendment) Status() Status {
	switch {
	case a.DuplicateOf > 0:
		return StatusDuplicate
	case a.Problem != nil && a.Problem.Severity == mapping.SeverityError:
		return StatusInvalid
	}
	return StatusPending
}

// Amend applies the amendment. Its problem comes before those that the row has.
func (r *PlannedRow) Amend(a *Amendment) {
	r.Status, r.DuplicateOf, r.Round = a.Status(), a.DuplicateOf, max(r.Round, a.Round)
	if a.Problem != nil {
		r.Problems = slices.Insert(r.Problems, 0, *a.Problem)
	}
}

// leaverWarning is beside each leaver in the results.
const leaverWarning = "A leaver: this person is not in the file, and the last complete run had them."

// Result returns the row's line in the results before it was pushed.
func (r *PlannedRow) Result() Result {
	line := Result{
		Row: r.Row, UniqueID: r.UniqueID, LoginSource: r.LoginSource, Status: r.Status, ReferenceID: r.ReferenceID, Problems: r.Problems, Leaver: r.Leaver,
	}
	if r.Status == StatusDuplicate {
		line.Message = fmt.Sprintf("The same as row %d.", r.DuplicateOf)
	}
	if r.Leaver {
		line.Warnings = leaverWarning
	}
	for i := range r.Problems {
		p := &r.Problems[i]
		texts := &line.Message
		if p.Severity == mapping.SeverityWarning {
			texts = &line.Warnings
		} else {
			line.Field = cmp.Or(line.Field, p.Attribute.String())
		}
		if *texts != "" {
			*texts += "; "
		}
		*texts += p.Located()
	}
	return line
}

// RowProblem is one problem of one row.
type RowProblem struct {
	Row    int
	Header string // of the problem's column, "" when no single cell is meant
	mapping.Problem
}

// Located returns the problem's text with its column before it.
func (p *RowProblem) Located() string {
	if p.Column == mapping.NoColumn {
		return p.Text()
	}
	return fmt.Sprintf("%s (column %s): %s", cmp.Or(p.Header, "no header"), mapping.ColumnLetter(p.Column), p.Text())
}
