package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

const testTarget = "OC_TEST at https://controller.example"

var testTime = time.Date(2026, 9, 1, 8, 30, 0, 123_456_000, time.UTC)

func testInfo() importer.RunInfo {
	return importer.RunInfo{
		Client: "OC_TEST", Target: testTarget, Source: "/data/students.csv", FileHash: "f1", MappingHash: "m1",
		Reports: importer.Reports{Results: "/data/students.results.csv", Fix: "-"}, StartedAt: testTime,
	}
}

func payloadOf(row int) string {
	return fmt.Sprintf(`{"unique_id":"id-%d","last_name":"Canary-%d"}`, row, row)
}

func pendingRow(row int) importer.PlannedRow {
	return importer.PlannedRow{
		Row: row, UniqueID: fmt.Sprintf("id-%d", row), LoginSource: "SSO", Key: importer.Digest{byte(row), byte(row >> 8), 7}, Hash: importer.Digest{byte(row), 1},
		Status: importer.StatusPending, Payload: []byte(payloadOf(row)),
	}
}

// begun begins a run.
func begun(t *testing.T, j *Journal) *Run {
	t.Helper()
	r, err := j.Begin(t.Context(), testInfo())
	must(t, err)
	return r.(*Run)
}

// planned makes a run with pending rows, of which some may be amended.
func planned(t *testing.T, j *Journal, state importer.RunState, rows []int, amendments ...importer.Amendment) *Run {
	t.Helper()
	r := begun(t, j)
	var plan []importer.PlannedRow
	for _, row := range rows {
		plan = append(plan, pendingRow(row))
	}
	must(t, r.Append(t.Context(), plan))
	if len(amendments) > 0 {
		must(t, r.Amend(t.Context(), amendments))
	}
	must(t, r.Seal(t.Context(), state, len(rows), nil))
	return r
}

// numbers returns the row numbers from first to last.
func numbers(first, last int) (rows []int) {
	for row := first; row <= last; row++ {
		rows = append(rows, row)
	}
	return rows
}

func claim(t *testing.T, q importer.Queue, max int) (rows []int) {
	t.Helper()
	jobs, err := q.Claim(t.Context(), max)
	must(t, err)
	for _, job := range jobs {
		rows = append(rows, job.Row)
		if got, want := string(job.Payload), payloadOf(job.Row); got != want {
			t.Errorf("row %d: payload %s, want %s", job.Row, got, want)
		}
	}
	return rows
}

func outcome(status importer.Status, row int) importer.Outcome {
	o := importer.Outcome{Row: row, Answer: importer.Answer{Status: status}, Retry: status.Retryable()}
	if status != importer.StatusNotSent && status != importer.StatusUnknown {
		o.Attempts, o.FinishedAt = 1, testTime
	}
	return o
}

func record(t *testing.T, q importer.Queue, status importer.Status, rows ...int) {
	t.Helper()
	var outcomes []importer.Outcome
	for _, row := range rows {
		outcomes = append(outcomes, outcome(status, row))
	}
	must(t, q.Record(t.Context(), outcomes))
}

func statuses(t *testing.T, r *Run) string {
	t.Helper()
	var lines []string
	for line, err := range r.Results(t.Context()) {
		must(t, err)
		lines = append(lines, fmt.Sprintf("%d %s %d", line.Row, line.Status, line.Attempts))
	}
	return strings.Join(lines, ", ")
}

// again opens the run as another process does.
func again(t *testing.T, j *Journal, r *Run) *Run {
	t.Helper()
	other, err := j.Run(t.Context(), r.id)
	must(t, err)
	return other.(*Run)
}

// died ends the leases of those who died.
func died(t *testing.T, j *Journal) {
	t.Helper()
	execute(t, j, "UPDATE opscom.chunk_state SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL")
}

// A chunk in which nothing waits in a round is given back for the next one.
func TestChunkWithoutARowOfARound(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2, 300}, importer.Amendment{Row: 300, Round: 1})
	diff(t, "round 0", claim(t, r, 9), []int{2})
	record(t, r, importer.StatusPushed, 2)
	if !r.NextRound() {
		t.Fatal("the next round does not begin")
	}
	diff(t, "round 1", claim(t, r, 9), []int{300})
	record(t, r, importer.StatusPushed, 300)
	must(t, r.Finish(t.Context(), testTime))
}

