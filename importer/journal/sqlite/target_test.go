package sqlite

import (
	"database/sql"
	"errors"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
)

const (
	oldSpelling = "OC at https://OPS.example"
	otherOld    = "OC at https://ops.example:443"
	newSpelling = "OC at https://ops.example"
)

// pushAs pushes a row to a target whose name is stored as it is given, as earlier
// versions did, and returns the run.
func pushAs(t *testing.T, j *Journal, name string, outcome importer.Outcome) *Run {
	t.Helper()
	run := testRun()
	run.Target = name
	r, err := j.begin(t.Context(), run)
	must(t, err)
	must(t, j.update(t.Context(), "spell the target", durable, func(tx *sql.Tx) error {
		stored := target{name: name}
		_, err := tx.Exec("INSERT OR IGNORE INTO target (name, folded, sum) VALUES (?, 0, ?)", name, stored.checksum())
		if err == nil {
			_, err = tx.Exec("UPDATE run SET target = (SELECT id FROM target WHERE name = ?) WHERE id = ?", name, r.id)
		}
		r.record.Target = name
		return errors.Join(err, j.save(t.Context(), tx, &r.record))
	}))
	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(outcome.Row, importer.StatusPending)}))
	must(t, r.Seal(t.Context(), importer.RunPushing, 1, nil))
	claim(t, r, 1)
	must(t, r.Record(t.Context(), []importer.Outcome{outcome}))
	return r
}

func acceptedBy(t *testing.T, j *Journal, name string, row int) string {
	t.Helper()
	found, err := j.Acceptances().Accepted(t.Context(), name, []importer.Digest{testKey(row)})
	must(t, err)
	return found[testKey(row)].ReferenceID
}

// A journal in which earlier versions have spelled a Controller's URL otherwise.
func TestSpellingsOfATargetAreOne(t *testing.T) {
	j := openTest(t, t.TempDir())
	pushAs(t, j, oldSpelling, reference(2, "a"))
	for _, name := range []string{oldSpelling, otherOld, newSpelling} {
		if got := acceptedBy(t, j, name, 2); got != "a" {
			t.Errorf("%s: accepted %q", name, got)
		}
		if runs, err := j.Unfinished(t.Context(), name, testSource); err != nil || len(runs) != 1 {
			t.Errorf("%s: %d unfinished, %v", name, len(runs), err)
		}
		if run, ok, err := j.Last(t.Context(), name, testSource); err != nil || !ok || run.ID != 1 {
			t.Errorf("%s: last is %d, %v", name, run.ID, err)
		}
	}
	release, err := j.Lock(t.Context(), newSpelling)
	must(t, err)
	if _, err := j.Lock(t.Context(), oldSpelling); !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("locked twice: %v", err)
	}
	must(t, j.Recover(t.Context(), newSpelling))
	must(t, release())
	first, err := j.run(t.Context(), 1)
	must(t, err)
	if first.Info().State != importer.RunStopped {
		t.Errorf("the run was not recovered: it is %s", first.Info().State)
	}

	run := testRun()
	run.Target = newSpelling
	second, err := j.begin(t.Context(), run)
	must(t, err)
	again, err := j.run(t.Context(), second.id)
	must(t, err)
	if again.Info().Target != oldSpelling {
		t.Errorf("a new run is to %s", again.Info().Target)
	}
	must(t, second.Discard(t.Context()))
	must(t, j.ForgetTarget(t.Context(), otherOld))
	if runs, err := j.Runs(t.Context()); err != nil || len(runs) > 0 || acceptedBy(t, j, oldSpelling, 2) != "" {
		t.Errorf("left when the target was forgotten: %v %v", runs, err)
	}
	if other := "OC at https://ops.example/OPS"; acceptedBy(t, j, other, 2) != "" {
		t.Errorf("%s is another Controller", other)
	}
}

