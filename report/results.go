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

// resultLine is one line of the results. Its tags are the columns, in order.
type resultLine struct {
	Row         int    `csv:"row"`
	UniqueID    string `csv:"unique_id"`
	LoginSource string `csv:"login_source"`
	Status      string `csv:"status"`
	ReferenceID string `csv:"reference_id"`
	ErrorCode   string `csv:"error_code"`
	Field       string `csv:"field"`
	Message     string `csv:"message"`
	Warnings    string `csv:"warnings"`
	Attempts    int    `csv:"attempts"`
	FinishedAt  string `csv:"finished_at"`
}

func (l resultLine) appendCells(cells []string) []string {
	return append(cells, strconv.Itoa(l.Row), l.UniqueID, l.LoginSource, l.Status, l.ReferenceID, l.ErrorCode, l.Field, l.Message, l.Warnings,
		strconv.Itoa(l.Attempts), l.FinishedAt)
}

// Totals is what the results of one run add up to.
type Totals struct {
	Counts   importer.Counts
	ToFix    int                     // rows of the file that a person has to fix
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
	var seconds secondText
	err := to.write(KindResults, func(w io.Writer) error {
		_, err := writeCSV(w, results, func(r importer.Result) resultLine {
			totals.add(r)
			return resultLine{
				r.Row, r.UniqueID, r.LoginSource, string(r.Status), r.ReferenceID, r.ErrorCode, r.Field, r.Message, r.Warnings, r.Attempts, seconds.of(r.FinishedAt),
			}
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
	if r.IsToFix() {
		t.ToFix++
	}
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

// secondText writes times by the second. It remembers the last one: many rows are done in
// the same second.
type secondText struct {
	second int64 // Unix time
	text   string
}

// of returns the time in UTC, "" for the zero time.
func (s *secondText) of(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if second := t.Unix(); s.text == "" || second != s.second {
		s.second, s.text = second, t.UTC().Format(time.RFC3339)
	}
	return s.text
}
