package postgres

import (
	"errors"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

func TestJobRuns(t *testing.T) {
	j := newJournal(t)
	began := importer.JobRun{Job: "students", File: "/in/students.csv", FileHash: "f1", Folder: "/in/in-progress/1", DueAt: someTime.Add(-time.Minute), StartedAt: someTime}
	id, err := j.BeginJobRun(t.Context(), began)
	must(t, err)
	want := began
	want.ID, want.Starts, want.Exit, want.BegunAt, want.Counts = id, 1, importer.NotEnded, someTime, importer.Counts{}
	check := func(what string) {
		t.Helper()
		runs, err := j.JobRuns(t.Context(), "students", 0)
		must(t, err)
		diff(t, what, runs, []importer.JobRun{want})
	}
	check("begun")

	again := someTime.Add(time.Hour)
	must(t, j.RestartJobRun(t.Context(), id, again))
	want.Starts, want.StartedAt = 2, again
	check("begun again after a death")

	run := someRun(importer.RunHeld)
	run.File, run.Reports.Results = "/in/in-progress/1/students.csv", "/in/in-progress/1/students.results.csv"
	r := storeRun(t, j, run, somePeople(2, 3))
	want.Run, want.Exit, want.Problem, want.IsTold, want.EndedAt = r.id, importer.ExitOfHeld, "it is held", true, again.Add(time.Minute)
	want.Counts = importer.Counts{importer.StatusNotSent: 2}
	must(t, j.EndJobRun(t.Context(), want, &importer.Relocation{From: want.Folder, To: "/in/held/1"}))
	want.Folder = "/in/held/1"
	check("moved")
	moved, err := loadRun(t.Context(), j.pool, r.id)
	must(t, err)
	if moved.File != "/in/held/1/students.csv" || moved.Reports.Results != "/in/held/1/students.results.csv" || moved.Source != someSource || moved.State != importer.RunHeld {
		t.Errorf("the run has %+v", moved.RunInfo)
	}
	forgotten := importer.JobRun{ID: id, Run: 4711}
	if err := j.EndJobRun(t.Context(), forgotten, &importer.Relocation{From: "/a", To: "/b"}); err != nil {
		t.Errorf("a run that is forgotten: %v", err)
	}
	execute(t, j, `UPDATE opscom.job_run SET counts = '{"pushed": "many"}'`)
	if _, err := j.JobRuns(t.Context(), "", 1); !errors.As(err, new(*journal.DamagedError)) {
		t.Errorf("damaged: %v", err)
	}
}

func TestOldJobRunsAreForgotten(t *testing.T) {
	j := newJournal(t)
	begin := func(job string) int64 {
		t.Helper()
		id, err := j.BeginJobRun(t.Context(), importer.JobRun{Job: job, StartedAt: someTime})
		must(t, err)
		return id
	}
	other, open := begin("staff"), begin("students")
	execute(t, j, `INSERT INTO opscom.job_run (job, file, file_hash, folder, exit, begun_at, started_at)
		SELECT 'students', '', '', '', 0, now(), now() FROM generate_series(1, $1)`, mostJobRuns+5)
	begin("students")
	runs, err := j.JobRuns(t.Context(), "", 0)
	must(t, err)
	if n := len(runs); n != mostJobRuns+2 || runs[n-1].ID != other || runs[n-2].ID != open {
		t.Errorf("%d runs are left; the oldest are %d and %d, want %d and %d", n, runs[n-1].ID, runs[n-2].ID, other, open)
	}
	if runs, err = j.JobRuns(t.Context(), "students", 3); err != nil || len(runs) != 3 || runs[0].ID < runs[2].ID {
		t.Errorf("the newest three: %v, %v", runs, err)
	}
}
