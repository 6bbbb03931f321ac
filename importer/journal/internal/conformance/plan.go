package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/mapping"
)

func plans() []part {
	return []part{
		{"states", states},
		{"what is known of a run", beginAndInfo},
		{"names that are not text", namesThatAreNotText},
		{"append and seal refuse", appendAndSealRefuse},
		{"amended rows are never claimed", amendedRows},
		{"a plan in the making", planInTheMaking},
		{"the last line and leavers are stored", lineEnded},
		{"problems", problems},
		{"a check shows the same", checkShowsTheSame},
		{"row numbers with gaps", rowNumbersWithGaps},
		{"payloads come back", payloadsComeBack},
	}
}

// states tries every change of state from every state.
func states(t *test) {
	const (
		seal      = "seal"
		start     = "start"
		claimOne  = "claim"
		stop      = "stop"
		finish    = "finish"
		supersede = "supersede"
		discard   = "discard"
		add       = "append"
	)
	j := t.open()
	actions := map[string]func(journal.Run) error{
		seal:      func(r journal.Run) error { return r.Seal(t.Context(), importer.RunHeld, 1, []string{"too few"}) },
		start:     func(r journal.Run) error { return r.Start(t.Context()) },
		claimOne:  func(r journal.Run) error { _, err := r.Claim(t.Context(), 1); return err },
		stop:      func(r journal.Run) error { return r.Stop(t.Context()) },
		finish:    func(r journal.Run) error { return r.Finish(t.Context(), testTime) },
		supersede: func(r journal.Run) error { return j.Supersede(t.Context(), r.Info().ID) },
		discard:   func(r journal.Run) error { return r.Discard(t.Context()) },
		add: func(r journal.Run) error {
			return r.Append(t.Context(), []importer.PlannedRow{testRow(9, importer.StatusInvalid)})
		},
	}
	// What each state allows, and where it leads.
	allowed := map[importer.RunState]map[string]importer.RunState{
		importer.RunPlanning:   {seal: importer.RunHeld, discard: "", add: importer.RunPlanning},
		importer.RunHeld:       {start: importer.RunPushing, supersede: importer.RunSuperseded},
		importer.RunPushing:    {start: importer.RunPushing, claimOne: importer.RunPushing, stop: importer.RunStopped, finish: importer.RunFinished},
		importer.RunStopped:    {start: importer.RunPushing, supersede: importer.RunSuperseded},
		importer.RunFinished:   {},
		importer.RunSuperseded: {},
	}
	push := func(r journal.Run) { must(t, r.Seal(t.Context(), importer.RunPushing, 1, nil)) }
	reach := map[importer.RunState]func(journal.Run){
		importer.RunPlanning:   func(journal.Run) {},
		importer.RunHeld:       func(r journal.Run) { must(t, actions[seal](r)) },
		importer.RunPushing:    push,
		importer.RunStopped:    func(r journal.Run) { push(r); must(t, r.Stop(t.Context())) },
		importer.RunFinished:   func(r journal.Run) { push(r); must(t, actions[finish](r)) },
		importer.RunSuperseded: func(r journal.Run) { must(t, actions[seal](r)); must(t, actions[supersede](r)) },
	}
	for state, ways := range allowed {
		for name, act := range actions {
			what := fmt.Sprintf("%s %s", state, name)
			r := begin(t, j, what) // one run at a time to a target
			must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusSkipped)}))
			reach[state](r)
			if state != importer.RunPlanning { // only the one who plans has the rows that are not stored yet
				r = openRun(t, j, r.Info().ID)
			}
			after, ok := ways[name]
			err := act(r)
			if wrong := new(journal.StateError); !ok && (!errors.As(err, &wrong) || wrong.State != state || wrong.Run != r.Info().ID) {
				t.Errorf("%s: error %v, want a StateError", what, err)
			} else if ok && err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if !ok {
				after = state
			}
			stored, err := j.Run(t.Context(), r.Info().ID)
			if after == "" {
				if !errors.Is(err, journal.ErrNoRun) {
					t.Errorf("%s: the run is still there: %v", what, err)
				}
				continue
			}
			must(t, err)
			if got := stored.Info().State; got != after {
				t.Errorf("%s: became %s, want %s", what, got, after)
			}
		}
	}
}

