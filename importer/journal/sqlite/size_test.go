package sqlite

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"opscom-import/importer"
)

var (
	sizeRuns = flag.Int("size-runs", 5, "how many runs BenchmarkSize makes, one a night")
	sizeRows = flag.Int("size-rows", 40_000, "how many rows each has, of which 1 % are sent")
	sizeKept = flag.Int("size-kept", 0, "how many runs are kept; 0 for all")
)

// BenchmarkSize makes scheduled runs as push --only-changes does, forgets those that are
// old, and says what is on the disk and how long that took:
//
//	go test -run '^$' -bench Size -benchtime 1x -timeout 1h ./importer/journal -size-runs 1000 -size-kept 90
func BenchmarkSize(b *testing.B) {
	ctx := context.Background()
	for b.Loop() {
		dir := b.TempDir()
		n := newNightly(*sizeRows)
		var largest int64
		var pushing, forgetting, longest time.Duration
		for night := range *sizeRuns {
			j, err := Open(ctx, dir)
			if err != nil {
				b.Fatal(err)
			}
			start := time.Now()
			n.push(b, j, night)
			pushing += time.Since(start)
			if old := int64(night - *sizeKept + 1); *sizeKept > 0 && old > 0 {
				start = time.Now()
				if _, err := j.Expire(ctx, old); err != nil {
					b.Fatal(err)
				}
				took := time.Since(start)
				forgetting, longest = forgetting+took, max(longest, took)
			}
			largest = max(largest, diskUsed(b, dir))
			if err := j.Close(); err != nil {
				b.Fatal(err)
			}
			if (night+1)%100 == 0 {
				b.Logf("%d runs: %.1f MB", night+1, float64(diskUsed(b, dir))/1e6)
			}
		}
		b.ReportMetric(float64(diskUsed(b, dir))/1e6, "MB")
		b.ReportMetric(float64(largest)/1e6, "MB-peak")
		b.ReportMetric(float64(pushing.Milliseconds())/float64(*sizeRuns), "ms/run")
		b.ReportMetric(float64(forgetting.Milliseconds())/float64(*sizeRuns), "ms/forget")
		b.ReportMetric(float64(longest.Milliseconds()), "ms/longest-forget")
	}
}

// nightly are the people of a file from night to night.
type nightly struct {
	digester *importer.Digester
	rows     []importer.PlannedRow
}

func newNightly(rows int) *nightly {
	n := &nightly{digester: importer.NewDigester([]byte("nights")), rows: benchPlan(rows)}
	for i := range n.rows {
		n.rows[i].ReferenceID = fmt.Sprint(100_000 + i)
		n.rows[i].Payload, n.rows[i].Unique = nil, importer.UniqueValues{}
		n.rows[i].Status = importer.StatusUnchanged
	}
	return n
}

// push makes a run in which 1 % of the rows are sent.
func (n *nightly) push(tb testing.TB, j *Journal, night int) {
	ctx := context.Background()
	plan := make([]importer.PlannedRow, len(n.rows))
	copy(plan, n.rows)
	at := time.Date(2026, 1, 1, 4, 0, 0, 0, time.UTC).AddDate(0, 0, night)
	var outcomes []importer.Outcome
	for i := night % 100; i < len(plan); i += 100 {
		row := &plan[i]
		row.Payload = fmt.Appendf(nil, `{"unique_id":%q,"login_source":"SSO","first_name":"Zoë","last_name":"Example-%d-%d","email":"z.%s@example.org",`+
			`"street":"%d Example Street","city":"Ottawa","province":"ON","postal_code":"K1A 0B1","phone_cell":"613-555-0100","user_type_id":"3"}`, row.UniqueID, i, night, row.UniqueID, i)
		row.Unique = importer.UniqueValues{importer.UniqueValue(1000 + i), importer.UniqueValue(1_000_000 + i)}
		row.Status, row.Hash, row.ReferenceID = importer.StatusPending, n.digester.Profile(row.Payload), ""
		n.rows[i].Hash = row.Hash
		outcomes = append(outcomes, importer.Outcome{Row: row.Row, FinishedAt: at,
			Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: n.rows[i].ReferenceID, Attempts: 1}})
	}
	if _, err := j.Acceptances().Accepted(ctx, "nights", []importer.Digest{plan[0].Key}); err != nil {
		tb.Fatal(err)
	}
	r, err := j.begin(ctx, importer.RunInfo{Target: "nights", Source: "/exports/students.csv", StartedAt: at})
	if err != nil {
		tb.Fatal(err)
	}
	benchAppend(tb, r, plan)
	benchClaim(tb, r)
	benchRecord(tb, r, outcomes)
	if err := r.Finish(ctx, at); err != nil {
		tb.Fatal(err)
	}
}

// diskUsed is what the folder's files take.
func diskUsed(tb testing.TB, dir string) (bytes int64) {
	err := filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return bytes
}
