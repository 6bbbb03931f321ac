package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"opscom-import/importer/journal/sqlite"
)

const casesFolder = "testdata/cases"

// TestCases pushes files as people have them, and holds what arrives and what is
// said against what is right. testdata/cases/README.md has the format.
//
// A case in known-failures.txt must fail: who fixes it takes it off that list,
// which thus only shrinks.
func TestCases(t *testing.T) {
	cases, failing := loadCases(t), knownFailures(t)
	desk := newCaseDesk(t)
	t.Run("kind", func(t *testing.T) { // ends when all of them have, so that the controller outlives them
		for _, c := range cases {
			known := failing[c.ID]
			delete(failing, c.ID)
			t.Run(filepath.Base(c.folder)+"/"+c.ID, func(t *testing.T) {
				t.Parallel()
				pushed := desk.push(t, c)
				faults := c.judge(pushed)
				switch {
				case known && len(faults) == 0:
					t.Errorf("the case holds: remove %s from %s/known-failures.txt", c.ID, casesFolder)
				case !known && len(faults) > 0:
					t.Errorf("%s\nright: %s\nexit code %d\n%s", strings.Join(faults, "\n"), c.Right, pushed.exit, pushed.output)
				}
			})
		}
	})
	for id := range failing {
		t.Errorf("%s/known-failures.txt: there is no case %s", casesFolder, id)
	}
}

// loadCases returns all cases, whose ids differ.
func loadCases(t *testing.T) (cases []*importCase) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(casesFolder, "*", "expect.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	seen := make(map[string]string)
	for _, path := range paths {
		var kind []*importCase
		decoder := json.NewDecoder(strings.NewReader(readText(t, path)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&kind); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, c := range kind {
			if first, again := seen[c.ID]; again {
				t.Fatalf("%s: case %s is already in %s", path, c.ID, first)
			}
			seen[c.ID], c.folder = path, filepath.Dir(path)
		}
		cases = append(cases, kind...)
	}
	return cases
}

// knownFailures returns the ids in known-failures.txt, none without the file.
func knownFailures(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(casesFolder, "known-failures.txt"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			ids[line] = true
		}
	}
	return ids
}

// casePush is what one push did.
type casePush struct {
	undrafted []string // attributes for which map suggests nothing; then there was no push
	exit      int
	output    string             // of both streams
	text      string             // all messages, without the file's name
	sent      []map[string]any   // the profiles that arrived, in their order
	results   map[int]caseResult // by row
	named     map[int]bool       // rows of which something is said
}

// caseResult is a line of the results.
type caseResult struct{ id, status, message string }

// caseDesk is what all pushes share.
type caseDesk struct {
	controller *caseController
	token      string // path of the file with the token
	state      string // state folder with an empty journal: a copy of it is made faster than a journal
}

func newCaseDesk(t *testing.T) *caseDesk {
	t.Helper()
	folder := t.TempDir()
	d := &caseDesk{newCaseController(t), filepath.Join(folder, "token"), filepath.Join(folder, "state")}
	writeText(t, d.token, "a-token\n")
	j, err := sqlite.Open(t.Context(), d.state)
	if err == nil {
		err = j.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// push pushes the file of a case as a person at a shell does.
func (d *caseDesk) push(t *testing.T, c *importCase) *casePush {
	t.Helper()
	folder := t.TempDir()
	file, state := filepath.Join(folder, filepath.Base(c.File)), filepath.Join(folder, "state")
	stem := strings.TrimSuffix(file, filepath.Ext(file))
	writeText(t, file, readText(t, filepath.Join(c.folder, c.File)))
	d.copyState(t, state)
	p, mappingFile := new(casePush), strings.TrimSuffix(c.File, filepath.Ext(c.File))+".mapping.yaml"
	if len(c.Draft) > 0 {
		suggestion, _, _ := runCommand(t, "map", file)
		draft, undrafted := draftMapping(suggestion, c.Draft)
		if p.undrafted = undrafted; len(undrafted) > 0 {
			return p
		}
		writeText(t, stem+".mapping.yaml", draft)
	} else if text, err := os.ReadFile(filepath.Join(c.folder, mappingFile)); err == nil {
		writeText(t, stem+".mapping.yaml", string(text))
	} else if !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var messages string
	p.output, messages, p.exit = runCommand(t, d.pushArguments(c.ID, state, append(c.Args, file)...)...)
	p.output += "\n" + messages
	p.sent = d.controller.received(c.ID)
	p.read(t, folder, filepath.Base(stem))
	return p
}

// copyState makes a state folder.
func (d *caseDesk) copyState(t *testing.T, path string) {
	t.Helper()
	if err := os.CopyFS(path, os.DirFS(d.state)); err != nil {
		t.Fatal(err)
	}
}

// pushArguments returns a command line that pushes to the controller.
func (d *caseDesk) pushArguments(client, state string, more ...string) []string {
	return append([]string{
		"push", "--url", d.controller.server.URL, "--client", client, "--token-file", d.token, "--login-source", "SSO",
		"--rate", "0", "--no-progress", "--state", state,
	}, more...)
}

// read reads what the push says in its output and its reports.
func (p *casePush) read(t *testing.T, folder, stem string) {
	t.Helper()
	p.results, p.named = make(map[int]caseResult), namedRows(p.output)
	// Neither the file's name nor the folder's is a message.
	text := []string{strings.NewReplacer(folder, "", stem, "NAME").Replace(p.output)}
	for _, record := range reportRecords(t, filepath.Join(folder, stem+".problems.csv")) {
		text = append(text, record["message"])
		if row, err := strconv.Atoi(record["row"]); err == nil {
			p.named[row] = true
		}
	}
	for _, record := range reportRecords(t, filepath.Join(folder, stem+".results.csv")) {
		row, err := strconv.Atoi(record["row"])
		if err != nil {
			continue
		}
		said := record["message"] + record["warnings"]
		text = append(text, said)
		p.results[row] = caseResult{strings.TrimLeft(record["unique_id"], "'"), record["status"], said}
		if said != "" {
			p.named[row] = true
		}
	}
	p.text = strings.Join(text, "\n")
}

// runCommand runs a command line with nobody at the keyboard.
func runCommand(t *testing.T, args ...string) (output, messages string, exit int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	exit = run(t.Context(), args, streams{strings.NewReader(""), &stdout, &stderr})
	return stdout.String(), stderr.String(), exit
}

// reportRecords returns the records of a report by the names of its columns, none when
// it was not written.
func reportRecords(t *testing.T, path string) (records []map[string]string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\uFEFF")))).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, row := range rows[1:] {
		record := make(map[string]string)
		for i, name := range rows[0] {
			record[name] = row[i]
		}
		records = append(records, record)
	}
	return records
}

var (
	rowsPattern   = regexp.MustCompile(`\b(?:rows?|lines?) (\d+(?:(?:, | and | or | to |[-–])\d+)*)`)
	numberPattern = regexp.MustCompile(`(, | and | or | to |[-–]|^)(\d+)`)
)

// namedRows returns the rows that a text names: row 7, rows 7 and 9, rows 3, 5 to 8,
// line 2.
func namedRows(text string) map[int]bool {
	rows := make(map[int]bool)
	for _, list := range rowsPattern.FindAllStringSubmatch(text, -1) {
		last := 0
		for _, found := range numberPattern.FindAllStringSubmatch(list[1], -1) {
			number, err := strconv.Atoi(found[2])
			if err != nil {
				continue
			}
			if to := found[1] == " to " || found[1] == "-" || found[1] == "–"; to && number-last < 100_000 {
				for row := last; row < number; row++ {
					rows[row] = true
				}
			}
			rows[number], last = true, number
		}
	}
	return rows
}

var suggestedField = regexp.MustCompile(`^  (# likely: )?([a-z_0-9]+):`)

// draftMapping takes the guesses of a suggested mapping for the attributes wanted, as a
// person does who finds them right, and returns the attributes without one.
func draftMapping(suggestion string, wanted []string) (draft string, undrafted []string) {
	const guess = "# likely: "
	var lines []string
	taken, inside := make(map[string]bool), false
	for line := range strings.Lines(suggestion) {
		if field := suggestedField.FindStringSubmatch(line); field != nil {
			if inside = slices.Contains(wanted, field[2]) && !taken[field[2]]; inside {
				taken[field[2]] = true
				line = strings.Replace(line, guess, "", 1)
			}
		} else if inside && strings.HasPrefix(line, "  "+guess+"  ") {
			line = strings.Replace(line, guess, "", 1)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ""), slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return taken[name] })
}