// A plan that is given up was perhaps the last to keep the payloads of the night.
func TestPayloadsGoWithTheLastRun(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2})
	info := testInfo()
	info.Target = "OC_OTHER at https://controller.example"
	other, err := j.Begin(t.Context(), info)
	must(t, err)
	claim(t, r, 1)
	record(t, r, importer.StatusPushed, 2)
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "while another run is planned", rowsOf(t, j, "payload"), map[string]int{"payload": 1})
	must(t, other.Discard(t.Context()))
	diff(t, "in the end", rowsOf(t, j, "payload"), map[string]int{"payload": 0})
}

// A run whose plan is stored while the payloads of its night are about to go keeps its own.
func TestPayloadsOfANewRunStay(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2})
	claim(t, r, 1)
	record(t, r, importer.StatusPushed, 2)
	must(t, r.Finish(t.Context(), testTime))
	dropped := make(chan struct{})
	must(t, pgx.BeginFunc(t.Context(), j.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `WITH run AS (INSERT INTO opscom.run (night, target, client, source, file_hash, mapping_hash, state, started_at, timeline)
			SELECT night, target, '', '', '', '', 'planning', now(), timeline FROM opscom.run RETURNING night, id)
			INSERT INTO opscom.payload (night, run, chunk, data) SELECT night, id, 0, '' FROM run`)
		go func() { j.dropPayloads(t.Context(), r.record.night); close(dropped) }()
		eventually(t, "it waits for the plan", func() (waits bool) {
			select {
			case <-dropped: // it has given up
				return true
			default:
			}
			must(t, j.pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").Scan(&waits))
			return waits
		})
		return err
	}))
	<-dropped
	diff(t, "left", rowsOf(t, j, "payload"), map[string]int{"payload": 1})
}

// Which timeline it is, is asked once for all runs of a list.
func TestTimelineOfManyRuns(t *testing.T) {
	j := opened(t, newDatabase(t))
	for range 3 {
		must(t, planned(t, j, importer.RunPushing, []int{2}).Stop(t.Context()))
	}
	execute(t, j, "CREATE SEQUENCE asked")
	execute(t, j, "CREATE OR REPLACE FUNCTION opscom.timeline() RETURNS text LANGUAGE sql AS 'SELECT nextval(''opscom.asked'')::text'")
	runs, err := j.Runs(t.Context())
	must(t, err)
	var asked int
	must(t, j.pool.QueryRow(t.Context(), "SELECT last_value FROM opscom.asked").Scan(&asked))
	if len(runs) != 3 || asked != 1 {
		t.Errorf("asked %d times for %d runs", asked, len(runs))
	}
}

func TestPlanPushAndFinish(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := begun(t, j)
	rows := numbers(2, 3*256*planBatch/2)
	for some := range slices.Chunk(rows, 1000) {
		var plan []importer.PlannedRow
		for _, row := range some {
			p := pendingRow(row)
			if row%10 == 0 {
				p.Status, p.Payload = importer.StatusUnchanged, nil
			}
			plan = append(plan, p)
		}
		must(t, r.Append(t.Context(), plan))
	}
	must(t, r.Seal(t.Context(), importer.RunPushing, len(rows), nil))
	want := testInfo()
	want.ID, want.State, want.Rows = r.id, importer.RunPushing, len(rows)
	diff(t, "the run", r.Info(), want)
	diff(t, "as another process sees it", again(t, j, r).Info(), want)
	left := len(rows) - len(rows)/10
	for claimed := claim(t, r, 1000); len(claimed) > 0; claimed = claim(t, r, 1000) {
		left -= len(claimed)
		record(t, r, importer.StatusPushed, claimed...)
	}
	diff(t, "rows that nobody claimed", left, 0)
	must(t, r.Finish(t.Context(), testTime))
	counts, attempts, err := r.Counts(t.Context())
	must(t, err)
	diff(t, "counts", counts, importer.Counts{importer.StatusPushed: attempts, importer.StatusUnchanged: len(rows) - attempts})
	want.State, want.FinishedAt = importer.RunFinished, testTime
	diff(t, "the run at the end", again(t, j, r).Info(), want)
	var payloads, keys int
	must(t, j.pool.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM opscom.payload), (SELECT count(payload_key) FROM opscom.run)").Scan(&payloads, &keys))
	if payloads != 0 || keys != 0 {
		t.Errorf("%d payloads and %d keys of them are left", payloads, keys)
	}
}

