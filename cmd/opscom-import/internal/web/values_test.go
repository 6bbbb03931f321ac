package web

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/mapping"
)

// typed is a file of people by their types; the columns are certain.
func typed(types ...string) string {
	var b strings.Builder
	b.WriteString("unique_id,login_source,last_name,user_type_id,status\r\n")
	for i, one := range types {
		fmt.Fprintf(&b, "%d,SSO,Lee,%s,%s\r\n", 900000+i, one, []string{"active", "gone", ""}[i%3])
	}
	return b.String()
}

// answers posts a form of the step Values of the first file.
func (s *site) answers(form url.Values) string {
	s.Helper()
	_, body := s.get("/files/1/values")
	found := regexp.MustCompile(`name="revision" value="(\d+)"`).FindStringSubmatch(body)
	if found == nil {
		s.Fatalf("no form:\n%s", body)
	}
	form.Set("revision", found[1])
	_, body = s.post("/files/1/values", form)
	return body
}

func (s *site) lacks(body string, texts ...string) {
	s.Helper()
	for _, text := range texts {
		if strings.Contains(body, text) {
			s.Errorf("the page has %q:\n%s", text, body)
		}
	}
}

func types(form ...string) url.Values {
	values := url.Values{"form": {"types"}, "attribute": {"user_type_id"}}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	return values
}

// Every user type is confirmed, chosen or left out, and nothing is green before.
func TestValues(t *testing.T) {
	s := open(t)
	s.upload("students.csv", typed("PT", "PT", "pt", "Full Time Student", "Martian", "Alien", "N/A"))
	_, body := s.get("/files/1/values")
	s.wants(body, "3 values are left to decide.", "Part Time Student?", "Yes, PT becomes Part Time Student", `Full Time Student</option>`, "also in other capitals")
	s.lacks(body, "Next: Rows")

	body = s.answers(types("yes", "0"))
	s.wants(body, "2 values are left to decide.", `<option value="type:Part Time Student" selected>`)
	d, _ := s.server.drafts.Get(1)
	if pairs := d.Answers.Values(mapping.UserTypeID); len(pairs) != 1 || pairs[0].From != "PT" || pairs[0].To != "Part Time Student" {
		t.Errorf("the answers are %v", pairs)
	}

	index := func(value string) string {
		s.Helper()
		_, body := s.get("/files/1/values")
		found := regexp.MustCompile(`name="becomes(\d+)" aria-label="` + value + ` becomes"`).FindStringSubmatch(body)
		if found == nil {
			s.Fatalf("%s is not asked about:\n%s", value, body)
		}
		return "becomes" + found[1]
	}
	martian, alien, blank, part, full := index("Martian"), index("Alien"), index("N/A"), index("PT"), index("Full Time Student")
	body = s.answers(types(martian, outAnswer, alien, "type:Staff", blank, blankAnswer, part, "type:Part Time Student", full, keepAnswer))
	s.wants(body, "There is nothing left to answer here.", "Left out: 1 of 7 rows.", "Next: Rows", `<option value="out" selected>`)
	d, _ = s.server.drafts.Get(1)
	if d.Source.Where != `col("user_type_id") not in ["Martian"]` {
		t.Errorf("the where is %s", d.Source.Where)
	}
	_, body = s.get("/files/1/values?skip=1")
	s.wants(body, `<h1 id="title" tabindex="-1">Rows</h1>`)
	v := s.server.verdict(d)
	<-v.done
	v.users.Done()
	if v.Err != nil || v.Receipt.Counts["valid"] != 6 || v.Receipt.Counts["skipped"] != 1 {
		t.Errorf("checked: %+v, %v", v.Receipt.Counts, v.Err)
	}

	s.wants(s.answers(types(martian, "", alien, "type:Staff", blank, blankAnswer, part, "type:Part Time Student", full, keepAnswer)), "1 value is left to decide.")
	if d, _ = s.server.drafts.Get(1); d.Source.Where != "" {
		t.Errorf("taken back, the where is %s", d.Source.Where)
	}
}

