package answers_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"opscom-import/mapping"
	"opscom-import/mapping/answers"
	"opscom-import/mapping/suggest"
)

// table makes a table of lines of cells, parted by |, the header first.
func table(lines ...string) answers.Table {
	today := time.Date(2026, 9, 3, 0, 0, 0, 0, time.UTC)
	split := func(line string) []string {
		cells := strings.Split(line, "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		return cells
	}
	t := answers.Table{Header: split(lines[0])}
	for column := range t.Header {
		t.Dates = append(t.Dates, mapping.NewDateFormatDetector([]int{column}, today))
	}
	var rows [][]mapping.Cell
	for i, line := range lines[1:] {
		var row []mapping.Cell
		for _, text := range split(line) {
			row = append(row, mapping.Cell{Text: text})
		}
		for _, d := range t.Dates {
			d.Add(i+2, row)
		}
		rows = append(rows, row)
	}
	t.Suggestions = suggest.Columns(t.Header, rows)
	return t
}

// fullAndPreferred is a table with full names and preferred first names.
func fullAndPreferred() answers.Table {
	return table("unique_id|login_source|Name|Pref First", "9001|SSO|Li, Ann|", "9002|SSO|Roy, Max Eric|Maxi")
}

const preferredFields = `unique_id: unique_id
login_source: login_source
first_name: {expr: 'trim(col("Pref First")) != "" ? col("Pref First") : given_name(col("Name"))'}
last_name: {expr: family_name(col("Name"))}`

// show writes the mapping, a field a line.
func show(t *testing.T, a answers.Answers) string {
	t.Helper()
	text, err := a.File(mapping.SourceSection{}).Format()
	if err != nil {
		t.Fatal(err)
	}
	_, fields, _ := strings.Cut(string(text), "fields:")
	return strings.Trim(strings.ReplaceAll(fields, "\n  ", "\n"), "\n")
}

// states writes how it stands with each column, and with each card.
func states(a answers.Answers, t answers.Table) string {
	var b strings.Builder
	for _, l := range a.Lines(t) {
		fmt.Fprintf(&b, "%s %s: %s", l.Letter, l.Header, [...]string{"unmatched", "open", "in card", "certain", "answered"}[l.State])
		for _, g := range l.Gives {
			fmt.Fprintf(&b, " %s", g)
		}
		for _, g := range l.Possible {
			fmt.Fprintf(&b, " %s?", g)
		}
		b.WriteByte('\n')
	}
	for _, c := range a.Cards(t) {
		fmt.Fprintf(&b, "%s %v", c.ID(), c.IsOpen)
		for _, o := range c.Options {
			if c.Kind != answers.NoColumn {
				fmt.Fprintf(&b, " [%s]", o.Value)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// store writes the answers as JSON and reads them again, as a draft does.
func store(t *testing.T, a answers.Answers) answers.Answers {
	t.Helper()
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var read answers.Answers
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(read)
	if err != nil || string(again) != string(text) {
		t.Errorf("%v: stored as %s, read as %s", err, text, again)
	}
	return read
}

func banner() answers.Table {
	return table("Term|Banner ID|Legal Last Name|Legal First Name|Preferred First Name|DOB|E-mail|Addr 1|Addr 2|State/Province|Student Type|Notes",
		"202701|000543678|Ivanova|Grace|Chloé|03/02/2003|givanova01@example.ca|8 av. Ain||QC|EX|x",
		"202701|000543679|Ivan|Gracie||03/04/2003|givanova02@example.ca|9 av. Ain|Apt 2|QC|FT|")
}

// answer is one thing that a person says.
type answer func(a *answers.Answers) error

func column(column int, attributes ...mapping.Attribute) answer {
	return func(a *answers.Answers) error { a.SetColumn(column, attributes...); return nil }
}

func card(id, value string) answer {
	return func(a *answers.Answers) error { return a.Answer(id, value) }
}

func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		name    string
		table   answers.Table
		answers []answer
		open    int
		states  []string // lines that are among those of states
		fields  string   // "" to leave out
	}{
		{name: "nothing was said", table: banner(), open: 5,
			states: []string{"A Term: unmatched", "C Legal Last Name: certain last_name", "D Legal First Name: in card first_name", "E Preferred First Name: in card first_name",
				"F DOB: certain date_of_birth", "H Addr 1: in card street", "K Student Type: open user_type_id?", "L Notes: unmatched",
				"login login_source true", "which first_name true [first:4,3] [first:3,4] [first:4] [first:3]",
				"join street true [join:7,8] [first:7,8] [first:8,7] [first:7] [first:8]", "date date_of_birth true [DD/MM/YYYY] [MM/DD/YYYY]"},
			fields: "unique_id: Banner ID\nlast_name: Legal Last Name\nemail: E-mail\nprovince: State/Province\ndate_of_birth: DOB"},
		{name: "everything was said", table: banner(), open: 0,
			answers: []answer{column(10), card("login login_source", " SSO "), card("which first_name", "first:4,3"), card("join street", "join:7,8"), card("date date_of_birth", "MM/DD/YYYY")},
			states:  []string{"D Legal First Name: answered first_name", "I Addr 2: answered street", "K Student Type: answered", "which first_name false [first:4,3] [first:3,4] [first:4] [first:3]"},
			fields: "unique_id: Banner ID\nlogin_source: {value: SSO}\nfirst_name: {column: [Preferred First Name, Legal First Name]}\nlast_name: Legal Last Name\nemail: E-mail\n" +
				`street: {expr: trim(col("Addr 1") + " " + col("Addr 2"))}` + "\nprovince: State/Province\ndate_of_birth: {column: DOB, date: MM/DD/YYYY}"},
		{name: "the legal name alone", table: banner(), open: 4, answers: []answer{card("which first_name", "first:3")},
			states: []string{"D Legal First Name: answered first_name", "E Preferred First Name: answered", "which first_name false [first:4,3] [first:3,4] [first:4] [first:3]"}},
		{name: "the card is answered in a line", table: banner(), open: 5, answers: []answer{column(4)},
			states: []string{"D Legal First Name: open first_name?", "E Preferred First Name: answered"}},
		{name: "two columns for one thing are a question", table: banner(), open: 6, answers: []answer{column(11, mapping.Email)},
			states: []string{"L Notes: answered email", "which email true [first:6,11] [first:11,6] [first:6] [first:11]"}},
		{name: "and none, when one is taken back", table: banner(), open: 5, answers: []answer{column(11, mapping.Email), column(6)},
			states: []string{"L Notes: answered email", "G E-mail: answered"}},
		{name: "a choice between two, and then neither", table: banner(), open: 5, answers: []answer{column(11, mapping.Email), card("which email", "first:11,6"), column(11)},
			states: []string{"G E-mail: answered email", "L Notes: answered"}},
		{name: "a certain column is left out", table: banner(), open: 6, answers: []answer{column(1)},
			states: []string{"B Banner ID: answered", "column unique_id true"}},
		{name: "another id is chosen", table: banner(), open: 5, answers: []answer{column(1), card("column unique_id", "first:0")},
			states: []string{"A Term: answered unique_id", "B Banner ID: answered"}},
		{name: "a column gives two things", table: banner(), open: 5, answers: []answer{column(1, mapping.UniqueID, mapping.StudentNumber)},
			states: []string{"B Banner ID: answered unique_id student_no"}},
		{name: "the login source comes from a column after all", table: banner(), open: 4, answers: []answer{card("login login_source", "SSO"), column(0, mapping.LoginSource)},
			states: []string{"A Term: answered login_source"}},
		{name: "a full name", table: table("ID|Login Source|Name", "9001|SSO|Li, Ann", "9002|SSO|Roy, Max Eric"), answers: []answer{column(0, mapping.UniqueID), column(1, mapping.LoginSource)}, open: 1,
			states: []string{"C Name: in card first_name last_name", "name last_name true [last, first] [first last] [last first] [first, last]"}},
		{name: "is split", table: table("ID|Login Source|Name", "9001|SSO|Li, Ann", "9002|SSO|Roy, Max Eric"), open: 0,
			answers: []answer{column(0, mapping.UniqueID), column(1, mapping.LoginSource), card("name last_name", "last, first")},
			fields:  `unique_id: ID` + "\nlogin_source: Login Source\n" + `first_name: {expr: given_name(col("Name"))}` + "\n" + `last_name: {expr: family_name(col("Name"))}`},
		{name: "is not a name", table: table("ID|Login Source|Name", "9001|SSO|Li, Ann"), open: 0,
			answers: []answer{column(0, mapping.UniqueID), column(1, mapping.LoginSource), column(2)}},
		{name: "is asked for", table: banner(), open: 6, answers: []answer{func(a *answers.Answers) error { a.AskFullName(11); return nil }},
			states: []string{"C Legal Last Name: answered", "E Preferred First Name: in card first_name", "L Notes: in card first_name last_name", "name last_name true [last, first] [first last] [last first] [first, last]"}},
		{name: "and answered", table: banner(), open: 6, answers: []answer{func(a *answers.Answers) error { a.AskFullName(11); return nil }, card("name last_name", "first last")},
			states: []string{"E Preferred First Name: open first_name?", "L Notes: answered first_name last_name"}},
		{name: "a full name without a comma is asked about", table: table("unique_id|login_source|Full Name", "9001|SSO|Ann Li", "9002|SSO|Prince"), open: 1,
			states: []string{"C Full Name: in card first_name last_name", "name last_name true [last, first] [first last] [last first] [first, last]"}},
		{name: "a name with commas is no last name", table: table("unique_id|login_source|Name|Pref First", "9001|SSO|Li, Ann|", "9002|SSO|Roy, Max Eric|Maxi", "9003|SSO|Cher|"), open: 2,
			states: []string{"C Name: in card first_name last_name", "D Pref First: open first_name?"}},
		{name: "a preferred name goes before the part of a full name", table: fullAndPreferred(), open: 0,
			answers: []answer{func(a *answers.Answers) error { a.AskFullName(2); return nil }, card("name last_name", "last, first"), column(3, mapping.FirstName)},
			states:  []string{"D Pref First: answered first_name", "which first_name false [first:3,2] [first:3] [first:2]", "name last_name false [last, first] [first last] [last first] [first, last]"},
			fields:  preferredFields},
		{name: "in any order of the answers", table: fullAndPreferred(), open: 0,
			answers: []answer{column(3, mapping.FirstName), func(a *answers.Answers) error { a.AskFullName(2); return nil }, column(3, mapping.FirstName), card("name last_name", "last, first")},
			fields:  preferredFields},
		{name: "unless only the full name counts", table: fullAndPreferred(), open: 0,
			answers: []answer{func(a *answers.Answers) error { a.AskFullName(2); return nil }, card("name last_name", "last, first"), column(3, mapping.FirstName), card("which first_name", "first:2")},
			fields:  "unique_id: unique_id\nlogin_source: login_source\n" + `first_name: {expr: given_name(col("Name"))}` + "\n" + `last_name: {expr: family_name(col("Name"))}`},
		{name: "or only the preferred one", table: fullAndPreferred(), open: 0,
			answers: []answer{func(a *answers.Answers) error { a.AskFullName(2); return nil }, card("name last_name", "last, first"), column(3, mapping.FirstName), card("which first_name", "first:3")},
			fields:  "unique_id: unique_id\nlogin_source: login_source\nfirst_name: Pref First\n" + `last_name: {expr: family_name(col("Name"))}`},
		{name: "headers that are blank, or there twice", table: table("unique_id|login_source|Email|Email||", "9001|SSO|a@x.example|b@x.example|Ann|Roy"), open: 0,
			answers: []answer{column(3, mapping.Email), column(4, mapping.FirstName), column(5, mapping.LastName)},
			states:  []string{"C Email: unmatched", "D Email: answered email"},
			fields:  "unique_id: unique_id\nlogin_source: login_source\nfirst_name: (column E)\nlast_name: (column F)\nemail: Email (column D)"},
		{name: "accepted names", table: table("unique_id|login_source|province|state", "9001|SSO|ON|"), open: 0,
			states: []string{"C province: certain province", "D state: certain province"},
			fields: "unique_id: unique_id\nlogin_source: login_source\nprovince: {column: [province, state]}"},
		{name: "of which one is left out", table: table("unique_id|login_source|province|state", "9001|SSO|ON|"), open: 0, answers: []answer{column(3)},
			states: []string{"C province: certain province", "D state: answered"},
			fields: "unique_id: unique_id\nlogin_source: login_source\nprovince: province"},
		{name: "nothing at all", table: table("x"), open: 2, states: []string{"login login_source true", "column unique_id true"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := answers.New(tc.table)
			for _, say := range tc.answers {
				if err := say(&a); err != nil {
					t.Fatal(err)
				}
				a = store(t, a)
			}
			got := states(a, tc.table)
			if a.Open() != tc.open {
				t.Errorf("%d questions are open, want %d:\n%s", a.Open(), tc.open, got)
			}
			for _, line := range tc.states {
				if !strings.Contains(got, line+"\n") {
					t.Errorf("there is no line %q in\n%s", line, got)
				}
			}
			if fields := show(t, a); tc.fields != "" && fields != tc.fields {
				t.Errorf("the mapping is\n%s\nwant\n%s", fields, tc.fields)
			}
			if a.Open() == 0 {
				_, err := mapping.Compile(a.File(mapping.SourceSection{}), tc.table.Header, mapping.Options{Today: time.Now()})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestLoginSourceOfSettings: what the settings say is no question.
func TestLoginSourceOfSettings(t *testing.T) {
	x := table("unique_id", "9001")
	x.LoginSource = "SSO"
	a := answers.New(x)
	if fields := show(t, a); a.Open() != 0 || fields != "unique_id: unique_id\nlogin_source: {value: SSO}" {
		t.Errorf("%d questions, and the mapping is %s", a.Open(), fields)
	}
	if err := a.Answer("login login_source", "LDAP"); err != nil {
		t.Fatal(err)
	}
	if fields := show(t, a); fields != "unique_id: unique_id\nlogin_source: {value: LDAP}" {
		t.Errorf("the mapping is %s", fields)
	}
}

// TestNoSample: what is stored has no cell of the table.
func TestNoSample(t *testing.T) {
	text, err := json.Marshal(answers.New(banner()))
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range []string{"000543678", "Ivan", "Chlo", "2003", "givanova", "av. Ain", "EX"} {
		if strings.Contains(string(text), cell) {
			t.Errorf("%q is in %s", cell, text)
		}
	}
}

// TestDateCard: the two readings of a date are written out.
func TestDateCard(t *testing.T) {
	x := banner()
	a := answers.New(x)
	for _, c := range a.Cards(x) {
		if c.Kind != answers.DateOrder {
			continue
		}
		if c.Options[0].Text.String() != "3 February 2003: the day comes first" || c.Options[1].Text.String() != "March 2, 2003: the month comes first" || c.Options[0].Example != "03/02/2003" {
			t.Errorf("got %v", c.Options)
		}
		return
	}
	t.Error("no card asks for the order of day and month")
}

// TestRefusedAnswers: a form that was made up changes nothing.
func TestRefusedAnswers(t *testing.T) {
	for _, say := range []struct{ id, value string }{
		{"", ""}, {"which", "first:1"}, {"which first_name", "first:99"}, {"which first_name", "first:1,1"}, {"which first_name", "last:1"},
		{"date date_of_birth", "YYYY"}, {"name last_name", "last, first"}, {"colour eyes", "blue"},
	} {
		a := answers.New(banner())
		before := a
		if err := a.Answer(say.id, say.value); err == nil || !reflect.DeepEqual(a, before) {
			t.Errorf("%v: error %v", say, err)
		}
	}
}

func TestFit(t *testing.T) {
	x := banner()
	a := answers.New(x)
	for _, say := range []answer{column(10, mapping.UserTypeID), card("login login_source", "SSO"), card("which first_name", "first:4,3"), card("join street", "join:7,8"), card("date date_of_birth", "DD/MM/YYYY"), column(11, mapping.City)} {
		if err := say(&a); err != nil {
			t.Fatal(err)
		}
	}
	a.SetValues(mapping.UserTypeID, []mapping.ValuePair{{From: "FT", To: "1"}, {From: "EX", To: "2"}})
	for _, tc := range []struct {
		name   string
		table  answers.Table
		want   answers.Changes
		open   int
		fields string // some of them
	}{
		{"the same", banner(), answers.Changes{}, 0, "date: DD/MM/YYYY"},
		{"columns moved", table("Notes|DOB|Student Type|State/Province|Addr 2|Addr 1|E-mail|Preferred First Name|Legal First Name|Legal Last Name|Banner ID|Term",
			"x|03/02/2003|EX|QC||8 av. Ain|g@example.ca|Chloé|Grace|Ivanova|000543678|202701", "x|03/02/2003|FT|QC||8 av. Ain|h@example.ca|Chloé|Grace|Ivan|000543679|202701"),
			answers.Changes{}, 0, `street: {expr: trim(col("Addr 1") + " " + col("Addr 2"))}`},
		{"a column is new", table("Term|Banner ID|Legal Last Name|Legal First Name|Preferred First Name|DOB|Colour|E-mail|Addr 1|Addr 2|State/Province|Student Type|Notes",
			"202701|000543678|Ivanova|Grace|Chloé|03/02/2003|red|givanova01@example.ca|8 av. Ain||QC|EX|x"),
			answers.Changes{New: []string{"Colour"}}, 0, "first_name: {column: [Preferred First Name, Legal First Name]}"},
		{"two are gone", table("Term|Banner ID|Legal Last Name|Legal First Name|DOB|E-mail|Addr 1|State/Province|Student Type|Notes",
			"202701|000543678|Ivanova|Grace|03/02/2003|givanova01@example.ca|8 av. Ain|QC|EX|x"),
			answers.Changes{Gone: []string{"Preferred First Name", "Addr 2"}, Lost: []mapping.Attribute{mapping.Street}}, 0, "first_name: Legal First Name\n"},
		{"one has another name", table("Term|Banner ID|Legal Last Name|Legal First Name|Preferred First Name|DOB|E-mail|Addr 1|Addr 2|State/Province|Student Types|Notes",
			"202701|000543678|Ivanova|Grace|Chloé|03/02/2003|givanova01@example.ca|8 av. Ain||QC|EX|x", "202701|000543679|Ivan|Grace|Chloé|03/02/2003|givanova02@example.ca|8 av. Ain||QC|FT|x"),
			answers.Changes{Renamed: []answers.Rename{{From: "Student Type", To: "Student Types"}}}, 1, "city: Notes"},
		{"one of two has another name", table("Term|Banner ID|Legal Last Name|Legal First Name|Preferred First Nam|DOB|E-mail|Addr 1|Addr 2|State/Province|Student Type|Notes",
			"202701|000543678|Ivanova|Grace|Chloé|03/02/2003|givanova01@example.ca|8 av. Ain||QC|EX|x"),
			answers.Changes{Renamed: []answers.Rename{{From: "Preferred First Name", To: "Preferred First Nam"}}}, 1, "first_name: Legal First Name\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fitted, changes := a.Fit(tc.table)
			fitted = store(t, fitted)
			if !reflect.DeepEqual(changes, tc.want) {
				t.Errorf("the changes are %+v, want %+v", changes, tc.want)
			}
			if fitted.Open() != tc.open || !strings.Contains(show(t, fitted), tc.fields) {
				t.Errorf("%d questions are open, want %d; the mapping is\n%s\n%s", fitted.Open(), tc.open, show(t, fitted), states(fitted, tc.table))
			}
			if _, err := mapping.Compile(fitted.File(mapping.SourceSection{}), tc.table.Header, mapping.Options{Today: time.Now()}); err != nil {
				t.Error(err)
			}
			if again, _ := fitted.Fit(tc.table); again.Open() != tc.open {
				t.Errorf("%d questions are open when the same table is read again", again.Open())
			}
			if got := fitted.Values(mapping.UserTypeID); len(got) != 2 {
				t.Errorf("of the values there are %v", got)
			}
		})
	}
}

const colleague = `version: 1
fields:
  unique_id: {column: Banner ID, apply: ["pad:9"]}
  login_source: {value: SSO}
  first_name: {column: [Preferred First Name, Legal First Name]}
  street: {expr: 'trim(col("Addr 1") + " " + col("Addr 2"))'}
  city: {expr: 'upper(col("Notes"))'}
  phone_cell: {column: Cell, apply: [phone]}
  user_type_id:
    column: Student Type
    values: {FT: "1", EX: "2"}
`

func TestFromFile(t *testing.T) {
	f, err := mapping.Parse("", []byte(colleague))
	if err != nil {
		t.Fatal(err)
	}
	x := banner()
	a, lost := answers.FromFile(f, x, false)
	a = store(t, a)
	if !slices.Equal(lost, []mapping.Attribute{mapping.CellPhone}) {
		t.Errorf("lost are %v", lost)
	}
	got := states(a, x)
	for _, line := range []string{"B Banner ID: answered unique_id", "C Legal Last Name: open last_name?", "E Preferred First Name: answered first_name", "F DOB: open date_of_birth?",
		"G E-mail: open email?", "I Addr 2: answered street", "L Notes: answered city", "A Term: unmatched", "rule city false"} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("there is no line %q in\n%s", line, got)
		}
	}
	fields := show(t, a)
	for _, field := range []string{`unique_id: {column: Banner ID, apply: ['pad:9']}`, `city: {expr: upper(col("Notes"))}`, `street: {expr: trim(col("Addr 1") + " " + col("Addr 2"))}`} {
		if !strings.Contains(fields, field+"\n") {
			t.Errorf("there is no field %q in\n%s", field, fields)
		}
	}
	if err := a.Answer("rule city", ""); err != nil || strings.Contains(show(t, a), "city:") {
		t.Errorf("%v: the rule is still there", err)
	}
	all, _ := answers.FromFile(f, x, true)
	if all.Open() != 0 {
		t.Errorf("%d questions are open although the file says everything:\n%s", all.Open(), states(all, x))
	}
}

// TestRemembered: the mapping of answers gives the same mapping again, and no question.
func TestRemembered(t *testing.T) {
	x := banner()
	a := answers.New(x)
	for _, say := range []answer{column(10, mapping.UserTypeID), card("login login_source", "SSO"), card("which first_name", "first:4,3"), card("join street", "join:7,8"), card("date date_of_birth", "DD/MM/YYYY")} {
		if err := say(&a); err != nil {
			t.Fatal(err)
		}
	}
	text, err := a.File(mapping.SourceSection{}).Format()
	if err != nil {
		t.Fatal(err)
	}
	f, err := mapping.Parse("", text)
	if err != nil {
		t.Fatal(err)
	}
	again, lost := answers.FromFile(f, x, true)
	if show(t, again) != show(t, a) || again.Open() != 0 || lost != nil {
		t.Errorf("%d questions, %v lost, and the mapping is\n%s\nwant\n%s", again.Open(), lost, show(t, again), show(t, a))
	}
}

func TestOpenValues(t *testing.T) {
	a := answers.New(banner())
	types := []mapping.UserType{{ID: "1", Name: "Full Time"}, {ID: "2", Name: "Visitor"}, {ID: "3", Name: "visitor"}}
	values := []string{"FT", "full  time", "Visitor", "1", "9", ""}
	if open := a.OpenValues(mapping.UserTypeID, values, types); !slices.Equal(open, []string{"FT", "Visitor", "9"}) {
		t.Errorf("open are %q", open)
	}
	a.SetValues(mapping.UserTypeID, []mapping.ValuePair{{From: "ft", To: "1"}, {From: "9", To: ""}})
	if open := a.OpenValues(mapping.UserTypeID, values, types); !slices.Equal(open, []string{"Visitor"}) {
		t.Errorf("open are %q", open)
	}
}

func TestWords(t *testing.T) {
	sso := "SSO"
	for want, f := range map[string]mapping.Field{
		"“Pref Name”, or “First Name” where it is blank": {Columns: []string{"Pref Name", "First Name"}},
		"always SSO":                 {Value: &sso},
		`worked out: col("A") + "x"`: {Expr: `col("A") + "x"`},
		"“ID”; zeros in front, to 9 characters; a row without it is not sent": {Columns: []string{"ID"}, Apply: []string{"pad:9"}, Required: true},
		"“DOB”; the dates are read as DD/MM/YYYY":                             {Columns: []string{"DOB"}, Date: "DD/MM/YYYY"},
		"“Cell”; phone numbers written alike; a blank empties it in OPS-COM":  {Columns: []string{"Cell"}, Apply: []string{"phone"}, Blank: "clear"},
		"“T”; 2 values become others; any other value becomes 7":              {Columns: []string{"T"}, Values: make([]mapping.ValuePair, 2), Otherwise: "7"},
		"the first that is not blank: A, B, C; a blank becomes x":             {Columns: []string{"A", "B", "C"}, Default: "x"},
	} {
		var clauses []string
		for _, text := range answers.Words(f) {
			clauses = append(clauses, text.String())
		}
		if got := strings.Join(clauses, "; "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestPageWords: no reason has a word of the mapping file.
func TestPageWords(t *testing.T) {
	x := table("Student ID|Name|Status|DOB|birth date|Phone|Addr 2|Street|Field 7|Student Type|Middle|Preferred Name|First Name|Auth|Email|Email|State|Zip|SSN|House No|Last Name",
		"A1|Roy, Ann|x|3/4/2001|4/3/2001|123|x|Main|a@b.example|FT|x|Ann|Ann|SSO|a@x.example|b@x.example|ON|K1A 0B1|1|2|Roy",
		"A2|Roy, Max|x|3/4/2001|4/3/2001|123|x|Main|a@b.example|PT|x||Max|SSO|a@x.example|b@x.example|ON|K1A 0B1|1|2|Roy")
	a := answers.New(x)
	for _, l := range a.Lines(x) {
		for _, clause := range l.Why {
			for _, word := range []string{"attribute", "profile", "expr", "Controller", "`", "date:", "_", "# or", "--"} {
				if text := clause.String(); strings.Contains(text, word) {
					t.Errorf("%s: %q has the word %q", l.Header, text, word)
				}
			}
		}
	}
}

// TestMistakes: what is wrong with a mapping is said without its lines.
func TestMistakes(t *testing.T) {
	f, err := mapping.Parse("x.yaml", []byte(colleague))
	if err != nil {
		t.Fatal(err)
	}
	_, err = mapping.Compile(f, []string{"Banner ID"}, mapping.Options{})
	mistakes := answers.Mistakes(err)
	if len(mistakes) < 4 {
		t.Fatalf("got %v", mistakes)
	}
	for _, m := range mistakes {
		if m.Attribute == mapping.NoAttribute || strings.Contains(m.Text, "yaml") {
			t.Errorf("got %v", m)
		}
	}
}

// TestNameOrders: each order takes a name apart in the mapping as in the example.
func TestNameOrders(t *testing.T) {
	for order, want := range map[answers.NameOrder][3]string{
		answers.LastCommaFirst: {"Roy, Ann Marie", "Ann Marie", "Roy"},
		answers.FirstCommaLast: {"Ann Marie, Roy", "Ann Marie", "Roy"},
		answers.FirstLast:      {"Ann Marie Roy", "Ann Marie", "Roy"},
		answers.LastFirst:      {"Roy Ann Marie", "Ann Marie", "Roy"},
	} {
		x := table("unique_id|login_source|Who", "9001|SSO|"+want[0])
		a := answers.New(x)
		a.SetFullName(2, order)
		m, err := mapping.Compile(a.File(mapping.SourceSection{}), x.Header, mapping.Options{Today: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		var r mapping.Result
		m.Map([]mapping.Cell{{Text: "9001"}, {Text: "SSO"}, {Text: want[0]}}, &r)
		first, _ := r.Profile.Get(mapping.FirstName)
		last, _ := r.Profile.Get(mapping.LastName)
		if first != want[1] || last != want[2] || len(r.Problems) > 0 {
			t.Errorf("%s: got %q and %q, %v", order, first, last, r.Problems)
		}
		for _, c := range a.Cards(x) {
			for _, o := range c.Options {
				if o.IsChosen && o.Value == string(order) && o.Example != want[1]+" | "+want[2] {
					t.Errorf("%s: the example is %q", order, o.Example)
				}
			}
		}
		if got := states(a, x); !strings.Contains(got, "C Who: answered first_name last_name") {
			t.Errorf("%s: %s", order, got)
		}
	}
}

// TestPreferredBeforeFull: the preferred name counts where there is one, and a mapping
// file that says so is understood again.
func TestPreferredBeforeFull(t *testing.T) {
	x := fullAndPreferred()
	a := answers.New(x)
	a.SetFullName(2, answers.LastCommaFirst)
	a.SetColumn(3, mapping.FirstName)
	file := a.File(mapping.SourceSection{})
	m, err := mapping.Compile(file, x.Header, mapping.Options{Today: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for preferred, want := range map[string]string{"": "Max Eric", "Maxi": "Maxi"} {
		var r mapping.Result
		m.Map([]mapping.Cell{{Text: "9002"}, {Text: "SSO"}, {Text: "Roy, Max Eric"}, {Text: preferred}}, &r)
		if got, _ := r.Profile.Get(mapping.FirstName); got != want || len(r.Problems) > 0 {
			t.Errorf("%q: got %q, want %q, %v", preferred, got, want, r.Problems)
		}
	}
	again, _ := answers.FromFile(file, x, true)
	if got := states(again, x); !strings.Contains(got, "which first_name false [first:3,2]") {
		t.Errorf("the mapping file is read as\n%s", got)
	}
	for _, l := range again.Lines(x) {
		for _, how := range l.How {
			if strings.Contains(how.String(), "col(") || how.String() == "nothing" {
				t.Errorf("column %s: %s", l.Letter, how)
			}
		}
	}
}

// TestOneWordIsNoFullName: a name of one word is a row to fix, not a person without a
// first name.
func TestOneWordIsNoFullName(t *testing.T) {
	for _, order := range []answers.NameOrder{answers.FirstLast, answers.LastFirst} {
		x := table("unique_id|login_source|Who", "9001|SSO|Ann Roy")
		a := answers.New(x)
		a.SetFullName(2, order)
		m, err := mapping.Compile(a.File(mapping.SourceSection{}), x.Header, mapping.Options{Today: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		var r mapping.Result
		m.Map([]mapping.Cell{{Text: "9002"}, {Text: "SSO"}, {Text: "Prince"}}, &r)
		if len(r.Problems) != 1 || r.Problems[0].Attribute != mapping.FirstName || r.Problems[0].Rule != mapping.RuleRequired {
			t.Errorf("%s: got %v", order, r.Problems)
		}
	}
}
