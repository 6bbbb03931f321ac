package watch

import (
	"context"
	"path/filepath"

	"opscom-import/importer"
)

// history is what is known of a job.
type history struct {
	ofJob    []importer.JobRun          // the newest first
	byFolder map[string]importer.JobRun // what lies in the job's folder, by the name of its own: also of a job that is called otherwise now
}

// load reads the history.
func (l *loop) load(ctx context.Context) (history, error) {
	h := history{byFolder: make(map[string]importer.JobRun)}
	all, err := l.History.Runs(ctx, "")
	for _, row := range all {
		if row.Job == l.job.Name {
			h.ofJob = append(h.ofJob, row)
		}
		if row.Folder != "" && filepath.Dir(filepath.Dir(row.Folder)) == l.job.Folder {
			h.byFolder[filepath.Base(row.Folder)] = row
		}
	}
	return h, err
}
