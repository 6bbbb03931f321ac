package main

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer/sandbox"
)

// TestKillAmongLeavers kills the program again and again while it pushes people who left,
// and gives the same command until the run is complete: each has one line in the results,
// and nobody else was pushed.
func TestKillAmongLeavers(t *testing.T) {
	skipShort(t)
	t.Parallel()
	const people, left = 300, 100
	tr := newTrial(t, testProgram(t), "latency=2ms,drop-after=3%", 1)
	records := [][]string{{"ID", "First", "Last", "User", "E-mail", "City", "Status"}}
	for _, record := range trialRecords(people, 0, func(int) bool { return false })[1:] {
		record[3], record[4], record[6] = "", "", "AS"
		records = append(records, record)
	}
	tr.flags = []string{"--rate", "0", "--only-changes", "--leavers", "type:Alumni", "--max-leavers", "40%"}
	tr.write("people-2026-01-01.csv", records)
	if end := tr.run(tr.push()); end.code != app.ExitDone {
		t.Fatalf("%+v", end)
	}
	known := tr.box.People()
	gone := map[sandbox.Key]bool{}
	for _, record := range records[1 : left+1] {
		gone[sandbox.KeyOf("SSO", record[0])] = true
	}
	tr.write("people-2026-01-02.csv", append(records[:1:1], records[left+1:]...))
	tr.begin()
	for range 4 {
		process := tr.push()
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = process.Wait() // it is killed, most often
		}()
		tr.awaitPushes(tr.pushes.Load()+15, ended)
		_ = process.Process.Kill() // it may be over
		<-ended
	}
	end := tr.run(tr.push())
	if end.code != app.ExitDone {
		t.Fatalf("%+v", end)
	}
	tr.quiet()
	pushed, accepted := leaversIn(t, tr.results()), map[sandbox.Key]bool{}
	for _, entry := range tr.box.Requests() {
		if entry.Sequence > tr.since && entry.Call == sandbox.PushCall && !gone[entry.Key] {
			t.Errorf("%v was pushed, and is in the file", entry.Key)
		}
		if entry.Sequence > tr.since && entry.Applied {
			accepted[entry.Key] = true
		}
	}
	if pushed != len(gone) || len(accepted) != len(gone) || tr.box.People() != known {
		t.Errorf("of %d leavers %d are pushed by the results, and %d were; the sandbox has %d people and had %d", len(gone), pushed, len(accepted), tr.box.People(), known)
	}
}

// awaitPushes waits until so many have come, or the process has ended.
func (tr *trial) awaitPushes(n int64, ended <-chan struct{}) {
	for tr.pushes.Load() < n {
		select {
		case <-ended:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// leaversIn returns how many leavers the results call pushed, one line each.
func leaversIn(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // only read
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, line := range lines {
		if line[3] == "pushed" && strings.HasPrefix(line[8], "A leaver: ") {
			seen[line[1]] = true
		}
	}
	return len(seen)
}