// Nothing that is stored can be read without the keys.
func TestNothingIsStoredInTheClear(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, numbers(2, 40), importer.Amendment{Row: 2, Problem: &importer.RowProblem{Row: 2, Header: "Canary-2"}})
	claim(t, r, 100)
	failed := outcome(importer.StatusFailed, 3)
	failed.Message = "Canary-3"
	must(t, r.Record(t.Context(), []importer.Outcome{failed}))
	for _, table := range []string{"run", "chunk", "payload", "event", "chunk_state", "target", "journal"} {
		var n int
		must(t, j.pool.QueryRow(t.Context(), "SELECT count(*) FROM opscom."+table+" AS r WHERE r::text LIKE '%Canary%' OR r::text LIKE '%id-%' OR r::text LIKE '%43616e617279%'").Scan(&n))
		if n > 0 {
			t.Errorf("%d rows of %s have a text of a person", n, table)
		}
	}
	other, err := Open(t.Context(), j.pool.Config().ConnString(), Options{Keys: otherKeys(t)})
	if err == nil {
		other.Close()
		t.Error("other keys open the journal")
	}
}

func TestStopAndStart(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2, 3, 4, 5, 300, 301})
	diff(t, "claimed", slices.Concat(claim(t, r, 4), claim(t, r, 1)), []int{2, 3, 4, 5, 300})
	record(t, r, importer.StatusPushed, 2)
	record(t, r, importer.StatusFailed, 3)
	record(t, r, importer.StatusRejected, 4)
	record(t, r, importer.StatusNotSent, 300)
	zombie := r.own
	must(t, r.Stop(t.Context()))
	stopped := "2 pushed 1, 3 failed 1, 4 rejected 1, 5 unknown 0, 300 not_sent 0, 301 not_sent 0"
	diff(t, "stopped", statuses(t, r), stopped)
	if err := zombie.Record(t.Context(), []importer.Outcome{outcome(importer.StatusPushed, 5)}); !errors.Is(err, ErrLeaseLost) {
		t.Errorf("an outcome after the end of the run: %v", err)
	}
	diff(t, "still", statuses(t, r), stopped)
	if _, err := r.Claim(t.Context(), 1); !errors.As(err, new(*journal.StateError)) {
		t.Errorf("a claim in a run that is stopped: %v", err)
	}
	r = again(t, j, r)
	must(t, r.Start(t.Context()))
	diff(t, "started again", statuses(t, r), stopped)
	diff(t, "claimed again", slices.Concat(claim(t, r, 2), claim(t, r, 1)), []int{3, 5, 300})
	diff(t, "may have been sent", statuses(t, r), "2 pushed 1, 3 unknown 1, 4 rejected 1, 5 unknown 0, 300 unknown 0, 301 not_sent 0")
	record(t, r, importer.StatusPushed, 3, 5, 300)
	if err := r.Finish(t.Context(), testTime); !errors.Is(err, ErrRowsLeft) {
		t.Errorf("finished with a row left: %v", err)
	}
	diff(t, "the rest", claim(t, r, 9), []int{301})
	record(t, r, importer.StatusFailed, 301)
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "finished", statuses(t, r), "2 pushed 1, 3 pushed 2, 4 rejected 1, 5 pushed 1, 300 pushed 1, 301 failed 1")
}

