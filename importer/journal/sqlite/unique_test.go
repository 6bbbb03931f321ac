package sqlite

import (
	"testing"
	"time"

	"opscom-import/importer"
)

// pushUnique pushes rows with these unique values in a run, and records the outcomes.
func pushUnique(t *testing.T, j *Journal, at time.Time, values map[int]importer.UniqueValues, outcomes ...importer.Outcome) {
	t.Helper()
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
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
func ownersOf(t *testing.T, j *Journal, values ...importer.UniqueValue) map[importer.UniqueValue]int {
	t.Helper()
	found := map[importer.UniqueValue]int{}
	acceptances := j.Acceptances()
	for _, value := range values {
		owner, ok, err := acceptances.Owner(t.Context(), testTarget, value)
		must(t, err)
		if ok {
			found[value] = int(owner.Key[0])
		}
	}
	return found
}

func TestOwnersFollowTheOutcomes(t *testing.T) {
	type values = map[int]importer.UniqueValues
	type owners = map[importer.UniqueValue]int
	const a, b, ann, bo, c = 1001, 1002, 2001, 2002, 1003
	accepted := func(row int) importer.Outcome { return reference(row, "r") }
	status := func(row int, s importer.Status, attempts int) importer.Outcome {
		return importer.Outcome{Row: row, Answer: importer.Answer{Status: s, Attempts: attempts}, Retry: s.Retryable()}
	}
	for _, tc := range []struct {
		name     string
		then     values
		outcomes []importer.Outcome
		want     owners
	}{
		{"nothing more", nil, nil, owners{a: 2, ann: 2, b: 3, bo: 3}},
		{"another address", values{2: {c, ann}}, []importer.Outcome{accepted(2)}, owners{c: 2, ann: 2, b: 3, bo: 3}},
		{"a profile without them", values{2: {}}, []importer.Outcome{accepted(2)}, owners{a: 2, ann: 2, b: 3, bo: 3}},
		{"a profile without one", values{2: {c}}, []importer.Outcome{accepted(2)}, owners{c: 2, ann: 2, b: 3, bo: 3}},
		{"a cleared address", values{2: {importer.ValueBlank, ann}}, []importer.Outcome{accepted(2)}, owners{ann: 2, b: 3, bo: 3}},
		{"a swap", values{2: {b, ann}, 3: {a, bo}}, []importer.Outcome{accepted(2), accepted(3)}, owners{a: 3, ann: 2, b: 2, bo: 3}},
		{"a rejection", values{2: {b, ann}}, []importer.Outcome{status(2, importer.StatusRejected, 1)}, owners{a: 2, ann: 2, b: 3, bo: 3}},
		{"what may have been accepted", values{2: {c, ann}, 3: {b, bo}}, []importer.Outcome{status(2, importer.StatusFailed, 5), status(3, importer.StatusRejected, 2)}, owners{}},
		{"an address that the next one gave up elsewhere", values{2: {b, ann}}, []importer.Outcome{accepted(2)}, owners{b: 2, ann: 2, bo: 3}},
		{"an address that was given up elsewhere", values{4: {a}}, []importer.Outcome{accepted(4)}, owners{a: 4, ann: 2, b: 3, bo: 3}},
	} {
		for _, when := range []string{"folded in between", "folded together", "read only", "read only, half folded", "forgotten"} {
			t.Run(tc.name+", "+when, func(t *testing.T) {
				dir := t.TempDir()
				j, err := Open(t.Context(), dir)
				must(t, err)
				defer func() { must(t, j.Close()) }()
				pushUnique(t, j, testTime, values{2: {a, ann}, 3: {b, bo}}, accepted(2), accepted(3))
				if when == "folded in between" || when == "read only, half folded" {
					ownersOf(t, j, a)
				}
				if tc.outcomes != nil {
					pushUnique(t, j, testTime.Add(time.Hour), tc.then, tc.outcomes...)
				}
				switch when {
				case "read only", "read only, half folded":
					must(t, j.Close())
					j = readOnly(t, dir)
				case "forgotten":
					runs, err := j.Runs(t.Context())
					must(t, err)
					for _, run := range runs {
						_, err := j.Forget(t.Context(), run.ID)
						must(t, err)
					}
				}
				diff(t, "owners", ownersOf(t, j, a, b, c, ann, bo), tc.want)
			})
		}
	}
}

func TestOwnersOfAnotherTarget(t *testing.T) {
	j := openTest(t, t.TempDir())
	pushUnique(t, j, testTime, map[int]importer.UniqueValues{2: {1001, 2001}}, reference(2, "r"))
	acceptances := j.Acceptances()
	_, ok, err := acceptances.Owner(t.Context(), testTarget, 1001)
	must(t, err)
	_, other, err := acceptances.Owner(t.Context(), "another target", 1001)
	must(t, err)
	if !ok || other {
		t.Errorf("an owner is found for the target: %v, for another one: %v", ok, other)
	}
}
