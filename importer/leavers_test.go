package importer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"opscom-import/mapping"
)

// rosterOf is a roster of people who are called by their unique ids.
type rosterOf struct {
	digester  *Digester
	people    []Leaver
	seen      map[Digest]bool
	elsewhere int
	fault     error
}

func newRoster(ids ...string) *rosterOf {
	r := &rosterOf{digester: NewDigester([]byte("salt")), seen: map[Digest]bool{}}
	for _, id := range ids {
		r.people = append(r.people, Leaver{Key: r.digester.Key("SSO", id), UniqueID: id, LoginSource: "SSO", ReferenceID: "ref-" + id, Hash: Digest{1}})
	}
	return r
}

func (r *rosterOf) See(key Digest) (known bool) {
	r.seen[key] = true
	return slices.ContainsFunc(r.people, func(l Leaver) bool { return l.Key == key })
}

func (r *rosterOf) Missing(context.Context) ([]Leaver, int, error) {
	return slices.DeleteFunc(slices.Clone(r.people), func(l Leaver) bool { return r.seen[l.Key] }), r.elsewhere, r.fault
}

// leaversOf plans rows, and describes the leavers among them.
func leaversOf(t *testing.T, roster *rosterOf, rows []string, change func(*LeaverSearch)) (planned string, plan Plan) {
	t.Helper()
	search := &LeaverSearch{
		Leavers: Leavers{Mode: "type:Alumni", UserType: "7", Run: 4, Rows: len(roster.people), People: len(roster.people)},
		Roster:  roster, HasKeys: true, Limit: Limit{Set: true, Percent: 100}, IsCut: func() bool { return false },
	}
	if change != nil {
		change(search)
	}
	plan, store := makePlan(t, &Planner{
		Source: &rowsSource{names: planNames, rows: rows}, Mapper: mapper(t, `col("standing") != "gone"`, planNames), Salt: []byte("salt"), Leavers: search,
	})
	var texts []string
	for _, number := range slices.Sorted(maps.Keys(store.rows)) {
		if row := store.rows[number]; row.Leaver {
			texts = append(texts, strings.TrimSpace(fmt.Sprintf("%d %s %s %s%s", row.Row, row.UniqueID, row.Status, row.ReferenceID, row.Payload)))
		}
	}
	planned = strings.Join(texts, "; ")
	if l := plan.Leavers; l.Found != len(texts) || l.Sent != strings.Count(planned, "pending") {
		t.Errorf("%+v, and planned are %s", l, planned)
	}
	if sum := plan.Counts.Sum(); sum != len(rows) {
		t.Errorf("the rows of the file are counted as %d of %d", sum, len(rows))
	}
	return planned, plan
}

