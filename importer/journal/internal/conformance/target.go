package conformance

import (
	"context"
	"errors"
	"strings"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
)

func targets() []part {
	return []part{
		{"lock", lock},
		{"a crash frees the lock", crashFreesLock},
		{"an interrupt before the lock, and after it", interruptedLock},
		{"spellings of a target are one", spellings},
		{"user types", userTypes},
	}
}

func lock(t *test) {
	a, b := t.open(), t.open()
	release, err := a.Lock(t.Context(), testTarget)
	must(t, err)
	for name, j := range map[string]journal.Journal{"same process": a, "other process": b} {
		_, err := j.Lock(t.Context(), testTarget)
		busy := new(journal.BusyError)
		if !errors.As(err, &busy) || busy.Target != testTarget || !strings.Contains(err.Error(), "is in progress") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	run := planned(t, a, importer.RunPushing, 2)
	busy := new(journal.BusyError)
	if _, err := b.Lock(t.Context(), testTarget); !errors.As(err, &busy) || busy.Run != run.Info().ID || !busy.Since.Equal(run.Info().StartedAt) {
		t.Errorf("while run %d is in progress: %v", run.Info().ID, err)
	}
	other, err := b.Lock(t.Context(), "another target")
	must(t, err)
	must(t, other())
	must(t, release())
	again, err := b.Lock(t.Context(), testTarget)
	must(t, err)
	must(t, again())
	again, err = a.Lock(t.Context(), testTarget)
	must(t, err)
	must(t, again())
}

func crashFreesLock(t *test) {
	_, err := t.open().Lock(t.Context(), testTarget)
	must(t, err)
	release, err := t.crash().Lock(t.Context(), testTarget)
	must(t, err)
	must(t, release())
}

func interruptedLock(t *test) {
	j := t.open()
	ctx, interrupt := context.WithCancel(t.Context())
	release, err := j.Lock(ctx, testTarget)
	must(t, err)
	interrupt()
	if _, err := t.open().Lock(t.Context(), testTarget); !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("the interrupt has ended the lock: %v", err)
	}
	must(t, release())
	if _, err := j.Lock(ctx, testTarget); !errors.Is(err, context.Canceled) {
		t.Errorf("locked after an interrupt: %v", err)
	}
	release, err = j.Lock(t.Context(), testTarget)
	must(t, err)
	must(t, release())
}

// A Controller's URL can be written in several ways.
func spellings(t *test) {
	const one, other = "OC at https://OPS.example", "OC at https://ops.example:443"
	j := t.open()
	r := plannedFor(t, j, one, importer.RunPushing, 2)
	claim(t, r, 1)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	must(t, r.Stop(t.Context()))
	for _, name := range []string{one, other, importer.SameTarget(one)} {
		found, err := j.Acceptances().Accepted(t.Context(), name, []importer.Digest{testKey(2)})
		if err != nil || found[testKey(2)].ReferenceID != "20" {
			t.Errorf("%s: accepted %v, %v", name, found, err)
		}
		if runs, err := j.Unfinished(t.Context(), name, testSource); err != nil || len(runs) != 1 {
			t.Errorf("%s: %d unfinished, %v", name, len(runs), err)
		}
		if run, ok, err := j.Last(t.Context(), name, testSource); err != nil || !ok || run.ID != r.Info().ID {
			t.Errorf("%s: last is %d, %v", name, run.ID, err)
		}
	}
	release, err := j.Lock(t.Context(), one)
	must(t, err)
	if _, err := j.Lock(t.Context(), other); !errors.As(err, new(*journal.BusyError)) {
		t.Errorf("locked twice: %v", err)
	}
	must(t, release())
	must(t, j.ForgetTarget(t.Context(), other))
	if runs, err := j.Runs(t.Context()); err != nil || len(runs) > 0 {
		t.Errorf("left when the target was forgotten: %v %v", runs, err)
	}
}

func userTypes(t *test) {
	j := t.open()
	types, at, err := j.UserTypes(t.Context(), testTarget)
	if err != nil || types != nil || !at.IsZero() {
		t.Errorf("of a new journal: %v %v %v", types, at, err)
	}
	for _, want := range [][]mapping.UserType{
		{{ID: "1", Name: "Full Time Student", Info: "Student"}, {ID: "9", Name: "Employé"}},
		{{ID: "2", Name: "Staff"}},
	} {
		must(t, j.SaveUserTypes(t.Context(), testTarget, want, testTime))
		types, at, err = t.open().UserTypes(t.Context(), testTarget)
		must(t, err)
		diff(t, "types", types, want)
		if !at.Equal(testTime) {
			t.Errorf("at %v, want %v", at, testTime)
		}
	}
	types, _, err = j.UserTypes(t.Context(), "another")
	if err != nil || types != nil {
		t.Errorf("of another target: %v %v", types, err)
	}
}