func beginAndInfo(t *test) {
	j := t.open()
	r := begin(t, j, testTarget)
	want := testRun()
	want.ID, want.State = r.Info().ID, importer.RunPlanning
	diff(t, "a run being planned", r.Info(), want)

	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending)}))
	must(t, r.Seal(t.Context(), importer.RunHeld, 1, []string{"the file has 1 row; 100 are expected"}))
	want.State, want.Rows, want.Held = importer.RunHeld, 1, []string{"the file has 1 row; 100 are expected"}
	diff(t, "a held run", r.Info(), want)

	must(t, r.Start(t.Context()))
	pushAll(t, r)
	must(t, r.Finish(t.Context(), testTime))
	want.State, want.FinishedAt = importer.RunFinished, testTime
	diff(t, "a finished run", r.Info(), want)
	diff(t, "the stored run", openRun(t, j, want.ID).Info(), want)

	if _, err := j.Run(t.Context(), want.ID+1); !errors.Is(err, journal.ErrNoRun) {
		t.Errorf("another run: %v", err)
	}
}

func appendAndSealRefuse(t *test) {
	r := begin(t, t.open(), testTarget)
	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(5, importer.StatusPending)}))
	for name, err := range map[string]error{
		"a row twice":        r.Append(t.Context(), []importer.PlannedRow{testRow(5, importer.StatusPending)}),
		"a row out of order": r.Append(t.Context(), []importer.PlannedRow{testRow(4, importer.StatusPending)}),
		"no status":          r.Append(t.Context(), []importer.PlannedRow{testRow(6, "splendid")}),
		"no such end":        r.Seal(t.Context(), importer.RunFinished, 1, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func amendedRows(t *test) {
	r := begin(t, t.open(), testTarget)
	var rows []importer.PlannedRow
	for row := 2; row <= 600; row++ {
		status := importer.StatusPending
		if row%3 == 0 {
			status = importer.StatusUnchanged
		}
		rows = append(rows, testRow(row, status))
	}
	for batch := range slices.Chunk(rows, 100) {
		must(t, r.Append(t.Context(), batch))
	}
	// In no order, as duplicates are found.
	must(t, r.Amend(t.Context(), []importer.Amendment{
		{Row: 599, DuplicateOf: 4},
		refusal(2, "email", "used twice"),
		{Row: 256, DuplicateOf: 5},
	}))
	must(t, r.Seal(t.Context(), importer.RunPushing, len(rows), nil))
	var want []int
	for row := 2; row <= 600; row++ {
		if row%3 != 0 && row != 599 && row != 2 && row != 256 {
			want = append(want, row)
		}
	}
	diff(t, "claimed", claimAll(t, r), want)
}

// Another process can read a plan in the making. It may not see all of it.
func planInTheMaking(t *test) {
	j := t.open()
	r := begin(t, j, testTarget)
	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(3, importer.StatusPending)}))
	must(t, r.Amend(t.Context(), []importer.Amendment{{Row: 3, DuplicateOf: 2}}))
	other := openRun(t, t.open(), r.Info().ID)
	whole := []string{"2 not_sent 0", "3 duplicate 0"}
	if lines := statuses(t, other); !slices.Equal(lines, whole[:min(len(lines), len(whole))]) {
		t.Errorf("another process sees %q", lines)
	}
	must(t, r.Seal(t.Context(), importer.RunPushing, 2, nil))
	diff(t, "results", statuses(t, openRun(t, j, r.Info().ID)), whole)
	diff(t, "claimed", claim(t, r, 9), []int{2})
}

