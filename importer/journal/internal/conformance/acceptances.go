package conformance

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

func acceptances() []part {
	return []part{
		{"acceptances follow the outcomes", acceptancesFollow},
		{"rejected after several attempts", rejectedAfterSeveralAttempts},
		{"an acceptance is whole again", acceptanceIsWhole},
		{"an older run does not overwrite", olderRunDoesNotOverwrite},
		{"acceptances of many people", acceptancesOfMany},
		{"acceptances in doubt", acceptancesInDoubt},
		{"owners follow the outcomes", ownersFollow},
		{"owners of another target", ownersOfAnotherTarget},
	}
}

// accepted returns the reference ids of the acceptances of rows, by row.
func accepted(t TB, j journal.Journal, rows ...int) map[int]string {
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

func outcome(row int, status importer.Status, attempts int) importer.Outcome {
	return importer.Outcome{Row: row, Answer: importer.Answer{Status: status, Attempts: attempts}, Retry: status.Retryable()}
}

func acceptancesFollow(t *test) {
	j := t.open()
	diff(t, "of a new journal", accepted(t, j, 2), map[int]string{})
	r := planned(t, j, importer.RunPushing, 2, 3, 4, 5, 6, 7)
	diff(t, "of a plan", accepted(t, j, 2, 3), map[int]string{})
	claim(t, r, 6)
	must(t, r.Record(t.Context(), []importer.Outcome{pushedAs(2, "a"), pushedAs(3, "a"), pushedAs(4, "a"), pushedAs(5, "a"), pushedAs(6, "a"), pushedAs(7, "a")}))
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "after a run", accepted(t, j, 2, 3, 4, 5, 6, 7, 8), map[int]string{2: "a", 3: "a", 4: "a", 5: "a", 6: "a", 7: "a"})

	r = planned(t, j, importer.RunPushing, 2, 3, 4, 5, 6)
	claim(t, r, 5)
	must(t, r.Record(t.Context(), []importer.Outcome{
		pushedAs(2, "b"), {Row: 3, Answer: importer.Answer{Status: importer.StatusRejected}}, {Row: 4, Answer: importer.Answer{Status: importer.StatusFailed}, Retry: true}, released(5),
	}))
	must(t, r.Stop(t.Context())) // row 6 is in flight
	want := map[int]string{2: "b", 3: "a", 5: "a", 7: "a"}
	diff(t, "after another run", accepted(t, j, 2, 3, 4, 5, 6, 7), want)
	diff(t, "asked again", accepted(t, j, 2, 3, 4, 5, 6, 7), want)
	diff(t, "asked by another process", accepted(t, t.open(), 2, 3, 4, 5, 6, 7), want)

	if found, err := j.Acceptances().Accepted(t.Context(), "another target", []importer.Digest{testKey(2)}); err != nil || len(found) > 0 {
		t.Errorf("of another target: %v %v", found, err)
	}

	r = planned(t, j, importer.RunPushing, 2, 7)
	claim(t, r, 1)
	_, _ = t.afterCrash(r.Info().ID)
	delete(want, 2) // it may have been accepted
	diff(t, "after a crash", accepted(t, t.open(), 2, 3, 4, 5, 6, 7), want)
}

// A profile that was accepted without an answer, and rejected when it was sent
// again, is what the Controller holds: the one that it accepted before is not.
func rejectedAfterSeveralAttempts(t *test) {
	j := t.open()
	finished(t, j, 2, 3)
	r := planned(t, j, importer.RunPushing, 2, 3)
	claim(t, r, 2)
	must(t, r.Record(t.Context(), []importer.Outcome{outcome(2, importer.StatusRejected, 1), outcome(3, importer.StatusRejected, 2)}))
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "accepted", accepted(t, j, 2, 3), map[int]string{2: "20"})
}

