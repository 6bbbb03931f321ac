package app

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/sqlite"
	"opscom-import/report"
)

func TestExpired(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 4, 0, 0, 0, time.UTC) }
	run := func(id int64, source string, state importer.RunState, rows int, held ...string) importer.RunInfo {
		return importer.RunInfo{ID: id, Target: "OC_TEST at https://ops.example", Source: source, State: state, Rows: rows, Held: held, StartedAt: day(int(id))}
	}
	const students, staff = "/exports/students.csv", "/exports/staff.csv"
	for name, test := range map[string]struct {
		runs []importer.RunInfo // the oldest first
		want []int64
	}{
		"the last one stays": {[]importer.RunInfo{run(1, students, importer.RunFinished, 5), run(2, students, importer.RunFinished, 5)}, []int64{1}},
		"of each source": {[]importer.RunInfo{
			run(1, staff, importer.RunFinished, 5), run(2, students, importer.RunFinished, 5), run(3, students, importer.RunFinished, 5),
		}, []int64{2}},
		"dates make no other source": {[]importer.RunInfo{
			run(1, "/exports/students-2026-01-01.csv", importer.RunFinished, 5), run(2, "/exports/students-2026-01-02.csv", importer.RunFinished, 5),
		}, []int64{1}},
		"young ones stay": {[]importer.RunInfo{run(1, students, importer.RunFinished, 5), run(20, students, importer.RunFinished, 5), run(21, students, importer.RunFinished, 5)}, []int64{1}},
		"held and unfinished ones stay": {[]importer.RunInfo{
			run(1, students, importer.RunHeld, 5, "why"), run(2, students, importer.RunStopped, 5), run(3, students, importer.RunPushing, 5),
			run(4, students, importer.RunPlanning, 0), run(5, students, importer.RunFinished, 5),
		}, nil},
		"the last that was finished stays behind a stopped one": {[]importer.RunInfo{
			run(1, students, importer.RunFinished, 5), run(2, students, importer.RunFinished, 5), run(3, students, importer.RunStopped, 5),
		}, []int64{1}},
		"replaced ones go, unless they are compared with": {[]importer.RunInfo{
			run(1, students, importer.RunSuperseded, 5), run(2, students, importer.RunFinished, 5),
			run(3, students, importer.RunSuperseded, 5), run(4, students, importer.RunSuperseded, 5, "held"), run(5, students, importer.RunHeld, 5, "why"),
		}, []int64{1, 4}},
		"a run without rows is no comparison": {[]importer.RunInfo{run(1, students, importer.RunFinished, 5), run(2, students, importer.RunFinished, 0)}, []int64{2}},
	} {
		slices.Reverse(test.runs)
		if got := expired(test.runs, day(10)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// oldRuns puts finished runs of the file into the journal that were started so long ago, of
// a target in use and of one that is not.
func oldRuns(t *testing.T, env Env, ages ...time.Duration) {
	t.Helper()
	j, err := sqlite.Open(t.Context(), env.Settings.State)
	if err != nil {
		t.Fatal(err)
	}
	for _, age := range ages {
		at := time.Now().Add(-age)
		run, err := j.Begin(t.Context(), importer.RunInfo{Client: "OC_OTHER", Target: "OC_OTHER at https://ops.example", Source: "/exports/students.csv", StartedAt: at})
		if err == nil {
			err = run.Append(t.Context(), []importer.PlannedRow{{Row: 2, UniqueID: "1", LoginSource: "SSO", Status: importer.StatusUnchanged}})
		}
		if err == nil {
			err = run.Seal(t.Context(), importer.RunPushing, 1, nil)
		}
		if err == nil {
			err = run.Finish(t.Context(), at)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestPushForgetsOldRuns(t *testing.T) {
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		args []string
		want []int64 // runs that are left, the newest first
	}{
		"by default none": {nil, []int64{4, 3, 2, 1}},
		"those that are older than keep, but for the last": {[]string{"--keep", "90d"}, []int64{4, 3, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			env := newEnv(t, append([]string{"--sandbox", "--rate", "0"}, test.args...)...)
			oldRuns(t, env, 91*day, 89*day, 89*day)
			exit := -1
			err := Push(t.Context(), t.Context(), env, []string{writeBirths(t, []string{"2004-05-13"})}, func(r report.Receipt) error {
				exit = r.Exit
				return nil
			})
			if err != nil || exit != ExitDone {
				t.Fatal(exit, err)
			}
			runs, err := Runs(t.Context(), env)
			if err != nil {
				t.Fatal(err)
			}
			var left []int64
			for _, r := range runs {
				left = append(left, r.ID)
			}
			if !slices.Equal(left, test.want) {
				t.Errorf("left: %v, want %v", left, test.want)
			}
		})
	}
}

// TestForgettingIsNoReasonToFail lets forgetting fail: it is logged, and that is all.
func TestForgettingIsNoReasonToFail(t *testing.T) {
	var log bytes.Buffer
	env := newEnv(t, "--keep", "1d")
	env.Log = slog.New(slog.NewTextHandler(&log, nil))
	oldRuns(t, env, 72*time.Hour, 48*time.Hour)
	j, err := sqlite.Open(t.Context(), env.Settings.State)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	env.forgetOld(t.Context(), j) // it is closed
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "could not be forgotten") {
		t.Errorf("logged: %s", &log)
	}
	log.Reset()
	ended, end := context.WithCancel(t.Context())
	end()
	env.forgetOld(ended, j)
	if log.Len() > 0 {
		t.Errorf("of an interrupted command is logged: %s", &log)
	}
}
