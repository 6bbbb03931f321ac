package sqlite

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"opscom-import/importer"
)

const benchRows = 20_000

// benchPlan is a plan of n pending rows, as large as those of real files.
func benchPlan(n int) []importer.PlannedRow {
	rows := make([]importer.PlannedRow, n)
	digester := importer.NewDigester([]byte("benchmark"))
	for i := range rows {
		id := fmt.Sprintf("9%08d", i)
		payload := fmt.Appendf(nil, `{"unique_id":%q,"login_source":"SSO","first_name":"Zoë","last_name":"Example-%d","email":"z.%s@example.org",`+
			`"street":"%d Example Street","city":"Ottawa","province":"ON","postal_code":"K1A 0B1","phone_cell":"613-555-0100","user_type_id":"3"}`, id, i, id, i)
		rows[i] = importer.PlannedRow{
			Row: i + 2, UniqueID: id, LoginSource: "SSO", Status: importer.StatusPending,
			Key: digester.Key("SSO", id), Hash: digester.Profile(payload), Payload: payload,
			Unique: importer.UniqueValues{importer.UniqueValue(1_000 + i), importer.UniqueValue(1_000_000 + i)},
		}
	}
	return rows
}

func benchOutcomes(n int) []importer.Outcome {
	outcomes := make([]importer.Outcome, n)
	at := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	for i := range outcomes {
		outcomes[i] = importer.Outcome{
			Row: i + 2, Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: fmt.Sprint(100_000 + i), Attempts: 1}, FinishedAt: at.Add(time.Duration(i) * time.Millisecond),
		}
	}
	// Answers come back a little out of order.
	for i := 0; i+7 < n; i += 5 {
		outcomes[i], outcomes[i+7] = outcomes[i+7], outcomes[i]
	}
	return outcomes
}

// stage is how far a benchmark's run has come before what is measured.
type stage int

const (
	begun stage = iota
	sealed
	claimed
	recorded
)

func benchRun(b *testing.B, plan []importer.PlannedRow, outcomes []importer.Outcome, until stage) (*Journal, *Run) {
	ctx := context.Background()
	j, err := Open(ctx, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	r, err := j.begin(ctx, importer.RunInfo{Target: "bench", Source: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	for s, step := range []func(testing.TB, *Run){
		sealed:   func(tb testing.TB, r *Run) { benchAppend(tb, r, plan) },
		claimed:  func(tb testing.TB, r *Run) { benchClaim(tb, r) },
		recorded: func(tb testing.TB, r *Run) { benchRecord(tb, r, outcomes) },
	} {
		if step != nil && stage(s) <= until {
			step(b, r)
		}
	}
	return j, r
}

func benchAppend(tb testing.TB, r *Run, plan []importer.PlannedRow) {
	ctx := context.Background()
	for batch := range slices.Chunk(plan, 256) {
		if err := r.Append(ctx, batch); err != nil {
			tb.Fatal(err)
		}
	}
	if err := r.Seal(ctx, importer.RunPushing, len(plan), nil); err != nil {
		tb.Fatal(err)
	}
}

func benchClaim(tb testing.TB, r *Run) {
	for {
		jobs, err := r.Claim(context.Background(), 512)
		if err != nil {
			tb.Fatal(err)
		}
		if len(jobs) == 0 {
			return
		}
	}
}

func benchRecord(tb testing.TB, r *Run, outcomes []importer.Outcome) {
	for batch := range slices.Chunk(outcomes, 500) {
		if err := r.Record(context.Background(), batch); err != nil {
			tb.Fatal(err)
		}
	}
}

// measure runs what with a run that came as far as the stage, and reports rows a second.
func measure(b *testing.B, from stage, what func(*Journal, *Run)) {
	plan, outcomes := benchPlan(benchRows), benchOutcomes(benchRows)
	b.ReportAllocs()
	var spent time.Duration
	for b.Loop() {
		b.StopTimer()
		j, r := benchRun(b, plan, outcomes, from)
		b.StartTimer()
		start := time.Now()
		what(j, r)
		spent += time.Since(start)
		b.StopTimer()
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(benchRows*float64(b.N)/spent.Seconds(), "rows/s")
}

func BenchmarkAppend(b *testing.B) {
	plan := benchPlan(benchRows)
	measure(b, begun, func(_ *Journal, r *Run) { benchAppend(b, r, plan) })
}

func BenchmarkClaim(b *testing.B) {
	measure(b, sealed, func(_ *Journal, r *Run) { benchClaim(b, r) })
}

func BenchmarkRecord(b *testing.B) {
	outcomes := benchOutcomes(benchRows)
	measure(b, claimed, func(_ *Journal, r *Run) { benchRecord(b, r, outcomes) })
}

func BenchmarkResults(b *testing.B) {
	measure(b, recorded, func(_ *Journal, r *Run) {
		rows := 0
		for result, err := range r.Results(context.Background()) {
			if err != nil || result.Status != importer.StatusPushed {
				b.Fatal(result.Status, err)
			}
			rows++
		}
		if rows != benchRows {
			b.Fatalf("%d rows", rows)
		}
	})
}

func BenchmarkFinish(b *testing.B) {
	measure(b, recorded, func(_ *Journal, r *Run) {
		if err := r.Finish(context.Background(), time.Now()); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkFold is the first look-up after a run: it works out every acceptance.
func BenchmarkFold(b *testing.B) {
	key := []importer.Digest{{1}}
	measure(b, recorded, func(j *Journal, _ *Run) {
		if _, err := j.Acceptances().Accepted(context.Background(), "bench", key); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkAccepted looks up every key of a run, as the plan of the next one does.
func BenchmarkAccepted(b *testing.B) {
	ctx := context.Background()
	var keys []importer.Digest
	for _, row := range benchPlan(benchRows) {
		keys = append(keys, row.Key)
	}
	j, _ := benchRun(b, benchPlan(benchRows), benchOutcomes(benchRows), recorded)
	if _, err := j.Acceptances().Accepted(ctx, "bench", keys[:1]); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		acceptances := j.Acceptances()
		for batch := range slices.Chunk(keys, 128) {
			found, err := acceptances.Accepted(ctx, "bench", batch)
			if err != nil || len(found) != len(batch) {
				b.Fatal(len(found), err)
			}
		}
	}
	b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOwners asks for the owner of every value of a run, as the plan of the next one does.
func BenchmarkOwners(b *testing.B) {
	ctx := context.Background()
	plan := benchPlan(benchRows)
	j, _ := benchRun(b, plan, benchOutcomes(benchRows), recorded)
	if _, _, err := j.Acceptances().Owner(ctx, "bench", 1_000); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		acceptances := j.Acceptances()
		for i := range plan {
			for _, value := range plan[i].Unique {
				if owner, ok, err := acceptances.Owner(ctx, "bench", value); err != nil || !ok || owner.Key != plan[i].Key {
					b.Fatal(plan[i].Row, ok, err)
				}
			}
		}
	}
	b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		j, err := Open(context.Background(), dir)
		if err != nil {
			b.Fatal(err)
		}
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