func acceptanceIsWhole(t *test) {
	j := t.open()
	finished(t, j, 2)
	found, err := j.Acceptances().Accepted(t.Context(), testTarget, []importer.Digest{testKey(3), testKey(2), testKey(2)})
	must(t, err)
	diff(t, "accepted", found, map[importer.Digest]importer.Acceptance{
		testKey(2): {Hash: testRow(2, importer.StatusPending).Hash, Unique: testUnique(2), ReferenceID: "20", AcceptedAt: testTime},
	})
	if found, err := j.Acceptances().Accepted(t.Context(), testTarget, nil); len(found) > 0 || err != nil {
		t.Errorf("of nobody: %v, %v", found, err)
	}
	if _, err := j.Acceptances().Accepted(cancelled(t), testTarget, []importer.Digest{testKey(2)}); !errors.Is(err, cancelled(t).Err()) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// A run that was stopped, and goes on after another run, brings its own new outcomes and not
// its old ones.
func olderRunDoesNotOverwrite(t *test) {
	for _, asked := range []bool{true, false} {
		t.place = t.newPlace(t)
		j := t.open()
		ask := func() {
			if asked {
				accepted(t, j, 2)
			}
		}
		old := planned(t, j, importer.RunPushing, 2, 3, 4)
		claim(t, old, 3)
		must(t, old.Record(t.Context(), []importer.Outcome{pushedAs(2, "old"), outcome(3, importer.StatusFailed, 0)}))
		must(t, old.Stop(t.Context()))
		ask()
		newer := planned(t, j, importer.RunPushing, 2, 3, 4)
		claim(t, newer, 3)
		must(t, newer.Record(t.Context(), []importer.Outcome{pushedAs(2, "new"), pushedAs(3, "new"), pushedAs(4, "new")}))
		must(t, newer.Finish(t.Context(), testTime.Add(-time.Hour))) // clocks may go back
		ask()
		must(t, old.Start(t.Context()))
		claim(t, old, 1)
		must(t, old.Record(t.Context(), []importer.Outcome{pushedAs(3, "old again")}))
		must(t, old.Stop(t.Context()))
		diff(t, "accepted", accepted(t, j, 2, 3, 4), map[int]string{2: "new", 3: "old again", 4: "new"})
	}
}

// acceptancesOfMany has more people than a journal works out at once.
func acceptancesOfMany(t *test) {
	const n = 20_001
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i + 2
	}
	j := t.open()
	finished(t, j, rows...)
	references := accepted(t, j, rows...)
	for _, row := range rows {
		if references[row] != pushed(row).ReferenceID {
			t.Fatalf("row %d: accepted as %q", row, references[row])
		}
	}
	again := planned(t, j, importer.RunPushing, rows[n-2:]...)
	claim(t, again, 2)
	must(t, again.Record(t.Context(), []importer.Outcome{pushedAs(rows[n-2], "again"), outcome(rows[n-1], importer.StatusFailed, 3)}))
	must(t, again.Finish(t.Context(), testTime))
	diff(t, "accepted then", accepted(t, j, rows[n-3:]...), map[int]string{rows[n-3]: pushed(rows[n-3]).ReferenceID, rows[n-2]: "again"})
}