// A row that was in flight when its process died may have been sent, no matter who has it then.
func TestLaneTakesOverFromTheDead(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2, 3, 4, 5, 300})
	dead := again(t, j, r).Lane()
	diff(t, "claimed", claim(t, dead, 3), []int{2, 3, 4})
	record(t, dead, importer.StatusPushed, 2)
	record(t, dead, importer.StatusFailed, 3)
	heir := again(t, j, r).Lane()
	diff(t, "while the lease lasts", claim(t, heir, 9), []int{300})
	record(t, heir, importer.StatusPushed, 300)
	died(t, j)
	diff(t, "afterwards", statuses(t, r), "2 pushed 1, 3 failed 1, 4 unknown 0, 5 not_sent 0, 300 pushed 1")
	diff(t, "the heir gets", claim(t, heir, 9), []int{4, 5}) // 3 has failed in this very push
	if err := dead.Record(t.Context(), []importer.Outcome{outcome(importer.StatusRejected, 4)}); !errors.Is(err, ErrLeaseLost) {
		t.Errorf("the dead recorded: %v", err)
	}
	record(t, heir, importer.StatusNotSent, 4, 5)
	diff(t, "released", statuses(t, r), "2 pushed 1, 3 failed 1, 4 unknown 0, 5 not_sent 0, 300 pushed 1")
	must(t, heir.Release(t.Context()))
	last := again(t, j, r).Lane()
	diff(t, "the last gets", claim(t, last, 9), []int{4, 5})
	diff(t, "claimed once more", statuses(t, r), "2 pushed 1, 3 failed 1, 4 unknown 0, 5 unknown 0, 300 pushed 1")
	record(t, last, importer.StatusPushed, 4, 5)
	must(t, r.Finish(t.Context(), testTime))
}

func TestRoundsOfTwoLanes(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2, 3, 300, 301}, importer.Amendment{Row: 3, Round: 2}, importer.Amendment{Row: 300, Round: 1})
	a, b := r.Lane(), again(t, j, r).Lane()
	diff(t, "a", claim(t, a, 1), []int{2})
	diff(t, "b", claim(t, b, 9), []int{301})
	record(t, b, importer.StatusPushed, 301)
	diff(t, "b has nothing", len(claim(t, b, 9)), 0)
	if b.NextRound() {
		t.Error("the next round began while a row of the first is in flight")
	}
	record(t, a, importer.StatusPushed, 2)
	if !b.NextRound() {
		t.Fatal("the next round does not begin")
	}
	diff(t, "a has nothing", len(claim(t, a, 9)), 0)
	diff(t, "b", claim(t, b, 9), []int{300})
	diff(t, "the round after", statuses(t, r), "2 pushed 1, 3 not_sent 0, 300 unknown 0, 301 pushed 1")
	record(t, b, importer.StatusPushed, 300)
	if !a.NextRound() {
		t.Fatal("the last round does not begin")
	}
	diff(t, "a", claim(t, a, 9), []int{3})
	record(t, a, importer.StatusPushed, 3)
	must(t, r.Finish(t.Context(), testTime))
}

// A process that was stopped while it planned finds its run gone.
func TestAbandonedPlan(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := begun(t, j)
	must(t, r.Append(t.Context(), []importer.PlannedRow{pendingRow(2)}))
	if _, err := j.Begin(t.Context(), testInfo()); !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("a second run to the target: %v", err)
	}
	must(t, j.Recover(t.Context(), testTarget))
	if _, err := j.Run(t.Context(), r.id); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("the run is still there: %v", err)
	}
	if err := r.Seal(t.Context(), importer.RunPushing, 1, nil); !errors.Is(err, errDiscarded) {
		t.Errorf("sealed: %v", err)
	}
	r = begun(t, j)
	must(t, r.Append(t.Context(), []importer.PlannedRow{pendingRow(2)}))
	must(t, r.Discard(t.Context()))
	r = begun(t, j)
	for _, row := range numbers(2, 600) {
		must(t, r.Append(t.Context(), []importer.PlannedRow{pendingRow(row)}))
	}
	must(t, r.Amend(t.Context(), []importer.Amendment{{Row: 2, DuplicateOf: 3}}))
	execute(t, j, "DELETE FROM opscom.chunk WHERE chunk = 1") // as a crash does of what did not wait for the disk
	if err := r.Seal(t.Context(), importer.RunPushing, 599, nil); !errors.Is(err, errDiscarded) {
		t.Errorf("sealed, with a chunk missing: %v", err)
	}
}

