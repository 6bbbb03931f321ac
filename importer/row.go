package importer

import (
	"time"

	"opscom-import/mapping"
)

// Row is one row of the source below its header.
type Row struct {
	Number   int               // the number that a spreadsheet shows for it; the first row is 1
	Cells    []mapping.Cell    // from column A on; a short row has fewer cells than the header
	Problems []mapping.Problem // what is wrong with the row as it was read, such as quotes that do not pair up
}

// Header is the row that names the columns.
type Header struct {
	Row   int      // its number in the spreadsheet
	Names []string // from column A on; "" for a column without a name
}

// Digest is a keyed hash of personal data, by which rows are compared without
// keeping their text.
type Digest [16]byte

// PlannedRow is the plan's verdict on one row.
type PlannedRow struct {
	Row         int
	UniqueID    string       // as it will be sent
	LoginSource string       // as it will be sent
	Key         Digest       // of the folded login source and unique id
	Hash        Digest       // of the profile
	Status      Status       // Pending, Unchanged, Duplicate, Skipped or Invalid
	ReferenceID string       // of an unchanged row
	Field       string       // attribute at fault, as it is sent
	Message     string       // what is wrong, and what to do
	Warnings    string       // what to look at
	Problems    []RowProblem // what Message and Warnings tell, one by one
	Payload     []byte       // of a pending row: the profile as a JSON object, without the token
}

// Amendment changes the verdict on a row that was planned earlier, once rows
// further down have shown it to be a duplicate or to contradict another. The
// row's message is put before the one that it has.
type Amendment struct {
	Row     int
	Status  Status // Duplicate or Invalid
	Message string
	Problem *RowProblem // why the row is invalid; nil for a duplicate
}

// Field returns the attribute at fault, "" for none.
func (a Amendment) Field() string {
	if a.Problem == nil {
		return ""
	}
	return a.Problem.Attribute.String()
}

// Job is a claimed row, ready to be pushed.
type Job struct {
	Row     int
	Payload []byte
}

// Outcome is what became of a claimed row.
type Outcome struct {
	Row         int
	Status      Status // Pushed, Rejected, Failed, Unknown or NotSent
	ReferenceID string
	ErrorCode   string // the Controller's ErrorCode, "" when it gave none
	Field       string // attribute at fault, where it is known
	Message     string
	Attempts    int  // requests sent since the row was claimed
	Open        bool // going on with the run pushes the row again
	FinishedAt  time.Time
}

// Result is one row's line in the results: its plan and its outcome together.
type Result struct {
	Row         int
	UniqueID    string
	LoginSource string
	Status      Status
	ReferenceID string
	ErrorCode   string
	Field       string
	Message     string
	Warnings    string
	Attempts    int
	FinishedAt  time.Time    // zero when the row was never sent
	Problems    []RowProblem // that the plan found
}

// Acceptance is what the Controller last accepted for a key.
type Acceptance struct {
	Hash        Digest // of the profile
	ReferenceID string
	AcceptedAt  time.Time
}

// RowProblem is one problem of one row, for the report of problems.
type RowProblem struct {
	Row    int
	Header string // of the problem's column, "" when no single cell is meant
	mapping.Problem
}
