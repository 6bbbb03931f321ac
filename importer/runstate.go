package importer

// RunState is how far a run has come.
type RunState string

// The states of a run. A run goes from planning to held or pushing, and from
// there to finished; stopped and superseded are the other ends.
const (
	RunPlanning   RunState = "planning"   // the file is being read; nothing was sent
	RunHeld       RunState = "held"       // a safety limit holds it; nothing was sent
	RunPushing    RunState = "pushing"    // rows are being pushed, or the program died while they were
	RunStopped    RunState = "stopped"    // ended early, in good order; the same command resumes it
	RunFinished   RunState = "finished"   // every row has its outcome
	RunSuperseded RunState = "superseded" // a newer run of the same source took its place; cannot be resumed
)

// Label returns the state in words.
func (s RunState) Label() string {
	if label, known := runStateLabels[s]; known {
		return label
	}
	return string(s)
}

var runStateLabels = map[RunState]string{
	RunPlanning:   "reading the file",
	RunHeld:       "held: nothing was sent",
	RunPushing:    "in progress, or interrupted",
	RunStopped:    "stopped early",
	RunFinished:   "finished",
	RunSuperseded: "replaced by a newer run",
}