func TestRecoverStopsWhatNobodyPushes(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2, 3, 4})
	claim(t, r, 2)
	died(t, j)
	release, err := j.Lock(t.Context(), testTarget)
	must(t, err)
	if _, err := j.Lock(t.Context(), testTarget); !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("locked twice: %v", err)
	}
	must(t, j.Recover(t.Context(), testTarget))
	must(t, release())
	r = again(t, j, r)
	diff(t, "state", r.Info().State, importer.RunStopped)
	diff(t, "rows", statuses(t, r), "2 unknown 0, 3 unknown 0, 4 not_sent 0")
	var events int
	must(t, j.pool.QueryRow(t.Context(), "SELECT count(*) FROM opscom.event").Scan(&events))
	diff(t, "records of what is unknown", events, 1)
	must(t, j.Supersede(t.Context(), r.id))
	diff(t, "replaced", statuses(t, again(t, j, r)), "2 unknown 0, 3 unknown 0, 4 not_sent 0")
}

// The target of a run that others push is busy.
func TestLockKnowsLanes(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2})
	execute(t, j, "INSERT INTO opscom.lane (run, lane) VALUES ($1, 0)", r.id)
	if _, err := j.Lock(t.Context(), testTarget); !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("locked although a lane waits in the queue: %v", err)
	}
	execute(t, j, "UPDATE opscom.lane SET lease_until = now()")
	claim(t, r, 1)
	go func() {
		time.Sleep(time.Second)
		j.pool.Exec(context.Background(), "UPDATE opscom.chunk_state SET lease_until = NULL")
	}()
	release, err := j.Lock(t.Context(), testTarget)
	must(t, err)
	must(t, release())
}

// An interrupt ends the wait for the leases of a process that has died.
func TestInterruptEndsTheWaitForLeases(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2})
	claim(t, r, 1)
	ctx, interrupt := context.WithCancel(t.Context())
	time.AfterFunc(time.Second, interrupt) // the lease has ten
	if _, err := j.Lock(ctx, testTarget); !errors.Is(err, context.Canceled) {
		t.Errorf("the interrupt was not heard: %v", err)
	}
	died(t, j)
	release, err := j.Lock(t.Context(), testTarget)
	must(t, err)
	must(t, release())
}

// After a failover that may have lost something, nothing of an unfinished chunk is known not to
// have been sent, and those who held rows hold them no more.
func TestFailoverMakesRowsUnknown(t *testing.T) {
	j := opened(t, newDatabase(t))
	r := planned(t, j, importer.RunPushing, []int{2, 3, 300, 301, 600}, importer.Amendment{Row: 301, Round: 1})
	lane := r.Lane()
	diff(t, "claimed", claim(t, lane, 2), []int{2, 3})
	record(t, lane, importer.StatusPushed, 2, 3)
	diff(t, "claimed", claim(t, lane, 1), []int{300})
	execute(t, j, "UPDATE opscom.run SET timeline = 'before'")
	unknown := "2 pushed 1, 3 pushed 1, 300 unknown 0, 301 unknown 0, 600 unknown 0"
	diff(t, "afterwards", statuses(t, r), unknown)
	if err := lane.Record(t.Context(), []importer.Outcome{outcome(importer.StatusPushed, 300)}); !errors.Is(err, ErrLeaseLost) {
		t.Errorf("recorded: %v", err)
	}
	if _, err := again(t, j, r).Lane().Claim(t.Context(), 1); !errors.Is(err, ErrLeaseLost) {
		t.Errorf("the first lane of the new timeline: %v", err)
	}
	diff(t, "still", statuses(t, r), unknown)
	heir := again(t, j, r).Lane()
	diff(t, "claimed again", claim(t, heir, 9), []int{300, 600})
	beyond := func(lane *Lane, timelines int) { // whatever leases the last timeline has lost
		t.Helper()
		for _, c := range lane.all() {
			if c.epoch <= timelines*epochsOfTimeline {
				t.Errorf("chunk %d has epoch %d", c.chunk, c.epoch)
			}
		}
	}
	beyond(heir, 1)
	record(t, heir, importer.StatusNotSent, 300)
	record(t, heir, importer.StatusPushed, 600)
	diff(t, "released", statuses(t, r), "2 pushed 1, 3 pushed 1, 300 unknown 0, 301 unknown 0, 600 pushed 1")
	execute(t, j, "UPDATE opscom.run SET timeline = 'before'")
	must(t, again(t, j, r).Stop(t.Context()))
	diff(t, "stopped", statuses(t, r), "2 pushed 1, 3 pushed 1, 300 unknown 0, 301 unknown 0, 600 pushed 1")
	execute(t, j, "UPDATE opscom.run SET timeline = 'before'")
	r = again(t, j, r)
	must(t, r.Start(t.Context()))
	diff(t, "claimed in the end", claim(t, r, 9), []int{300})
	beyond(r.own, 2)
	record(t, r, importer.StatusPushed, 300)
	if !r.NextRound() {
		t.Fatal("the next round does not begin")
	}
	diff(t, "claimed in the end", claim(t, r, 9), []int{301})
	record(t, r, importer.StatusPushed, 301)
	must(t, r.Finish(t.Context(), testTime))
}

