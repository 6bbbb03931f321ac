package postgres

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/postgres/pgtest"
)

// benchRows is how many rows a run has.
const benchRows = 100_000

// word returns one of n invented words.
func word(r *rand.Rand, n int) string {
	w := rand.New(rand.NewPCG(7, uint64(r.IntN(n))))
	text := make([]byte, 4+w.IntN(7))
	for i := range text {
		text[i] = "aeioubcdfghjklmnprstvwyzaeiou"[w.IntN(29)]
	}
	return string(text)
}

// benchPlan returns rows with as much to store as those of a real file.
func benchPlan(rows int) []importer.PlannedRow {
	plan := make([]importer.PlannedRow, rows)
	r := rand.New(rand.NewPCG(1, 2))
	digest := func() (d importer.Digest) {
		for i := range d {
			d[i] = byte(r.Uint32())
		}
		return d
	}
	for i := range plan {
		first, last, id := word(r, 800), word(r, 5000), fmt.Sprintf("S%07d", i)
		user := fmt.Sprint(first[:1], last, r.IntN(999))
		plan[i] = importer.PlannedRow{
			Row: i + 2, UniqueID: id, LoginSource: "SSO", Key: digest(), Hash: digest(), Unique: importer.UniqueValues{importer.UniqueValue(r.Uint64()), importer.UniqueValue(r.Uint64())},
			Status: importer.StatusPending,
			Payload: fmt.Appendf(nil, `{"unique_id":%q,"login_source":"SSO","first_name":%q,"last_name":%q,"user_name":%q,"email":"%s@students.example.edu","street":"%d %s Street, Apt %d","city":%q,"province":"ON","postal_code":"K%dA %dB%d","phone_cell":"613-%03d-%04d","user_type_id":"1","student_no":"%09d","date_of_birth":"%d-%02d-%02d"}`,
				id, first, last, user, user, r.IntN(9999), word(r, 3000), r.IntN(400), word(r, 400), r.IntN(10), r.IntN(10), r.IntN(10), r.IntN(1000), r.IntN(10000), r.IntN(1e9), 1970+r.IntN(38), 1+r.IntN(12), 1+r.IntN(28)),
		}
	}
	return plan
}

// bench is a journal on a server that writes to the disk.
type bench struct {
	*testing.B
	journal *Journal
}

func newBench(b *testing.B) *bench {
	server := pgtest.Start(b, pgtest.Options{FSync: true})
	url := server.URL("postgres")
	_, err := Migrate(b.Context(), url, Options{})
	must(b, err)
	j, err := Open(b.Context(), url, Options{Keys: testKeys(b)})
	must(b, err)
	b.Cleanup(func() { j.Close() })
	return &bench{b, j}
}

// wal returns how much the server has written ahead.
func (b *bench) wal() (bytes int64) {
	must(b, b.journal.pool.QueryRow(b.Context(), "SELECT pg_current_wal_insert_lsn() - '0/0'").Scan(&bytes))
	return bytes
}

func (b *bench) plan(rows []importer.PlannedRow, target int) *Run {
	info := testInfo()
	info.Target = fmt.Sprintf("OC_%d at https://controller.example", target)
	run, err := b.journal.Begin(b.Context(), info)
	must(b, err)
	for len(rows) > 0 {
		n := min(128, len(rows))
		must(b, run.Append(b.Context(), rows[:n]))
		rows = rows[n:]
	}
	must(b, run.Seal(b.Context(), importer.RunPushing, benchRows, nil))
	return run.(*Run)
}

// checkpoint makes the first change of each page cost a page of WAL, as it does in a push that
// takes minutes.
func (b *bench) checkpoint() {
	_, err := b.journal.pool.Exec(b.Context(), "CHECKPOINT")
	must(b, err)
}

func BenchmarkPlan(b *testing.B) {
	j := newBench(b)
	rows := benchPlan(benchRows)
	j.checkpoint()
	var wal int64
	for n := 0; b.Loop(); n++ {
		before := j.wal()
		j.plan(rows, n)
		wal = j.wal() - before
	}
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(wal)/benchRows, "walB/row")
	for _, table := range []string{"chunk", "payload", "event", "chunk_state"} {
		var size int64
		must(b, j.journal.pool.QueryRow(b.Context(), "SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_stat_user_tables WHERE schemaname = 'opscom' AND relname ~ ('^' || $1 || '(_[0-9]+)?$')", table).Scan(&size))
		b.ReportMetric(float64(size)/benchRows/float64(b.N), table+"B/row")
	}
}

// BenchmarkPush claims and records rows so many at a time, as a push does that sends so many in
// the time of a record.
func BenchmarkPush(b *testing.B) {
	for _, batch := range []int{1, 5, 50, 400} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			j := newBench(b)
			rows := benchPlan(benchRows)
			var wal int64
			pushed := 0
			for n := 0; b.Loop(); n++ {
				b.StopTimer()
				r := j.plan(rows, n)
				j.checkpoint()
				before := j.wal()
				b.StartTimer()
				n, err := j.push(r, batch, 20_000)
				must(b, err)
				pushed += n
				wal += j.wal() - before
			}
			b.ReportMetric(float64(pushed)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(wal)/float64(pushed), "walB/row")
		})
	}
}

// push pushes up to so many rows.
func (b *bench) push(r *Run, batch, most int) (pushed int, err error) {
	for err == nil && pushed < most {
		jobs, err := r.Claim(b.Context(), max(batch, 64))
		if err != nil || len(jobs) == 0 {
			return pushed, err
		}
		for len(jobs) > 0 {
			n := min(batch, len(jobs))
			outcomes := make([]importer.Outcome, n)
			for i, job := range jobs[:n] {
				outcomes[i] = importer.Outcome{Row: job.Row, Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: fmt.Sprint(100_000 + job.Row), Attempts: 1}, FinishedAt: time.Now().UTC()}
			}
			if err := r.Record(b.Context(), outcomes); err != nil {
				return pushed, err
			}
			jobs = jobs[n:]
			pushed += n
		}
	}
	return pushed, err
}
