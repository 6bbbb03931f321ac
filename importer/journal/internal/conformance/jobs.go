package conformance

import (
	"path/filepath"
	"time"

	"opscom-import/importer"
)

func jobs() []part {
	return []part{
		{"a job's run", jobRun},
		{"a job's run relocates the run", jobRunRelocates},
		{"old runs of a job are forgotten", oldJobRuns},
	}
}

func jobRun(t *test) {
	j := t.open()
	began := importer.JobRun{
		Job: "students", File: "/in/students.csv", FileHash: "f1", Folder: "/in/in-progress/1", DueAt: testTime.Add(-time.Minute), StartedAt: testTime,
	}
	id, err := j.BeginJobRun(t.Context(), began)
	must(t, err)
	want := began
	want.ID, want.Starts, want.Exit, want.BegunAt, want.Counts = id, 1, importer.NotEnded, testTime, importer.Counts{}
	check := func(action string) {
		t.Helper()
		runs, err := j.JobRuns(t.Context(), "students", 0)
		must(t, err)
		diff(t, action, runs, []importer.JobRun{want})
	}
	check("begun")

	again := testTime.Add(time.Hour)
	must(t, j.RestartJobRun(t.Context(), id, again))
	want.Starts, want.StartedAt = 2, again
	check("begun again after a death")

	want.Run, want.Exit, want.Problem, want.Retry, want.EndedAt = planned(t, j, importer.RunHeld, 2, 3).Info().ID, 3, "the disk is full", true, again.Add(time.Second)
	want.Counts = importer.Counts{importer.StatusNotSent: 2}
	must(t, j.EndJobRun(t.Context(), want, nil))
	check("ended for now")

	must(t, j.RestartJobRun(t.Context(), id, again))
	want.Starts, want.Exit, want.Problem, want.Retry, want.EndedAt = 1, importer.NotEnded, "", false, time.Time{}
	check("begun again after an end")

	want.Exit, want.IsTold, want.EndedAt = 4, true, again.Add(time.Minute)
	must(t, j.EndJobRun(t.Context(), want, &importer.Relocation{From: want.Folder, To: "/in/held/1"}))
	want.Folder = "/in/held/1"
	check("moved")
	j = t.crash()
	check("after a crash")
	if runs, err := j.JobRuns(t.Context(), "staff", 0); err != nil || len(runs) > 0 {
		t.Errorf("another job has %v, %v", runs, err)
	}
}

func jobRunRelocates(t *test) {
	j := t.open()
	from, to := filepath.Join(t.TempDir(), "in-progress", "1"), filepath.Join(t.TempDir(), "done", "1")
	info := testRun()
	info.File = filepath.Join(from, "students.csv")
	info.Reports = importer.Reports{Results: filepath.Join(from, "students.results.csv"), Problems: "-", Fix: "", Summary: from + "-2/summary.html"}
	r, err := j.Begin(t.Context(), info)
	must(t, err)
	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending)}))
	must(t, r.Seal(t.Context(), importer.RunHeld, 1, nil))
	run := r.Info().ID
	id, err := j.BeginJobRun(t.Context(), importer.JobRun{Job: "students", Folder: from, StartedAt: testTime})
	must(t, err)
	must(t, j.EndJobRun(t.Context(), importer.JobRun{ID: id, Job: "students", Folder: from, Run: run, Exit: 4}, &importer.Relocation{From: from, To: to}))
	again := openRun(t, j, run)
	got := again.Info()
	want := importer.Reports{Results: filepath.Join(to, "students.results.csv"), Problems: "-", Summary: from + "-2/summary.html"}
	if got.File != filepath.Join(to, "students.csv") || got.Path() != got.File || got.Source != testSource || got.Reports != want {
		t.Errorf("the run has %+v", got)
	}
	must(t, again.Start(t.Context())) // it can be approved
	must(t, again.Stop(t.Context()))
	_, err = j.Forget(t.Context(), run)
	must(t, err)
	if err := j.EndJobRun(t.Context(), importer.JobRun{ID: id, Run: run}, &importer.Relocation{From: to, To: from}); err != nil {
		t.Errorf("a run that is forgotten: %v", err)
	}
}

func oldJobRuns(t *test) {
	const kept = 1000
	j := t.open()
	begin := func(job string) int64 {
		t.Helper()
		id, err := j.BeginJobRun(t.Context(), importer.JobRun{Job: job, StartedAt: testTime})
		must(t, err)
		return id
	}
	other, open := begin("staff"), begin("students")
	for range kept + 5 {
		id := begin("students")
		must(t, j.EndJobRun(t.Context(), importer.JobRun{ID: id, Job: "students"}, nil))
	}
	runs, err := j.JobRuns(t.Context(), "", 0)
	must(t, err)
	if n := len(runs); n != kept+2 || runs[n-1].ID != other || runs[n-2].ID != open {
		t.Errorf("%d runs are left; the oldest are %d and %d, want %d and %d", n, runs[n-1].ID, runs[n-2].ID, other, open)
	}
	if runs, err = j.JobRuns(t.Context(), "students", 3); err != nil || len(runs) != 3 || runs[0].ID < runs[2].ID {
		t.Errorf("the newest three: %v, %v", runs, err)
	}
}