func TestWhoIsALeaver(t *testing.T) {
	const sent = `{"unique_id":"3","login_source":"SSO","user_type_id":"7"}`
	for name, tc := range map[string]struct {
		rows   []string
		change func(*LeaverSearch)
		want   string
		why    string
		alike  int
	}{
		"nobody":                {rows: []string{"1|||||", "2|||||", "3|||||"}},
		"one":                   {rows: []string{"1|||||", "2|||||"}, want: "4 3 pending " + sent},
		"in any case":           {rows: []string{"1|||||", "2|||||", " 3 |||||"}},
		"with an invalid row":   {rows: []string{"1|||||", "2|||||", "3|none||||"}},
		"with a skipped row":    {rows: []string{"1|||||", "2|||||", "3|||||gone"}},
		"with two rows":         {rows: []string{"1|||||", "2|||||", "3|||||", "3|||||"}},
		"with rows that differ": {rows: []string{"1|||||", "2|||||", "3|||Ann||", "3|||Bo||"}},
		"skipped without an id": {
			rows: []string{"1|||||", "2|||||", "|||||gone"}, want: "5 3 leaver ref-3",
			why: "the file has rows whose unique id or login source cannot be relied on (1), and they may be about these people",
		},
		"a damaged id that is skipped": {
			rows: []string{"1|||||", "2|||||", "9.01E+08|||||gone"}, want: "5 3 leaver ref-3",
			why: "the file has rows whose unique id or login source cannot be relied on (1), and they may be about these people",
		},
		"someone new who is skipped":          {rows: []string{"1|||||", "2|||||", "8|||||gone"}, want: "5 3 pending " + sent},
		"the same id but for zeros and signs": {rows: []string{"1|||||", "2|||||", "0-03|||||gone"}, want: "5 3 leaver ref-3", alike: 1},
		"an id in another column":             {rows: []string{"1|||||", "2|||||", "x|3||||gone"}, want: "5 3 leaver ref-3", alike: 1},
		"no id": {
			rows: []string{"1|||||", "2|||||", "|||Ann||"}, want: "5 3 leaver ref-3",
			why: "the file has rows whose unique id or login source cannot be relied on (1), and they may be about these people",
		},
		"a damaged id": {
			rows: []string{"1|||||", "2|||||", "9.01E+08|||Ann||"}, want: "5 3 leaver ref-3",
			why: "the file has rows whose unique id or login source cannot be relied on (1), and they may be about these people",
		},
		"only reported": {
			rows: []string{"1|||||", "2|||||"}, change: func(s *LeaverSearch) { s.Mode, s.UserType = "report", "" }, want: "4 3 leaver ref-3",
		},
		"a file that is cut short": {
			rows: []string{"1|||||", "2|||||"}, change: func(s *LeaverSearch) { s.IsCut = func() bool { return true } }, want: "4 3 leaver ref-3",
			why: "the file may end in the middle of a row",
		},
		"a file that shrank": {
			rows: []string{"1|||||", "2|||||"}, change: func(s *LeaverSearch) { s.Limit = Limit{Set: true, Percent: 33} }, want: "4 3 leaver ref-3",
			why: "the file has 2 rows and the one of run 4 had 3, a larger difference than max-leavers (33%)",
		},
		"no ids": {
			rows: []string{"1|||||", "2|||||"}, change: func(s *LeaverSearch) { s.HasKeys = false }, want: "4 3 leaver ref-3",
			why: "only digests of the people of run 4 are kept (keep_keys), and no ids",
		},
		"no rows": {rows: nil, want: "2 1 leaver ref-1; 3 2 leaver ref-2; 4 3 leaver ref-3", change: func(s *LeaverSearch) { s.Limit.Percent = 99 },
			why: "the file has 0 rows and the one of run 4 had 3, a larger difference than max-leavers (99%)"},
	} {
		t.Run(name, func(t *testing.T) {
			got, plan := leaversOf(t, newRoster("1", "2", "3"), tc.rows, tc.change)
			if got != tc.want || plan.Leavers.Why != tc.why || plan.Leavers.Alike != tc.alike {
				t.Errorf("%s\nwhy %q\nwant %s\nwhy %q", got, plan.Leavers.Why, tc.want, tc.why)
			}
		})
	}
}

// A row whose key is doubtful is counted once, whatever else is wrong with it.
func TestLeaversOfDoubtfulRows(t *testing.T) {
	ids := []string{"20001", "20002", "20003"}
	for name, tc := range map[string]struct {
		last string
		row  Row
	}{
		"lost zeros and an error":   {last: "20003"},
		"a row of another shape":    {last: "", row: Row{Problems: []mapping.Problem{{Rule: mapping.RuleRaggedRow, Severity: mapping.SeverityError}}}},
		"perhaps two people's":      {last: "", row: Row{Problems: []mapping.Problem{{Rule: mapping.RuleBadQuotes, Severity: mapping.SeverityWarning}}}},
		"a skipped one of no shape": {last: "", row: Row{Problems: []mapping.Problem{{Rule: mapping.RuleRaggedRow, Severity: mapping.SeverityError}}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := leaverPlan{LeaverSearch: &LeaverSearch{Roster: newRoster(ids...)}}
			d := NewDigester([]byte("salt"))
			planned := PlannedRow{UniqueID: "20001", LoginSource: "SSO", Status: StatusInvalid}
			result := mapping.Result{Problems: []mapping.Problem{{Rule: mapping.RuleBadEmail, Severity: mapping.SeverityError, Attribute: mapping.Email}}}
			if name == "a skipped one of no shape" {
				planned.Status, result = StatusSkipped, mapping.Result{Skipped: true}
			}
			l.see(d, 0, &tc.row, &result, &planned)
			if tc.last != "" {
				problem := mapping.Problem{Rule: mapping.RuleLostZeros, Severity: mapping.SeverityError, Attribute: mapping.UniqueID}
				l.review([]mapping.ReviewProblem{{Sequence: 0, Problem: problem}, {Sequence: 0, Problem: problem}})
			}
			if len(l.keyless) != 1 {
				t.Errorf("doubtful rows %v", l.keyless)
			}
		})
	}
}

