package postgres

import (
	"math/rand/v2"
	"strings"
	"testing"

	"opscom-import/importer"
)

// Rows that fail in a row are counted over all lanes of a run, in whatever batches they record them.
func TestStreakOfTwoLanes(t *testing.T) {
	url := newDatabase(t)
	j, other := opened(t, url), opened(t, url)
	r := planned(t, j, importer.RunPushing, numbers(2, 700))
	second := again(t, other, r)
	endings := []importer.Answer{
		{Status: importer.StatusPushed, Attempts: 1},
		{Status: importer.StatusNotSent},
		{Status: importer.StatusFailed, Attempts: 5},
		{Status: importer.StatusRejected, ErrorCode: "9022", HTTPStatus: 200, Attempts: 1},
		{Status: importer.StatusRejected, ErrorCode: "9022\x00\xff", HTTPStatus: 200, Attempts: 1},
		{Status: importer.StatusRejected, HTTPStatus: 403, Attempts: 1},
	}
	lanes := []*Lane{r.Lane(), second.Lane()}
	var waiting [2][]int
	random := rand.New(rand.NewPCG(1, 2))
	var want importer.Streak
	for n := range 60 {
		i := random.IntN(2)
		batch := 1 + random.IntN(4)
		if len(waiting[i]) < batch {
			jobs, err := lanes[i].Claim(t.Context(), 20)
			must(t, err)
			for _, job := range jobs {
				waiting[i] = append(waiting[i], job.Row)
			}
		}
		if len(waiting[i]) < batch {
			continue // the other has the rest
		}
		var outcomes []importer.Outcome
		ending := random.IntN(len(endings))
		for _, row := range waiting[i][:batch] {
			if random.IntN(4) == 0 {
				ending = random.IntN(len(endings))
			}
			outcomes = append(outcomes, importer.Outcome{Row: row, Answer: endings[ending]})
		}
		waiting[i] = waiting[i][batch:]
		must(t, lanes[i].Record(t.Context(), outcomes))
		got := lanes[i].StreakBefore()
		for _, o := range outcomes {
			got, want = got.After(&o), want.After(&o)
			if o.Status != importer.StatusNotSent { // those alone need no streak
				diff(t, "streak", got, want)
			}
		}
		if t.Failed() {
			t.Fatalf("batch %d: %+v", n, outcomes)
		}
	}
	var failing string
	var failures int
	must(t, j.pool.QueryRow(t.Context(), "SELECT failing, failures FROM opscom.run WHERE id = $1", r.id).Scan(&failing, &failures))
	diff(t, "stored", failing, j.nameOf(want))
	diff(t, "stored", failures, want.Failures)
	must(t, r.Stop(t.Context()))
	must(t, r.Start(t.Context()))
	must(t, j.pool.QueryRow(t.Context(), "SELECT failures FROM opscom.run WHERE id = $1", r.id).Scan(&failures))
	diff(t, "failures of a run that was resumed", failures, 0)
}

// A Controller may answer with a word of the row as its error code: outside what is encrypted nobody reads it.
func TestNoErrorCodeIsReadable(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, numbers(2, 9))
	claim(t, r, 9)
	answer := importer.Answer{Status: importer.StatusRejected, ErrorCode: "Miller", HTTPStatus: 400, Attempts: 1}
	must(t, r.Record(t.Context(), []importer.Outcome{{Row: 2, Answer: answer}, {Row: 3, Answer: answer}}))
	var run string
	var failures int
	must(t, j.pool.QueryRow(t.Context(), "SELECT to_jsonb(r)::text, failures FROM opscom.run r WHERE id = $1", r.id).Scan(&run, &failures))
	if failures != 2 || strings.Contains(run, "Miller") {
		t.Errorf("%d failures in %s", failures, run)
	}
}