// What was accepted before the journal was restored stays, and is in doubt until the person is
// pushed again.
func acceptancesInDoubt(t *test) {
	want := func(what string, j journal.Journal, want map[int]string) {
		t.Helper()
		keys := map[importer.Digest]int{}
		for row := 2; row <= 7; row++ {
			keys[testKey(row)] = row
		}
		found, err := j.Acceptances().Accepted(t.Context(), testTarget, slices.Collect(maps.Keys(keys)))
		must(t, err)
		got := map[int]string{}
		for key, a := range found {
			if a.Hash != testRow(keys[key], importer.StatusPending).Hash {
				t.Errorf("%s: row %d has another digest", what, keys[key])
			}
			if got[keys[key]] = a.ReferenceID; a.IsDoubted {
				got[keys[key]] += " in doubt"
			}
		}
		diff(t, what, got, want)
	}
	j := t.open()
	finished(t, j, 2, 3)
	want("before", j, map[int]string{2: "20", 3: "30"})
	finished(t, j, 4, 5) // nobody asks
	held := planned(t, j, importer.RunHeld, 3, 6)
	stopped := planned(t, j, importer.RunPushing, 7)
	claim(t, stopped, 1)
	must(t, stopped.Record(t.Context(), []importer.Outcome{outcome(7, importer.StatusFailed, 1)}))
	must(t, stopped.Stop(t.Context()))

	t.place.Restore()
	j = t.open()
	want("restored", j, map[int]string{2: "20 in doubt", 3: "30 in doubt", 4: "40 in doubt", 5: "50 in doubt"})
	if owner, ok, err := j.Acceptances().Owner(t.Context(), testTarget, testUnique(2)[0]); err != nil || !ok || owner.Key != testKey(2) {
		t.Errorf("the owner is %v, %v, %v", owner, ok, err)
	}

	r := planned(t, j, importer.RunPushing, 2, 4, 5)
	claim(t, r, 3)
	must(t, r.Record(t.Context(), []importer.Outcome{pushedAs(2, "20"), outcome(4, importer.StatusRejected, 1), outcome(5, importer.StatusRejected, 2)}))
	must(t, r.Finish(t.Context(), testTime.Add(-time.Hour))) // clocks may go back
	want("pushed again", j, map[int]string{2: "20", 3: "30 in doubt", 4: "40 in doubt"})
	r, err := j.Run(t.Context(), held.Info().ID)
	must(t, err)
	must(t, r.Start(t.Context()))
	claim(t, r, 2)
	must(t, r.Record(t.Context(), []importer.Outcome{pushedAs(3, "30"), pushedAs(6, "60")}))
	must(t, r.Finish(t.Context(), testTime))
	want("by an older run", j, map[int]string{2: "20", 3: "30", 4: "40 in doubt", 6: "60"})
	_, err = j.Forget(t.Context(), 1, 2, held.Info().ID)
	must(t, err)
	want("with runs forgotten", t.open(), map[int]string{2: "20", 3: "30", 4: "40 in doubt", 6: "60"})

	t.place.Restore()
	want("restored again", t.open(), map[int]string{2: "20 in doubt", 3: "30 in doubt", 4: "40 in doubt", 6: "60 in doubt"})
}

// pushUnique pushes rows with these unique values to a target, and records the outcomes.
func pushUnique(t *test, j journal.Journal, target string, at time.Time, values map[int]importer.UniqueValues, outcomes []importer.Outcome) {
	t.Helper()
	r := begin(t, j, target)
	var plan []importer.PlannedRow
	for _, o := range outcomes {
		row := testRow(o.Row, importer.StatusPending)
		row.Unique = values[o.Row]
		plan = append(plan, row)
	}
	must(t, r.Append(t.Context(), plan))
	must(t, r.Seal(t.Context(), importer.RunPushing, len(plan), nil))
	claim(t, r, len(plan))
	for i := range outcomes {
		outcomes[i].FinishedAt = at
	}
	must(t, r.Record(t.Context(), outcomes))
	must(t, r.Stop(t.Context()))
}

// ownersOf returns the rows of those who have the values; those that nobody has are left out.
func ownersOf(t *test, j journal.Journal, target string, values ...importer.UniqueValue) map[importer.UniqueValue]int {
	t.Helper()
	found := map[importer.UniqueValue]int{}
	acceptances := j.Acceptances()
	for _, value := range values {
		owner, ok, err := acceptances.Owner(t.Context(), target, value)
		must(t, err)
		if ok {
			found[value] = int(owner.Key[0])
		}
	}
	return found
}

