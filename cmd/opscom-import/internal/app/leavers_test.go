package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/report"
)

// leaverNights pushes rosters night after night to a sandbox, whose people are looked at.
type leaverNights struct {
	*testing.T
	env    Env
	folder string
	random *rand.Rand
	night  int
	log    []string
}

func newLeaverNights(t *testing.T, seed uint64, arguments ...string) *leaverNights {
	arguments = append([]string{"--sandbox", "--rate", "0", "--only-changes", "--leavers", "type:Alumni", "--max-bad", "off"}, arguments...)
	return &leaverNights{T: t, env: newEnv(t, arguments...), folder: t.TempDir(), random: rand.New(rand.NewPCG(seed, 0))}
}

// file writes the next night's file: each line is the rest of a row, after its id.
func (n *leaverNights) file(rows ...string) string {
	n.night++
	path := filepath.Join(n.folder, time.Date(2026, 1, n.night, 0, 0, 0, 0, time.UTC).Format("people-2006-01-02.csv"))
	n.write(path, rows...)
	return path
}

func (n *leaverNights) write(path string, rows ...string) {
	n.Helper()
	text := "unique_id,login_source,last_name,email,user_type_id\n" + strings.Join(rows, "\n") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		n.Fatal(err)
	}
}

// present is the row of somebody who is in the file.
func present(who string) string { return who + ",SSO,Roy,,1" }

// push pushes a file, and resumes as often as it is interrupted after the times.
func (n *leaverNights) push(path string, interrupts ...time.Duration) (receipt report.Receipt) {
	n.Helper()
	for {
		ctx, cancel := context.WithCancel(n.Context())
		if len(interrupts) > 0 {
			ctx, cancel = context.WithTimeout(n.Context(), interrupts[0])
		}
		err := Push(ctx, n.Context(), n.env, []string{path}, func(r report.Receipt) error {
			receipt = r
			return nil
		})
		cancel()
		switch {
		case err == nil:
			return receipt
		case !errors.Is(err, importer.ErrInterrupted) && !errors.Is(err, context.DeadlineExceeded):
			n.Fatalf("%v\n%s", err, strings.Join(n.log, "\n"))
		}
		interrupts = interrupts[1:]
	}
}

// approve approves a held run.
func (n *leaverNights) approve(run int64) (receipt report.Receipt) {
	n.Helper()
	err := Approve(n.Context(), n.Context(), n.env, run, func(r report.Receipt) error {
		receipt = r
		return nil
	})
	if err != nil {
		n.Fatal(err)
	}
	return receipt
}

