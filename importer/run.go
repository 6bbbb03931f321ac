package importer

import (
	"cmp"
	"path/filepath"
	"time"
)

// RunInfo is one run as the journal knows it.
type RunInfo struct {
	ID          int64
	Client      string // client code; "sandbox" for the mock Controller
	Target      string // base URL of the Controller and client code: what a run is pushed to
	Source      string // absolute path of the file, "-" for standard input; for a file that was moved, where it arrived
	File        string // absolute path where the file lies, if that is not Source
	FileHash    string // SHA-256 of the file's bytes, in hexadecimal
	MappingHash string // SHA-256 of the mapping in effect and of the settings that shape the plan, in hexadecimal
	State       RunState
	Rows        int      // rows read below the header; known once the plan is stored
	Held        []string // why a safety limit holds it, a sentence each
	Reports     Reports
	Leavers     *Leavers // nil when they were not to be looked for
	LineEnded   bool     // a text file whose last line has a line end; known once the plan is stored
	StartedAt   time.Time
	FinishedAt  time.Time // zero while it is not finished
}

// Path is where the run's file lies.
func (r RunInfo) Path() string { return cmp.Or(r.File, r.Source) }

// Reports says where the reports of a run go: each an absolute path, "" for no
// such report, or "-" for standard output.
type Reports struct {
	Results  string `json:"results"`           // every row
	Problems string `json:"problems"`          // what the plan found, one by one
	Fix      string `json:"fix"`               // the rows that need a person, as a workbook
	Summary  string `json:"summary"`           // a page without personal data
	Leavers  string `json:"leavers,omitempty"` // people who left
}

// Paths returns every path, to be read or changed.
func (r *Reports) Paths() []*string {
	return []*string{&r.Results, &r.Problems, &r.Fix, &r.Summary, &r.Leavers}
}

// In returns the reports of the same names in another folder.
func (r Reports) In(folder string) Reports {
	for _, path := range r.Paths() {
		if *path != "" && *path != "-" {
			*path = filepath.Join(folder, filepath.Base(*path))
		}
	}
	return r
}

// Counts holds the number of rows by status.
type Counts map[Status]int

// Sum returns the number of rows over every status.
func (c Counts) Sum() int {
	sum := 0
	for _, n := range c {
		sum += n
	}
	return sum
}
