package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"opscom-import/mapping"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rowsSource is a source of rows written in the test. Row 1 is the header.
type rowsSource struct {
	names []string
	rows  []string // cells joined by "|"; the numbers begin with 2
	fault error    // returned after the last row in place of io.EOF
	next  int
}

func (s *rowsSource) Header() Header { return Header{Row: 1, Names: s.names} }

func (s *rowsSource) Next(row *Row) error {
	if s.next == len(s.rows) {
		if s.fault != nil {
			return s.fault
		}
		return io.EOF
	}
	*row = Row{Number: s.next + 2}
	for cell := range strings.SplitSeq(s.rows[s.next], "|") {
		row.Cells = append(row.Cells, mapping.Cell{Text: cell})
	}
	s.next++
	return nil
}

// memoryStore keeps a plan in memory, as a journal would.
type memoryStore struct {
	rows    map[int]PlannedRow
	batches int
	fault   error
}

func (s *memoryStore) Append(_ context.Context, rows []PlannedRow) error {
	s.batches++
	if s.fault != nil {
		return s.fault
	}
	for _, r := range rows {
		r.Payload = slices.Clone(r.Payload)
		s.rows[r.Row] = r
	}
	return nil
}

func (s *memoryStore) Amend(_ context.Context, amendments []Amendment) error {
	for _, a := range amendments {
		r := s.rows[a.Row]
		r.Amend(&a)
		s.rows[a.Row] = r
	}
	return nil
}

// acceptances are what the Controller accepted before the test.
type acceptances map[Digest]Acceptance

func (a acceptances) Accepted(_ context.Context, _ string, keys []Digest) (map[Digest]Acceptance, error) {
	found := map[Digest]Acceptance{}
	for _, k := range keys {
		if last, ok := a[k]; ok {
			found[k] = last
		}
	}
	return found, nil
}

