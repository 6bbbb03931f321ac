package conformance

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// world is a journal beside a model of it: each method does something with both, and
// compares them. There is one target.
type world struct {
	TB
	place   Place
	j       journal.Journal
	other   journal.Journal // of another process, which looks on; nil: none
	runs    []*modelRun     // in the order of their numbers
	active  *modelRun       // which is planned or pushed: one at most
	release func() error
	last    *modelRun // the last complete one, forgotten or not
	known   map[importer.Digest]modelAcceptance
	ticks   int
}

func newWorld(t TB, place Place) *world {
	return &world{TB: t, place: place, j: place.Open(), known: map[importer.Digest]modelAcceptance{}}
}

// modelRun is a run as it should be.
type modelRun struct {
	journal.Run // of the living process
	id          int64
	version     int // its profiles differ from those of other runs
	state       importer.RunState
	rows        []*modelRow // in their order
	round       int
	forgotten   bool
}

// modelRow is a row as it should be.
type modelRow struct {
	plan     importer.PlannedRow
	todo     bool              // to be claimed before the run is stopped
	inFlight bool              // claimed, without an outcome since
	outcome  *importer.Outcome // the last; nil: none
	attempts int
}

// modelAcceptance is what the Controller last accepted of somebody.
type modelAcceptance struct {
	importer.Acceptance
	isHazy bool // a row about them was claimed again and not sent: nothing may be known either
}

// result returns the row's line.
func (r *modelRow) result() importer.Result {
	line := r.plan.Result()
	line.Attempts = r.attempts
	switch o := r.outcome; {
	case r.plan.Status != importer.StatusPending:
	case r.inFlight:
		line.Status = importer.StatusUnknown
	case o == nil:
		line.Status = importer.StatusNotSent
	default:
		line.Status, line.ReferenceID, line.ErrorCode, line.Field, line.Message, line.FinishedAt = o.Status, o.ReferenceID, o.ErrorCode, o.Field, o.Message, o.FinishedAt
	}
	return line
}

func (r *modelRow) waits() bool {
	return r.plan.Status == importer.StatusPending && (r.outcome == nil || r.outcome.Retry)
}

// lose says that the process does not know how the row ended.
func (w *world) lose(row *modelRow) {
	if row.inFlight {
		row.inFlight = false
		row.outcome = &importer.Outcome{Answer: importer.Answer{Status: importer.StatusUnknown}, Retry: true}
		delete(w.known, row.plan.Key)
	}
}

// lock makes sure that nobody else works on the target.
func (w *world) lock() {
	w.Helper()
	release, err := w.j.Lock(w.Context(), testTarget)
	must(w, err)
	w.release = release
}

func (w *world) unlock() {
	w.Helper()
	must(w, w.release())
	w.active, w.release = nil, nil
}

// plannedRow is a row of a run of that version.
func plannedRow(row int, status importer.Status, version int) importer.PlannedRow {
	p := testRow(row, status)
	p.Hash[15] = byte(version)
	if status == importer.StatusPending {
		p.Payload = fmt.Appendf(p.Payload, "/%d", version)
	}
	return p
}

// begin begins a run.
func (w *world) begin() {
	w.Helper()
	w.lock()
	r := &modelRun{Run: begin(w, w.j, testTarget), version: len(w.runs) + 1, state: importer.RunPlanning}
	r.id = r.Info().ID
	if n := len(w.runs); n > 0 && r.id <= w.runs[n-1].id {
		w.Errorf("run %d comes after run %d", r.id, w.runs[n-1].id)
	}
	w.runs, w.active = append(w.runs, r), r
}

// add adds rows to the plan.
func (w *world) add(status importer.Status, numbers ...int) {
	w.Helper()
	var rows []importer.PlannedRow
	for _, number := range numbers {
		planned := plannedRow(number, status, w.active.version)
		rows = append(rows, planned)
		w.active.rows = append(w.active.rows, &modelRow{plan: planned})
	}
	must(w, w.active.Append(w.Context(), rows))
}

// amend amends the plan.
func (w *world) amend(amendments ...importer.Amendment) {
	w.Helper()
	must(w, w.active.Amend(w.Context(), amendments))
	for i := range amendments {
		w.active.row(amendments[i].Row).plan.Amend(&amendments[i])
	}
}

func (r *modelRun) row(number int) *modelRow {
	i, ok := slices.BinarySearchFunc(r.rows, number, func(row *modelRow, number int) int { return row.plan.Row - number })
	if !ok {
		return nil
	}
	return r.rows[i]
}

// seal completes the plan.
func (w *world) seal(state importer.RunState) {
	w.Helper()
	r := w.active
	must(w, r.Seal(w.Context(), state, len(r.rows), nil))
	if r.state = state; state == importer.RunHeld {
		w.unlock()
		return
	}
	r.wait()
}

// wait makes what is to be pushed pending.
func (r *modelRun) wait() {
	r.state, r.round = importer.RunPushing, 0
	for _, row := range r.rows {
		row.todo = row.waits()
	}
}