func TestDamageIsNoticed(t *testing.T) {
	for name, damage := range map[string]string{
		"a chunk is missing":      "DELETE FROM opscom.chunk WHERE chunk = 1",
		"a state is missing":      "DELETE FROM opscom.chunk_state WHERE chunk = 1",
		"a record is missing":     "DELETE FROM opscom.event",
		"a chunk is changed":      "UPDATE opscom.chunk SET data = set_byte(data, 60, get_byte(data, 60) # 1) WHERE chunk = 1",
		"chunks are swapped":      "UPDATE opscom.chunk c SET data = o.data FROM opscom.chunk o WHERE o.chunk = 1 - c.chunk",
		"a record is changed":     "UPDATE opscom.event SET data = set_byte(data, 40, get_byte(data, 40) # 1)",
		"a record is another's":   "UPDATE opscom.event SET chunk = 1; UPDATE opscom.chunk_state SET events = chunk",
		"the plan has fewer rows": "UPDATE opscom.run SET planned = 5",
	} {
		t.Run(name, func(t *testing.T) {
			j := opened(t, newDatabase(t))
			r := planned(t, j, importer.RunPushing, []int{2, 3, 300, 301})
			claim(t, r, 2)
			record(t, r, importer.StatusPushed, 2)
			must(t, r.Stop(t.Context()))
			for statement := range strings.SplitSeq(damage, ";") {
				execute(t, j, statement)
			}
			var err error
			for _, err = range r.Results(t.Context()) {
			}
			damaged := new(journal.DamagedError)
			if !errors.As(err, &damaged) {
				t.Fatalf("results: %v", err)
			}
			if err := r.Start(t.Context()); !errors.As(err, new(*journal.DamagedError)) {
				t.Errorf("start: %v", err)
			}
			diff(t, "state", again(t, j, r).Info().State, importer.RunStopped)
		})
	}
}

// The database commits, the answer does not arrive, and workers finish the run before it is asked again.
func TestFinishedBeforeItIsKnownToBegin(t *testing.T) {
	for name, begin := range map[string]func(r *Run) error{
		"sealed":  func(r *Run) error { return r.Seal(t.Context(), importer.RunPushing, 3, nil) },
		"started": func(r *Run) error { return r.Start(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			database := newDatabase(t)
			worker := opened(t, database)
			proxy, address := proxied(t, database)
			committed := make(chan func(), 1)
			j, err := Open(t.Context(), address, Options{Keys: testKeys(t), Enqueue: func(context.Context, pgx.Tx, importer.RunInfo) error {
				committed <- loseAnswers(t, proxy)
				return nil
			}})
			must(t, err)
			defer j.Close()
			r := begun(t, j)
			must(t, r.Append(t.Context(), []importer.PlannedRow{pendingRow(1), pendingRow(2), pendingRow(3)}))
			if name == "started" {
				must(t, r.Seal(t.Context(), importer.RunHeld, 3, nil))
			}
			begins := make(chan error)
			go func() { begins <- begin(r) }()
			restore := <-committed
			eventually(t, "begun", func() bool { return again(t, worker, r).Info().State == importer.RunPushing })
			other, sent := again(t, worker, r), new(delivery)
			must(t, work(t.Context(), other, sent.controller(0)))
			must(t, other.Finish(t.Context(), testTime))
			restore()
			must(t, <-begins)
			must(t, work(t.Context(), r, sent.controller(0)))
			must(t, r.Finish(t.Context(), testTime))
			diff(t, "state", r.Info().State, importer.RunFinished)
			diff(t, "sent", sent.n(), 3)
			diff(t, "rows", statuses(t, r), "1 pushed 1, 2 pushed 1, 3 pushed 1")
		})
	}
}
