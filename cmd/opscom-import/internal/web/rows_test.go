package web

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/xuri/excelize/v2"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/mapping"
	"opscom-import/mapping/answers"
	"opscom-import/report"
)

// rowsPerson is somebody at the step Rows of a file whose columns are answered.
type rowsPerson struct {
	*testing.T
	server *Server
	id     int
	page   string // as it is shown
}

// atRows opens the step Rows of a file with a mapping.
func atRows(t *testing.T, name, text, mappingText string) *rowsPerson {
	t.Helper()
	flags := pflag.NewFlagSet("web", pflag.ContinueOnError)
	config.AddFlags(flags)
	err := flags.Parse([]string{"--config", "", "--state", t.TempDir(), "--sandbox"})
	if err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load(flags, config.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	p := &rowsPerson{T: t}
	if p.server, err = New(t.Context(), app.Env{Settings: settings, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	p.server.address.Prefix = "here"
	t.Cleanup(func() {
		if err := p.server.Close(); err != nil {
			t.Error(err)
		}
	})
	arrival, err := p.server.drafts.Receive(name, strings.NewReader(text), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	d, err := p.server.drafts.Add(arrival, func(d *draft.Draft) error { d.Sandbox = true; return nil })
	if err != nil {
		t.Fatal(err)
	}
	p.id = d.ID
	table, err := app.Columns(t.Context(), p.server.quiet(d), d.Path())
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Parse("a.mapping.yaml", []byte(mappingText))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.server.drafts.Change(d.ID, func(d *draft.Draft) error {
		d.Answers, _ = answers.FromFile(m, table, true)
		d.Source = m.Source
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for p.get(""); strings.Contains(p.page, "<progress"); { // each waits for the check for seconds
		p.get("")
	}
	return p
}

func (p *rowsPerson) do(handle func(http.ResponseWriter, *http.Request, draft.Draft), r *http.Request) *httptest.ResponseRecorder {
	r.SetPathValue("file", strconv.Itoa(p.id))
	w := httptest.NewRecorder()
	p.server.withDraft(handle)(w, r)
	return w
}

// get opens the page with this query.
func (p *rowsPerson) get(query string) {
	p.Helper()
	w := p.do(p.server.showRows, httptest.NewRequest("GET", "/files/1/rows?"+query, nil))
	p.page = w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(p.page, "</html>") {
		p.Fatalf("%s: %d\n%s", query, w.Code, p.page)
	}
}

var fieldForm = regexp.MustCompile(`<input type="(?:hidden|text)"[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"|<select id="([^"]+)"[^>]*><option value="([^"]*)" selected`)

// presses sends the form of the rows as the browser does, with what was typed into some
// cells, and the button.
func (p *rowsPerson) presses(button, value string, typed map[string]string) {
	p.Helper()
	start, end := strings.Index(p.page, `class="rows"`), strings.LastIndex(p.page, "</form>")
	if start < 0 {
		p.Fatalf("there is no form of rows:\n%s", p.page)
	}
	form := url.Values{}
	for _, field := range fieldForm.FindAllStringSubmatch(p.page[start:end], -1) {
		form.Set(html.UnescapeString(field[1]+field[3]), html.UnescapeString(field[2]+field[4]))
	}
	for _, name := range slices.Sorted(maps.Keys(typed)) {
		if !form.Has("v." + name) {
			p.Fatalf("the cell %s cannot be changed", name)
		}
		form.Set("v."+name, typed[name])
	}
	if button != "" {
		if !strings.Contains(p.page, `name="`+button+`" value="`+value+`"`) {
			p.Fatalf("there is no button %s %s in\n%s", button, value, p.page)
		}
		form.Set(button, value)
	}
	p.post(form)
}

// post sends a form, and follows where it leads.
func (p *rowsPerson) post(form url.Values) {
	p.Helper()
	r := httptest.NewRequest("POST", "/files/1/rows", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	p.follow(p.do(p.server.answerRows, r))
}

func (p *rowsPerson) follow(w *httptest.ResponseRecorder) {
	p.Helper()
	if w.Code != http.StatusSeeOther {
		p.page = w.Body.String()
		return
	}
	target, err := url.Parse(w.Header().Get("Location"))
	if err != nil || !strings.HasSuffix(target.Path, "/files/"+strconv.Itoa(p.id)+"/rows") {
		p.Fatalf("led to %v, %v", target, err)
	}
	p.get(target.RawQuery)
}

func (p *rowsPerson) draft() draft.Draft {
	d, _ := p.server.drafts.Get(p.id)
	return d
}

func (p *rowsPerson) wants(texts ...string) {
	p.Helper()
	for _, text := range texts {
		if !strings.Contains(p.page, text) {
			p.Errorf("the page lacks %q:\n%s", text, p.main())
		}
	}
}

func (p *rowsPerson) lacks(texts ...string) {
	p.Helper()
	for _, text := range texts {
		if strings.Contains(p.page, text) {
			p.Errorf("the page has %q:\n%s", text, p.main())
		}
	}
}

func withFaults(t *testing.T) *rowsPerson {
	t.Helper()
	var texts []string
	for _, name := range []string{"with-faults.csv", "with-faults.mapping.yaml"} {
		text, err := os.ReadFile(filepath.Join("../../../../samples", name))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return atRows(t, "with-faults.csv", texts[0], texts[1])
}

// Every faulty row of the sample can be fixed on the page until none is left.
func TestFixEveryRowOnThePage(t *testing.T) {
	p := withFaults(t)
	p.wants("24 rows need fixing.", "“FTE” is not one of the user types", "Use ON", "Leave this row out")
	p.lacks("mapping file", "YAML", "where the mapping")
	p.presses("use", "65.11.bad_region", nil)
	p.wants("23 rows need fixing.", `id="v.72.1" name="v.72.1" value="000556486"`, "Grace")
	p.presses("", "", map[string]string{
		"14.6": "j14@example.ca", "19.1": "000599001", "26.6": "tcote03@example.ca", "35.5": "2004-02-28", "43.14": "FT", "54.10": "Saint-Louis",
	})
	p.wants("16 rows need fixing.", "6 cells or rows were changed")
	p.lacks(`id="row-162"`) // whose address was the one of row 14
	p.presses("out", "72.-1", map[string]string{"81.6": "j81@example.ca"})
	p.wants("12 rows need fixing.")
	p.presses("", "", map[string]string{
		"103.6": "fabernathy08@example.ca", "117.5": "2001-05-14", "147.5": "2005-12-01", "190.6": "n190@example.ca", "209.14": "PT",
		"221.11": "", "232.1": "000599002", "253.7": "other253", "268.10": "Ottawa",
	})
	p.wants("2 rows need fixing.")
	p.presses("out", "305.-1", nil)
	p.wants("Nothing is left to fix.", "There are no such rows.")
	p.get("tab=corrected")
	p.wants(`value="65.11"`, "The file has “Ontari-ari-o”.", "The row was left out on the page.")
	p.presses("reset", "65.11", nil)
	p.wants("1 row needs fixing.")
	p.get("tab=left")
	p.wants("left out here", "left out by its values")
	p.presses("reset", "305.-1", nil)
	p.wants("3 rows need fixing.")
	p.post(url.Values{"undo": {"1"}, "tab": {"fix"}})
	if n := len(p.draft().Corrections); n != 8 {
		t.Errorf("%d corrections are left", n)
	}
}

func TestUndoTakesBackOneAnswer(t *testing.T) {
	p := withFaults(t)
	p.presses("", "", map[string]string{"14.6": "a@example.ca", "19.1": "000599001"})
	p.presses("", "", map[string]string{"26.6": "tcote03@example.ca"})
	p.wants("20 rows need fixing.")
	p.post(url.Values{"undo": {"1"}, "tab": {"fix"}})
	p.wants("21 rows need fixing.")
	p.post(url.Values{"undo": {"1"}, "tab": {"fix"}})
	p.wants("24 rows need fixing.")
	p.lacks("Undo the last change")
}

// Enter leads to the next faulty cell, or stays at one that is still wrong and says why.
func TestTheFocusIsOnTheNextFaultyCell(t *testing.T) {
	focus := func(p *rowsPerson) string {
		found := regexp.MustCompile(`name="v\.([0-9.]+)"[^>]* autofocus`).FindAllStringSubmatch(p.page, -1)
		if len(found) != 1 {
			return "none"
		}
		return found[0][1]
	}
	p := withFaults(t)
	if got := focus(p); got != "none" {
		t.Errorf("before any answer the focus is on %s", got)
	}
	p.presses("", "", map[string]string{"35.5": "2004-02-30"})
	if got := focus(p); got != "35.5" {
		t.Errorf("after a wrong date the focus is on %s", got)
	}
	p.presses("", "", map[string]string{"35.5": "2004-02-28"})
	if got := focus(p); got != "43.14" {
		t.Errorf("after the right date the focus is on %s", got)
	}
}

const alikeMapping = `version: 1
fields:
  unique_id: ID
  login_source: {value: SSO}
  first_name: First
  last_name: Last
  province: Province
  email: Email
`

func alike() string {
	text := "ID,First,Last,Province,Email\n"
	for n := range 240 {
		text += strconv.Itoa(900000+n) + ",Ann,Lee" + string(rune('a'+n%26)) + "," + []string{"Ontarioo", "ON", "ZZ"}[n%3] + ",p" + strconv.Itoa(n) + "@example.ca\n"
	}
	return text
}

func TestAllAlikeAtOnce(t *testing.T) {
	p := atRows(t, "a.csv", alike(), alikeMapping)
	p.wants("160 rows need fixing.", "Use ON in all 80 alike", "Change all 80 alike to what I typed", "Take the proposal in all 80 rows of Province", "1 to 100 of 160", "The next rows")
	p.lacks("The rows before these")
	p.presses("alike", "4.3.bad_region", nil)
	p.wants(`role="alert">Type the new text into the cell first.`, "160 rows need fixing.")
	p.presses("alike", "4.3.bad_region", map[string]string{"4.3": "QC"})
	p.wants("80 rows need fixing.")
	p.presses("take", "0.3.bad_region", nil)
	p.wants("Nothing is left to fix.")
	if d := p.draft(); len(d.Corrections) != 160 || len(d.Answered) != 2 {
		t.Errorf("%d corrections by %d answers", len(d.Corrections), len(d.Answered))
	}
	p.post(url.Values{"undo": {"1"}})
	p.presses("useall", "2.3.bad_region", nil)
	p.wants("Nothing is left to fix.")
}

func TestPagesOfRows(t *testing.T) {
	p := atRows(t, "a.csv", alike(), alikeMapping)
	p.get("tab=all")
	p.wants("1 to 100 of 240", "from=102")
	p.get("tab=all&from=102")
	p.wants("101 to 200 of 240", "from=202", `id="previous"`, `id="row-102"`)
	p.get("tab=all&from=9999")
	p.wants("201 to 240 of 240")
	p.lacks(`id="next"`)
	p.get("tab=all&row=150")
	p.wants(`name="v.150.1"`, "101 to 200 of 240")
	p.presses("", "", map[string]string{"150.1": "Anna"})
	p.get("tab=corrected")
	p.wants("The file has “Ann”.")
	p.get("tab=nonsense")
	p.wants("160 rows need fixing.")
}

// A cell that was changed in another window is not changed back unseen.
func TestTwoWindows(t *testing.T) {
	p := withFaults(t)
	old := p.page
	p.presses("", "", map[string]string{"19.1": "000599001"})
	other := *p
	other.page = old
	other.presses("", "", map[string]string{"19.1": "000599002"})
	other.wants(`role="alert">Nothing was changed`)
	other.page = old
	other.presses("", "", map[string]string{"19.1": "000599001"}) // as after a double click
	other.wants("23 rows need fixing.")
	other.lacks(`role="alert"`)
	if n := len(p.draft().Corrections); n != 1 {
		t.Errorf("%d corrections", n)
	}
}

// A row with too few or too many cells is put right in place.
func TestAShiftedRow(t *testing.T) {
	p := atRows(t, "a.csv", "ID,First,Last,Province,Email\n900001,Ann,Lee,ON,a@example.ca\n900002,Bo,Ng,b@example.ca\n900003,Cy,Roy,QC,c@example.ca\n", alikeMapping)
	p.wants("1 row needs fixing.", "Each value is in its column now", `name="v.3.4"`)
	p.presses("stands", "3.-1", map[string]string{"3.3": "ON", "3.4": "b@example.ca"})
	p.wants("Nothing is left to fix.")
	p.get("tab=all")
	p.lacks("to fix</strong>")
}

func TestHostileCellsAreText(t *testing.T) {
	const hostile = `"><script>alert(1)</script>{{.}}`
	quoted := `"` + strings.ReplaceAll(hostile, `"`, `""`) + `"`
	p := atRows(t, "a.csv", "ID,First,Last,Province,Email\n900001,"+quoted+",Lee,"+quoted+",a@example.ca\n", alikeMapping)
	for _, query := range []string{"tab=fix", "tab=all&row=2", "tab=%22%3E%3Cscript%3E", "at=%22%3E&from=-1&row=-1"} {
		p.get(query)
		p.lacks("<script>alert")
	}
}

func TestFixWorkbookComesBackToThePage(t *testing.T) {
	p := withFaults(t)
	w := p.do(p.server.sendFix, httptest.NewRequest("GET", "/files/1/rows/fix", nil))
	if got := w.Header().Get("Content-Disposition"); got != "attachment; filename=with-faults.fix.xlsx" {
		t.Errorf("sent as %q", got)
	}
	book, err := excelize.OpenReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	upload := func(name string, content []byte) {
		t.Helper()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("fix", name)
		if err == nil {
			_, err = part.Write(content)
		}
		if err == nil {
			err = form.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "/files/1/rows", &body)
		r.Header.Set("Content-Type", form.FormDataContentType())
		p.follow(p.do(p.server.answerRows, r))
	}
	saved := func() []byte {
		var b bytes.Buffer
		if err := book.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	upload("back.xlsx", saved())
	p.wants("Nothing was changed in “back.xlsx”")
	if err := book.SetCellValue(book.GetSheetName(0), "B3", "000599001"); err != nil {
		t.Fatal(err)
	}
	upload("back.xlsx", saved())
	p.wants("23 rows need fixing.", "1 cell or row was changed")
	if d := p.draft(); len(d.Corrections) != 1 || d.Corrections[0].Row != 19 || d.Corrections[0].Column != 1 || d.Corrections[0].New != "000599001" {
		t.Errorf("corrections %v", d.Corrections)
	}
	upload("a.csv", []byte("a,b\n1,2\n"))
	p.wants(`role="alert">“a.csv” was not taken: it has no column`)
	if err := filepath.WalkDir(draft.Folder(p.server.env.Settings.State), func(path string, _ os.DirEntry, err error) error {
		if strings.Contains(path, ".arriving-") {
			t.Errorf("%s is left", path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w = p.do(p.server.sendProblems, httptest.NewRequest("GET", "/files/1/rows/problems", nil))
	if text, err := io.ReadAll(w.Body); err != nil || strings.Count(string(text), "\n") != 27 {
		t.Errorf("the list of problems, %v:\n%s", err, text)
	}
}

func TestThePageSaysThatTheFixWorkbookIsPart(t *testing.T) {
	page := func(rows int) *rowsPerson {
		var text strings.Builder
		text.WriteString("ID,First,Last,Province,Email\n")
		for n := range rows {
			fmt.Fprintf(&text, "9%05d,Ann,Lee,ON,p%d at example.ca\n", n, n)
		}
		return atRows(t, "a.csv", text.String(), alikeMapping)
	}
	p := page(report.MaxFixRows)
	p.wants("10,000 rows need fixing.", "Download the workbook")
	p.lacks("It has only the first")
	p = page(report.MaxFixRows + 1)
	p.wants("10,001 rows need fixing.", "It has only the first 10,000 of the 10,001 rows.")
}

// main is what the page says, without most of its rows.
func (p *rowsPerson) main() string {
	text := p.page[max(0, strings.Index(p.page, "<main")):]
	return text[:min(len(text), 4000)]
}

// What only the rows ask about a column is answered here too, and can be taken back.
func TestQuestionsOfTheRows(t *testing.T) {
	text := "ID,First,Last,Province,Email\n"
	for n := range 40 {
		id := 912345678 + 7*n
		if n%2 == 1 {
			id = 31234567 + 11*n
		}
		text += strconv.Itoa(id) + ",Ann,Lee,ON,p" + strconv.Itoa(n) + "@example.ca\n"
	}
	p := atRows(t, "a.csv", text, alikeMapping)
	p.wants("The rows cannot be checked yet", "leading zeros may be lost.", "Add the zeros", "All is right as it is")
	p.lacks("as_is", "apply", "rows are fine", "mapping.yaml")
	p.post(url.Values{"way": {"unique_id.1"}})
	p.wants("All 40 rows are fine.", "Not doubted, as you said:", "Check Unique ID again")
	p.post(url.Values{"doubt": {"unique_id"}})
	p.wants("The rows cannot be checked yet")
	p.post(url.Values{"way": {"unique_id.7"}})
	p.wants("The rows cannot be checked yet")
	p.post(url.Values{"way": {"unique_id.0"}})
	p.wants("All 40 rows are fine.")
	given := p.draft().Answers
	if got := given.File(mapping.SourceSection{}).Fields[0].Apply; len(got) != 1 || got[0] != "pad:9" {
		t.Errorf("applied %v", got)
	}
}

// A doubt can be dispelled for the whole column.
func TestAColumnThatIsRight(t *testing.T) {
	p := atRows(t, "a.csv", "ID,First,Last,Province,Email\n900001,Ann,007,ON,a@example.ca\n900002,Bo,Ng,ON,b@example.ca\n", alikeMapping)
	p.wants("1 row needs fixing.", "It is right: do not doubt this column")
	p.presses("right", "2.2.bad_name", nil)
	p.wants("All 2 rows are fine.", "Check Last Name again")
}

func TestAnOpenedRowGetsTheFocus(t *testing.T) {
	p := atRows(t, "a.csv", alike(), alikeMapping)
	p.get("tab=all&row=150")
	if found := regexp.MustCompile(`name="v\.([0-9.]+)"[^>]* autofocus`).FindAllStringSubmatch(p.page, -1); len(found) != 1 || found[0][1] != "150.0" {
		t.Errorf("the focus is on %v", found)
	}
}

// Rows that are no people can be left out together, and the answer undone.
func TestLeaveOutRowsTogether(t *testing.T) {
	text := "ID,First,Last,Province,Email\n"
	for n := range 30 {
		text += strconv.Itoa(900000+n) + ",Ann,Lee,ON,p" + strconv.Itoa(n) + "@example.ca\n"
	}
	p := atRows(t, "a.csv", text+"900100,Bo\n900101,Cy\n900102,Di,Roy,ON,d@example.ca\n", alikeMapping)
	p.wants("2 rows need fixing.", "Leave out all 2 rows: Too few or too many cells")
	p.presses("outall", "0.-1.ragged_row", nil)
	p.wants("Nothing is left to fix.", "2 cells or rows were changed")
	p.post(url.Values{"undo": {"1"}})
	p.wants("2 rows need fixing.")
}
