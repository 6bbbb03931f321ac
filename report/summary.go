package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"opscom-import/importer"
)

// CheckCommand is the command whose summary says valid in place of pushed.
const CheckCommand = "check"

// Summary is what one FILE came to.
type Summary struct {
	Command  string // as typed, such as push, check or approve
	Run      int64  // 0 for a check, which stores no run
	File     string // as given
	Rows     int    // read below the header
	Counts   importer.Counts
	Attempts int              // requests sent, every attempt counted
	Seconds  float64          // from the first byte read to the last answer
	Held     []string         // why a safety limit holds the run, a sentence each
	Reports  importer.Reports // those that were written
	Exit     int              // exit code
}

// summaryLine is the line's form. Scripts lean on its keys: more may come, none
// goes.
type summaryLine struct {
	Command   string   `json:"command"`
	Run       int64    `json:"run"`
	File      string   `json:"file"`
	Rows      int      `json:"rows"`
	Pushed    *int     `json:"pushed,omitempty"` // not in a check
	Valid     *int     `json:"valid,omitempty"`  // in a check only
	Unchanged int      `json:"unchanged"`
	Duplicate int      `json:"duplicate"`
	Skipped   int      `json:"skipped"`
	Invalid   int      `json:"invalid"`
	Rejected  int      `json:"rejected"`
	Failed    int      `json:"failed"`
	Unknown   int      `json:"unknown"`
	NotSent   int      `json:"not_sent"`
	Attempts  int      `json:"attempts"`
	Seconds   float64  `json:"seconds"` // to a tenth
	Held      []string `json:"held"`    // never null
	importer.Reports
	Exit int `json:"exit"`
}

// WriteJSON writes the summary as one line of JSON:
//
//	{"command":"push","run":17,"file":"students.csv","rows":1200,"pushed":1188,…,"exit":1}
func (s Summary) WriteJSON(w io.Writer) error {
	line := summaryLine{
		Command:   s.Command,
		Run:       s.Run,
		File:      s.File,
		Rows:      s.Rows,
		Unchanged: s.Counts[importer.StatusUnchanged],
		Duplicate: s.Counts[importer.StatusDuplicate],
		Skipped:   s.Counts[importer.StatusSkipped],
		Invalid:   s.Counts[importer.StatusInvalid],
		Rejected:  s.Counts[importer.StatusRejected],
		Failed:    s.Counts[importer.StatusFailed],
		Unknown:   s.Counts[importer.StatusUnknown],
		NotSent:   s.Counts[importer.StatusNotSent],
		Attempts:  s.Attempts,
		Seconds:   math.Round(s.Seconds*10) / 10,
		Held:      append([]string{}, s.Held...),
		Reports:   s.Reports,
		Exit:      s.Exit,
	}
	if s.Command == CheckCommand {
		line.Valid = new(s.Counts[importer.StatusValid])
	} else {
		line.Pushed = new(s.Counts[importer.StatusPushed])
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(line); err != nil {
		return fmt.Errorf("write the summary of %s: %w", s.File, err)
	}
	return nil
}
