package report

import (
	"io"
	"iter"
	"slices"
	"strconv"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
)

var resultColumns = []string{
	"row", "unique_id", "login_source", "status", "reference_id", "error_code", "field", "message", "warnings", "attempts", "finished_at",
}

// Totals is what the results of one run add up to.
type Totals struct {
	Counts   importer.Counts
	Attempts int                     // requests sent
	Problems int                     // found by the plan
	Refused  []importer.ProblemCount // rejected rows, by the Controller's error code
	Timeline Timeline
}

// WriteResults writes one line for each result, in order, and returns what the
// results add up to. A file is written whole, or on any error stays as it was.
func WriteResults(to Destination, results iter.Seq2[importer.Result, error]) (Totals, error) {
	if to.path == "" {
		to = To("-", io.Discard) // for the totals
	}
	totals := Totals{Counts: importer.Counts{}}
	err := to.write(func(w io.Writer) error {
		_, err := writeCSV(w, resultColumns, results, func(r importer.Result) []string {
			totals.add(r)
			return resultRecord(r)
		})
		return err
	})
	if err != nil {
		return Totals{}, err
	}
	return totals, nil
}

func (t *Totals) add(r importer.Result) {
	t.Counts[r.Status]++
	t.Attempts += r.Attempts
	t.Problems += len(r.Problems)
	t.Timeline.Add(r.FinishedAt, r.Status)
	if r.Status == importer.StatusRejected {
		t.addRefusal(r)
	}
}

func (t *Totals) addRefusal(r importer.Result) {
	rule := mapping.Rule("error code " + r.ErrorCode)
	if r.ErrorCode == "" {
		rule = "refused without an error code"
	}
	i := slices.IndexFunc(t.Refused, func(p importer.ProblemCount) bool { return p.Rule == rule })
	if i < 0 {
		i = len(t.Refused)
		t.Refused = append(t.Refused, importer.ProblemCount{Rule: rule, Column: mapping.NoColumn, Row: r.Row})
	}
	t.Refused[i].Count++
}

func resultRecord(r importer.Result) []string {
	finished := ""
	if !r.FinishedAt.IsZero() {
		finished = r.FinishedAt.UTC().Format(time.RFC3339)
	}
	return []string{
		strconv.Itoa(r.Row), r.UniqueID, r.LoginSource, string(r.Status), r.ReferenceID, r.ErrorCode, r.Field, r.Message, r.Warnings,
		strconv.Itoa(r.Attempts), finished,
	}
}