func ownersFollow(t *test) {
	type values = map[int]importer.UniqueValues
	type owners = map[importer.UniqueValue]int
	const a, b, ann, bo, c = 1001, 1002, 2001, 2002, 1003
	cases := []struct {
		name     string
		then     values
		outcomes []importer.Outcome
		want     owners
	}{
		{"nothing more", nil, nil, owners{a: 2, ann: 2, b: 3, bo: 3}},
		{"another address", values{2: {c, ann}}, []importer.Outcome{pushed(2)}, owners{c: 2, ann: 2, b: 3, bo: 3}},
		{"a profile without them", values{2: {}}, []importer.Outcome{pushed(2)}, owners{a: 2, ann: 2, b: 3, bo: 3}},
		{"a profile without one", values{2: {c}}, []importer.Outcome{pushed(2)}, owners{c: 2, ann: 2, b: 3, bo: 3}},
		{"a cleared address", values{2: {importer.ValueBlank, ann}}, []importer.Outcome{pushed(2)}, owners{ann: 2, b: 3, bo: 3}},
		{"a swap", values{2: {b, ann}, 3: {a, bo}}, []importer.Outcome{pushed(2), pushed(3)}, owners{a: 3, ann: 2, b: 2, bo: 3}},
		{"a rejection", values{2: {b, ann}}, []importer.Outcome{outcome(2, importer.StatusRejected, 1)}, owners{a: 2, ann: 2, b: 3, bo: 3}},
		{"what may have been accepted", values{2: {c, ann}, 3: {b, bo}}, []importer.Outcome{outcome(2, importer.StatusFailed, 5), outcome(3, importer.StatusRejected, 2)}, owners{}},
		{"an address that the next one gave up elsewhere", values{2: {b, ann}}, []importer.Outcome{pushed(2)}, owners{b: 2, ann: 2, bo: 3}},
		{"an address that was given up elsewhere", values{4: {a}}, []importer.Outcome{pushed(4)}, owners{a: 4, ann: 2, b: 3, bo: 3}},
	}
	for _, when := range []string{"asked in between", "asked at the end", "read only", "read only, asked in between", "forgotten"} {
		t.Run(when, func(tt *testing.T) {
			t := &test{T: tt, newPlace: t.newPlace, place: t.newPlace(tt)}
			reader, canReadOnly := t.place.(ReadOnly)
			readsOnly := strings.HasPrefix(when, "read only")
			if readsOnly && !canReadOnly {
				t.Log("this journal is not opened for reading only")
				return
			}
			j := t.open()
			for _, tc := range cases { // each with a target of its own
				pushUnique(t, j, tc.name, testTime, values{2: {a, ann}, 3: {b, bo}}, []importer.Outcome{pushed(2), pushed(3)})
				if strings.HasSuffix(when, "asked in between") {
					ownersOf(t, j, tc.name, a)
				}
				if tc.outcomes != nil {
					pushUnique(t, j, tc.name, testTime.Add(time.Hour), tc.then, slices.Clone(tc.outcomes))
				}
			}
			switch {
			case readsOnly:
				must(t, j.Close())
				j = reader.OpenReadOnly()
			case when == "forgotten":
				runs, err := j.Runs(t.Context())
				must(t, err)
				for _, run := range runs {
					_, err := j.Expire(t.Context(), run.ID)
					must(t, err)
				}
			}
			for _, tc := range cases {
				diff(t, tc.name, ownersOf(t, j, tc.name, a, b, c, ann, bo), tc.want)
			}
		})
	}
}

func ownersOfAnotherTarget(t *test) {
	j := t.open()
	pushUnique(t, j, testTarget, testTime, map[int]importer.UniqueValues{2: {1001, 2001}}, []importer.Outcome{pushed(2)})
	acceptances := j.Acceptances()
	_, ok, err := acceptances.Owner(t.Context(), testTarget, 1001)
	must(t, err)
	_, other, err := acceptances.Owner(t.Context(), "another target", 1001)
	must(t, err)
	if !ok || other {
		t.Errorf("an owner is found for the target: %v, for another one: %v", ok, other)
	}
}
