package postgres

import (
	"errors"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

func TestDamagedJobRuns(t *testing.T) {
	j := newJournal(t)
	_, err := j.BeginJobRun(t.Context(), importer.JobRun{Job: "students", StartedAt: someTime})
	must(t, err)
	execute(t, j, `UPDATE opscom.job_run SET counts = '{"pushed": "many"}'`)
	if _, err := j.JobRuns(t.Context(), "", 1); !errors.As(err, new(*journal.DamagedError)) {
		t.Errorf("the error is %v", err)
	}
}
