package conformance

import (
	"fmt"
	"strings"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

func rosters() []part {
	return []part{
		{"who left", whoLeft},
		{"leavers stay until they are pushed", leaversStay},
		{"leavers: nothing to compare with", nothingToCompareWith},
		{"leavers of a run that is not complete", leaversOfIncompleteRun},
		{"a leaver whose push was cut off", leaverCutOff},
		{"leavers whom another file has", leaversElsewhere},
		{"leavers of a run that did not look", leaversOfRunThatDidNotLook},
		{"leavers in doubt", leaversInDoubt},
		{"leavers who moved", leaversWhoMoved},
		{"forgetting keeps the last roster", forgettingKeepsRoster},
	}
}

// leaverTest makes runs of people who are called by letters.
type leaverTest struct {
	*test
	j        journal.Journal
	digester *importer.Digester
}

func newLeaverTest(t *test) *leaverTest {
	j := t.open()
	return &leaverTest{t, j, importer.NewDigester(j.Salt())}
}

// row is that of somebody; a capital is a leaver's.
func (l *leaverTest) row(number int, who string, status importer.Status) importer.PlannedRow {
	id := "kanarie-" + strings.ToLower(who)
	row := importer.PlannedRow{Row: number, UniqueID: id, LoginSource: "SSO", Status: status, Leaver: who != strings.ToLower(who)}
	row.Key = l.digester.Key("SSO", id)
	if status == importer.StatusPending {
		row.Payload = fmt.Appendf(nil, `{"unique_id":%q}`, id)
		row.Hash = l.digester.Profile(row.Payload)
	}
	return row
}

// run makes a finished run of the source. Each word is a person and, after a colon, how the
// row ended; otherwise it is pushed.
func (l *leaverTest) run(source string, change func(*importer.RunInfo), words ...string) journal.Run {
	l.Helper()
	info := testRun()
	info.Source = source
	if change != nil {
		change(&info)
	}
	r, err := l.j.Begin(l.Context(), info)
	must(l, err)
	var rows []importer.PlannedRow
	var outcomes []importer.Outcome
	inFile := 0
	for i, word := range words {
		who, status, _ := strings.Cut(word, ":")
		outcome := importer.Outcome{Row: i + 2, Answer: importer.Answer{Status: importer.StatusPushed, ReferenceID: "ref-" + who, Attempts: 1}, FinishedAt: testTime.Add(time.Hour)}
		planned := importer.StatusPending
		switch status {
		case "failed":
			outcome.Answer = importer.Answer{Status: importer.StatusFailed, Attempts: 5}
		case "rejected":
			outcome.Answer = importer.Answer{Status: importer.StatusRejected, ErrorCode: "9019", Attempts: 1}
		case "":
		default:
			planned = importer.Status(status)
		}
		row := l.row(i+2, who, planned)
		if rows = append(rows, row); planned == importer.StatusPending {
			outcomes = append(outcomes, outcome)
		}
		if !row.Leaver {
			inFile++
		}
	}
	must(l, r.Append(l.Context(), rows))
	r.SetLeavers(info.Leavers)
	must(l, r.Seal(l.Context(), importer.RunPushing, inFile, info.Held))
	for {
		jobs, err := r.Claim(l.Context(), 100)
		must(l, err)
		if len(jobs) == 0 {
			break
		}
	}
	must(l, r.Record(l.Context(), outcomes))
	must(l, r.Finish(l.Context(), testTime.Add(time.Duration(r.Info().ID)*time.Hour)))
	return r
}

// missing returns who of the last complete run is not among the people of the file.
func (l *leaverTest) missing(source string, present ...string) string {
	l.Helper()
	last, why, err := l.j.LastComplete(l.Context(), testTarget, source, "")
	must(l, err)
	if last == nil {
		return why
	}
	roster, err := l.j.Roster(l.Context(), testTarget, last)
	must(l, err)
	for _, who := range present {
		roster.See(l.digester.Key("SSO", "kanarie-"+who))
	}
	missing, elsewhere, err := roster.Missing(l.Context())
	must(l, err)
	text := fmt.Sprintf("%d of %d:", last.ID, roster.People)
	for _, m := range missing {
		name := "?"
		if roster.HasKeys {
			name = strings.TrimPrefix(m.UniqueID, "kanarie-")
		}
		text += " " + name
		if m.ReferenceID != "" {
			text += "=" + m.ReferenceID
		}
		if m.ReferenceID != "" && m.Hash == (importer.Digest{}) {
			text += " in doubt"
		}
	}
	if elsewhere > 0 {
		text += fmt.Sprintf(", %d elsewhere", elsewhere)
	}
	return text
}

func (l *leaverTest) want(want, source string, present ...string) {
	l.Helper()
	if got := l.missing(source, present...); got != want {
		l.Errorf("%v left: %s; want %s", present, got, want)
	}
}

func whoLeft(t *test) {
	l := newLeaverTest(t)
	const night1, night2 = "/x/s-2026-11-01.csv", "/x/s-2026-11-02.csv"
	l.want(journal.NoRunYet, night1)
	// A person whom the Controller never had, as d, f and g, cannot leave; e may have arrived.
	l.run(night1, nil, "a", "b", "c:duplicate", "d:invalid", "e:failed", "f:rejected", "g:skipped", "a:duplicate")
	l.want("1 of 6: a=ref-a b=ref-b e", night2)
	l.want("1 of 6: b=ref-b", night2, "a", "e")
	// Somebody who was pushed once may leave after a row that was not.
	l.run(night2, nil, "a:invalid", "b:skipped", "h", "E")
	l.want("2 of 2: a=ref-a b=ref-b h=ref-h", night1)
	l.want("2 of 2:", night1, "a", "b", "h")
}

func leaversStay(t *test) {
	l := newLeaverTest(t)
	reported := func(r *importer.RunInfo) { r.Leavers = &importer.Leavers{Mode: "report", Run: 1} }
	l.run(testSource, nil, "a", "b", "c", "d", "e")
	l.run(testSource, typed, "e", "A", "B:failed", "C:rejected", "D:leaver")
	l.want("2 of 4: b c=ref-c d=ref-d", testSource, "e")
	l.run(testSource, reported, "e", "B:leaver")
	l.want("3 of 1:", testSource, "e")
}

func typed(r *importer.RunInfo) {
	r.Leavers = &importer.Leavers{Mode: "type:Alumni", UserType: "7", Run: 1}
}

func nothingToCompareWith(t *test) {
	l := newLeaverTest(t)
	cut := func(r *importer.RunInfo) {
		r.Held = importer.Limits{}.Judge(importer.Plan{Rows: 1, CutRow: 2, Counts: importer.Counts{}}, importer.RunInfo{})
	}
	other := func(r *importer.RunInfo) { r.Target = "OC_OTHER at https://controller.example" }
	l.run("/x/staff.csv", other, "a")
	l.want("there is no earlier run of this file", "/x/s.csv")
	l.want("the runs of this file went to another client or Controller (run 1 to OC_OTHER at https://controller.example)", "/x/staff.csv")
	l.run("/x/staff.csv", nil, "a")
	l.want("there is no earlier run of this file, nor of one whose name differs only in a date (run 2 is of staff.csv)", "/x/s.csv")
	l.run("/x/s.csv", cut, "a", "b")
	l.want("there is no complete run of this file yet (that of run 3 had no rows, or was cut short)", "/x/s.csv")
	r := planned(t, l.j, importer.RunPushing, 2)
	must(t, r.Stop(t.Context()))
	l.want("there is no complete run of this file yet (run 4 is stopped)", testSource)
	if last, why, err := l.j.LastComplete(t.Context(), testTarget, "/x/staff.csv", "f1"); last != nil || err != nil || why != "run 2 pushed this very file, and there is no complete run before it" {
		t.Errorf("%+v, %q, %v", last, why, err)
	}
	if restored, err := l.j.WasRestoredSince(t.Context(), testTarget, 2); restored || err != nil {
		t.Errorf("it was restored: %v, %v", restored, err)
	}
}

// begun begins a run of these people and leaves it to the test.
func (l *leaverTest) begun(inFile int, words ...string) journal.Run {
	l.Helper()
	r := begin(l, l.j, testTarget)
	var rows []importer.PlannedRow
	for i, who := range words {
		rows = append(rows, l.row(i+2, who, importer.StatusPending))
	}
	must(l, r.Append(l.Context(), rows))
	must(l, r.Seal(l.Context(), importer.RunPushing, inFile, nil))
	return r
}

// Who was pushed by a run that is not complete is there too.
func leaversOfIncompleteRun(t *test) {
	l := newLeaverTest(t)
	l.run(testSource, nil, "a", "b")
	r := l.begun(2, "c", "d")
	_, err := r.Claim(t.Context(), 1)
	must(t, err)
	must(t, r.Record(t.Context(), []importer.Outcome{pushedAs(2, "44")}))
	must(t, r.Stop(t.Context()))
	must(t, l.j.Supersede(t.Context(), r.Info().ID))
	l.want("1 of 3: a=ref-a c=44", testSource, "b")
}

// A leaver whose push was cut off, so that it is not known what the Controller has of them,
// is looked at again, also when the run is replaced.
func leaverCutOff(t *test) {
	l := newLeaverTest(t)
	l.run(testSource, nil, "a", "b", "c:unchanged")
	r := l.begun(1, "A", "C")
	_, err := r.Claim(t.Context(), 2)
	must(t, err)
	must(t, r.Stop(t.Context())) // as after a crash
	must(t, l.j.Supersede(t.Context(), r.Info().ID))
	l.want("1 of 3: a c", testSource, "b")
}

// A person whom another file has since did not leave.
func leaversElsewhere(t *test) {
	l := newLeaverTest(t)
	l.run("/x/staff.csv", nil, "a", "b")
	l.run(testSource, nil, "a", "b", "c")
	l.want("2 of 3: c=ref-c, 2 elsewhere", testSource)
	l.run("/x/staff.csv", typed, "b", "A:leaver")
	l.want("2 of 3: a=ref-a c=ref-c, 1 elsewhere", testSource) // a was not in that file, though not pushed yet
	_, err := l.j.Forget(t.Context(), 3)
	must(t, err)
	l.want("2 of 3: a=ref-a c=ref-c, 1 elsewhere", testSource)
}

// A run that does not look for leavers hides nobody who left before it.
func leaversOfRunThatDidNotLook(t *test) {
	l := newLeaverTest(t)
	l.run(testSource, nil, "a", "b", "c", "x")
	l.run(testSource, nil, "a", "b", "c") // leavers were never looked for
	l.want("2 of 3: c=ref-c", testSource, "a", "b")
	l.run(testSource, typed, "a", "b", "d", "C")
	l.run(testSource, nil, "a", "b", "e")
	l.run(testSource, nil, "a", "b")
	l.want("5 of 4: b=ref-b e=ref-e d=ref-d", testSource, "a")
	l.run(testSource, typed, "a", "B", "D", "E:leaver")
	l.want("6 of 2: e=ref-e", testSource, "a")
	_, err := l.j.Forget(t.Context(), 6)
	must(t, err)
	l.want("6 of 2: ?=ref-e", testSource, "a")
}

// Of whom the Controller accepted last before the journal was restored, nobody knows that they were
// pushed as leavers already.
func leaversInDoubt(t *test) {
	l := newLeaverTest(t)
	l.run(testSource, nil, "a", "b", "c")
	t.place.Restore()
	l.j = t.open()
	l.want("the journal was restored from a backup, and there is no complete run of this file since", testSource)
	last := l.run(testSource, nil, "a:rejected", "b", "c").Info().ID
	l.want(fmt.Sprintf("%d of 3: a=ref-a in doubt b=ref-b", last), testSource, "c")
}

// A leaver who waits to be pushed may be in another file by now.
func leaversWhoMoved(t *test) {
	l := newLeaverTest(t)
	moved := func(r journal.Run, want int, wantBy int64) {
		t.Helper()
		n, by, err := l.j.MovedLeavers(t.Context(), r.Info().ID)
		if n != want || by != wantBy || err != nil {
			t.Errorf("%d moved by run %d, %v; want %d by run %d", n, by, err, want, wantBy)
		}
	}
	l.run(testSource, nil, "a", "b", "c")
	r := l.begun(1, "c", "A", "B")
	must(t, r.Stop(t.Context()))
	moved(r, 0, 0)
	l.run("/x/staff.csv", nil, "a", "c", "d")
	moved(r, 1, 3)
	must(t, r.Start(t.Context()))
	claim := func(n int) {
		_, err := r.Claim(t.Context(), n)
		must(t, err)
	}
	claim(2)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2), pushed(3)}))
	moved(r, 0, 0)
}