// discard gives the plan up.
func (w *world) discard() {
	w.Helper()
	must(w, w.active.Discard(w.Context()))
	w.active.forgotten = true
	w.unlock()
}

// start resumes a run.
func (w *world) start(r *modelRun, isOpen bool) {
	w.Helper()
	w.lock()
	if !isOpen {
		r.Run = openRun(w, w.j, r.id)
	}
	must(w, r.Start(w.Context()))
	w.active = r
	r.wait()
}

// claim claims rows.
func (w *world) claim(n int) {
	w.Helper()
	r := w.active
	var want, got []int
	for _, row := range r.rows {
		if row.todo && row.plan.Round == r.round && len(want) < n {
			want = append(want, row.plan.Row)
		}
	}
	for len(got) < n {
		jobs, err := r.Claim(w.Context(), n-len(got))
		must(w, err)
		if len(jobs) == 0 {
			break
		}
		for _, job := range jobs {
			got = append(got, job.Row)
			row := r.row(job.Row)
			if row == nil {
				w.Fatalf("row %d was claimed, which the plan has not", job.Row)
			}
			if want := plannedRow(job.Row, importer.StatusPending, r.version).Payload; string(job.Payload) != string(want) {
				w.Errorf("row %d: payload %q, want %q", job.Row, job.Payload, want)
			}
			if known, ok := w.known[row.plan.Key]; ok && (row.outcome != nil || r.round > 0) {
				known.isHazy = true
				w.known[row.plan.Key] = known
			}
			row.todo, row.inFlight = false, true
		}
	}
	diff(w, "claimed", got, want)
}

// inFlight returns the rows in flight.
func (r *modelRun) inFlight() (numbers []int) {
	for _, row := range r.rows {
		if row.inFlight {
			numbers = append(numbers, row.plan.Row)
		}
	}
	return numbers
}

// record records outcomes.
func (w *world) record(outcomes ...importer.Outcome) {
	w.Helper()
	r := w.active
	for i := range outcomes {
		if outcomes[i].Status != importer.StatusNotSent {
			w.ticks++
			outcomes[i].FinishedAt = testTime.Add(time.Duration(w.ticks) * time.Second)
		}
	}
	must(w, r.Record(w.Context(), outcomes))
	for _, o := range outcomes {
		row := r.row(o.Row)
		row.inFlight = false
		row.attempts += o.Attempts
		key := row.plan.Key
		switch o.Status {
		case importer.StatusNotSent:
			continue // it stands as it stood
		case importer.StatusPushed:
			w.known[key] = modelAcceptance{Acceptance: importer.Acceptance{Hash: row.plan.Hash, Unique: row.plan.Unique, ReferenceID: o.ReferenceID, AcceptedAt: o.FinishedAt}}
		case importer.StatusFailed, importer.StatusUnknown:
			delete(w.known, key)
		case importer.StatusRejected:
			if o.Attempts > 1 {
				delete(w.known, key)
			}
		}
		row.outcome = &o
	}
}

// isDrained reports whether the round is over: it is known how each of its rows ended.
func (r *modelRun) isDrained() bool {
	return !slices.ContainsFunc(r.rows, func(row *modelRow) bool {
		return row.plan.Status == importer.StatusPending && row.plan.Round <= r.round && (row.todo || row.isOpen())
	})
}

// isOpen reports whether it is not known how the row ended.
func (r *modelRow) isOpen() bool { return r.result().Status.Spec().Kind == importer.KindOpen }

// nextRound goes on with the next round; this one is over.
func (w *world) nextRound() {
	w.Helper()
	r := w.active
	next := 0
	for _, row := range r.rows {
		if row.todo && row.plan.Round > r.round && (next == 0 || row.plan.Round < next) {
			next = row.plan.Round
		}
	}
	if more := r.NextRound(); more != (next > 0) {
		w.Errorf("after round %d comes another one: %v, want round %d", r.round, more, next)
	}
	if next > 0 {
		r.round = next
	}
}

func (w *world) stop() {
	w.Helper()
	r := w.active
	must(w, r.Stop(w.Context()))
	w.stopped(r)
	w.unlock()
}

func (w *world) stopped(r *modelRun) {
	r.state = importer.RunStopped
	for _, row := range r.rows {
		w.lose(row)
		row.todo = false
	}
}

// finish ends the run, unless it has open rows. Nobody finishes a run without having asked for
// rows.
func (w *world) finish() {
	w.Helper()
	r := w.active
	if r.isDrained() {
		w.claim(1)
	}
	isOpen := slices.ContainsFunc(r.rows, (*modelRow).isOpen)
	err := r.Finish(w.Context(), testTime)
	if isOpen {
		if err == nil {
			w.Errorf("run %d was finished, and has open rows", r.id)
		}
		return
	}
	must(w, err)
	if r.state = importer.RunFinished; len(r.rows) > 0 && (w.last == nil || r.id > w.last.id) {
		w.last = r
	}
	w.unlock()
}