// Whether a file's last line has a line end, and who left, is known to the next run.
func lineEnded(t *test) {
	j := t.open()
	for _, isEnded := range []bool{true, false} {
		r := begin(t, j, testTarget)
		r.SetLineEnded(isEnded)
		leavers := &importer.Leavers{Mode: "report", Run: 1}
		r.SetLeavers(leavers)
		must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusUnchanged)}))
		must(t, r.Seal(t.Context(), importer.RunPushing, 1, nil))
		must(t, r.Finish(t.Context(), testTime))
		last, ok, err := t.open().Last(t.Context(), testTarget, testSource)
		if err != nil || !ok || last.LineEnded != isEnded || last.Reports != r.Info().Reports {
			t.Errorf("stored %v: %+v, %v, %v", isEnded, last, ok, err)
		}
		diff(t, "leavers", last.Leavers, leavers)
	}
}

func problems(t *test) {
	r := begin(t, t.open(), testTarget)
	email := importer.RowProblem{Row: 3, Header: "E-mail", Problem: mapping.Problem{
		Rule: mapping.RuleBadEmail, Attribute: mapping.Email, Column: 30, Value: "zoë@", Message: "not an address", Advice: "fix it",
	}}
	id := importer.RowProblem{Row: 3, Header: "ID", Problem: mapping.Problem{
		Rule: mapping.RuleUnusualCharacter, Severity: mapping.SeverityWarning, Attribute: mapping.UniqueID, Column: 0, Value: "a b", Message: "odd",
	}}
	whole := importer.RowProblem{Row: 900, Problem: mapping.Problem{Rule: mapping.RuleRaggedRow, Column: mapping.NoColumn, Message: "too short"}}
	must(t, r.Append(t.Context(), []importer.PlannedRow{
		testRow(2, importer.StatusPending),
		{Row: 3, Status: importer.StatusInvalid, Problems: []importer.RowProblem{email, id}},
		testRow(4, importer.StatusPending),
		{Row: 900, Status: importer.StatusInvalid, Problems: []importer.RowProblem{whole}},
	}))
	late, lost := refusal(2, "unique_id", "twice"), refusal(3, "unique_id", "twice too")
	must(t, r.Amend(t.Context(), []importer.Amendment{lost, late}))
	must(t, r.Seal(t.Context(), importer.RunPushing, 4, nil))

	var got []importer.RowProblem
	for _, line := range collected(t, r.Results(t.Context())) {
		got = append(got, line.Problems...)
	}
	diff(t, "problems", got, []importer.RowProblem{*late.Problem, *lost.Problem, email, id, whole})
}

// checkedPlan returns a plan of three chunks with rows of every kind, and amendments
// of some of them.
func checkedPlan() ([]importer.PlannedRow, [][]importer.Amendment) {
	var plan []importer.PlannedRow
	for row := 2; row < 2+2*format.ChunkRows; row++ {
		p := testRow(row, importer.StatusPending)
		problem := importer.RowProblem{Row: row, Header: "DOB", Problem: mapping.Problem{Rule: mapping.RuleBadDate, Column: 3, Value: "?", Message: "no date"}}
		switch row % 50 {
		case 0:
			p.Status, p.Payload = importer.StatusInvalid, nil
			p.Problems = append(p.Problems, problem)
		case 1:
			problem.Severity = mapping.SeverityWarning
			p.Problems = append(p.Problems, problem)
		case 2:
			p.Status, p.Payload = importer.StatusSkipped, nil
		case 7, 10:
			p.Status, p.Payload = importer.StatusUnchanged, nil
		}
		plan = append(plan, p)
	}
	refused := func(row int) importer.Amendment {
		problem := &importer.RowProblem{Row: row, Problem: mapping.Problem{Rule: mapping.RuleDuplicateKey, Attribute: mapping.UniqueID, Column: mapping.NoColumn, Message: "twice"}}
		return importer.Amendment{Row: row, Problem: problem}
	}
	return plan, [][]importer.Amendment{
		{refused(500), refused(100), {Row: 260, DuplicateOf: 20}},
		{refused(7), refused(101), refused(500)},
	}
}

// fill puts the plan into the store, some rows at a time.
func fill(t *test, store importer.PlanStore) {
	t.Helper()
	plan, amendments := checkedPlan()
	for batch := range slices.Chunk(plan, 100) {
		must(t, store.Append(t.Context(), batch))
	}
	for _, some := range amendments {
		must(t, store.Amend(t.Context(), some))
	}
}