// Where earlier versions took two spellings for two Controllers, the last outcome
// counts, whichever it was pushed by.
func TestAcceptancesOfSpellings(t *testing.T) {
	later := func(o importer.Outcome, by int) importer.Outcome {
		o.FinishedAt = testTime.AddDate(0, 0, by)
		return o
	}
	failed := importer.Outcome{Row: 2, Answer: importer.Answer{Status: importer.StatusFailed}}
	for what, c := range map[string]struct {
		outcomes []importer.Outcome // in turn by one spelling and the other
		want     string
	}{
		"last by the first":   {[]importer.Outcome{reference(2, "a"), later(reference(2, "b"), 1), later(reference(2, "c"), 2)}, "c"},
		"last by the second":  {[]importer.Outcome{reference(2, "a"), later(reference(2, "b"), 1)}, "b"},
		"failed by the first": {[]importer.Outcome{failed, later(reference(2, "b"), 1), later(failed, 2)}, ""},
		"failed and then not": {[]importer.Outcome{reference(2, "a"), later(failed, 1), later(reference(2, "c"), 2)}, "c"},
		"failed by the other": {[]importer.Outcome{reference(2, "a"), later(failed, 1)}, ""},
	} {
		for how, fold := range map[string]func(*testing.T, *Journal){
			"not folded":   func(*testing.T, *Journal) {},
			"folded apart": foldApart,
			"folded now":   func(t *testing.T, j *Journal) { must(t, j.fold(t.Context(), newSpelling)) },
			"folded twice": func(t *testing.T, j *Journal) { foldApart(t, j); must(t, j.fold(t.Context(), newSpelling)) },
		} {
			t.Run(what+"/"+how, func(t *testing.T) {
				dir := t.TempDir()
				j, err := Open(t.Context(), dir)
				must(t, err)
				var ids []int64
				for i, outcome := range c.outcomes {
					r := pushAs(t, j, []string{oldSpelling, otherOld}[i%2], outcome)
					must(t, r.Stop(t.Context()))
					ids = append(ids, r.id)
					if i%2 == 0 {
						fold(t, j)
					}
				}
				must(t, j.Close())
				check := func(when string, j *Journal) {
					t.Helper()
					if got := acceptedBy(t, j, newSpelling, 2); got != c.want {
						t.Errorf("%s: accepted %q, want %q", when, got, c.want)
					}
					_, isOwned, err := j.Acceptances().Owner(t.Context(), newSpelling, testUnique(2)[0])
					must(t, err)
					if isOwned != (c.want != "") {
						t.Errorf("%s: the address is somebody's: %v", when, isOwned)
					}
				}
				read := readOnly(t, dir)
				check("read only", read)
				must(t, read.Close())
				asked := openTest(t, copyOf(t, dir))
				check("asked", asked)
				check("asked again", asked)
				for _, id := range ids {
					_, err = asked.Forget(t.Context(), id)
					must(t, err)
					check("asked and forgotten", asked)
				}
				j = openTest(t, dir)
				_, err = j.Forget(t.Context(), ids...)
				must(t, err)
				check("forgotten", j)
				run := testRun()
				run.Target = newSpelling
				r, err := j.begin(t.Context(), run)
				must(t, err)
				must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending)}))
				must(t, r.Seal(t.Context(), importer.RunPushing, 1, nil))
				claim(t, r, 1)
				must(t, r.Record(t.Context(), []importer.Outcome{later(reference(2, "new"), -9)})) // clocks may go back
				if got := acceptedBy(t, j, newSpelling, 2); got != "new" {
					t.Errorf("then accepted %q", got)
				}
			})
		}
	}
}

// foldApart folds each row of the target by itself, as earlier versions did.
func foldApart(t *testing.T, j *Journal) {
	t.Helper()
	must(t, j.update(t.Context(), "fold", durable, func(tx *sql.Tx) error {
		same, err := loadTargets(t.Context(), tx, newSpelling)
		must(t, err)
		for i := range same {
			pending := format.Changes{}
			_, _, err := replay(t.Context(), pending, tx, same[i:i+1], same[i].foldedTo, foldRows) // from the start if it is with the first
			must(t, err)
			for key, change := range pending {
				if change.IsDeleted {
					for _, other := range same {
						must(t, storeChanges(t.Context(), format.Changes{key: {IsDeleted: true}}, tx, other.id))
					}
				}
			}
			must(t, storeChanges(t.Context(), pending, tx, same[i].id))
			must(t, tx.QueryRow(latestEvent).Scan(&same[i].foldedTo))
			must(t, same[i].saveFolded(t.Context(), tx))
		}
		return nil
	}))
}
