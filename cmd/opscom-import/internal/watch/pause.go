package watch

import "time"

const (
	busyPause = time.Minute     // while another run to the target is in progress
	lockPause = 5 * time.Second // while another process works for the job
)

// pauseAfter is how long a job waits after so many failures in a row.
func pauseAfter(failures int) time.Duration {
	pauses := [...]time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute}
	return pauses[min(max(failures, 1), len(pauses))-1]
}