// Forgetting runs keeps who was in the last complete one of each file, with ids only
// where they are to be kept, until the target is forgotten.
func forgettingKeepsRoster(t *test) {
	for _, keep := range []bool{false, true} {
		t.place = t.newPlace(t)
		l := newLeaverTest(t)
		l.j.KeepKeys(keep)
		l.run(testSource, nil, "a", "b")
		l.run(testSource, nil, "a", "c", "s:skipped", "e:failed")
		l.run("/x/staff.csv", nil, "x")
		for _, id := range []int64{1, 3, 2} {
			_, err := l.j.Forget(t.Context(), id)
			must(t, err)
		}
		want := "2 of 3: ?=ref-c ?"
		if keep {
			want = "2 of 3: c=ref-c e"
		}
		l.want(want, testSource, "a")
		if keep { // and are forgotten when they are to be kept no more
			l.run("/x/other.csv", nil, "o")
			l.j.KeepKeys(false)
			_, err := l.j.Forget(t.Context(), 4)
			must(t, err)
			l.want("2 of 3: ?=ref-c ?", testSource, "a")
		}
		last := l.run(testSource, nil, "a").Info().ID
		l.want(fmt.Sprintf("%d of 1:", last), testSource, "a")
		_, err := l.j.Forget(t.Context(), last)
		must(t, err)
		l.want(fmt.Sprintf("%d of 1: ?=ref-a", last), testSource)
		must(t, l.j.ForgetTarget(t.Context(), testTarget))
		l.want(journal.NoRunYet, testSource)
	}
}