// caseController is a mock Controller that takes every profile. The sandbox refuses
// what OPS-COM would, which could hide what the program gets wrong.
type caseController struct {
	server   *httptest.Server
	mu       sync.Mutex
	profiles map[string][]map[string]any // by client, which is the case
}

func newCaseController(t *testing.T) *caseController {
	t.Helper()
	c := &caseController{profiles: make(map[string][]map[string]any)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/{client}/v1/profiles/push", c.push)
	mux.HandleFunc("POST /api/{client}/v1/profiles/types/list", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, `{"status":"success","user_types":[`+
			`{"id":"1","type_name":"Full Time Student","ext_info":"Full Time Student"},{"id":"2","type_name":"Part Time Student","ext_info":"Part Time Student"},`+
			`{"id":"3","type_name":"Faculty","ext_info":"Faculty"},{"id":"4","type_name":"Staff","ext_info":"Staff"},`+
			`{"id":"5","type_name":"Contractor","ext_info":"Contractor"},{"id":"6","type_name":"Visitor","ext_info":"Visitor"},`+
			`{"id":"7","type_name":"Alumni","ext_info":"Alumni"},{"id":"8","type_name":"Retiree","ext_info":"Retiree"},`+
			`{"id":"9","type_name":"Resident Student","ext_info":"Resident Student"}]}`)
	})
	c.server = httptest.NewServer(mux)
	t.Cleanup(c.server.Close)
	return c
}

func (c *caseController) push(w http.ResponseWriter, r *http.Request) {
	var profile map[string]any
	if err := json.NewDecoder(r.Body).Decode(&profile); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	delete(profile, "apiToken")
	c.mu.Lock()
	defer c.mu.Unlock()
	client, number := r.PathValue("client"), 0
	key := func(p map[string]any) string {
		return strings.ToLower(fmt.Sprint(p["login_source"], "\x00", p["unique_id"]))
	}
	number = slices.IndexFunc(c.profiles[client], func(p map[string]any) bool { return key(p) == key(profile) })
	if number < 0 {
		number = len(c.profiles[client])
	}
	c.profiles[client] = append(c.profiles[client], profile)
	answer(w, fmt.Sprintf(`{"status":"success","reference_id":%d}`, 1001+number))
}

func answer(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body) // the client may be gone
}

// received returns the profiles of a client, in the order in which they came.
func (c *caseController) received(client string) []map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.profiles[client])
}

func TestNamedRows(t *testing.T) {
	for text, want := range map[string][]int{
		"row 7 is blank, as line 9 is": {7, 9},
		"rows 3, 5 to 8 and 12":        {3, 5, 6, 7, 8, 12},
		"rows 2–4 or 6":                {2, 3, 4, 6},
		"5 rows, and 3 of row A":       nil,
	} {
		if got := slices.Sorted(maps.Keys(namedRows(text))); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
