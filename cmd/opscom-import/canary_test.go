package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/mapping"
)

// canaryToken must not be anywhere but in the token file.
const canaryToken = "Kanarie-token-77c1"

// TestCanaries pushes people of whom every attribute is a word of its own, with a
// token that is one too, and looks for those words wherever they must not be: in
// logs, errors, JSON, the goroutine dump of a crash, the process list, stray files,
// and in the journal once its runs are forgotten. The Controller does its worst: it
// repeats the whole request in its answers.
func TestCanaries(t *testing.T) {
	skipShort(t)
	t.Parallel()
	c := newCanaries(t)
	c.quiet(app.ExitRows, "check", "--json", c.file)
	c.moody.Store("refuses")
	c.quiet(app.ExitIncomplete, "push", "--json", c.file)
	c.moody.Store("fails")
	c.quiet(app.ExitIncomplete, "push", "--json", "--max-attempts", "1", "--max-failures", "1", c.file)
	c.dump()
	c.moody.Store("")
	c.quiet(app.ExitRows, "push", "--json", "--summary", "students.html", c.file)
	c.searchFiles()
	for _, command := range []string{"runs", "runs --json", "runs show 1", "runs show 1 --json", "runs report 1", "doctor", "fields", "journal check", "journal check --json"} {
		c.quiet(app.ExitDone, strings.Fields(command)...)
	}
	c.mistakes()
	c.searchFiles()
	c.quiet(app.ExitDone, "journal", "backup", "backup.db")
	c.quiet(app.ExitDone, "journal", "restore", "backup.db", "--state", "restored")
	c.quiet(app.ExitDone, "runs", "forget", "--older-than", "1ns")
	if found := c.inState(); len(found) > 0 {
		t.Errorf("the journal has %q", found)
	}
}

// TestCanariesAfterAKill forgets a run that was killed with its rows in flight.
func TestCanariesAfterAKill(t *testing.T) {
	skipShort(t)
	t.Parallel()
	c := newCanaries(t)
	process := c.start(nil)
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was killed
	if len(c.inState()) == 0 {
		t.Error("a run that is to go on has none of its rows")
	}
	c.quiet(app.ExitDone, "runs", "forget", "1")
	if found := c.inState(); len(found) > 0 {
		t.Errorf("the journal has %q", found)
	}
}

// canaries is a trial whose every value is told from all else.
type canaries struct {
	*trial
	front     *httptest.Server // stands before the sandbox
	moody     atomic.Value     // what the front does with pushes: "" (most reach the sandbox), refuses, fails or waits
	held      atomic.Int64     // pushes that wait
	variables []string         // of the program besides
	words     []string         // the token, and every value that is a word of its own
	kept      []string         // those of words that the journal needs for its reports: ids, and what messages quote

	mu     sync.Mutex
	echoed string // what the front has repeated: a message holds the beginning of it
}

