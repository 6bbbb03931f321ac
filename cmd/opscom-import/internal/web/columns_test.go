package web

import (
	"errors"
	"fmt"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"opscom-import/mapping"
	"opscom-import/mapping/answers"
)

// term is an export whose columns leave questions.
const term = "Student ID,First Name,Pref Name,Last Name,DOB,Addr 1,Addr 2,Notes\r\n" +
	"A1,Ann,Annie,Roy,03/04/2004,1 Main St,,x\r\nA2,Bo,,Li,05/06/2003,2 Main St,Apt 3,\r\n"

// say posts an answer on the page of the columns and returns the page after it.
func (s *site) say(form ...string) string {
	s.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	status, body := s.post("/files/1/columns", values)
	if status != http.StatusOK {
		s.Fatalf("%v: status %d: %s", form, status, body)
	}
	return body
}

func TestColumnsAreAnswered(t *testing.T) {
	s := open(t)
	_, body := s.upload("students.csv", term)
	s.wants(body, "5 questions are left.", "It is Unique ID", "It is Student Number", "It is both", "Does the day or the month come first in DOB?",
		"03/04/2004 is 3 April 2004: the day comes first", "03/04/2004 is March 4, 2004: the month comes first",
		"What is the login source of everybody?", "Pref Name, and where it is blank First Name", "Addr 1, then Addr 2, in one line", "Answer the 5 questions first.", "Not sent: Notes", "disabled")
	if strings.Contains(body, "is not in the format") {
		t.Error("the example complains of a date whose order is asked for")
	}
	s.wants(s.say("column", "0", "becomes", "unique_id,student_no"), "4 questions are left.")
	s.wants(s.say("card", "login login_source", "answer", "SSO"), "3 questions are left.")
	s.wants(s.say("card", "which first_name", "answer", "first:2,1"), "2 questions are left.")
	s.wants(s.say("card", "join street", "answer", "join:5,6"), "1 question is left.")
	body = s.say("card", "date date_of_birth", "answer", "DD/MM/YYYY", "person", "1")
	s.wants(body, "Every question is answered.", "Row 3 of the file", "2 Main St Apt 3", "2003-06-05", "values?skip=1", "person=0")
	_, text := s.get("/files/1/mapping")
	s.wants(text, "student_no: Student ID", "first_name: {column: [Pref Name, First Name]}", "date: DD/MM/YYYY", "login_source: {value: SSO}")

	// The next file with these columns needs one click.
	_, body = s.upload("winter.csv", term)
	s.wants(body, "A file with the same columns was prepared on ", "5 questions are left.")
	layout := between(body, `name="layout" value="`, `"`)
	if _, body = s.post("/files/2/columns", url.Values{"do": {"remember"}, "layout": {layout}}); !strings.Contains(body, "Every question is answered.") {
		t.Errorf("the answers were not taken: %s", body)
	}

	// One with other columns keeps what still fits.
	_, body = s.upload("summer.csv", strings.NewReplacer("Notes", "Colour", "Addr 1", "Address 1").Replace(term))
	s.wants(body, "A file much like this one was prepared on ", "New columns: ", "Colour", "Another name: Addr 1 is now Address 1")
	_, body = s.post("/files/3/columns", url.Values{"do": {"remember"}, "layout": {between(body, `name="layout" value="`, `"`)}})
	s.wants(body, "The columns are not the same as before.", "I have seen it", "question is left.")
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// TestMadeUpAnswers: a form that does not belong to the file changes nothing.
func TestMadeUpAnswers(t *testing.T) {
	s := open(t)
	s.upload("students.csv", term)
	before, _ := s.server.drafts.Get(1)
	for _, form := range []url.Values{
		{}, {"column": {"99"}, "becomes": {"-"}}, {"column": {"-1"}, "becomes": {"-"}}, {"column": {"1"}, "becomes": {"colour"}},
		{"card": {"which eyes"}, "answer": {"blue"}}, {"card": {"which first_name"}, "answer": {"first:99"}}, {"do": {"remember"}, "layout": {"../../x"}},
	} {
		status, body := s.post("/files/1/columns", form)
		if status != http.StatusConflict || !strings.Contains(body, "This answer does not belong to the file as it is now") {
			t.Errorf("%v: status %d: %s", form, status, body)
		}
	}
	if after, _ := s.server.drafts.Get(1); after.Revision != before.Revision {
		t.Error("the draft was changed")
	}
}

// TestMappingFileOfAColleague: its fields are answers, and its rules are shown in words.
func TestMappingFileOfAColleague(t *testing.T) {
	s := open(t)
	s.upload("students.csv", term)
	post := func(text string) (int, string) {
		var form strings.Builder
		w := multipart.NewWriter(&form)
		file, err := w.CreateFormFile("mapping", "x.yaml")
		if err == nil {
			_, err = io.WriteString(file, text)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		r := s.request("POST", "/files/1/mapping", strings.NewReader(form.String()))
		r.Header.Set("Content-Type", w.FormDataContentType())
		return s.do(r)
	}
	_, body := post("version: 1\nsource: {where: 'col(\"Notes\") == \"\"'}\nfields:\n  unique_id: {column: Student ID, apply: ['pad:9']}\n  login_source: {value: SSO}\n" +
		"  user_name: {expr: 'lower(col(\"Student ID\"))'}\n  city: Town\n  first_name: First Name\n  street: Addr 1\n")
	s.wants(body, "To be answered again: City", "User Name follows a rule", "worked out: lower(col(&#34;Student ID&#34;))", "zeros in front, to 9 characters", "0000000A2")
	if status, body := post("fields: ["); status != http.StatusUnprocessableEntity || !strings.Contains(body, "The mapping file cannot be used") {
		t.Errorf("status %d: %s", status, body)
	}
}

// TestMistakesAreAtTheirColumn: what is wrong with a rule is said where it is, not by the
// line of a file.
func TestMistakesAreAtTheirColumn(t *testing.T) {
	f := &mapping.File{Fields: []mapping.Field{{Attribute: mapping.City, Columns: []string{"Town"}, Apply: []string{"spin"}}}}
	table := answers.Table{Header: []string{"ID", "Town"}}
	a, _ := answers.FromFile(f, table, true)
	_, err := mapping.Compile(a.File(mapping.SourceSection{}), table.Header, mapping.Options{})
	step := newColumnsStep(speaker{"en"}, &a, table, answers.Mistakes(err))
	if len(step.Lines[1].Mistakes) != 1 || !strings.Contains(step.Lines[1].Mistakes[0], "spin") || !step.Blocked {
		t.Errorf("got %+v", step)
	}
	f.Fields[0] = mapping.Field{Attribute: mapping.City, Expr: "lower("}
	_, err = mapping.Compile(f, table.Header, mapping.Options{})
	step = newColumnsStep(speaker{"en"}, &a, table, answers.Mistakes(err))
	if got := strings.Join(append(step.Lines[1].Mistakes, step.Mistakes...), "; "); !strings.Contains(got, "The rule for this does not work with this file") || strings.Contains(got, "character") {
		t.Errorf("got %s", got)
	}
}

// TestColumnsInFrench: the page is translated, and the names of columns are not, though
// they are words that OPS-COM uses too.
func TestColumnsInFrench(t *testing.T) {
	l := speaker{"fr"}
	for want, text := range map[string]answers.Text{
		"Pref Name, et là où c’est vide, First Name":  {Format: "%s, and where it is blank %s", Args: []any{"Pref Name", "First Name"}},
		"Prénom vient de First Name":                  {Format: "%s comes from %s", Args: []any{answers.Text{Format: "First Name"}, "First Name"}},
		"un nom habituel pour cela":                   {Format: "a usual name for it"},
		"4 mars 2004\u00a0: le mois vient en premier": {Format: "%s %d, %d: the month comes first", Args: []any{answers.Text{Format: "March"}, 4, 2004}},
	} {
		if got := l.say(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestHostileColumns: headers and cells are text, whatever they hold, and the page is
// made for columns without a header or with the same.
func TestHostileColumns(t *testing.T) {
	s := open(t)
	const evil = `<img src=x onerror=alert(1)>`
	_, body := s.upload("students.csv", fmt.Sprintf("ID,%s,Phone,Phone,,\"a\"\"b%%s{{.}}\"\r\n1,%s,2,3,4,5\r\n2,%s,6,7,8,9\r\n", evil, evil, evil))
	if strings.Contains(body, "<img") || !strings.Contains(body, html.EscapeString(evil)) {
		t.Errorf("a header is not shown as text: %s", body)
	}
	for column := range 6 {
		s.say("column", fmt.Sprint(column), "becomes", mapping.Attributes()[column+4].Attribute.String())
	}
	s.wants(s.say("column", "4", "becomes", "unique_id"), "column E")
	_, text := s.get("/files/1/mapping")
	s.wants(text, "(column E)", "Phone (column C)", "Phone (column D)")
}

// TestNoPersonIsRemembered: what is kept for the next file has no cell in it.
func TestNoPersonIsRemembered(t *testing.T) {
	s := open(t)
	s.upload("students.csv", "unique_id,first_name\r\nA1,Zebulon\r\n")
	s.say("card", "login login_source", "answer", "SSO")
	folder := s.server.env.Settings.State + "/web-layouts"
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	if text, err := os.ReadFile(folder + "/" + entries[0].Name()); err != nil || strings.Contains(string(text), "Zebulon") || !strings.Contains(string(text), "SSO") {
		t.Errorf("%v: %s", err, text)
	}
}

// An answer names a column by its place. A tab that shows the file that was there before
// would give it to another column.
func TestAnswersAreForTheColumnsThatWereSeen(t *testing.T) {
	s := open(t)
	const rows = "Note,unique_id,login_source,email\r\nx,1,SSO,a@example.ca\r\n"
	s.upload("students.csv", rows)
	_, body := s.get("/files/1/columns")
	form := url.Values{"column": {"2"}, "becomes": {"-"}, "columns": {between(body, `name="columns" value="`, `"`)}}
	s.send("/files/1/file", "students.csv", strings.Replace(rows, "Note,unique_id", "Note,Student", 1))
	s.get("/files/1/columns")
	before, _ := s.server.drafts.Get(1)
	status, body := s.post("/files/1/columns", form)
	s.wants(body, "This answer does not belong to the file as it is now.")
	if after, _ := s.server.drafts.Get(1); status != http.StatusConflict || after.Revision != before.Revision {
		t.Errorf("status %d, revision %d after %d", status, after.Revision, before.Revision)
	}
	_, body = s.get("/files/1/columns")
	form.Set("columns", between(body, `name="columns" value="`, `"`))
	if status, _ := s.post("/files/1/columns", form); status != http.StatusOK {
		t.Errorf("from the tab as it is now: status %d", status)
	}
}

// TestNameOfOneWord: a full name that cannot be taken apart says once what to write.
func TestNameOfOneWord(t *testing.T) {
	s := open(t)
	s.upload("students.csv", "unique_id,login_source,Name,Pref First\r\n900001,SSO,\"Roy, Ann\",\r\n900002,SSO,Cher,\r\n")
	s.post("/files/1/columns", url.Values{"card": {"name last_name"}, "answer": {"last, first"}})
	s.post("/files/1/columns", url.Values{"column": {"3"}, "becomes": {"first_name"}})
	_, body := s.get("/files/1/rows")
	if n := strings.Count(body, "The first and the last name cannot be told apart."); n != 1 {
		t.Errorf("it is said %d times:\n%s", n, body)
	}
}