func TestLeaveRowsOut(t *testing.T) {
	s := open(t)
	s.upload("students.csv", typed("1", "1", "1", "1", "1", "1"))
	_, body := s.get("/files/1/values?column=4")
	s.wants(body, "Leave out the rows where status is", "blank</label>", "2 rows", `name="out" value="2"`)
	s.lacks(body, `<option value="0"`) // all of its values differ
	body = s.answers(url.Values{"form": {"out"}, "column": {"4"}, "out": {"1", "2"}})
	s.wants(body, "Left out: 4 of 6 rows.", "2 values left out")
	if d, _ := s.server.drafts.Get(1); d.Source.Where != `col("status") not in ["gone", ""]` {
		t.Errorf("the where is %s", d.Source.Where)
	}
	s.lacks(s.answers(url.Values{"form": {"out"}, "column": {"4"}}), "Left out:")
	if d, _ := s.server.drafts.Get(1); d.Source.Where != "" {
		t.Errorf("taken back, the where is %s", d.Source.Where)
	}
}

// A form of another tab changes nothing.
func TestValuesOfAnEarlierState(t *testing.T) {
	s := open(t)
	s.upload("students.csv", typed("PT"))
	_, body := s.post("/files/1/values", types("yes", "0", "revision", "0"))
	s.wants(body, "Nothing was saved.")
	if d, _ := s.server.drafts.Get(1); len(d.Answers.Values(mapping.UserTypeID)) > 0 {
		t.Error("it was saved")
	}
}

