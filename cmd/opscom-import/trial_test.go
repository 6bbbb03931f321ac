package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/importer/journal/sqlite"
	"opscom-import/importer/sandbox"
	"opscom-import/importer/sandbox/audit"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
)

// trial is a file that processes of the program push to a sandbox. The sandbox
// lives in the test, so that its request log outlives them.
type trial struct {
	t       testing.TB
	program string
	folder  string   // has the file, its mapping, its reports and the state folder
	file    string   // name in folder
	reports string   // folder of the results in folder, "" for folder itself
	flags   []string // of every push

	box         *sandbox.Sandbox
	server      *httptest.Server
	connections atomic.Int64 // that are open
	pushes      atomic.Int64 // that have come
	lists       atomic.Int64 // calls for the user types that have come

	since   int64 // the last request before the run
	earlier int64 // the last run before it
	crashes []audit.Crash
}

const trialMapping = `version: 1
source: {where: 'col("Status") != "WD"'}
fields: {unique_id: ID, login_source: {value: SSO}, first_name: First, last_name: Last, user_name: User, email: E-mail, city: City}
`

// newTrial returns a trial without a file.
func newTrial(t testing.TB, program, faults string, seed uint64) *trial {
	t.Helper()
	parsed, err := sandbox.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(sandbox.Config{Client: scriptClient, Token: scriptToken, Faults: parsed, Seed: seed, KeepRequests: true})
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{t: t, program: program, folder: t.TempDir(), box: box}
	tr.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/push") {
			tr.pushes.Add(1)
		} else {
			tr.lists.Add(1)
		}
		box.ServeHTTP(w, r)
	}))
	tr.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			tr.connections.Add(1)
		case http.StateClosed, http.StateHijacked:
			tr.connections.Add(-1)
		}
	}
	tr.server.Start()
	t.Cleanup(func() {
		tr.server.CloseClientConnections()
		tr.server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

// testProgram returns the program that the test binary stands in for, by TestMain.
func testProgram(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("opscom-import")
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// path returns the path of a file in the trial's folder.
func (tr *trial) path(name string) string { return filepath.Join(tr.folder, name) }

// state is the folder of the journal.
func (tr *trial) state() string { return tr.path("state") }

// results is the path of the results file.
func (tr *trial) results() string {
	return tr.path(filepath.Join(tr.reports, strings.TrimSuffix(tr.file, filepath.Ext(tr.file))+".results.csv"))
}

// write makes the trial's file, in the form that its extension says.
func (tr *trial) write(name string, records [][]string) {
	tr.t.Helper()
	tr.file = name
	base := strings.TrimSuffix(tr.path(name), filepath.Ext(name))
	err := os.WriteFile(base+".mapping.yaml", []byte(trialMapping), 0o600)
	if filepath.Ext(name) == ".xlsx" {
		err = errors.Join(err, writeWorkbook(tr.path(name), records))
	} else {
		var text bytes.Buffer
		err = errors.Join(err, csv.NewWriter(&text).WriteAll(records), os.WriteFile(tr.path(name), text.Bytes(), 0o600))
	}
	if err != nil {
		tr.t.Fatal(err)
	}
}

func writeWorkbook(path string, records [][]string) error {
	book := excelize.NewFile()
	stream, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	for i, record := range records {
		cells := make([]any, len(record))
		for c, text := range record {
			cells[c] = text
		}
		if err := stream.SetRow("A"+strconv.Itoa(i+1), cells); err != nil {
			return err
		}
	}
	return errors.Join(stream.Flush(), book.SaveAs(path), book.Close())
}

// trialRecords returns a table of so many rows, and so many below them that the
// mapping leaves out. Nearly all of the rows are to be pushed, and there is
// something of every other status. Those for which changed says so have another
// profile.
func trialRecords(rows, skipped int, changed func(i int) bool) [][]string {
	records := [][]string{{"ID", "First", "Last", "User", "E-mail", "City", "Status"}}
	for i := range rows {
		n := strconv.Itoa(i)
		record := []string{fmt.Sprintf("9%08d", i), "Zoë", "Tremblay", "user" + n, "p" + n + "@example.edu", "Gatineau", "AS"}
		if changed(i) {
			record[5] = "Ottawa"
		}
		switch {
		case i%50 == 7:
			record[4] = "no address"
		case i%61 == 8:
			record[6] = "WD"
		case i%70 == 9:
			copy(record, records[len(records)-1])
		case i == 10:
			record[3] = "admin" // who is somebody else
		}
		records = append(records, record)
	}
	for i := range skipped {
		records = append(records, []string{fmt.Sprintf("8%08d", i), "Zoë", "Tremblay", "", "", "", "WD"})
	}
	return records
}

// command returns a process of the program, not yet started.
func (tr *trial) command(args ...string) *exec.Cmd {
	c := exec.Command(tr.program, args...)
	c.Dir = tr.folder
	c.Env = []string{
		"HOME=" + tr.folder, "TMPDIR=" + tr.folder, "OPSCOM_STATE=" + tr.state(), "OPSCOM_URL=" + tr.server.URL,
		"OPSCOM_CLIENT=" + scriptClient, "OPSCOM_API_TOKEN=" + scriptToken, "OPSCOM_NO_PROGRESS=true",
	}
	return c
}

// begin says that the next push is another run, and removes the reports of the last.
func (tr *trial) begin() {
	tr.t.Helper()
	tr.quiet()
	run, _, _ := tr.stored()
	tr.since, tr.earlier, tr.crashes = tr.lastSequence(), run.ID, nil
	if err := os.Remove(tr.results()); err != nil && !errors.Is(err, os.ErrNotExist) {
		tr.t.Fatal(err)
	}
}

// crashed takes down what a process has left that was killed, and returns the
// state of the run: "" when it had not begun.
func (tr *trial) crashed() importer.RunState {
	tr.t.Helper()
	tr.quiet()
	crash := audit.Crash{Sequence: tr.lastSequence()}
	run, lines, _ := tr.stored()
	if run.ID <= tr.earlier {
		run.State = ""
	} else if run.State != importer.RunPlanning {
		crash.Journal = lines
	}
	tr.crashes = append(tr.crashes, crash)
	return run.State
}

// push returns the process of a push of the file.
func (tr *trial) push() *exec.Cmd {
	return tr.command(append(append([]string{"push", "--json"}, tr.flags...), tr.file)...)
}

// ended is what a process has left.
type ended struct {
	code           int
	stdout, stderr string
}

// run runs a process to its end.
func (tr *trial) run(c *exec.Cmd) ended {
	tr.t.Helper()
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		tr.t.Fatal(err)
	}
	return ended{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// quiet waits until nobody is connected to the sandbox any more, so that its
// request log is complete.
func (tr *trial) quiet() {
	tr.t.Helper()
	for began := time.Now(); tr.connections.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			tr.t.Fatal("connections stay open")
		}
	}
}

// lastSequence is the number of the last request in the request log.
func (tr *trial) lastSequence() int64 { return tr.lists.Load() + tr.pushes.Load() }

// stored returns the newest run with its lines as the journal has them, from a
// copy of it, so that the program finds its files as it left them. There is no
// run when found is false.
func (tr *trial) stored() (run importer.RunInfo, lines []importer.Result, found bool) {
	tr.t.Helper()
	dir := filepath.Join(tr.t.TempDir(), "state")
	if exists, err := sqlite.Exists(tr.state()); err != nil || !exists {
		return run, nil, false
	}
	if err := os.CopyFS(dir, os.DirFS(tr.state())); err != nil {
		tr.t.Fatal(err)
	}
	j, err := sqlite.Open(context.Background(), dir)
	if err != nil {
		tr.t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(j.Close(), os.RemoveAll(dir)); err != nil {
			tr.t.Error(err)
		}
	}()
	runs, err := j.Runs(context.Background())
	if err != nil {
		tr.t.Fatal(err)
	}
	if len(runs) == 0 {
		return run, nil, false
	}
	handle, err := j.Run(context.Background(), runs[0].ID)
	if err != nil {
		tr.t.Fatal(err)
	}
	for line, err := range handle.Results(context.Background()) {
		if err != nil {
			tr.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return runs[0], lines, true
}

// source maps the rows of the file, each by itself.
func (tr *trial) source() (rows []audit.SourceRow) {
	tr.t.Helper()
	check := func(err error) {
		if err != nil {
			tr.t.Fatal(err)
		}
	}
	file, err := mapping.Parse("trial", []byte(trialMapping))
	check(err)
	table, err := sheet.Open(tr.path(tr.file), sheet.Options{})
	check(err)
	defer func() { check(table.Close()) }()
	mapper, err := mapping.Compile(file, table.Header().Names, mapping.Options{})
	check(err)
	var row importer.Row
	var result mapping.Result
	for {
		err := table.Next(&row)
		if err == io.EOF {
			return rows
		}
		check(err)
		mapper.Map(row.Cells, &result)
		mapped, err := audit.NewSourceRow(&row, &result)
		check(err)
		rows = append(rows, mapped)
	}
}

// audit holds all that is known of the run against each other, once a push has
// ended. A push that was killed after the run's end has left an exit code of -1
// and no summary.
func (tr *trial) audit(last ended) []audit.Violation {
	tr.t.Helper()
	tr.quiet()
	run, lines, found := tr.stored()
	if !found {
		tr.t.Fatalf("there is no run in the journal; the push said %+v", last)
	}
	evidence := audit.Evidence{Source: tr.source(), Requests: tr.box.Requests(), Since: tr.since, Crashes: tr.crashes, Journal: lines}
	text, err := os.ReadFile(tr.results())
	if err == nil {
		evidence.Results, err = audit.ReadResults(bytes.NewReader(text))
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		tr.t.Fatal(err)
	}
	summaries := map[string]string{"summary": last.stdout}
	summaries["runs show"] = tr.run(tr.command("runs", "show", "--json", strconv.FormatInt(run.ID, 10))).stdout
	for name, line := range summaries {
		if line == "" && (last.code == app.ExitIncomplete || last.code < 0) {
			continue // the command did not get as far as that
		}
		claim, err := audit.ReadTotals(name, []byte(line))
		if err != nil {
			tr.t.Fatalf("%v\n%+v", err, last)
		}
		evidence.Totals = append(evidence.Totals, claim)
		evidence.Exit = claim.Exit
	}
	if last.code >= 0 {
		evidence.Exit = last.code
	}
	return audit.Check(evidence)
}