// Somebody whose e-mail address or user name is in a row under another key may be there.
func TestLeaversUnderAnotherKey(t *testing.T) {
	names := []string{"unique_id", "email", "user_name"}
	for _, row := range []string{"new|Canary@x.ca|", "new||canary", "new||someone", "new|canary@x.ca|no good name at all, so that the row is refused by its length, which is more than fifty characters"} {
		roster := newRoster("1", "31")
		d := roster.digester
		var p mapping.Profile
		p.Set(mapping.Email, "canary@x.ca")
		p.Set(mapping.UserName, "CANARY")
		roster.people[1].Unique = d.Unique(&p)
		search := &LeaverSearch{
			Leavers: Leavers{Mode: "type:Alumni", UserType: "7", Run: 4, Rows: 2, People: 2},
			Roster:  roster, HasKeys: true, Limit: Limit{Set: true, Percent: 100}, IsCut: func() bool { return false },
		}
		plan, store := makePlan(t, &Planner{Source: &rowsSource{names: names, rows: []string{"1||", row}}, Mapper: mapper(t, "", names), Salt: []byte("salt"), Leavers: search})
		var leaver PlannedRow
		for _, r := range store.rows {
			if r.Leaver {
				leaver = r
			}
		}
		if row == "new||someone" {
			if leaver.Status != StatusPending || plan.Leavers.Alike != 0 {
				t.Errorf("%q: %+v", row, leaver)
			}
			continue
		}
		if leaver.Status != StatusLeaver || plan.Leavers.Alike != 1 || plan.Leavers.Sent != 0 || !strings.Contains(leaver.Result().Warnings, "Not pushed as a leaver: a row of the file has this person's ") {
			t.Errorf("%q: %+v, %+v", row, leaver, plan.Leavers)
		}
	}
}

// Somebody whose ids are not kept is counted, and not sent.
func TestLeaverWithoutAnID(t *testing.T) {
	roster := newRoster("1", "3")
	roster.people[1].UniqueID, roster.people[1].LoginSource = "", ""
	got, plan := leaversOf(t, roster, []string{"1|||||"}, nil)
	if got != "3  leaver ref-3" || plan.Leavers.Found != 1 || plan.Leavers.Unnamed != 1 {
		t.Errorf("%s, %+v", got, plan.Leavers)
	}
}

// A person who has the leavers' type by what was accepted last was pushed before.
func TestALeaverIsPushedOnce(t *testing.T) {
	roster := newRoster("1", "3")
	got, _ := leaversOf(t, roster, []string{"1|||||"}, nil)
	payload := got[strings.Index(got, "{"):]
	roster.people[1].Hash = roster.digester.Profile([]byte(payload))
	if again, plan := leaversOf(t, roster, []string{"1|||||"}, nil); again != "" || plan.Leavers.Found != 0 {
		t.Errorf("pushed again: %s", again)
	}
}

// acceptedAs is what was accepted last.
type acceptedAs map[Digest]Acceptance

func (a acceptedAs) Accepted(context.Context, string, []Digest) (map[Digest]Acceptance, error) {
	return a, nil
}

// Somebody who comes back is warned of if the row does not change the leavers' user type.
func TestReturningLeaverWithoutAUserType(t *testing.T) {
	d := NewDigester([]byte("salt"))
	pushed := acceptedAs{d.Key("SSO", "3"): {Hash: d.Profile([]byte(`{"unique_id":"3","login_source":"SSO","user_type_id":"7"}`))}}
	for _, tc := range []struct {
		row    string
		warned bool
	}{{"3|", true}, {"3|2", false}, {"4|", false}} {
		search := &LeaverSearch{
			Leavers: Leavers{Mode: "type:Alumni", UserType: "7", Run: 4, Rows: 1, People: 1}, Accepted: pushed,
			Roster: newRoster("1"), HasKeys: true, Limit: Limit{Set: true, Percent: 100}, IsCut: func() bool { return false },
		}
		names := []string{"unique_id", "user_type_id"}
		plan, store := makePlan(t, &Planner{Source: &rowsSource{names: names, rows: []string{"1|", tc.row}}, Mapper: mapper(t, "", names), Salt: []byte("salt"), Leavers: search})
		row := store.rows[3]
		warned := len(row.Problems) == 1 && row.Problems[0].Rule == mapping.RuleLeaverIsBack && slices.ContainsFunc(plan.Notes, func(note string) bool {
			return strings.HasPrefix(note, "People who were pushed as leavers are back (1), and keep the user type of the leavers")
		})
		if warned != tc.warned || row.Status != StatusPending {
			t.Errorf("%q: %+v, notes %q", tc.row, row, plan.Notes)
		}
	}
}

