package sqlite

import (
	"fmt"
	"testing"
	"time"

	"opscom-import/importer"
)

// accepted returns the reference ids of the acceptances of rows, by row.
func accepted(t *testing.T, j *Journal, rows ...int) map[int]string {
	t.Helper()
	var keys []importer.Digest
	for _, row := range rows {
		keys = append(keys, testKey(row))
	}
	found, err := j.Acceptances().Accepted(t.Context(), testTarget, keys)
	must(t, err)
	references := map[int]string{}
	for _, row := range rows {
		if a, ok := found[testKey(row)]; ok {
			references[row] = a.ReferenceID
		}
	}
	return references
}

func reference(row int, id string) importer.Outcome {
	o := pushed(row)
	o.ReferenceID = id
	return o
}

func TestAcceptancesFollowTheOutcomes(t *testing.T) {
	j := openTest(t, t.TempDir())
	diff(t, "of a new journal", accepted(t, j, 2), map[int]string{})
	r := planned(t, j, importer.RunPushing, 2, 3, 4, 5, 6, 7)
	diff(t, "of a plan", accepted(t, j, 2, 3), map[int]string{})
	claim(t, r, 6)
	must(t, r.Record(t.Context(), []importer.Outcome{reference(2, "a"), reference(3, "a"), reference(4, "a"), reference(5, "a"), reference(6, "a"), reference(7, "a")}))
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "after a run", accepted(t, j, 2, 3, 4, 5, 6, 7, 8), map[int]string{2: "a", 3: "a", 4: "a", 5: "a", 6: "a", 7: "a"})

	r = planned(t, j, importer.RunPushing, 2, 3, 4, 5, 6)
	claim(t, r, 5)
	must(t, r.Record(t.Context(), []importer.Outcome{
		reference(2, "b"), {Row: 3, Answer: importer.Answer{Status: importer.StatusRejected}}, {Row: 4, Answer: importer.Answer{Status: importer.StatusFailed}, Retry: true}, {Row: 5, Answer: importer.Answer{Status: importer.StatusNotSent}, Retry: true},
	}))
	must(t, r.Stop(t.Context())) // row 6 is in flight
	want := map[int]string{2: "b", 3: "a", 5: "a", 7: "a"}
	diff(t, "after another run", accepted(t, j, 2, 3, 4, 5, 6, 7), want)
	diff(t, "asked again", accepted(t, j, 2, 3, 4, 5, 6, 7), want)

	if found, err := j.Acceptances().Accepted(t.Context(), "another target", []importer.Digest{testKey(2)}); err != nil || len(found) > 0 {
		t.Errorf("of another target: %v %v", found, err)
	}
}

// A profile that was accepted without an answer, and rejected when it was sent
// again, is what the Controller holds: the one that it accepted before is not.
func TestRejectedAfterSeveralAttemptsIsNotKnown(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := planned(t, j, importer.RunPushing, 2, 3)
	claim(t, r, 2)
	must(t, r.Record(t.Context(), []importer.Outcome{reference(2, "a"), reference(3, "a")}))
	must(t, r.Finish(t.Context(), testTime))
	r = planned(t, j, importer.RunPushing, 2, 3)
	claim(t, r, 2)
	must(t, r.Record(t.Context(), []importer.Outcome{{Row: 2, Answer: importer.Answer{Status: importer.StatusRejected, Attempts: 1}}, {Row: 3, Answer: importer.Answer{Status: importer.StatusRejected, Attempts: 2}}}))
	diff(t, "accepted", accepted(t, j, 2, 3), map[int]string{2: "a"})
}

func TestAcceptanceIsWholeAgain(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := planned(t, j, importer.RunPushing, 2)
	claim(t, r, 1)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	found, err := j.Acceptances().Accepted(t.Context(), testTarget, []importer.Digest{testKey(3), testKey(2), testKey(2)})
	must(t, err)
	diff(t, "accepted", found, map[importer.Digest]importer.Acceptance{
		testKey(2): {Hash: testRow(2, importer.StatusPending).Hash, Unique: testUnique(2), ReferenceID: "20", AcceptedAt: testTime},
	})
}

// TestOlderRunDoesNotOverwrite: a run that was stopped, and goes on after another
// run, brings its own new outcomes and not its old ones.
func TestOlderRunDoesNotOverwrite(t *testing.T) {
	for _, name := range []string{"asked in between", "asked at the end"} {
		t.Run(name, func(t *testing.T) {
			ask := func(j *Journal) {
				if name == "asked in between" {
					accepted(t, j, 2)
				}
			}
			j := openTest(t, t.TempDir())
			old := planned(t, j, importer.RunPushing, 2, 3, 4)
			claim(t, old, 3)
			must(t, old.Record(t.Context(), []importer.Outcome{reference(2, "old"), {Row: 3, Answer: importer.Answer{Status: importer.StatusFailed}, Retry: true}}))
			must(t, old.Stop(t.Context()))
			ask(j)
			newer := planned(t, j, importer.RunPushing, 2, 3, 4)
			claim(t, newer, 3)
			must(t, newer.Record(t.Context(), []importer.Outcome{reference(2, "new"), reference(3, "new"), reference(4, "new")}))
			must(t, newer.Finish(t.Context(), testTime.Add(-time.Hour))) // clocks may go back
			ask(j)
			must(t, old.Start(t.Context()))
			claim(t, old, 1)
			must(t, old.Record(t.Context(), []importer.Outcome{reference(3, "old again")}))
			must(t, old.Stop(t.Context()))
			diff(t, "accepted", accepted(t, j, 2, 3, 4), map[int]string{2: "new", 3: "old again", 4: "new"})
		})
	}
}

// TestFoldTakesSeveralTransactions has more rows than one transaction folds, and
// a number of them that statements of 64 do not divide.
func TestFoldTakesSeveralTransactions(t *testing.T) {
	j := openTest(t, t.TempDir())
	const n = 2*foldRows + 1001
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	benchAppend(t, r, benchPlan(n))
	benchClaim(t, r)
	benchRecord(t, r, benchOutcomes(n))
	plan := benchPlan(n)
	var keys []importer.Digest
	for i := range plan {
		keys = append(keys, plan[i].Key)
	}
	found, err := j.Acceptances().Accepted(t.Context(), testTarget, keys)
	must(t, err)
	for i := range plan {
		if a := found[plan[i].Key]; a.ReferenceID != fmt.Sprint(100_000+i) || a.Hash != plan[i].Hash {
			t.Fatalf("row %d: %+v", plan[i].Row, a)
		}
	}
}