// A check shows the same of a row as a push, whichever store kept it.
func checkShowsTheSame(t *test) {
	run := begin(t, t.open(), testTarget)
	fill(t, run)
	must(t, run.Seal(t.Context(), importer.RunHeld, 2*format.ChunkRows, nil))
	want := collected(t, run.Results(t.Context()))
	for i := range want {
		if want[i].Status == importer.StatusNotSent {
			want[i].Status = importer.StatusValid
		}
	}
	for _, all := range []bool{true, false} {
		store := journal.NewTempStore(all)
		fill(t, store)
		wanted := want
		if !all {
			wanted = reportable(want)
		}
		diff(t, fmt.Sprintf("results, all: %v", all), collected(t, store.Results()), wanted)
		diff(t, "the same once more", collected(t, store.Results()), wanted)
		for r, err := range store.Results() {
			must(t, err)
			diff(t, "the first alone", r, wanted[0])
			break
		}
		must(t, store.Close())
	}
}

// reportable leaves out the rows with nothing to report, and the ids of those that
// were fine until the end of the file.
func reportable(all []importer.Result) (kept []importer.Result) {
	for _, r := range all {
		if (r.Status == importer.StatusValid || r.Status == importer.StatusUnchanged) && len(r.Problems) == 0 {
			continue
		}
		if len(r.Problems) == 0 && r.Status == importer.StatusDuplicate || len(r.Problems) > 0 && r.Problems[len(r.Problems)-1].Rule == mapping.RuleDuplicateKey {
			r.UniqueID, r.LoginSource = "", ""
		}
		kept = append(kept, r)
	}
	return kept
}

// A file has more rows than a chunk, and some numbers are of no row.
func rowNumbersWithGaps(t *test) {
	const last = 100_000
	j := t.open()
	r := begin(t, j, testTarget)
	random := rand.New(rand.NewPCG(13, 1))
	var plan []importer.PlannedRow
	var want []int
	for row := 2; row <= last; row++ {
		switch n := random.IntN(10_000); {
		case n == 0:
			row += random.IntN(20 * format.ChunkRows)
		case n < 500:
			continue
		case n < 2000:
			plan = append(plan, testRow(row, importer.StatusUnchanged))
			continue
		}
		plan = append(plan, testRow(row, importer.StatusPending))
		want = append(want, row)
	}
	for batch := range slices.Chunk(plan, 500) {
		must(t, r.Append(t.Context(), batch))
	}
	must(t, r.Seal(t.Context(), importer.RunPushing, len(plan), nil))
	var got []int
	for rows := claim(t, r, 1000); len(rows) > 0; rows = claim(t, r, 1000) {
		got = append(got, rows...)
		outcomes := make([]importer.Outcome, len(rows))
		for i, row := range rows {
			outcomes[i] = pushed(row)
		}
		random.Shuffle(len(outcomes), func(i, j int) { outcomes[i], outcomes[j] = outcomes[j], outcomes[i] })
		must(t, r.Record(t.Context(), outcomes))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d rows were claimed, or in another order; want %d", len(got), len(want))
	}
	must(t, r.Finish(t.Context(), testTime))
	i := 0
	for line, err := range openRun(t, j, r.Info().ID).Results(t.Context()) {
		must(t, err)
		if i >= len(plan) || line.Row != plan[i].Row || line.UniqueID != plan[i].UniqueID || (line.Status == importer.StatusPushed) != (plan[i].Status == importer.StatusPending) {
			t.Fatalf("line %d is of row %d, %s", i, line.Row, line.Status)
		}
		if line.Status == importer.StatusPushed && line.ReferenceID != fmt.Sprint(line.Row*10) {
			t.Fatalf("row %d has the reference of another: %s", line.Row, line.ReferenceID)
		}
		i++
	}
	diff(t, "lines", i, len(plan))
}