func TestPlanWithoutARoster(t *testing.T) {
	got, plan := leaversOf(t, newRoster("1"), []string{"2|||||"}, func(s *LeaverSearch) { s.Leavers, s.Roster = Leavers{Mode: "report", Why: "none"}, nil })
	if got != "" || plan.Leavers.Compared() || plan.Leavers.Why != "none" {
		t.Errorf("%s, %+v", got, plan.Leavers)
	}
}

func TestPlanSaysWhoIsElsewhere(t *testing.T) {
	roster := newRoster("1")
	roster.elsewhere = 3
	_, plan := leaversOf(t, roster, []string{"1|||||"}, nil)
	if want := "Other files have people of run 4 who are not in this one (3), by the last complete run of each; they are not taken for leavers."; !slices.Contains(plan.Notes, want) {
		t.Errorf("notes %q", plan.Notes)
	}
}

func TestPlanFailsWithItsRoster(t *testing.T) {
	roster := newRoster("1")
	roster.fault = errors.New("unreadable")
	search := &LeaverSearch{Leavers: Leavers{Run: 1}, Roster: roster, IsCut: func() bool { return false }}
	p := Planner{Source: &rowsSource{names: planNames}, Mapper: mapper(t, "", planNames), Salt: []byte("salt"), Store: &memoryStore{}, Leavers: search}
	if _, err := p.Make(t.Context()); !errors.Is(err, roster.fault) {
		t.Errorf("error %v", err)
	}
}

func TestLeaverLimit(t *testing.T) {
	five := Limit{Set: true, Percent: 5}
	for _, tc := range []struct {
		leavers Leavers
		limit   Limit
		rows    int
		want    string
	}{
		{Leavers{UserType: "7", Run: 4, Rows: 100, People: 100, Sent: 5}, five, 95, ""},
		{Leavers{UserType: "7", Run: 4, Rows: 100, People: 100, Sent: 6}, five, 95, "6 of the 100 people of run 4 are not in the file; the limit (max-leavers) is 5%"},
		{Leavers{UserType: "7", Run: 4, Rows: 20, People: 20, Sent: 2}, five, 20, "2 of the 20 people of run 4 are not in the file; the limit (max-leavers) is 5%"},
		{Leavers{UserType: "7", Run: 4, Rows: 100, People: 100, Sent: 3}, Limit{Set: true, Count: 2}, 100, "3 of the 100 people of run 4 are not in the file; the limit (max-leavers) is 2"},
		{Leavers{UserType: "7", Run: 4, Rows: 100, People: 100, Found: 6}, five, 94,
			"the file has 94 rows, and the one of run 4 had 100; with a larger difference than 5% (max-leavers) nobody is taken for a leaver; was the export cut short? If not, push the file with a larger max-leavers"},
		{Leavers{Run: 4, Rows: 100, People: 100, Found: 90}, five, 10, ""}, // only reported
		{Leavers{UserType: "7", Why: "none"}, five, 10, ""},
	} {
		got := Limits{MaxLeavers: tc.limit}.Judge(Plan{Rows: tc.rows, Leavers: &tc.leavers}, RunInfo{})
		if strings.Join(got, "; ") != tc.want {
			t.Errorf("%+v: %q, want %q", tc.leavers, got, tc.want)
		}
	}
}

func TestCellTraces(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, "  ": nil, "u50": {"u50"}, "u50@x.example": {"u50@x.example"},
		"u50@x.example.":            {"u50@x.example.", "u50@x.example"},
		"u50@x.example;o@x.example": {"u50@x.example;o@x.example", "u50@x.example", "o@x.example"},
		"Ann Roy <u50@x.example>":   {"Ann Roy <u50@x.example>", "Ann", "Roy", "u50@x.example"},
		"mailto:u50@x.example":      {"mailto:u50@x.example", "mailto", "u50@x.example"},
	} {
		if got := cellTraces(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