func mapper(t testing.TB, where string, names []string) *mapping.Mapper {
	t.Helper()
	file := &mapping.File{Source: mapping.SourceSection{Where: where}}
	for _, name := range names {
		if a := mapping.AttributeNamed(name); a != mapping.NoAttribute {
			file.Fields = append(file.Fields, mapping.Field{Attribute: a, Columns: []string{name}})
		}
	}
	m, err := mapping.Compile(file, names, mapping.Options{LoginSource: "SSO", Today: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func makePlan(t testing.TB, p *Planner) (Plan, *memoryStore) {
	t.Helper()
	store := &memoryStore{rows: map[int]PlannedRow{}}
	p.Store = store
	plan, err := p.Make(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return plan, store
}

var planNames = []string{"unique_id", "email", "user_name", "first_name", "date_of_birth", "standing"}

func TestPlanStatuses(t *testing.T) {
	for _, tc := range []struct {
		name     string
		rows     []string
		want     []Status
		messages map[int]string // part of a row's message
	}{
		{"valid", []string{"1|a@x.ca|a|Ann||", "2|b@x.ca|b|Bo||"}, []Status{StatusPending, StatusPending}, nil},
		{"a broken rule", []string{"1|a@x.ca|||2004-02-31|"}, []Status{StatusInvalid}, map[int]string{2: "date_of_birth (column E): "}},
		{"left out by where", []string{"1|||||gone", "1|||||"}, []Status{StatusSkipped, StatusPending}, nil},
		{"identical rows", []string{"1|a@x.ca||Ann||", "2|||||", "1|a@x.ca||Ann||"}, []Status{StatusPending, StatusPending, StatusDuplicate}, map[int]string{4: "The same as row 2."}},
		{"identical but for the case of the key", []string{"a1|||Ann||", " A1 |||Ann||"}, []Status{StatusPending, StatusDuplicate}, nil},
		{"contradictory rows", []string{"1|||Ann||", "1|||Anna||", "1|||Ann||"}, []Status{StatusInvalid, StatusInvalid, StatusInvalid},
			map[int]string{2: "rows 3 and 4", 3: "rows 2 and 4", 4: "rows 2 and 3"}},
		{"a valid and an invalid row of one person", []string{"1|||Ann||", "1|||Ann|2004-02-31|"}, []Status{StatusInvalid, StatusInvalid}, map[int]string{2: "row 3"}},
		{"an e-mail address of two people", []string{"1|a@x.ca||||", "2|A@X.ca||||", "3|c@x.ca||||"}, []Status{StatusInvalid, StatusInvalid, StatusPending},
			map[int]string{2: "used by someone else too (row 3)"}},
		{"a user name of two people", []string{"1||ann|||", "2||ann|||"}, []Status{StatusInvalid, StatusInvalid}, map[int]string{3: "user name"}},
		{"one person's e-mail address in identical rows", []string{"1|a@x.ca||||", "1|a@x.ca||||"}, []Status{StatusPending, StatusDuplicate}, nil},
		{"nobody knows whom a row concerns", []string{"|a@x.ca||||", "|a@x.ca||||", "3|a@x.ca||||"}, []Status{StatusInvalid, StatusInvalid, StatusPending}, nil},
		{"many rows of one address", slices.Repeat([]string{"%d|a@x.ca||||"}, 8), slices.Repeat([]Status{StatusInvalid}, 8),
			map[int]string{2: "rows 3, 4, 5, 6, 7 and 2 more"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for i, row := range tc.rows {
				if strings.Contains(row, "%d") {
					tc.rows[i] = fmt.Sprintf(row, i)
				}
			}
			plan, store := makePlan(t, &Planner{
				Source: &rowsSource{names: planNames, rows: tc.rows},
				Mapper: mapper(t, `standing != "gone"`, planNames), Salt: []byte("salt"),
			})
			want := Counts{}
			for i, status := range tc.want {
				want[status]++
				got := store.rows[i+2]
				message := got.Result().Message
				if got.Status != status {
					t.Errorf("row %d is %s, want %s (%s)", i+2, got.Status, status, message)
				}
				if status == StatusPending && len(got.Payload) == 0 {
					t.Errorf("row %d has no payload to push", i+2)
				}
				if part := tc.messages[i+2]; !strings.Contains(message, part) {
					t.Errorf("row %d says %q, which lacks %q", i+2, message, part)
				}
			}
			if diff := cmp.Diff(want, plan.Counts); diff != "" {
				t.Error("counts (-want +got):\n", diff)
			}
			if plan.Rows != len(tc.rows) || plan.Counts.Sum() != plan.Rows {
				t.Errorf("%d rows planned, %d counted, %d in the source", plan.Rows, plan.Counts.Sum(), len(tc.rows))
			}
		})
	}
}

// movedSource is a source whose rows have problems.
type movedSource struct {
	rowsSource
	problem mapping.Problem
	leftOut bool
}

func (s *movedSource) Next(row *Row) error {
	err := s.rowsSource.Next(row)
	row.Problems, row.LeftOut = []mapping.Problem{s.problem}, s.leftOut
	return err
}

// A where that may have read the wrong columns leaves nobody out.
func TestPlanDoubtsTheShapeOfSkippedRows(t *testing.T) {
	problem := func(rule mapping.Rule, severity mapping.Severity) mapping.Problem {
		return mapping.Problem{Rule: rule, Severity: severity, Column: mapping.NoColumn, Message: "moved"}
	}
	for _, tc := range []struct {
		name    string
		problem mapping.Problem
		leftOut bool
		want    Status
	}{
		{"too many cells", problem(mapping.RuleRaggedRow, mapping.SeverityError), false, StatusInvalid},
		{"quotes that do not match", problem(mapping.RuleBadQuotes, mapping.SeverityError), false, StatusInvalid},
		{"below a row whose quotes do not match", problem(mapping.RuleBadQuotes, mapping.SeverityWarning), false, StatusSkipped},
		{"of a second table", problem(mapping.RuleSecondTable, mapping.SeverityError), false, StatusInvalid},
		{"a lost letter", problem(mapping.RuleBadCharacter, mapping.SeverityError), false, StatusSkipped},
		{"left out by a person", problem(mapping.RuleRaggedRow, mapping.SeverityWarning), true, StatusSkipped},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plan, store := makePlan(t, &Planner{
				Source: &movedSource{rowsSource{names: planNames, rows: []string{"1|||Ann||gone"}}, tc.problem, tc.leftOut},
				Mapper: mapper(t, `standing != "gone"`, planNames), Salt: []byte("salt"),
			})
			row := store.rows[2]
			if row.Status != tc.want || plan.Counts[tc.want] != 1 || len(row.Payload) > 0 {
				t.Errorf("the row is %s, want %s (%v)", row.Status, tc.want, plan.Counts)
			}
			if told := len(row.Problems) > 0; told != (tc.want == StatusInvalid || tc.leftOut) {
				t.Errorf("the row's problems are %v", row.Problems)
			}
		})
	}
}

func TestPlanSendsOnlyChanges(t *testing.T) {
	names := []string{"unique_id", "first_name"}
	salt := []byte("salt")
	_, before := makePlan(t, &Planner{Source: &rowsSource{names: names, rows: []string{"1|Ann", "2|Bo"}}, Mapper: mapper(t, "", names), Salt: salt})
	known := acceptances{}
	for _, row := range before.rows {
		known[row.Key] = Acceptance{Hash: row.Hash, ReferenceID: "44"}
	}
	source := &rowsSource{names: names, rows: []string{"1|Ann", "2|Bob", "3|Cy"}}
	plan, store := makePlan(t, &Planner{Source: source, Mapper: mapper(t, "", names), Salt: salt, Acceptances: known})
	if want := (Counts{StatusUnchanged: 1, StatusPending: 2}); !cmp.Equal(want, plan.Counts) || plan.Changed != 1 {
		t.Errorf("counts are %v with %d changed, want %v with 1", plan.Counts, plan.Changed, want)
	}
	if row := store.rows[2]; row.Status != StatusUnchanged || row.ReferenceID != "44" || row.Payload != nil {
		t.Errorf("the row that did not change is planned as %+v", row)
	}
	source.next = 0
	plan, _ = makePlan(t, &Planner{Source: source, Mapper: mapper(t, "", names), Salt: []byte("another"), Acceptances: known})
	if plan.Counts[StatusUnchanged] != 0 {
		t.Error("digests made with another salt were taken for the same")
	}
}

// A person who may be unchanged is sent again while that is in doubt, and holds no run.
func TestPlanSendsWhatIsInDoubt(t *testing.T) {
	names := []string{"unique_id", "first_name"}
	salt := []byte("salt")
	_, before := makePlan(t, &Planner{Source: &rowsSource{names: names, rows: []string{"1|Ann", "2|Bo", "3|Cy", "4|Di"}}, Mapper: mapper(t, "", names), Salt: salt})
	known := acceptances{}
	for _, row := range before.rows {
		known[row.Key] = Acceptance{Hash: row.Hash, ReferenceID: "44", IsDoubted: row.Row != 5}
	}
	make := func(everybody bool) (Plan, *memoryStore) {
		source := &rowsSource{names: names, rows: []string{"1|Ann", "1|Ann", "2|Bob", "3|Cy", "4|Di", "5|Eve"}}
		return makePlan(t, &Planner{Source: source, Mapper: mapper(t, "", names), Salt: salt, Acceptances: known, Everybody: everybody, Digest: true})
	}
	plan, store := make(false)
	if want := (Counts{StatusPending: 4, StatusUnchanged: 1, StatusDuplicate: 1}); !cmp.Equal(want, plan.Counts) || plan.Doubted != 2 || plan.Changed != 1 {
		t.Errorf("counts are %v with %d changed and %d in doubt, want %v with 1 and 2", plan.Counts, plan.Changed, plan.Doubted, want)
	}
	if row := store.rows[2]; row.Status != StatusPending || len(row.Payload) == 0 || row.ReferenceID != "" {
		t.Errorf("the row in doubt is planned as %+v", row)
	}
	if want := []string{"People who seem unchanged are sent again (2): the journal was restored or failed over since they were accepted."}; !cmp.Equal(want, plan.Notes) {
		t.Errorf("the notes are %q", plan.Notes)
	}
	for most, isHeld := range map[int]bool{1: true, 2: false} { // one is changed, one is new
		if held := (Limits{MaxChanged: Limit{Set: true, Count: most}}).Judge(plan, RunInfo{}); (len(held) > 0) != isHeld {
			t.Errorf("with max-changed %d: %q", most, held)
		}
	}
	all, _ := make(true)
	if want := (Counts{StatusPending: 5, StatusDuplicate: 1}); !cmp.Equal(want, all.Counts) || all.Doubted != 2 || all.Same != 1 || len(all.Notes) != 0 {
		t.Errorf("of everybody: %v with %d the same and %d in doubt, %q", all.Counts, all.Same, all.Doubted, all.Notes)
	}
	for key, accepted := range known {
		accepted.IsDoubted = false
		known[key] = accepted
	}
	if certain, _ := make(true); certain.Digest != all.Digest {
		t.Error("doubt changes the digest of what is sent")
	}
}

// Batches travel between two goroutines and are used again: what one row leaves
// must not show in another.
// Plans that send the same to the same target have the same digest, and others have not.
func TestPlanDigest(t *testing.T) {
	names := []string{"unique_id", "login_source", "first_name"}
	digest := func(target string, salt []byte, everybody bool, known acceptances, rows ...string) string {
		p := &Planner{
			Source: &rowsSource{names: names, rows: rows}, Mapper: mapper(t, "", names),
			Target: target, Salt: salt, Digest: true, Everybody: everybody,
		}
		if known != nil {
			p.Acceptances = known
		}
		plan, _ := makePlan(t, p)
		return plan.Digest
	}
	salt := []byte("s")
	rows := []string{"1|SSO|Ann", "2|SSO|Bo", "2|SSO|Bo"}
	want := digest("a", nil, false, nil, rows...)
	if want == "" || digest("a", salt, false, nil, rows...) != want {
		t.Error("with a salt it is another digest")
	}
	_, store := makePlan(t, &Planner{Source: &rowsSource{names: names, rows: rows}, Mapper: mapper(t, "", names), Salt: salt})
	known := acceptances{store.rows[3].Key: {Hash: store.rows[3].Hash}}
	if digest("a", salt, true, known, rows...) != want {
		t.Error("where unchanged rows are sent too, it is another digest")
	}
	for name, got := range map[string]string{
		"another target":    digest("b", nil, false, nil, rows...),
		"an unchanged row":  digest("a", salt, false, known, rows...),
		"another name":      digest("a", nil, false, nil, "1|SSO|Ann", "2|SSO|Bob", "2|SSO|Bob"),
		"another id":        digest("a", nil, false, nil, "1|SSO|Ann", "3|SSO|Bo", "3|SSO|Bo"),
		"an invalid row":    digest("a", nil, false, nil, "1|SSO|Ann", "|SSO|Bo", "2|SSO|Bo"),
		"a row less":        digest("a", nil, false, nil, rows[:2]...),
		"no duplicate":      digest("a", nil, false, nil, "1|SSO|Ann", "2|SSO|Bo", "3|SSO|Bo"),
		"two contradicting": digest("a", nil, false, nil, "1|SSO|Ann", "2|SSO|Bo", "2|SSO|Bob"),
	} {
		if got == want {
			t.Errorf("%s: the same digest", name)
		}
	}
}

func TestPlanOfManyRows(t *testing.T) {
	names := []string{"unique_id", "first_name"}
	source := &rowsSource{names: names}
	for i := range 5000 {
		source.rows = append(source.rows, fmt.Sprintf("%d|Given %d", i, i))
	}
	plan, store := makePlan(t, &Planner{Source: source, Mapper: mapper(t, "", names), Salt: []byte("salt")})
	if plan.Counts[StatusPending] != 5000 || store.batches < 10 {
		t.Fatalf("%v in %d batches", plan.Counts, store.batches)
	}
	for i := range 5000 {
		want := fmt.Sprintf(`{"unique_id":"%d","login_source":"SSO","first_name":"Given %d"}`, i, i)
		if got := string(store.rows[i+2].Payload); got != want {
			t.Fatalf("row %d has the payload %s, want %s", i+2, got, want)
		}
	}
}

// Nobody needs the payload of a row that is only checked, nor its digests.
func TestPlanWithoutSalt(t *testing.T) {
	names := []string{"unique_id", "first_name"}
	source := &rowsSource{names: names, rows: []string{"1|Ann", "2|Bo"}}
	plan, store := makePlan(t, &Planner{Source: source, Mapper: mapper(t, "", names)})
	if plan.Counts[StatusPending] != 2 {
		t.Errorf("counts %v", plan.Counts)
	}
	for number, row := range store.rows {
		if row.Payload != nil || row.Key != (Digest{}) || row.Hash != (Digest{}) {
			t.Errorf("row %d has %+v", number, row)
		}
	}
}

// What is left out before the fingerprints are sorted has no double.
func TestRepeatedKeepsEveryDouble(t *testing.T) {
	for _, size := range []int{0, 1, 2, 100, 5000} {
		random := rand.New(rand.NewPCG(1, uint64(size)))
		index := newDuplicateIndex()
		count := map[fingerprint]int{}
		for i := range size {
			f := fingerprint{high: random.Uint64(), low: random.Uint32()}
			if i%7 == 3 {
				f = index.rows.at(i / 2).fingerprint(uniqueEmail)
			}
			var r indexedRow
			if i%11 != 5 { // else it has no e-mail address
				r.high[uniqueEmail], r.low[uniqueEmail] = f.high, f.low
				count[f]++
			}
			index.rows.add(r)
		}
		delete(count, fingerprint{})
		found := 0
		list := index.repeated(uniqueEmail)
		for start, end := range groups(list) {
			group := list[start:end]
			if want := count[group[0].fingerprint()]; len(group) != want {
				t.Errorf("of %d: a group of %d, want %d", size, len(group), want)
			}
			if !slices.IsSortedFunc(group, func(a, b member) int { return int(a.sequence) - int(b.sequence) }) {
				t.Errorf("of %d: a group out of order", size)
			}
			found++
		}
		want := 0
		for _, n := range count {
			if n > 1 {
				want++
			}
		}
		if found != want {
			t.Errorf("of %d: %d groups, want %d", size, found, want)
		}
	}
}

func TestPlanCountsProblems(t *testing.T) {
	names := []string{"unique_id", "email", "date_of_birth"}
	rows := []string{"1|x|", "2|y|2004-02-31", "3|z|", "4|d@x.ca|2004-02-31", "5|d@x.ca|"}
	plan, store := makePlan(t, &Planner{Source: &rowsSource{names: names, rows: rows}, Mapper: mapper(t, "", names)})
	if p := store.rows[3].Problems; len(p) != 2 || p[0].Row != 3 || p[1].Rule != mapping.RuleBadDate || p[1].Column != 2 || p[1].Header != "date_of_birth" || p[1].Value != "2004-02-31" {
		t.Errorf("row 3 has the problems %+v", p)
	}
	var got []string
	for _, p := range plan.Problems {
		got = append(got, fmt.Sprintf("%d %s %s %d", p.Count, p.Rule, p.Header, p.Row))
	}
	want := []string{"3 bad_email email 2", "2 bad_date date_of_birth 3", "2 duplicate_email email 5"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("problems (-want +got):\n", diff)
	}
}

func TestPlanEndsWithTheSourcesError(t *testing.T) {
	names := []string{"unique_id"}
	broken := errors.New("cut short")
	for _, planner := range []*Planner{
		{Source: &rowsSource{names: names, rows: []string{"1", "2"}, fault: broken}, Store: &memoryStore{rows: map[int]PlannedRow{}}},
		{Source: &rowsSource{names: names, rows: slices.Repeat([]string{"1"}, 5000)}, Store: &memoryStore{fault: broken}},
	} {
		planner.Mapper = mapper(t, "", names)
		if _, err := planner.Make(context.Background()); !errors.Is(err, broken) {
			t.Errorf("the plan ended with %v, want %v", err, broken)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	names := []string{"unique_id", "email", "user_name", "first_name", "date_of_birth"}
	source := &rowsSource{names: names}
	for i := range 10_000 {
		source.rows = append(source.rows, fmt.Sprintf("%d|u%d@example.edu|u%d|Given|2004-03-09", i, i, i))
	}
	for b.Loop() {
		source.next = 0
		planner := Planner{Source: source, Mapper: mapper(b, "", names), Store: discardStore{}}
		if _, err := planner.Make(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(source.rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
}

type discardStore struct{}

func (discardStore) Append(context.Context, []PlannedRow) error { return nil }
func (discardStore) Amend(context.Context, []Amendment) error   { return nil }

// What only the whole column shows makes rows invalid that were fit to be sent,
// before duplicates are looked for.
func TestPlanRefusesWhatTheColumnShows(t *testing.T) {
	names := []string{"unique_id", "first_name"}
	source := &rowsSource{names: names}
	for i := range 300 {
		source.rows = append(source.rows, fmt.Sprintf("9%08d|Ann", i))
	}
	source.rows = append(source.rows, "12345678|Bo", "12345678|Bo", "900000301|Cy")
	store := &memoryStore{rows: map[int]PlannedRow{}}
	plan, err := (&Planner{Source: source, Mapper: mapper(t, "", names), Store: store}).Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Counts{StatusPending: 301, StatusInvalid: 2}, plan.Counts); diff != "" {
		t.Error(diff)
	}
	for _, row := range []int{302, 303} {
		planned := store.rows[row]
		if got := planned.Result(); got.Status != StatusInvalid || got.Field != "unique_id" ||
			!strings.HasPrefix(got.Message, `unique_id (column A): Unique ID "12345678" has 8 digits, and 301 others have 9`) {
			t.Errorf("row %d: %s %s %s", row, got.Status, got.Field, got.Message)
		}
	}
	if len(plan.Problems) != 1 || plan.Problems[0].Rule != mapping.RuleLostZeros || plan.Problems[0].Count != 2 || plan.Problems[0].Row != 302 {
		t.Errorf("the problems are %+v", plan.Problems)
	}
}
