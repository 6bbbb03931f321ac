package postgres

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/postgres/pgtest"
)

var sizeRows = flag.Int("size-rows", 40_000, "how many rows the runs of BenchmarkSize have")

// BenchmarkSize plans a run and pushes it, and says what that costs the database, per row: bytes in
// its tables and in its write-ahead log, and commits. Slow is as with ten rows a second, where few
// rows are claimed and recorded at a time; fast as without a limit; in changes one row of a hundred is sent.
//
//	go test -run '^$' -bench Size -benchtime 1x -timeout 1h ./importer/journal/postgres -size-rows 1000000
func BenchmarkSize(b *testing.B) {
	for _, pace := range []struct {
		name           string
		claims, record int // rows at a time
		every          int // which is sent
	}{{"slow", 8, 5, 1}, {"fast", 256, 400, 1}, {"changes", 8, 5, 100}} {
		b.Run(pace.name, func(b *testing.B) {
			for b.Loop() {
				measureSize(b, pace.claims, pace.record, pace.every)
			}
		})
	}
}

func measureSize(b *testing.B, claims, record, every int) {
	ctx := context.Background()
	if testing.Short() {
		*sizeRows = 1000
	}
	address := pgtest.Start(b, pgtest.Options{FSync: true}).URL("postgres")
	if _, err := Migrate(ctx, address, Options{}); err != nil {
		b.Fatal(err)
	}
	j, err := Open(ctx, address, Options{Keys: testKeys(b)})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	m := meter{b: b, j: j}
	m.mark()
	start := time.Now()
	r := planSize(b, j, every)
	b.ReportMetric(time.Since(start).Seconds(), "s-to-plan")
	m.report("plan", "chunk", "payload", "chunk_state")

	pushSize(b, r, claims, record)
	m.report("push", "event")
	if err := r.Finish(ctx, testTime); err != nil {
		b.Fatal(err)
	}
	m.report("end")
	if err := j.fold(ctx, testTarget); err != nil {
		b.Fatal(err)
	}
	m.report("accept", "acceptance")
	start = time.Now()
	if _, err := j.pool.Exec(ctx, "SELECT opscom.drop_night(night) FROM opscom.run"); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms-to-drop")
}

// planSize makes a run of which every so many rows are to be sent.
func planSize(b *testing.B, j *Journal, every int) *Run {
	b.Helper()
	ctx := context.Background()
	r, err := j.Begin(ctx, importer.RunInfo{Client: "OC_TEST", Target: testTarget, Source: "students.csv", StartedAt: testTime})
	if err != nil {
		b.Fatal(err)
	}
	digester := importer.NewDigester([]byte("size"))
	const batch = 1000
	for first := 2; first < *sizeRows+2; first += batch {
		var rows []importer.PlannedRow
		for i := first; i < min(first+batch, *sizeRows+2); i++ {
			row := sizeRow(digester, i)
			if i%every > 0 {
				row.Status, row.ReferenceID, row.Payload, row.Unique = importer.StatusUnchanged, fmt.Sprint(100_000+i), nil, importer.UniqueValues{}
			}
			rows = append(rows, row)
		}
		if err := r.Append(ctx, rows); err != nil {
			b.Fatal(err)
		}
	}
	if err := r.Seal(ctx, importer.RunPushing, *sizeRows, nil); err != nil {
		b.Fatal(err)
	}
	return r.(*Run)
}

// pushSize claims and records all rows, so many at a time.
func pushSize(b *testing.B, r *Run, claims, record int) {
	b.Helper()
	lane := r.Lane()
	var waiting []importer.Outcome
	keep := func(atLeast int) {
		for len(waiting) >= atLeast {
			n := min(record, len(waiting))
			if err := lane.Record(context.Background(), waiting[:n]); err != nil {
				b.Fatal(err)
			}
			waiting = waiting[n:]
		}
	}
	for {
		jobs, err := lane.Claim(context.Background(), claims)
		if err != nil {
			b.Fatal(err)
		}
		if len(jobs) == 0 {
			keep(1)
			return
		}
		for _, job := range jobs {
			waiting = append(waiting, importer.Outcome{Row: job.Row, FinishedAt: testTime.Add(time.Duration(job.Row) * time.Millisecond),
				Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: fmt.Sprint(100_000 + job.Row), Attempts: 1}})
		}
		keep(record)
	}
}

// sizeRow is a row of a student, with an address.
func sizeRow(digester *importer.Digester, row int) importer.PlannedRow {
	random := rand.New(rand.NewPCG(1, uint64(row)))
	name := func(syllables int) (text string) {
		for range syllables {
			text += string("bcdfghjklmnprstvwz"[random.IntN(18)]) + string("aeiou"[random.IntN(5)])
		}
		return strings.ToUpper(text[:1]) + text[1:]
	}
	id := fmt.Sprintf("9%08d", random.IntN(100_000_000))
	phone := func() string { return fmt.Sprintf("613-%03d-%04d", random.IntN(1000), random.IntN(10_000)) }
	first, last := name(3), name(4)
	payload := fmt.Appendf(nil, `{"unique_id":%q,"login_source":"SSO","first_name":%q,"last_name":%q,"email":"%s.%s%d@students.example.edu","user_name":"%s%d",`+
		`"street":"%d %s Street","city":%q,"province":"ON","country":"CA","postal_code":"K%d%c %d%c%d","phone_cell":%q,"phone_home":%q,"birth_date":"%d-%02d-%02d","user_type_id":"%d"}`,
		id, first, last, first, last, random.IntN(100), last, random.IntN(1000), 1+random.IntN(3000), name(4), name(1+random.IntN(3)),
		random.IntN(10), 'A'+random.IntN(26), random.IntN(10), 'A'+random.IntN(26), random.IntN(10), phone(), phone(), 1990+random.IntN(18), 1+random.IntN(12), 1+random.IntN(28), 1+random.IntN(5))
	return importer.PlannedRow{
		Row: row, UniqueID: id, LoginSource: "SSO", Status: importer.StatusPending, Key: digester.Key("SSO", id), Hash: digester.Profile(payload), Payload: payload,
		Unique: importer.UniqueValues{importer.UniqueValue(random.Int64()), importer.UniqueValue(random.Int64())},
	}
}

// meter reads what the database has written since it was last read.
type meter struct {
	b       *testing.B
	j       *Journal
	wal     int64
	commits int64
}

func (m *meter) mark() (wal, commits int64) {
	m.b.Helper()
	err := m.j.pool.QueryRow(context.Background(), `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, txid_snapshot_xmax(txid_current_snapshot())`).Scan(&wal, &commits)
	if err != nil {
		m.b.Fatal(err)
	}
	wal, m.wal = wal-m.wal, wal
	commits, m.commits = commits-m.commits, commits
	return wal, commits
}

// report says what a stage has written, and how large tables are after it.
func (m *meter) report(stage string, tables ...string) {
	m.b.Helper()
	rows := float64(*sizeRows)
	wal, commits := m.mark()
	m.b.ReportMetric(float64(wal)/rows, stage+"-WAL-B/row")
	m.b.ReportMetric(float64(commits)/rows, stage+"-commits/row")
	for _, table := range tables {
		var size int64
		err := m.j.pool.QueryRow(context.Background(), `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = 'opscom' AND c.relkind = 'r' AND (c.relname = $1 OR c.relname ~ ('^' || $1 || '_[0-9]+$'))`, table).Scan(&size)
		if err != nil {
			m.b.Fatal(err)
		}
		m.b.ReportMetric(float64(size)/rows, table+"-B/row")
	}
}