// Where OPS-COM does not list its types, numbers can be typed.
func TestTypedUserTypes(t *testing.T) {
	s := open(t)
	s.upload("students.csv", typed("PT", "12"))
	d, _ := s.server.drafts.Get(1)
	values, _, err := s.server.valuesOf(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	tables := valueTables(d, values, app.UserTypes{Denied: true})
	if len(tables) != 1 || len(tables[0].Choices) > 0 || tables[0].Open != 1 {
		t.Fatalf("asked about %+v", tables)
	}
	for _, typed := range []string{" 3 ", "3"} {
		takeValues(&d, valueTables(d, values, app.UserTypes{Denied: true}), types("becomes0", keepAnswer, "typed1", typed))
		if pairs := d.Answers.Values(mapping.UserTypeID); len(pairs) != 1 || pairs[0].From != "PT" || pairs[0].To != "3" {
			t.Errorf("the answers are %v", pairs)
		}
	}
}

// A user type that OPS-COM does not have any more is asked about again, and one that is
// named by its number is shown by its name.
func TestUserTypeIsGone(t *testing.T) {
	s := open(t)
	s.upload("students.csv", typed("PT", "FT"))
	d, _ := s.server.drafts.Get(1)
	d.Answers.SetValues(mapping.UserTypeID, []mapping.ValuePair{{From: "PT", To: "2"}, {From: "FT", To: "99"}})
	values, list, err := s.server.valuesOf(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	table := valueTables(d, values, list)[0]
	lines := map[string]valueLine{}
	for _, line := range table.Values {
		lines[line.Text] = line
	}
	if pt, ft := lines["PT"], lines["FT"]; table.Open != 1 || pt.IsOpen || pt.Answer != "type:Part Time Student" || !ft.IsGone || ft.Answer != "type:99" {
		t.Errorf("%d are open: %+v", table.Open, table.Values)
	}
}

// What a colleague's mapping says is shown in words and stays.
func TestColleaguesRule(t *testing.T) {
	s := open(t)
	s.upload("students.csv", typed("PT", "FT"))
	d, _ := s.server.drafts.Get(1)
	d.Source.Where = `status == "active"`
	values, list, err := s.server.valuesOf(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	card := leaveOutOf(d, values, "4")
	if !card.Rule || card.Left != 1 || len(card.Columns) > 0 {
		t.Errorf("shown as %+v", card)
	}
	takeOut(&d, values, url.Values{"column": {"4"}, "out": {"0"}})
	takeValues(&d, valueTables(d, values, list), types("becomes0", outAnswer))
	if d.Source.Where != `status == "active"` {
		t.Errorf("the rule became %s", d.Source.Where)
	}
}

// A file that takes the place of another may lack the column by which rows were left out.
func TestRuleDoesNotFitAnyMore(t *testing.T) {
	s := open(t)
	s.upload("students.csv", typed("1", "1", "1", "1"))
	if _, err := s.server.drafts.Change(1, func(d *draft.Draft) error {
		d.Source.Where = `col("Campus") not in ["West"]`
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, body := s.get("/files/1/values?skip=1")
	s.wants(body, "1 value is left to decide.", "names a column that the file does not have now")
	s.wants(s.answers(url.Values{"form": {"all"}}), "There is nothing left to answer here.")
}

// When OPS-COM does not answer, the step says so and numbers are typed.
func TestValuesOffline(t *testing.T) {
	s := open(t, "--url", "http://127.0.0.1:1", "--client", "TOMA", "--token-file", writeToken(t), "--insecure-http", "--max-attempts", "1")
	s.upload("students.csv", typed("PT", "12", "12"))
	if _, err := s.server.drafts.Change(1, func(d *draft.Draft) error {
		d.Sandbox = false
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, body := s.get("/files/1/values")
	_, rows := s.get("/files/1/rows")
	s.wants(rows, `class="box ask"`, "1 value is left to decide.")
	s.lacks(rows, "rows are fine")
	s.wants(body, "OPS-COM cannot be asked for its user types now. Type the number of each", "1 value is left to decide.", "Number for PT", "as it is")
	index := regexp.MustCompile(`name="typed(\d+)"[^>]*aria-label="Number for PT"`).FindStringSubmatch(body)
	if index == nil {
		t.Fatal("nothing to type into")
	}
	s.wants(s.answers(types("typed"+index[1], "7", "becomes"+string('0'+'1'-index[1][0]), keepAnswer)), "There is nothing left to answer here.", `value="7"`)
}

func writeToken(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("t"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestValuesBeforeTheColumns: while a column is asked about, nothing is done or green.
func TestValuesBeforeTheColumns(t *testing.T) {
	s := open(t)
	s.upload("students.csv", "unique_id,Given,Phone\r\n900001,Ann,705-555-0101\r\n")
	_, body := s.get("/files/1/values")
	s.wants(body, "questions are left.", "Back to the columns")
	s.lacks(body, "box good", "Next: Rows", `class="done"><a href="`+s.server.link("/files/1/columns"))
}

func TestMissingWord(t *testing.T) {
	s := open(t)
	var b strings.Builder
	b.WriteString("unique_id,login_source,last_name\r\n")
	for i := range 90 {
		fmt.Fprintf(&b, "%d,SSO,%s\r\n", 900000+i, []string{"NULL", "ROY", "LEE"}[i%3])
	}
	s.upload("students.csv", b.String())
	_, body := s.get("/files/1/values?skip=1")
	s.wants(body, "1 value is left to decide.", "“NULL”", "Count it as blank")
	body = s.answers(url.Values{"form": {"word"}, "attribute": {"last_name"}, "word": {"NULL"}, "answer": {"blank"}})
	s.wants(body, "There is nothing left to answer here.")
	if d, _ := s.server.drafts.Get(1); len(d.Source.MissingValues) != 1 {
		t.Errorf("missing: %q", d.Source.MissingValues)
	}
}

// A template that was filled in leads to its rows: no step before asks anything.
func TestTemplateRoundTrip(t *testing.T) {
	s := open(t)
	status, body := s.get("/template.xlsx")
	if status != http.StatusOK {
		t.Fatalf("status %d: %.100s", status, body)
	}
	book, err := excelize.OpenReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close() // only read, and written below
	rows, err := book.GetRows("People")
	if err != nil {
		t.Fatal(err)
	}
	for header, value := range map[string]string{
		"Unique ID (required)": "000543678", "Login Source (required)": "SSO", "Last Name": "Roy", "Province or State": "ON",
		"User Type": "Staff", "Date of Birth (YYYY-MM-DD)": "2004-03-02",
	} {
		column, err := excelize.ColumnNumberToName(slices.Index(rows[0], header) + 1)
		if err == nil {
			err = book.SetCellStr("People", column+"2", value)
		}
		if err != nil {
			t.Fatalf("%s: %v", header, err)
		}
	}
	filled, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	_, body = s.upload("people.xlsx", filled.String())
	s.wants(body, `<h1 id="title" tabindex="-1">Rows</h1>`, "The row is fine.")
}
