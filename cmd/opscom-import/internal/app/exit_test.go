package app

import (
	"errors"
	"fmt"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

func TestExitCodeOfAnError(t *testing.T) {
	busy := &journal.BusyError{Target: "OC_TEST"}
	for _, tc := range []struct {
		err  error
		want int
	}{
		{errors.New("no such file"), 2},
		{journal.ErrNoRun, 2},
		{&incompleteError{importer.ErrInterrupted}, 3},
		{&incompleteError{&importer.RefusedError{Code: "9002"}}, 3},
		{fmt.Errorf("file 2: %w", &incompleteError{errors.New("no space")}), 3},
		{errors.Join(&incompleteError{errors.New("the Controller is down")}, errors.New("close the journal")), 3},
		{busy, 5},
		{fmt.Errorf("forget run 3: %w", busy), 5},
		{errors.Join(errors.New("first"), busy), 5},
	} {
		if got := ExitCode(tc.err); got != tc.want {
			t.Errorf("%v: exit code %d, want %d", tc.err, got, tc.want)
		}
	}
}

func TestExitCodeOfARun(t *testing.T) {
	stopped := importer.ErrInterrupted
	for _, tc := range []struct {
		name   string
		counts importer.Counts
		ended  error
		held   bool
		want   int
	}{
		{"all ended well", importer.Counts{importer.StatusPushed: 3, importer.StatusUnchanged: 2, importer.StatusDuplicate: 1, importer.StatusSkipped: 1}, nil, false, 0},
		{"a check", importer.Counts{importer.StatusValid: 3, importer.StatusSkipped: 1}, nil, false, 0},
		{"invalid", importer.Counts{importer.StatusPushed: 3, importer.StatusInvalid: 1}, nil, false, 1},
		{"rejected", importer.Counts{importer.StatusPushed: 3, importer.StatusRejected: 1}, nil, false, 1},
		{"failed", importer.Counts{importer.StatusPushed: 3, importer.StatusFailed: 1}, nil, false, 1},
		{"stopped", importer.Counts{importer.StatusPushed: 3}, stopped, false, 3},
		{"rows that may have been sent", importer.Counts{importer.StatusPushed: 3, importer.StatusUnknown: 1}, nil, false, 3},
		{"rows that were not sent", importer.Counts{importer.StatusInvalid: 3, importer.StatusNotSent: 1}, nil, false, 3},
		{"held", importer.Counts{importer.StatusInvalid: 3, importer.StatusNotSent: 1}, nil, true, 4},
	} {
		if got := RunExitCode(tc.counts, tc.ended, tc.held); got != tc.want {
			t.Errorf("%s: exit code %d, want %d", tc.name, got, tc.want)
		}
	}
}

// The journal keeps the runs of jobs that ended with this code.
func TestJournalKnowsTheExitCodeOfHeldRuns(t *testing.T) {
	if ExitHeld != importer.ExitOfHeld {
		t.Errorf("%d here, and %d there", ExitHeld, importer.ExitOfHeld)
	}
}