func newCanaries(t *testing.T) *canaries {
	t.Helper()
	c := &canaries{trial: newTrial(t, testProgram(t), "", 1), words: []string{canaryToken}}
	c.moody.Store("")
	c.front = httptest.NewServer(c)
	t.Cleanup(c.front.Close)
	c.file = "students.csv"
	c.writePeople()
	if err := os.WriteFile(c.path("token"), []byte(canaryToken), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// canaryOf returns a valid value of the attribute for the person with that number;
// it is not a word of its own where the attribute leaves too little room.
func canaryOf(spec mapping.AttributeSpec, person int) (value string, isWord bool) {
	switch spec.Kind {
	case mapping.EmailKind:
		return fmt.Sprintf("kanarie-mail-%d@example.edu", person), true
	case mapping.RegionKind:
		return "ON", false
	case mapping.UserTypeKind:
		return "1", false
	case mapping.LockerUserTypeKind:
		return fmt.Sprintf("77004100%d", person), true
	case mapping.DateKind:
		return fmt.Sprintf("19%d-03-1%d", 70+person, person), true
	}
	return fmt.Sprintf("K%.14s-%dwq", spec.Names[0], person), true
}

// writePeople writes nine people: some are fine, of some a cell is bad, two
// contradict each other, and to one the Controller objects.
func (c *canaries) writePeople() {
	c.t.Helper()
	var header []string
	mapped := "version: 1\nfields:\n"
	for _, spec := range mapping.Attributes() {
		header = append(header, spec.Names[0])
		mapped += "  " + spec.Names[0] + ": " + spec.Names[0] + "\n"
	}
	records := [][]string{header}
	for person := range 9 {
		record := make([]string, len(header))
		for i, spec := range mapping.Attributes() {
			value, isWord := canaryOf(spec, person)
			switch name := spec.Names[0]; {
			case person == 3 && spec.Kind == mapping.EmailKind:
				value = "no kanarie-mail"
			case person == 4 && spec.Kind == mapping.DateKind:
				value = "Kbaddatewq"
			case person == 6 && spec.Required: // whom somebody else has too
				value, isWord = canaryOf(spec, 5)
			case person == 7 && name == "first_name":
				value = strings.Repeat("Klongwq", 9)
			}
			record[i] = value
			if isWord {
				c.words = append(c.words, value)
			}
			bad := strings.Contains(value, "no kanarie") || strings.Contains(value, "bad") || strings.Contains(value, "long")
			if spec.Attribute == mapping.UniqueID || spec.Attribute == mapping.LoginSource || bad {
				c.kept = append(c.kept, value)
			}
		}
		records = append(records, record)
	}
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(records); err != nil {
		c.t.Fatal(err)
	}
	for name, content := range map[string][]byte{"students.csv": text.Bytes(), "students.mapping.yaml": []byte(mapped)} {
		if err := os.WriteFile(c.path(name), content, 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
}

// ServeHTTP stands before the sandbox and repeats what it is told.
func (c *canaries) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(canaryToken), []byte(scriptToken))))
	echo := func(status, code int) {
		c.mu.Lock()
		c.echoed += string(body)
		c.mu.Unlock()
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"ErrorCode":%d,"ErrorMessage":%q}`, code, "No: "+string(body))
	}
	mood := c.moody.Load()
	switch isPush := strings.HasSuffix(r.URL.Path, "/push"); {
	case !isPush:
		c.box.ServeHTTP(w, r)
	case mood == "refuses":
		echo(http.StatusUnauthorized, 9002)
	case mood == "fails":
		http.Error(w, "<html>"+string(body), http.StatusBadGateway)
	case mood == "waits":
		c.held.Add(1)
		<-r.Context().Done()
	case bytes.Contains(body, []byte("Kunique_id-8wq")):
		echo(http.StatusBadRequest, 9033)
	default:
		c.box.ServeHTTP(w, r)
	}
}

// canaryCommand returns a process that logs all it can.
func (c *canaries) canaryCommand(args ...string) *exec.Cmd {
	process := c.command(append(args, "--log-level", "debug", "--rate", "0", "--workers", "1", "--max-bad", "off", "--url", c.front.URL, "--token-file", "token")...)
	process.Env = append(process.Env, "OPSCOM_API_TOKEN=", "GOTRACEBACK=all")
	process.Env = append(process.Env, c.variables...)
	return process
}

// found returns the words that are in the text.
func (c *canaries) found(text string, words []string) (found []string) {
	for _, word := range words {
		if strings.Contains(text, word) {
			found = append(found, word)
		}
	}
	return found
}

// quiet runs a command, which must end with that exit code and say none of the words.
func (c *canaries) quiet(code int, args ...string) {
	c.t.Helper()
	end := c.run(c.canaryCommand(args...))
	if end.code != code {
		c.t.Errorf("%q: %+v", args, end)
	}
	if found := c.found(end.stdout+end.stderr, c.words); len(found) > 0 {
		c.t.Errorf("%q says %q", args, found)
	}
}

// start returns a push that waits for its answers.
func (c *canaries) start(stderr io.Writer) *exec.Cmd {
	c.t.Helper()
	c.moody.Store("waits")
	process := c.canaryCommand("push", c.file)
	process.Stderr = stderr
	if err := process.Start(); err != nil {
		c.t.Fatal(err)
	}
	for began := time.Now(); c.held.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			c.t.Fatal("no push has come")
		}
	}
	return process
}

// dump lets a push die in the midst of it with a dump of all its goroutines, and
// looks at what the process list shows of it before.
func (c *canaries) dump() {
	c.t.Helper()
	var stderr bytes.Buffer
	process := c.start(&stderr)
	listed := processList(c.t, process.Process.Pid)
	if found := c.found(listed, c.words); len(found) > 0 {
		c.t.Errorf("the process list has %q", found)
	}
	if err := process.Process.Signal(syscall.SIGQUIT); err != nil {
		c.t.Fatal(err)
	}
	_ = process.Wait() // it dies
	if found := c.found(stderr.String(), c.words); len(found) > 0 || !strings.Contains(stderr.String(), "goroutine 1 ") {
		c.t.Errorf("the dump has %q:\n%s", found, stderr.String())
	}
}

// processList returns what a system shows to all its users of the process, and of
// those that it has started: command lines, and to their owner their environment.
func processList(t testing.TB, pid int) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		return ""
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	family := map[string]bool{strconv.Itoa(pid): true}
	list := ""
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }) // parents come first, nearly always
	for _, folder := range all {
		stat, err := os.ReadFile(filepath.Join(folder, "stat"))
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ") // after the name: state, parent
		if fields := strings.Fields(rest); !family[filepath.Base(folder)] && !family[fields[1]] {
			continue
		}
		family[filepath.Base(folder)] = true
		for _, name := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			list += string(text)
		}
	}
	if !strings.Contains(list, "push") || !strings.Contains(list, "OPSCOM_STATE") {
		t.Errorf("the process list has no push: %q", list)
	}
	return list
}

// mistakes gives files that cannot be used as they are: the errors name no value.
func (c *canaries) mistakes() {
	c.t.Helper()
	for name, text := range map[string]string{
		"unmapped.csv": "Identity,Called,Write to\n" + strings.Join(c.words[1:4], ",") + "\n",
		"open.csv":     "unique_id,login_source,first_name\n" + c.words[1] + ",SSO,\"" + c.words[3] + "\n" + c.words[2] + "\n",
		"ragged.csv":   "unique_id,login_source\n" + strings.Join(c.words[1:9], ",") + "\n",
		"none.csv":     strings.Join(c.words[1:9], ",") + "\n",
		"book.xlsx":    "PK\x03\x04" + strings.Join(c.words, " "),
	} {
		if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
			c.t.Fatal(err)
		}
		for _, command := range []string{"check", "push"} {
			end := c.run(c.canaryCommand(command, "--json", "--fix", "", "--problems", "", "--results", "", name))
			if found := c.found(end.stdout+end.stderr, c.words); len(found) > 0 || end.code == app.ExitDone {
				c.t.Errorf("%s %s says %q: %+v", command, name, found, end)
			}
		}
		if err := os.Remove(c.path(name)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// searchFiles looks for the words in every file that was written: reports hold
// values and never the token, the journal what reports need, all else nothing.
func (c *canaries) searchFiles() {
	c.t.Helper()
	reports := 0
	c.eachFile(func(name, text string) {
		words := c.words
		switch {
		case name == "token", name == c.file:
			return
		case name == "students.results.csv", name == "students.problems.csv", name == "students.fix.xlsx":
			words = words[:1]
			reports++
		case strings.HasPrefix(name, "state"+string(filepath.Separator)):
			words = slices.DeleteFunc(slices.Clone(words), func(w string) bool {
				return w != canaryToken && (slices.Contains(c.kept, w) || strings.Contains(c.echoed, w))
			})
		}
		if found := c.found(text, words); len(found) > 0 {
			c.t.Errorf("%s has %q", name, found)
		}
	})
	if reports != 3 {
		c.t.Errorf("%d reports, want 3", reports)
	}
}

// inState returns the words that are in the files of the journal.
func (c *canaries) inState() (found []string) {
	c.t.Helper()
	c.eachFile(func(name, text string) {
		if strings.HasPrefix(name, "state"+string(filepath.Separator)) {
			found = append(found, c.found(text, c.words)...)
		}
	})
	return found
}

// eachFile calls visit with the name of every file in the folder and what is in it,
// a workbook's parts unpacked.
func (c *canaries) eachFile(visit func(name, text string)) {
	c.t.Helper()
	err := filepath.WalkDir(c.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && filepath.Ext(path) == ".xlsx" {
			text, err = unzipped(text)
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(c.folder, path)
		visit(name, string(text))
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// unzipped returns the parts of a workbook, one after the other.
func unzipped(book []byte) (text []byte, err error) {
	archive, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		return nil, err
	}
	for _, part := range archive.File {
		file, err := part.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		text = append(text, content...)
	}
	return text, nil
}