func (w *world) supersede(r *modelRun) {
	w.Helper()
	must(w, w.j.Supersede(w.Context(), r.id))
	r.state = importer.RunSuperseded
}

// forget deletes a run, unless somebody works on the target.
func (w *world) forget(r *modelRun) {
	w.Helper()
	n, err := w.j.Forget(w.Context(), r.id)
	if w.active != nil {
		if n != 0 || !errors.As(err, new(*journal.BusyError)) {
			w.Errorf("forgot %d runs to a target that is in use, error %v", n, err)
		}
		return
	}
	must(w, err)
	diff(w, "forgotten", n, 1)
	r.forgotten = true
}

// die lets the process die, and puts the journal in order as the next one.
func (w *world) die() {
	w.Helper()
	w.place.Crash()
	w.j, w.other = w.place.Open(), nil
	if r := w.active; r != nil && r.state == importer.RunPushing {
		r.Run = openRun(w, w.j, r.id)
		w.compare(r) // though nobody has put it in order
	}
	recovered(w, w.j)
	if r := w.active; r != nil && r.state == importer.RunPlanning {
		r.forgotten = true
	} else if r != nil {
		w.stopped(r)
	}
	w.active, w.release = nil, nil
	for _, r := range w.runs {
		if !r.forgotten {
			r.Run = openRun(w, w.j, r.id)
			w.compare(r)
		}
	}
}

// compare compares a run with its model; r.Run has an open journal.
func (w *world) compare(r *modelRun) {
	w.Helper()
	if r.state == importer.RunPlanning {
		return // nobody has a right to see it yet
	}
	diff(w, fmt.Sprintf("state of run %d", r.id), r.Info().State, r.state)
	var want []importer.Result
	counts, attempts := importer.Counts{}, 0
	for _, row := range r.rows {
		line := row.result()
		want = append(want, line)
		counts[line.Status]++
		attempts += line.Attempts
	}
	diff(w, fmt.Sprintf("results of run %d", r.id), collected(w, r.Results(w.Context())), want)
	got, sent, err := r.Counts(w.Context())
	must(w, err)
	diff(w, fmt.Sprintf("counts of run %d", r.id), got, counts)
	diff(w, fmt.Sprintf("attempts of run %d", r.id), sent, attempts)
}

// left returns the runs that are not forgotten, the newest first.
func (w *world) left(states ...importer.RunState) (runs []*modelRun) {
	for _, r := range slices.Backward(w.runs) {
		if !r.forgotten && (len(states) == 0 || slices.Contains(states, r.state)) {
			runs = append(runs, r)
		}
	}
	return runs
}

// compareAll compares all that another process sees.
func (w *world) compareAll() {
	w.Helper()
	if w.other == nil {
		w.other = w.place.Open()
	}
	j := w.other
	for _, r := range w.left() {
		seen := *r
		seen.Run = openRun(w, j, r.id)
		w.compare(&seen)
	}
	ids := func(runs []importer.RunInfo, err error) (list []int64) {
		w.Helper()
		must(w, err)
		for _, run := range runs {
			list = append(list, run.ID)
		}
		return list
	}
	idsOf := func(runs []*modelRun) (list []int64) {
		for _, r := range runs {
			list = append(list, r.id)
		}
		return list
	}
	runs, err := j.Runs(w.Context())
	diff(w, "runs", ids(runs, err), idsOf(w.left()))
	runs, err = j.Unfinished(w.Context(), testTarget, testSource)
	diff(w, "unfinished", ids(runs, err), idsOf(w.left(importer.RunHeld, importer.RunStopped, importer.RunPushing)))
	last, why, err := j.LastComplete(w.Context(), testTarget, testSource, "")
	must(w, err)
	switch {
	case last == nil && w.last != nil:
		w.Errorf("there is no last complete run, because %s; want run %d", why, w.last.id)
	case last != nil && (w.last == nil || last.ID != w.last.id):
		w.Errorf("the last complete run is %d", last.ID)
	}
	if w.active == nil {
		w.compareKnown(j)
	}
}

// compareKnown compares what the Controller last accepted.
func (w *world) compareKnown(j journal.Journal) {
	w.Helper()
	keys := map[importer.Digest]int{}
	for _, r := range w.runs {
		for _, row := range r.rows {
			keys[row.plan.Key] = row.plan.Row
		}
	}
	var all []importer.Digest
	for key := range keys {
		all = append(all, key)
	}
	got, err := j.Acceptances().Accepted(w.Context(), testTarget, all)
	must(w, err)
	for key, row := range keys {
		known, isKnown := w.known[key]
		found, isFound := got[key]
		switch {
		case isFound && !isKnown:
			w.Errorf("row %d: that %+v was accepted is not known any more", row, found)
		case isFound:
			diff(w, fmt.Sprintf("accepted of row %d", row), found, known.Acceptance)
		case isKnown && !known.isHazy:
			w.Errorf("row %d: nothing is accepted, want %+v", row, known.Acceptance)
		}
	}
}
