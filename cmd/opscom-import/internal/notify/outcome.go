package notify

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
)

// Outcome is how one FILE of a command ended. None of its texts holds a value of a row.
type Outcome struct {
	Sources []string           // what tells the nightly exports that it is about from others; none if nobody knows
	Settles []string           // sources whose failure is over, whatever became of this one
	Event   config.NotifyEvent // "" for a run that ended well

	Command string // push, approve or watch
	Job     string // "" for a command that a person, or another program, gave
	Folder  string // that the job takes its files from; "" for none
	Retry   bool   // the job tries it again by itself
	File    string // its path
	Target  string // what it is pushed to
	Run     int64  // 0 for none
	Subject string // what tells it from another of its event where there is no run; "" for its problem
	Exit    int    // exit code
	Rows    int
	Counts  []Count // those that are not 0
	ToFix   int     // rows that need a person
	Held    []string
	Problem string   // why it failed or is not complete
	Reports []Report // that were written
}

// Relocate says that the reports lie in another folder now.
func (o *Outcome) Relocate(folder string) {
	for i := range o.Reports {
		o.Reports[i].Path = filepath.Join(folder, filepath.Base(o.Reports[i].Path))
	}
}

// Count is the number of rows with a status.
type Count struct {
	Status string // as the results have it
	Rows   int
}

// Report is a report of a run.
type Report struct {
	Name string // such as results
	Path string // absolute
}

// isFailure reports whether a run that ended so has not done its work.
func isFailure(event config.NotifyEvent) bool {
	return slices.Contains([]config.NotifyEvent{config.NotifyHeld, config.NotifyFailed, config.NotifyNotComplete, config.NotifyNoFile}, event)
}

// subject tells what happened from what happened otherwise: the same again is not told
// again soon.
func (o Outcome) subject() string {
	if o.Run > 0 {
		return fmt.Sprintf("run %d", o.Run)
	}
	sum := sha256.Sum256([]byte(cmp.Or(o.Subject, o.Problem)))
	return hex.EncodeToString(sum[:8])
}

// news is an outcome, and what the state folder remembered of its source.
type news struct {
	Outcome
	earlier lastResult // the zero value where the last result was good
}

// isRecovery reports whether the run is the first that ended well after a failure.
func (n news) isRecovery() bool { return !isFailure(n.Event) && n.earlier.Event != "" }

// eventFor returns the event that a target with these wishes is told, "" for none. A
// recovery in which rows are to be fixed is told as one or the other, not twice.
func (n news) eventFor(on []config.NotifyEvent) config.NotifyEvent {
	if n.Event != "" && wants(on, n.Event) {
		return n.Event
	}
	if n.isRecovery() && wants(on, config.NotifyRecovered) {
		return config.NotifyRecovered
	}
	return ""
}

// repeatAfter is how long the same failure of the same run is told once: it is more than
// the hours in which a job tries again, and less than a day.
const repeatAfter = 12 * time.Hour

// isRepeated reports whether the target was told the same not long ago.
func (n news) isRepeated(key string, event config.NotifyEvent, now time.Time) bool {
	told, ok := n.earlier.Told[key]
	return ok && isFailure(event) && told.Event == event && told.Subject == n.subject() && now.Sub(told.At).Abs() < repeatAfter
}
