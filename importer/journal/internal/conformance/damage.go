package conformance

import (
	"errors"
	"strings"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

func damages() []part {
	return []part{{"damage", damage}}
}

// damage damages each kind of record: who needs it is told, without a value.
func damage(t *test) {
	reading := map[Record]map[string]func(j journal.Journal) error{
		PlanRecord: {"results": readResults(t), "counts": readCounts(t), "start": startAgain(t)},
		PayloadRecord: {"claim": func(j journal.Journal) error {
			r := openRun(t, j, 1)
			must(t, r.Start(t.Context()))
			_, err := r.Claim(t.Context(), 9)
			return err
		}},
		OutcomeRecord:    {"results": readResults(t), "counts": readCounts(t), "start": startAgain(t), "accepted": readAccepted(t)},
		LostPlan:         {"results": readResults(t), "counts": readCounts(t), "start": startAgain(t)},
		LostOutcome:      {"results": readResults(t), "counts": readCounts(t), "start": startAgain(t)},
		AcceptanceRecord: {"accepted": readAccepted(t)},
		RosterRecord: {"last complete": func(j journal.Journal) error {
			_, _, err := j.LastComplete(t.Context(), testTarget, testSource, "")
			return err
		}},
	}
	for record, readers := range reading {
		for name, read := range readers {
			t.place = t.newPlace(t)
			j := t.open()
			r := planned(t, j, importer.RunPushing, 2, 3, 4, 300)
			claim(t, r, 2)
			must(t, r.Record(t.Context(), []importer.Outcome{pushed(2), outcome(3, importer.StatusFailed, 2)}))
			must(t, r.Stop(t.Context()))
			switch record {
			case AcceptanceRecord:
				diff(t, "accepted", accepted(t, j, 2), map[int]string{2: "20"})
			case RosterRecord:
				_, err := j.Forget(t.Context(), finished(t, j, 5, 6).Info().ID)
				must(t, err)
			}
			t.place.Damage(record)
			err := read(t.open())
			if !errors.As(err, new(*journal.DamagedError)) {
				t.Errorf("%s damaged, %s: error %v", record, name, err)
			} else if strings.Contains(err.Error(), "Canary") || strings.Contains(err.Error(), "id-") {
				t.Errorf("%s damaged, %s: the error holds a value: %v", record, name, err)
			}
		}
	}
}

func readResults(t *test) func(journal.Journal) error {
	return func(j journal.Journal) (last error) {
		for _, err := range openRun(t, j, 1).Results(t.Context()) {
			last = err
		}
		return last
	}
}

func readCounts(t *test) func(journal.Journal) error {
	return func(j journal.Journal) error {
		_, _, err := openRun(t, j, 1).Counts(t.Context())
		return err
	}
}

func startAgain(t *test) func(journal.Journal) error {
	return func(j journal.Journal) error { return openRun(t, j, 1).Start(t.Context()) }
}

func readAccepted(t *test) func(journal.Journal) error {
	return func(j journal.Journal) error {
		_, err := j.Acceptances().Accepted(t.Context(), testTarget, []importer.Digest{testKey(2)})
		return err
	}
}
