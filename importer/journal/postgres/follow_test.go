package postgres

import (
	"testing"

	"opscom-import/importer"
)

// Following a run gives each outcome once, of its own and others' rows, and of none that was known
// when the run was resumed.
func TestFollow(t *testing.T) {
	url := newDatabase(t)
	j, other := opened(t, url), opened(t, url)
	r := planned(t, j, importer.RunPushing, numbers(2, 600), importer.Amendment{Row: 5, DuplicateOf: 3}, importer.Amendment{Row: 300, Round: 1})
	news := r.Follow()
	expect := func(what string, want importer.Counts) {
		t.Helper()
		got, err := news(t.Context())
		must(t, err)
		diff(t, what, got, want)
	}
	expect("at first", importer.Counts{})
	record := func(lane *Lane, answers ...importer.Answer) {
		jobs, err := lane.Claim(t.Context(), len(answers))
		must(t, err)
		var outcomes []importer.Outcome
		for i, job := range jobs {
			outcomes = append(outcomes, importer.Outcome{Row: job.Row, Answer: answers[i]})
		}
		must(t, lane.Record(t.Context(), outcomes))
	}
	pushed, failed := importer.Answer{Status: importer.StatusPushed, Attempts: 1}, importer.Answer{Status: importer.StatusFailed, Attempts: 5}
	one, two := r.Lane(), again(t, other, r).Lane()
	record(one, pushed, failed)
	record(two, pushed, importer.Answer{Status: importer.StatusNotSent})
	expect("of two lanes", importer.Counts{importer.StatusPushed: 2, importer.StatusFailed: 1})
	expect("nothing new", importer.Counts{})
	record(one, pushed)
	expect("one more", importer.Counts{importer.StatusPushed: 1})
	must(t, r.Stop(t.Context()))
	must(t, r.Start(t.Context()))
	news = r.Follow()
	expect("resumed", importer.Counts{})
	record(r.Lane(), pushed, pushed)
	expect("after that", importer.Counts{importer.StatusPushed: 2})
}
