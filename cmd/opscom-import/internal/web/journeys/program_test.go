package journeys_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer/sandbox"
)

const (
	root = "../../../../.." // of the module

	realClient = "OC_TEST"
	realToken  = "canary-4f1c"
)

// buildProgram builds the program, and returns its path.
func buildProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "opscom-import")
	if out, err := exec.Command("go", "build", "-o", path, root+"/cmd/opscom-import").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return path
}

// pageProgram is a program that serves the page, as a process of its own.
type pageProgram struct {
	*testing.T
	path    string
	state   string   // folder
	flags   []string // besides the state folder
	journal []string // variables that say where it is; none for the state folder
	address string   // that it printed
	command *exec.Cmd
	said    bytes.Buffer // on standard error
	ended   chan struct{}
}

// startProgram starts the program with a new state folder and the flags.
func (j *journey) startProgram(flags ...string) *pageProgram {
	j.Helper()
	p := &pageProgram{T: j.T, path: j.program, state: filepath.Join(j.TempDir(), "state"), flags: flags, journal: j.variables}
	j.Cleanup(p.kill)
	p.start()
	return p
}

// start starts the program, at first or again after its end.
func (p *pageProgram) start() {
	p.Helper()
	home := filepath.Join(filepath.Dir(p.state), "home")
	args := append([]string{"web", "--no-open", "--config", "", "--state", p.state}, p.flags...)
	p.command = exec.Command(p.path, args...)
	p.command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.Getenv("TMPDIR"), "GORACE=atexit_sleep_ms=0",
		config.TokenVariable + "=" + realToken}
	p.command.Env = append(p.command.Env, p.journal...)
	p.said.Reset()
	p.command.Stderr = &p.said
	printed, err := p.command.StdoutPipe()
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		p.Fatal(err)
	}
	p.address = ""
	lines := bufio.NewScanner(printed)
	for p.address == "" && lines.Scan() {
		p.address = regexp.MustCompile(`http://\S+`).FindString(lines.Text())
	}
	p.ended = make(chan struct{})
	go func() {
		defer close(p.ended)
		_, _ = io.Copy(io.Discard, printed)
		_ = p.command.Wait() // ends says how
	}()
	if p.address == "" {
		<-p.ended
		p.Fatalf("the program printed no address: %s", &p.said)
	}
}

// kill ends the program as a power cut does.
func (p *pageProgram) kill() {
	if p.ended == nil {
		return
	}
	if err := p.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.Error(err)
	}
	<-p.ended
}

// ends waits for the end of the program, which must be in good order.
func (p *pageProgram) ends() {
	p.Helper()
	select {
	case <-p.ended:
	case <-time.After(*patience):
		p.Fatal("the program does not end")
	}
	if code := p.command.ProcessState.ExitCode(); code != 0 || p.said.Len() > 0 {
		p.Errorf("the program ended with code %d: %s", code, &p.said)
	}
}

// person is what a sandbox keeps of somebody, by the names of OPS-COM's attributes.
type person = map[string]string

// practiced returns the people that the sandbox of the program has, by unique id.
func (p *pageProgram) practiced() []person {
	p.Helper()
	return readPeople(p, filepath.Join(p.state, "sandbox", "people.jsonl"))
}

// readPeople returns the people in the file of a sandbox, by unique id.
func readPeople(t testing.TB, path string) []person {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	people := map[int]person{} // a later line replaces an earlier one
	for line := range strings.Lines(string(text)) {
		var record struct {
			ID      int            `json:"reference_id"`
			Profile map[string]any `json:"profile"`
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		who := person{}
		for name, value := range record.Profile {
			who[name] = asText(value)
		}
		people[record.ID] = who
	}
	return slices.SortedFunc(maps.Values(people), func(a, b person) int { return strings.Compare(a["unique_id"], b["unique_id"]) })
}

// asText returns a value of a JSON object as a text.
func asText(value any) string {
	if text, isText := value.(string); isText {
		return text
	}
	encoded, _ := json.Marshal(value) // it was decoded
	return string(encoded)
}

// realOne is what a program takes for OPS-COM, when it is started with the flags.
type realOne struct {
	flags []string
	file  string // of the people that have reached it
}

// startReal starts a Controller for a program, with faults of the sandbox.
func (j *journey) startReal(faults string) *realOne {
	t := j.T
	t.Helper()
	parsed, err := sandbox.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	r := &realOne{file: filepath.Join(t.TempDir(), "people.jsonl")}
	box, err := sandbox.New(sandbox.Config{Client: realClient, Token: realToken, Faults: parsed, PeopleFile: r.file})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	r.flags = []string{"--client", realClient, "--url", server.URL}
	return r
}

// people returns everybody who has reached it, by unique id.
func (r *realOne) people(t testing.TB) []person {
	t.Helper()
	return readPeople(t, r.file)
}