// types returns the user type of everybody in the sandbox.
func (n *leaverNights) types() map[string]string {
	n.Helper()
	file, err := os.Open(filepath.Join(n.env.Settings.State, "sandbox", "people.jsonl"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		n.Fatal(err)
	}
	defer file.Close() // only read
	types := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			Profile map[string]string `json:"profile"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			n.Fatal(err)
		}
		types[strings.ToUpper(line.Profile["unique_id"])] = line.Profile["user_type_id"]
		if line.Profile["last_name"] == "" {
			n.Errorf("%s was pushed as a leaver only", line.Profile["unique_id"])
		}
	}
	return types
}

// TestLeaversNightAfterNight compares whom the sandbox has as what with a model that needs
// no journal: after a complete night everybody who was ever pushed and is not in the file
// has the leavers' type, and nobody else has. In a night with a reason to doubt the file,
// and for people whose rows are invalid, nothing changes.
func TestLeaversNightAfterNight(t *testing.T) {
	seeds, nights := 8, 30
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			n := newLeaverNights(t, uint64(seed), "--max-leavers", "40%", "--keep-keys", "--rate", "400")
			people := map[string]bool{}
			for range nights {
				n.simulate(people)
			}
		})
	}
}

// leaverNight is one night as the model knows it.
type leaverNight struct {
	in, valid map[string]bool // who is in the file, and whose row is sent
	rows      []string
	doubtful  bool // a row may be anyone
}

// plan changes who is in the file.
func (n *leaverNights) plan(people map[string]bool) (night leaverNight) {
	changes := 4
	if n.random.IntN(6) == 0 {
		changes = 40
	}
	for range changes {
		who := fmt.Sprintf("P%02d", n.random.IntN(30))
		if people[who] = n.random.IntN(3) > 0; !people[who] {
			delete(people, who)
		}
	}
	people["P99"] = true // so that there is always somebody
	night = leaverNight{in: maps.Clone(people), valid: map[string]bool{}}
	if n.random.IntN(8) == 0 { // the export is cut short
		for who := range people {
			if who != "P99" && n.random.IntN(4) > 0 {
				delete(night.in, who)
			}
		}
	}
	for _, who := range slices.Sorted(maps.Keys(night.in)) {
		switch n.random.IntN(15) {
		case 0: // in the file, and not sent
			night.rows = append(night.rows, who+",SSO,Roy,no address,1")
		case 1:
			night.rows = append(night.rows, present(who), present(strings.ToLower(who)))
		default:
			night.rows = append(night.rows, present(who))
		}
		night.valid[who] = !strings.Contains(night.rows[len(night.rows)-1], "no address")
	}
	if night.doubtful = n.random.IntN(8) == 0; night.doubtful {
		night.rows = append(night.rows, ",SSO,Roy,,1")
	}
	return night
}

// simulate is one night: pushed, resumed, given up, held, approved, forgotten.
func (n *leaverNights) simulate(people map[string]bool) {
	night := n.plan(people)
	var interrupts []time.Duration
	for range n.random.IntN(3) {
		interrupts = append(interrupts, time.Duration(n.random.IntN(80))*time.Millisecond)
	}
	n.log = append(n.log, fmt.Sprintf("night %d: %s", n.night+1, strings.Join(night.rows, " ")))
	before := n.types()
	path := n.file(night.rows...)
	if len(interrupts) > 0 && n.random.IntN(3) == 0 { // and nobody resumes it
		ctx, cancel := context.WithTimeout(n.Context(), interrupts[0])
		defer cancel()
		_ = Push(ctx, n.Context(), n.env, []string{path}, func(report.Receipt) error { return nil })
		n.log = append(n.log, "given up")
		return
	}
	receipt := n.push(path, interrupts...)
	if err := receipt.Check(); err != nil {
		n.Fatal(err)
	}
	l := receipt.Leavers
	shrank := l.Compared() && 10*len(night.rows) < 6*l.Rows
	tooMany := 10*l.Sent > 4*l.People
	if isHeld := receipt.Exit == ExitHeld; isHeld != (shrank || tooMany) {
		n.Fatalf("held: %v, with %d rows after %d and %d of %d people as leavers\n%s", isHeld, len(night.rows), l.Rows, l.Sent, l.People, strings.Join(n.log, "\n"))
	}
	if receipt.Exit == ExitHeld {
		if !maps.Equal(before, n.types()) {
			n.Fatalf("a held run changed %v", before)
		}
		if n.random.IntN(2) == 0 {
			n.log = append(n.log, "held")
			return // nobody approves it
		}
		n.log = append(n.log, "approved")
		receipt = n.approve(receipt.Run)
	}
	night.doubtful = night.doubtful || shrank
	n.check(receipt, night, before)
	if n.random.IntN(4) == 0 {
		n.log = append(n.log, "forgotten")
		if _, err := Forget(n.Context(), n.env, []int64{receipt.Run}, 0); err != nil {
			n.Fatal(err)
		}
	}
}

// check compares the sandbox with the model after a complete run.
func (n *leaverNights) check(receipt report.Receipt, night leaverNight, before map[string]string) {
	n.Helper()
	types := n.types()
	for who := range night.valid {
		if _, known := types[who]; night.valid[who] && !known {
			n.Fatalf("%s was not pushed", who)
		}
	}
	for who, userType := range types {
		want := before[who]
		switch {
		case night.valid[who]:
			want = "1"
		case !night.in[who] && !night.doubtful && receipt.Leavers.Compared():
			want = "7"
		}
		if userType != want {
			n.Fatalf("%s has the type %q, want %q; in the file: %v; run %d compared with run %d, found %d, sent %d, why %q\n%s", who, userType, want, night.in[who],
				receipt.Run, receipt.Leavers.Run, receipt.Leavers.Found, receipt.Leavers.Sent, receipt.Leavers.Why, strings.Join(n.log, "\n"))
		}
	}
}

// A held run is not approved any more once a newer one of the same file is complete: the
// people whom it would push as leavers may have come back.
func TestApprovingLeaversOfAnOlderFile(t *testing.T) {
	n := newLeaverNights(t, 1, "--max-leavers", "1%")
	n.push(n.file(present("P1"), present("P2")))
	held := n.push(n.file(present("P1"), present("P3")))
	if held.Exit != ExitHeld || held.Leavers.Sent != 1 {
		t.Fatalf("%+v", held)
	}
	n.push(n.file(present("P1"), present("P2")))
	before := n.types()
	env := n.env
	env.Settings.Yes = true // also for somebody who knows that it is an older file
	err := Approve(t.Context(), t.Context(), env, held.Run, func(report.Receipt) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "run 2 is not pushed: run 3 of the same file is complete since, so that some of its leavers may have come back; push the newest file instead") || ExitCode(err) != ExitUsage {
		t.Errorf("error %v", err)
	}
	if after := n.types(); !maps.Equal(before, after) {
		t.Errorf("types %v, before %v", after, before)
	}
}

// Nor once the journal is restored from a backup.
func TestApprovingLeaversAfterARestore(t *testing.T) {
	n := newLeaverNights(t, 1, "--max-leavers", "1%")
	n.push(n.file(present("P1"), present("P2")))
	held := n.push(n.file(present("P1"), present("P3")))
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := BackupJournal(t.Context(), n.env, backup); err != nil {
		t.Fatal(err)
	}
	before := n.types()
	people := filepath.Join(n.env.Settings.State, "sandbox")
	n.env.Settings.State = filepath.Join(t.TempDir(), "state")
	if _, err := RestoreJournal(t.Context(), n.env, backup); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(n.env.Settings.State, "sandbox"), os.DirFS(people)); err != nil {
		t.Fatal(err)
	}
	err := Approve(t.Context(), t.Context(), n.env, held.Run, func(report.Receipt) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "run 2 is not pushed: the journal was restored from a backup since") {
		t.Errorf("error %v", err)
	}
	if receipt := n.push(n.file(present("P1"))); receipt.Leavers.Compared() || receipt.Leavers.Sent != 0 {
		t.Errorf("%+v", receipt.Leavers)
	}
	if after := n.types(); !maps.Equal(before, after) {
		t.Errorf("types %v, before %v", after, before)
	}
	if receipt := n.push(n.file(present("P3"), present("P1"))); !receipt.Leavers.Compared() {
		t.Errorf("%+v", receipt.Leavers)
	}
}

// Nor is one approved whose leavers another file has since.
func TestApprovingLeaversWhoMoved(t *testing.T) {
	n := newLeaverNights(t, 1, "--max-leavers", "1%")
	n.push(n.file(present("P1"), present("P2")))
	path := n.file(present("P1"), present("P3"))
	held := n.push(path)
	staff := filepath.Join(n.folder, "staff.csv")
	n.write(staff, "P2,SSO,Roy,,4")
	n.push(staff)
	err := Approve(t.Context(), t.Context(), n.env, held.Run, func(report.Receipt) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "run 2 is not pushed: run 3, of another file, has some of its leavers since (1); push the newest file instead") {
		t.Errorf("error %v", err)
	}
	if receipt := n.push(path); receipt.Exit != ExitDone || receipt.Leavers.Found != 0 || n.types()["P2"] != "4" {
		t.Errorf("%+v, types %v", receipt, n.types())
	}
}

// A person whom another file has since is not pushed as a leaver.
func TestLeaversWhoAreInAnotherFile(t *testing.T) {
	n := newLeaverNights(t, 1, "--max-leavers", "90%")
	n.push(n.file(present("P1"), present("P2"), present("P3"), present("P4")))
	staff := filepath.Join(n.folder, "staff.csv")
	n.write(staff, "P2,SSO,Roy,,4")
	n.push(staff)
	var notes []string
	n.env.Notify = func(note string) { notes = append(notes, note) }
	receipt := n.push(n.file(present("P1"), present("P4")))
	if got := n.types(); receipt.Leavers.Found != 1 || got["P2"] != "4" || got["P3"] != "7" {
		t.Errorf("%+v, types %v", receipt.Leavers, got)
	}
	if text := strings.Join(notes, "\n"); !strings.Contains(text, "Other files have people of run 1 who are not in this one (1)") {
		t.Errorf("notes %s", text)
	}
}

// What is pushed from the page is what was shown there, which has no leavers.
func TestReviewedPushHasNoLeavers(t *testing.T) {
	n := newLeaverNights(t, 1)
	n.push(n.file(present("P1"), present("P2")))
	path := n.file(present("P1"))
	inspection, err := Inspect(t.Context(), n.env, path)
	if err != nil {
		t.Fatal(err)
	}
	defer inspection.Close() // only temporary files
	n.env.Reviewed = &Reviewed{Digest: inspection.Digest, Held: inspection.Receipt.Held}
	if receipt := n.push(path); receipt.Leavers != nil || n.types()["P2"] != "1" {
		t.Errorf("%+v", receipt)
	}
}

// A check without the Controller's list counts leavers all the same.
func TestCheckOfLeaversWithoutAList(t *testing.T) {
	n := newLeaverNights(t, 1, "--max-leavers", "60%")
	n.push(n.file(present("P1"), present("P2")))
	for mode, sent := range map[string]int{"type:Alumni": 1, "type:99": 1, "report": 0} {
		env := newEnv(t, "--client", "OC_NONE", "--url", "http://127.0.0.1:1", "--leavers", mode, "--max-leavers", "60%")
		env.Settings.State = n.env.Settings.State
		checker, err := newChecker(t.Context(), env)
		if err != nil || checker.userTypes.known {
			t.Fatalf("%+v, %v", checker, err)
		}
		checker.Settings.Sandbox = true // whose runs there are
		path := n.file(present("P1"))
		_, err = env.withTable(t.Context(), path, checker.userTypes, func(opened *table) (report.Receipt, error) {
			receipt, err := checker.checkFile(t.Context(), opened)
			if err == nil && (receipt.Leavers.Found != 1 || receipt.Leavers.Sent != sent || receipt.Check() != nil) {
				t.Errorf("%s: %+v", mode, receipt)
			}
			return receipt, err
		})
		if err := errors.Join(err, checker.Close()); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

// A leaver whom the Controller refuses is in the results and in the list of leavers, and
// not in the workbook of rows to fix, which has rows of the file.
func TestRefusedLeaverIsNoRowToFix(t *testing.T) {
	handler := newBox(t, "")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := newLeaverNights(t, 1, "--sandbox=false", "--url", server.URL, "--client", "OC_TEST", "--token-file", token, "--max-leavers", "50%")
	n.push(n.file(present("P1"), present("P2"), present("P3"), present("P4")))
	handler = newBox(t, "require=last_name") // it does not know them, so that what leavers have is not enough
	path := n.file(present("P1"), present("P3"), "P4,SSO,Roy,no address,1")
	receipt := n.push(path)
	if receipt.Exit != ExitRows || receipt.Counts[importer.StatusRejected] != 1 || receipt.Counts[importer.StatusInvalid] != 1 || receipt.Leavers.Sent != 1 {
		t.Fatalf("%+v", receipt)
	}
	book, err := excelize.OpenFile(receipt.Reports.Fix)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close() // only read
	rows, err := book.GetRows(book.GetSheetName(0))
	if err != nil || len(rows) != 2 || rows[1][0] != "P4" {
		t.Errorf("the workbook has %q, %v", rows, err)
	}
	list, err := os.ReadFile(receipt.Reports.Leavers)
	if err != nil || !strings.Contains(string(list), "\r\nP2,SSO,,5,rejected,9018,") {
		t.Errorf("leavers %s, %v", list, err)
	}
	if again := n.push(n.file(present("P1"), present("P3"), present("P4"))); again.Leavers.Sent != 1 || again.Reports.Fix != "" {
		t.Errorf("the next night: %+v", again)
	}
}

// newBox returns a mock Controller.
func newBox(t *testing.T, faults string) *sandbox.Sandbox {
	t.Helper()
	parsed, err := sandbox.ParseFaults(faults)
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(sandbox.Config{Client: "OC_TEST", Token: "secret", Faults: parsed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return box
}
