package postgres

import (
	"errors"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/postgres/pgtest"
)

// A standby that had not received the last transactions is promoted: what they said is unknown,
// never guessed, and who held rows before writes nothing any more.
func TestFailoverLosesTheLastTransactions(t *testing.T) {
	primary := pgtest.Start(t, pgtest.Options{FSync: true})
	_, err := Migrate(t.Context(), primary.URL("postgres"), Options{})
	must(t, err)
	standby := primary.Standby(t)
	j := opened(t, pgtest.FailoverURL("postgres", primary, standby))
	r := planned(t, j, importer.RunPushing, []int{2, 3, 4, 5, 300, 301, 600, 601, 900}, importer.Amendment{Row: 601, Round: 1})
	lane := r.Lane()
	diff(t, "claimed", claim(t, lane, 2), []int{2, 3})
	record(t, lane, importer.StatusPushed, 2, 3)
	standby.CatchUp(primary)

	standby.Detach()
	diff(t, "claimed and lost", claim(t, lane, 4), []int{4, 5, 300, 301})
	record(t, lane, importer.StatusPushed, 4, 5, 300)
	other := r.Lane()
	diff(t, "leased and lost", claim(t, other, 1), []int{600})
	diff(t, "before", statuses(t, r), "2 pushed 1, 3 pushed 1, 4 pushed 1, 5 pushed 1, 300 pushed 1, 301 unknown 0, 600 unknown 0, 601 not_sent 0, 900 not_sent 0")
	primary.Kill()
	standby.Promote()

	var after string
	eventually(t, "the new primary answers", func() bool {
		_, _, err := r.Counts(t.Context())
		return err == nil
	})
	after = statuses(t, r)
	diff(t, "afterwards", after, "2 pushed 1, 3 pushed 1, 4 unknown 0, 5 unknown 0, 300 unknown 0, 301 unknown 0, 600 unknown 0, 601 unknown 0, 900 unknown 0")
	for name, q := range map[string]importer.Queue{"the first": lane, "the second": other} {
		row := map[string]int{"the first": 301, "the second": 600}[name]
		if err := q.Record(t.Context(), []importer.Outcome{outcome(importer.StatusPushed, row)}); !errors.Is(err, ErrLeaseLost) {
			t.Errorf("%s recorded an outcome: %v", name, err)
		}
		if _, err := q.Claim(t.Context(), 1); !errors.Is(err, ErrLeaseLost) {
			t.Errorf("%s claimed: %v", name, err)
		}
	}
	diff(t, "still", statuses(t, r), after)
	var s delivery
	must(t, work(t.Context(), again(t, j, r), s.controller(0)))
	diff(t, "sent again", s.n(), 7)
	r = again(t, j, r)
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "in the end", statuses(t, r), "2 pushed 1, 3 pushed 1, 4 pushed 1, 5 pushed 1, 300 pushed 1, 301 pushed 1, 600 pushed 1, 601 pushed 1, 900 pushed 1")
	for row, isDoubted := range map[int]bool{2: true, 3: true, 4: false, 900: false} {
		key := pendingRow(row).Key
		known, err := j.Acceptances().Accepted(t.Context(), testTarget, []importer.Digest{key})
		must(t, err)
		if a, ok := known[key]; !ok || a.IsDoubted != isDoubted {
			t.Errorf("row %d is accepted: %v, in doubt: %v; want %v", row, ok, a.IsDoubted, isDoubted)
		}
	}
}

// A plan that a failover has lost in part is never pushed.
func TestFailoverWhilePlanning(t *testing.T) {
	primary := pgtest.Start(t, pgtest.Options{FSync: true})
	_, err := Migrate(t.Context(), primary.URL("postgres"), Options{})
	must(t, err)
	standby := primary.Standby(t)
	j := opened(t, pgtest.FailoverURL("postgres", primary, standby))
	r := begun(t, j)
	store := func(first, last int) error {
		var plan []importer.PlannedRow
		for _, row := range numbers(first, last) {
			plan = append(plan, pendingRow(row))
		}
		return r.Append(t.Context(), plan)
	}
	must(t, store(2, 256*planBatch))
	standby.CatchUp(primary)
	standby.Detach()
	must(t, store(256*planBatch+1, 3*256*planBatch))
	primary.Kill()
	standby.Promote()
	eventually(t, "the new primary answers", func() bool { return j.pool.Ping(t.Context()) == nil })
	for deadline := time.Now().Add(time.Minute); ; {
		err := r.Seal(t.Context(), importer.RunPushing, 3*256*planBatch-1, nil)
		if errors.Is(err, errDiscarded) {
			break
		}
		if err == nil || !IsTransient(err) || time.Now().After(deadline) {
			t.Fatalf("sealed: %v", err)
		}
	}
	must(t, j.Recover(t.Context(), testTarget))
	runs, err := j.Runs(t.Context())
	must(t, err)
	diff(t, "runs", len(runs), 0)
}
