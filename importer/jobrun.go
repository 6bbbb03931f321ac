package importer

import (
	"path/filepath"
	"time"
)

// JobRun is what a job of the config file did with one file, or that there was none at a
// time of its schedule.
type JobRun struct {
	ID        int64
	Job       string    // its name
	Host      string    // the machine that began it; "" where the journal has but one
	File      string    // absolute path where the file arrived; "" where there was none
	FileHash  string    // SHA-256 of its bytes, in hexadecimal; "" while it is not read
	Folder    string    // the folder of its own that it lies in; "" for a file that stays where it is
	Run       int64     // 0 for none
	Starts    int       // how often the work on it has begun since it last ended: more than once after the process died
	Exit      int       // exit code, as of push; NotEnded
	Counts    Counts    // rows by status, when it ended
	Problem   string    // why it failed, is held or is not complete; no value of a row
	Retry     bool      // it will be tried again
	IsTold    bool      // people were told how it ended
	DueAt     time.Time // time of the schedule; zero for a file that arrived
	BegunAt   time.Time // the first time that it began
	StartedAt time.Time // the last time that it began
	EndedAt   time.Time // zero while it has not ended
}

const (
	NotEnded   = -1 // exit code of a job's run that has not ended
	ExitOfHeld = 4  // exit code of one whose run is held
)

// IsEnded reports whether the work on the file has ended, well or not.
func (r *JobRun) IsEnded() bool { return r.Exit != NotEnded }

// Relocation is a folder that moves, with a run's file and reports in it.
type Relocation struct{ From, To string }

// Apply changes the paths that are in the folder.
func (r Relocation) Apply(run *RunInfo) {
	for _, path := range append(run.Reports.Paths(), &run.File) {
		if within, err := filepath.Rel(r.From, *path); err == nil && filepath.IsAbs(*path) && filepath.IsLocal(within) {
			*path = filepath.Join(r.To, within)
		}
	}
}