// What is sent for a row are the bytes that were planned, also after a restart.
func payloadsComeBack(t *test) {
	random := rand.New(rand.NewPCG(13, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	payloads := map[int][]byte{
		2: {}, 3: []byte("{}"), 4: []byte("\x00\x00'\"\\\n\xff\xfe"), 255: []byte(`{"last_name":"Zoë 🐦"}`), 256: noise,
		257: bytes.Repeat([]byte("a"), 1<<20), 1 << 20: noise[:1], 1<<31 - 1: noise[1000:3000],
	}
	var rows []importer.PlannedRow
	for row, payload := range payloads {
		planned := testRow(row, importer.StatusPending)
		planned.Payload = slices.Clone(payload)
		rows = append(rows, planned)
	}
	slices.SortFunc(rows, func(a, b importer.PlannedRow) int { return a.Row - b.Row })
	r := begin(t, t.open(), testTarget)
	must(t, r.Append(t.Context(), rows))
	for i := range rows {
		clear(rows[i].Payload) // the caller uses their memory again
	}
	must(t, r.Seal(t.Context(), importer.RunPushing, len(rows), nil))
	compare := func(r journal.Run, most int) {
		t.Helper()
		seen := 0
		for {
			jobs, err := r.Claim(t.Context(), most)
			must(t, err)
			if len(jobs) == 0 {
				break
			}
			for _, job := range jobs {
				if seen++; !bytes.Equal(job.Payload, payloads[job.Row]) {
					t.Errorf("row %d: %d bytes, which are not the %d that were planned", job.Row, len(job.Payload), len(payloads[job.Row]))
				}
			}
		}
		diff(t, "claimed", seen, len(payloads))
	}
	compare(r, 2)
	_, r = t.afterCrash(r.Info().ID)
	must(t, r.Start(t.Context()))
	compare(r, 100)
	must(t, r.Stop(t.Context()))
	for _, line := range collected(t, r.Results(t.Context())) {
		if line.Status != importer.StatusUnknown || line.FinishedAt != (time.Time{}) {
			t.Errorf("row %d is %s", line.Row, line.Status)
		}
	}
}

// Names of files are kept byte for byte, whatever the bytes are, and no two are taken for one.
func namesThatAreNotText(t *test) {
	j := t.open()
	const latin, mark = "/donn\xe9es/\xff students.csv", "/donn\uFFFDes/\uFFFD students.csv"
	for _, source := range []string{latin, mark} {
		info := testRun()
		info.Source, info.File = source, source+".copy"
		info.Reports = importer.Reports{Results: source + ".results.csv", Problems: source + ".problems.csv", Fix: source + ".fix.xlsx", Summary: "-", Leavers: source + ".leavers.csv"}
		r, err := j.Begin(t.Context(), info)
		must(t, err)
		must(t, r.Seal(t.Context(), importer.RunHeld, 0, nil))
	}
	job := importer.JobRun{Job: "students", File: latin, FileHash: "f1", Folder: latin + "/in-progress", StartedAt: testTime}
	var err error
	job.ID, err = j.BeginJobRun(t.Context(), job)
	must(t, err)
	job.Exit, job.Problem, job.EndedAt, job.Starts, job.BegunAt, job.Counts = 2, latin+" cannot be read", testTime, 1, testTime, importer.Counts{}
	must(t, j.EndJobRun(t.Context(), job, nil))
	j = t.crash()
	for _, source := range []string{latin, mark} {
		unfinished, err := j.Unfinished(t.Context(), testTarget, source)
		must(t, err)
		if len(unfinished) != 1 {
			t.Fatalf("%d runs of %q are not finished, want 1", len(unfinished), source)
		}
		info := unfinished[0]
		diff(t, "names", []string{info.Source, info.File, info.Reports.Results, info.Reports.Problems, info.Reports.Fix, info.Reports.Summary, info.Reports.Leavers},
			[]string{source, source + ".copy", source + ".results.csv", source + ".problems.csv", source + ".fix.xlsx", "-", source + ".leavers.csv"})
	}
	runs, err := j.JobRuns(t.Context(), "students", 0)
	must(t, err)
	diff(t, "the job's run", runs, []importer.JobRun{job})
}
