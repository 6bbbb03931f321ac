package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"opscom-import/cmd/opscom-import/internal/draft"
)

// send uploads a file to an address, and returns the page that this leads to.
func (s *site) send(path, name, content string) (status int, body string) {
	s.Helper()
	var form strings.Builder
	w := multipart.NewWriter(&form)
	file, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(file, content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		s.Fatal(err)
	}
	r := s.request("POST", path, strings.NewReader(form.String()))
	r.Header.Set("Content-Type", w.FormDataContentType())
	return s.do(r)
}

// draft returns the only draft.
func (s *site) draft() draft.Draft {
	s.Helper()
	all := s.server.drafts.List()
	if len(all) != 1 {
		s.Fatalf("%d drafts", len(all))
	}
	return all[0]
}

// workbook returns a workbook of the sheets, the rows of which are lines, their cells
// separated by commas. A password protects it; "" for none.
func workbook(t *testing.T, password string, sheets ...[2]string) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, one := range sheets {
		name := one[0]
		if i == 0 {
			if err := f.SetSheetName("Sheet1", name); err != nil {
				t.Fatal(err)
			}
		} else if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for r, line := range strings.Split(one[1], "\n") {
			for c, text := range strings.Split(line, ",") {
				cell, err := excelize.CoordinatesToCellName(c+1, r+1)
				if err == nil {
					err = f.SetCellStr(name, cell, text)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	var b strings.Builder
	if err := f.Write(&b, excelize.Options{Password: password}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const (
	isColumns = `<h1 id="title" tabindex="-1">Columns</h1>`
	isFile    = `<h1 id="title" tabindex="-1">File</h1>`
)

// students are the rows of a list of people, with a title above their header.
const students = "University of Somewhere,,,\n,,,\nStudent ID,First Name,Last Name,Email\nA100,Ann,Lee,ann@x.example\nA101,Bob,Roy,bob@x.example\n"

func TestFileWithoutDoubtsLeadsToTheColumns(t *testing.T) {
	s := open(t)
	_, body := s.send("/files", "students.csv", students)
	s.wants(body, isColumns, "Row 3 has the names of the columns.", `/files/1/file">Change how the file is read`)
	_, body = s.get("/files/1/file")
	s.wants(body, isFile, "The file can be read.", "University of Somewhere", `value="3" aria-label="Row 3 has the names" checked`)
	_, body = s.post("/files/1/file", url.Values{"header": {"3"}})
	s.wants(body, isColumns)
	if row := s.draft().Source.HeaderRow; row != 0 {
		t.Errorf("the row that was found is written down as %d; the next file may have another title", row)
	}
	_, body = s.post("/files/1/file", url.Values{"header": {"4"}})
	s.wants(body, isColumns, "Row 4 has the names of the columns.", "A100")
}

func TestFileWithoutColumnNames(t *testing.T) {
	s := open(t)
	_, body := s.send("/files", "nobody.csv", "A100,Ann,Smith,a@x.example\nA101,Bob,Jones,b@x.example\n")
	s.wants(body, isFile, "Which row has the names of the columns?", "Row 1: No row with the names", `value="none"`, "Smith")
	s.lacks(body, " --", "checked")
	status, body := s.post("/files/1/file", url.Values{})
	if status != http.StatusUnprocessableEntity {
		t.Errorf("nothing chosen: status %d", status)
	}
	s.wants(body, "Choose the row with the names of the columns")
	_, body = s.post("/files/1/file", url.Values{"header": {"none"}})
	s.wants(body, isColumns, "No row has the names of the columns.", "Column A", "Column D", "Smith")
	if d := s.draft(); !d.Source.NoHeader || len(d.Answers.Headers) != 4 {
		t.Errorf("%+v", d)
	}
	_, body = s.get("/files/1/file")
	s.wants(body, `value="none" required checked`)
	_, body = s.post("/files/1/file", url.Values{"header": {"1"}})
	s.wants(body, isColumns, "Row 1 has the names of the columns.")
}

func TestFileWithADoubtfulHeader(t *testing.T) {
	s := open(t)
	_, body := s.send("/files", "cars.csv", "Fahrzeug,Farbe\nHull,red\nLaval,blue\n")
	s.wants(body, isFile, "Does this row have the names of the columns?", `value="1" aria-label="Row 1 has the names" checked`)
	_, body = s.post("/files/1/file", url.Values{"header": {"1"}})
	s.wants(body, isColumns, "Fahrzeug")
	_, body = s.get("/files/1/file")
	s.wants(body, "The file can be read.")
}

func TestFileWithADoubtfulDelimiter(t *testing.T) {
	s := open(t)
	_, body := s.send("/files", "list.csv", "Student ID;Name,x\nA1;b,c\nA2;d,e\nA3;f,g\n")
	s.wants(body, isFile, "Which of these columns are right?", `value="comma"`, `value="semicolon"`, "<td>A1;b</td><td>c</td>", "<td>A1</td><td>b,c</td>")
	s.lacks(body, " --")
	_, body = s.post("/files/1/file", url.Values{"delimiter": {"semicolon"}})
	s.wants(body, isFile, "The file can be read.", "<td>Student ID</td><td>Name,x</td>")
	_, body = s.post("/files/1/file", url.Values{"header": {"1"}})
	s.wants(body, isColumns, "Semicolons separate the columns.", "Name,x")
	if status, _ := s.post("/files/1/file", url.Values{"delimiter": {"dots"}}); status != http.StatusConflict {
		t.Errorf("a delimiter that is none: status %d", status)
	}
}

func TestFileInAnotherEncoding(t *testing.T) {
	s := open(t)
	const header = "Student ID,First Name,Last Name,Email\n"
	_, body := s.send("/files", "mac.csv", header+"A1,Zo\x8e,Li,a@x.example\nA2,Ren\x8e,Li,b@x.example\nA3,Fran\x8dois,Li,c@x.example\n")
	s.wants(body, isColumns, "Letters with accents are read as An older Mac.", "François")
	_, body = s.get("/files/1/file")
	s.wants(body, "Are the columns or the letters wrong?", `value="windows-1252"`, "ZoŽ", "Zoé")
	_, body = s.post("/files/1/file", url.Values{"encoding": {"windows-1252"}})
	s.wants(body, isFile, "<td>ZoŽ</td>")

	s = open(t)
	_, body = s.send("/files", "dos.csv", header+"A1,Zo\x8b,Li,a@x.example\nA2,Ren\x82,Li,b@x.example\n")
	s.wants(body, isFile, "Which of these letters are right?", "Zoï", "René", "DOS, code page 850")
	s.lacks(body, " --")
	_, body = s.post("/files/1/file", url.Values{"encoding": {"IBM850"}})
	s.wants(body, isFile, "The file can be read.", "<td>Zoï</td>")
	_, body = s.post("/files/1/file", url.Values{"header": {"1"}})
	s.wants(body, isColumns, "Letters with accents are read as DOS, code page 850.", "Zoï")
}

func TestFileWithSeveralSheets(t *testing.T) {
	s := open(t)
	staff := strings.NewReplacer("A100", "S100", "Ann", "Eve").Replace(students)
	_, body := s.send("/files", "people.xlsx", workbook(t, "", [2]string{"Cover", "Report of fall"}, [2]string{"Students", students}, [2]string{"Staff", staff}))
	s.wants(body, isFile, "Several sheets look like lists of people.", `value="Staff"`, `value="Cover"`, "Ann")
	s.lacks(body, " --", "Eve")
	_, body = s.post("/files/1/file", url.Values{"sheet": {"Staff"}})
	s.wants(body, isFile, "The file can be read.", "Eve")
	_, body = s.post("/files/1/file", url.Values{"header": {"3"}})
	s.wants(body, isColumns, "Sheet “Staff”.", "S100")
	if source := s.draft().Source; source.Sheet != "Staff" || source.HeaderRow != 0 {
		t.Errorf("%+v", source)
	}
}

func TestFileWithAPassword(t *testing.T) {
	s := open(t)
	_, body := s.send("/files", "locked.xlsx", workbook(t, "open sesame", [2]string{"Students", students}))
	s.wants(body, isFile, "What is the password of the workbook?", `type="password"`)
	s.lacks(body, " --", "Next: Columns")
	_, body = s.post("/files/1/file", url.Values{"password": {"Open Sesame"}})
	s.wants(body, isFile, "This password does not open the workbook.")
	s.lacks(body, "Sesame", " --")
	_, body = s.post("/files/1/file", url.Values{"password": {"open sesame"}})
	s.wants(body, isColumns, "Ann")
	for _, name := range s.files() {
		text, err := os.ReadFile(filepath.Join(s.server.folder, name))
		if err != nil || strings.Contains(string(text), "sesame") {
			t.Errorf("%s holds the password, %v", name, err)
		}
	}
	s.server.passwords[1] = "" // as after a restart
	s.server.previews, s.server.tables = map[int]previewed{}, map[int]columnTable{}
	_, body = s.get("/files/1/columns")
	s.wants(body, isFile, "What is the password of the workbook?")
	s.post("/files/1/file", url.Values{"password": {"open sesame"}})
	s.post("/files/1/forget", nil)
	if len(s.server.passwords) > 0 || len(s.server.previews) > 0 || len(s.server.tables) > 0 {
		t.Errorf("after forgetting the file: %d passwords, %d previews and %d tables are kept", len(s.server.passwords), len(s.server.previews), len(s.server.tables))
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	for name, tt := range map[string]struct{ file, content, want string }{
		"empty":         {"a.csv", "", "The file is empty"},
		"blank":         {"a.csv", "\n\n", "The file is empty"},
		"a picture":     {"a.csv", "\x89PNG\r\n\x1a\n\x00\x00", "This is a picture."},
		"an old book":   {"a.xls", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and nothing more", "old version of Microsoft Office"},
		"a broken book": {"a.xlsx", "PK\x03\x04 and nothing more", "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			_, body := s.send("/files", tt.file, tt.content)
			s.wants(body, isFile, "The file cannot be read as it is.", tt.want, "Replace the file")
			s.lacks(body, " --", "Next: Columns", "/web/")
			_, body = s.send("/files/1/file", "corrected.csv", students)
			s.wants(body, isColumns, "Ann")
		})
	}
}

func TestFileWithoutPeople(t *testing.T) {
	s := open(t)
	_, body := s.send("/files", "names.csv", "Name,Email\n")
	s.wants(body, isFile, "There are no people in this file.", "Replace the file")
	_, body = s.post("/files/1/file", url.Values{"header": {"1"}})
	s.wants(body, isColumns)
}

func TestFileWithAColumnTwice(t *testing.T) {
	s := open(t)
	_, body := s.send("/files", "twice.csv", "Student ID,Email,Email,First Name,Last Name\nA1,a@x.example,b@x.example,Ann,Li\n")
	s.wants(body, isColumns, "a@x.example", "b@x.example")
}

func TestReplacedFileKeepsTheAnswers(t *testing.T) {
	s := open(t)
	s.send("/files", "students.csv", students)
	before := s.draft()
	_, body := s.send("/files/1/file", "students (2).csv", strings.ReplaceAll(students, "Bob", "Rob"))
	s.wants(body, "Rob")
	if d := s.draft(); d.Name != before.Name || d.ID != before.ID || len(d.Answers.Said) != len(before.Answers.Said) {
		t.Errorf("%+v, was %+v", d, before)
	}
	_, body = s.send("/files/1/file", "students.csv", "Shoe Size,Student ID,First Name,Last Name\n38,A100,Ann,Lee\n45,A101,Bob,Roy\n")
	s.wants(body, isFile, "The file has other columns than before.", "“Email” is gone.", "“Shoe Size” is new.")
	_, body = s.post("/files/1/file", url.Values{"header": {"1"}})
	s.wants(body, isColumns, "Shoe Size")
	_, body = s.get("/files/1/file")
	s.lacks(body, "other columns than before")
}

func TestHostileFileShowsAsText(t *testing.T) {
	s := open(t)
	const script = "<script>alert(1)</script>"
	_, body := s.send("/files", "a.csv", "Student ID;"+script+",x\nA1;b,"+script+"\nA2;d,e\n")
	s.lacks(body, script)
	s.wants(body, "&lt;script&gt;")
}

// Each way to read a file reaches the push: the people are those that the step showed.
func TestFileIsPushedAsItIsRead(t *testing.T) {
	const rows = "A100,Ann,Smith,a@x.example\nA101,Bob,Jones,b@x.example\n"
	const header = "Student ID,First Name,Last Name,Email\n"
	for name, tt := range map[string]struct {
		file, content string
		said          []url.Values
		columns       []string
	}{
		"no names":   {"a.csv", rows, []url.Values{{"header": {"none"}}}, []string{"Column A", "Column B", "Column C", "Column D"}},
		"semicolons": {"b.csv", "Student ID;First Name,x;Last Name;Email\nA1;Ann,c;Lee;a@x.example\nA2;Bob,e;Roy;b@x.example\n", nil, []string{"Student ID", "First Name,x", "Last Name", "Email"}},
		"DOS":        {"c.csv", header + "A1,Zo\x8b,Li,a@x.example\nA2,Ren\x82,Li,b@x.example\n", []url.Values{{"encoding": {"IBM850"}}, {"header": {"1"}}}, nil},
		"a password": {"d.xlsx", workbook(t, "open sesame", [2]string{"Students", header + strings.TrimSpace(rows)}), []url.Values{{"password": {"open sesame"}}}, nil},
		"a sheet":    {"e.xlsx", workbook(t, "", [2]string{"Old", header + "X1,Old,Old,o@x.example"}, [2]string{"New", header + strings.TrimSpace(rows)}), []url.Values{{"sheet": {"New"}}, {"header": {"1"}}}, nil},
		"a row":      {"f.csv", "Fahrzeug,Rufname,Sippe,Post\n" + header + rows, []url.Values{{"header": {"2"}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.send("/files", tt.file, tt.content)
			for _, form := range tt.said {
				s.post("/files/1/file", form)
			}
			for column, attribute := range []string{"unique_id", "first_name", "last_name", "email"} {
				s.post("/files/1/columns", url.Values{"column": {strconv.Itoa(column)}, "becomes": {attribute}})
			}
			s.post("/files/1/columns", url.Values{"card": {"login login_source"}, "answer": {"SSO"}})
			d := s.draft()
			if open := d.Answers.Open(); open > 0 || tt.columns != nil && !slices.Equal(d.Answers.Headers, tt.columns) {
				t.Fatalf("%d questions are open of the columns %q", open, d.Answers.Headers)
			}
			s.wants(s.push(1), "2 people were accepted.")
			people, err := os.ReadFile(filepath.Join(s.server.env.Settings.State, "sandbox", "people.jsonl"))
			if err != nil || strings.Count(string(people), "reference_id") != 2 {
				t.Errorf("people %s, %v", people, err)
			}
		})
	}
}
