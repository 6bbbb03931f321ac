package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/importer"
	"opscom-import/importer/sandbox"
)

// uncommitted is how many answers the program may have that are not on the disk
// yet: a batch that is being committed, and what comes in meanwhile.
const uncommitted = 400 + 100

// campaign is one file that is pushed and killed until it is done.
type campaign struct {
	*trial
	killTally
	settings string
	workers  int
	left     int // kills that are still to come
}

// newCampaign writes a file, and chooses how it is pushed.
func newCampaign(t *testing.T, program string, random *rand.Rand) *campaign {
	t.Helper()
	pick := func(choices ...string) string { return choices[random.IntN(len(choices))] }
	c := &campaign{workers: []int{1, 4, 16, 64}[random.IntN(4)], left: 3 + random.IntN(6), killTally: killTally{hit: make(map[killMoment]int), runs: 1}}
	c.rows = min(3000, 120*c.workers)
	faults := pick("jitter=1ms", "jitter=3ms", "slow=1%:200ms", "drop-before=2%,drop-during=2%,truncate=2%", "503=2%,lie=2%,code=3%:9022",
		"drip=2%:300ms,endless=2%,bomb=2%", "drop-after=20%")
	if faults == "drop-after=20%" { // retries have a budget, and 20 % would exceed that of more rows
		c.rows, c.workers = 150, 64
	}
	rate := pick("0", "0", "2000")
	name := pick("students.csv", "students.xlsx")
	onlyChanges := random.IntN(3) == 0
	c.trial = newTrial(t, program, "latency=1ms,"+faults, random.Uint64())
	c.flags = []string{"--workers", strconv.Itoa(c.workers), "--rate", rate, "--burst", "10", "--max-failures", "1000"}
	if onlyChanges {
		c.flags = append(c.flags, "--only-changes")
	}
	skipped := []int{0, 0, 30_000}[random.IntN(3)] // rows that take long to plan and nothing to push
	c.settings = fmt.Sprintf("%s, %d people and %d others, faults %q, %v", name, c.rows, skipped, faults, c.flags)
	c.write(name, trialRecords(c.rows, skipped, func(int) bool { return false }))
	if onlyChanges {
		if end := c.complete(); end.code > app.ExitRows {
			t.Errorf("the push before: %+v", end)
		}
		c.begin()
		c.write(name, trialRecords(c.rows, skipped, func(i int) bool { return i%3 == 1 || i == 10 }))
	}
	return c
}

// complete gives the command until its run is complete.
func (c *campaign) complete() (end ended) {
	for range 10 {
		if end = c.run(c.push()); end.code != app.ExitIncomplete {
			return end
		}
	}
	return end
}

// pushAndKill pushes the file with kills, completes it, and audits the run.
func (c *campaign) pushAndKill(random *rand.Rand) {
	var end ended
	over := false
	for c.left > 0 && !over {
		end, over = c.life(random)
	}
	if !over {
		end = c.complete()
	}
	if end.code > app.ExitRows {
		c.t.Errorf("%+v", end)
		return
	}
	c.judge(end)
	if left := c.leftovers(); end.code >= 0 && len(left) > 0 {
		c.t.Errorf("the run is complete and has left %q", left)
	}
	people := make(map[sandbox.Key]bool)
	for _, entry := range c.box.Requests() {
		if entry.Applied {
			people[entry.Key] = true
		}
	}
	if c.box.People() != len(people) {
		c.t.Errorf("the sandbox knows %d people; it accepted %d", c.box.People(), len(people))
	}
}

// judge audits what a push has left, and counts the violations.
func (c *campaign) judge(end ended) {
	violations := c.audit(end)
	c.violations += len(violations)
	for _, v := range violations[:min(len(violations), 10)] {
		c.t.Error(v)
	}
}

// leftovers are the files that only a run in progress may have: profiles that wait, and
// reports that are not whole.
func (c *campaign) leftovers() (left []string) {
	for _, pattern := range []string{filepath.Join(c.state(), "payloads", "*"), c.path(".*.tmp"), c.path("opscom-import-*")} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			c.t.Fatal(err)
		}
		left = append(left, found...)
	}
	return left
}

// life gives the command, kills it at a random moment, and reports whether the run
// is over. One life in four is interrupted instead, once or twice, and what it
// reports is audited at once. A process that was quicker has not been killed.
func (c *campaign) life(random *rand.Rand) (end ended, over bool) {
	process := c.push()
	var stdout, stderr bytes.Buffer
	process.Stdout, process.Stderr = &stdout, &stderr
	if err := process.Start(); err != nil {
		c.t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = process.Wait() // it is killed, most often
	}()
	c.await(random, gone)
	signals := []os.Signal{os.Kill}
	if random.IntN(4) == 0 {
		signals = slices.Repeat([]os.Signal{os.Interrupt}, 1+random.IntN(2))
	}
	for _, signal := range signals {
		_ = process.Process.Signal(signal) // it may be over
		time.Sleep(time.Duration(random.IntN(3)) * time.Millisecond)
	}
	<-gone
	end = ended{process.ProcessState.ExitCode(), stdout.String(), stderr.String()}
	if end.code >= 0 && end.code != app.ExitIncomplete {
		return end, true
	}
	if end.stdout != "" && end.code >= 0 { // it has stopped in good order
		c.stops++
		c.judge(end)
	}
	state := c.crashed()
	if end.code < 0 {
		c.kills++
		c.left--
		c.hit[c.moment(state)]++
		c.weigh()
	}
	return end, state == importer.RunFinished
}

// await waits for a random moment in the life of the process: while it starts,
// plans, pushes, commits or writes its reports.
func (c *campaign) await(random *rand.Rand, gone <-chan struct{}) {
	pause := func(most time.Duration) { time.Sleep(time.Duration(random.Int64N(int64(most)))) }
	until := func(happened func() bool) {
		for !happened() {
			select {
			case <-gone:
				return
			case <-time.After(100 * time.Microsecond):
			}
		}
	}
	lists, pushes := c.lists.Load(), c.pushes.Load()
	switch random.IntN(5) {
	case 0:
		pause(40 * time.Millisecond)
	case 1: // the list of user types is asked for before the file is read
		until(func() bool { return c.lists.Load() > lists })
		pause(80 * time.Millisecond)
	case 2:
		some := 1 + random.Int64N(int64(c.rows/2))
		until(func() bool { return c.pushes.Load() >= pushes+some })
		pause(3 * time.Millisecond)
	case 3: // each commit writes to the journal's log
		until(func() bool { return c.pushes.Load() > pushes })
		for range 1 + random.IntN(8) {
			written := modified(filepath.Join(c.state(), "journal.db-wal"))
			until(func() bool { return modified(filepath.Join(c.state(), "journal.db-wal")).After(written) })
		}
		pause(2 * time.Millisecond)
	case 4:
		temporary := filepath.Join(c.folder, "."+filepath.Base(c.results())+".tmp")
		until(func() bool { return c.pushes.Load() > pushes && !modified(temporary).IsZero() })
		pause(20 * time.Millisecond)
	}
}

// modified is when the file was last written, the zero time when there is none.
func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// moment tells from what was left what the program was at when it was killed.
func (c *campaign) moment(state importer.RunState) killMoment {
	lines := c.crashes[len(c.crashes)-1].Journal
	open := slices.ContainsFunc(lines, func(l importer.Result) bool {
		return l.Status == importer.StatusUnknown || l.Status == importer.StatusNotSent
	})
	switch {
	case state == "", state == importer.RunStopped: // stopped by the process that took the run up
		return starting
	case state == importer.RunPlanning:
		return planning
	case state == importer.RunFinished:
		return finished
	case open:
		return pushing
	}
	return reporting
}

// weigh counts the rows that were accepted since the last kill and that the journal
// does not know of: they have to be sent again.
func (c *campaign) weigh() {
	crash := c.crashes[len(c.crashes)-1]
	since := c.since
	if len(c.crashes) > 1 {
		since = c.crashes[len(c.crashes)-2].Sequence
	}
	accepted := make(map[string]bool)
	for _, entry := range c.box.Requests() {
		if entry.Applied && entry.Sequence > since {
			accepted[entry.Key.UniqueID] = true
		}
	}
	lost := 0
	for _, line := range crash.Journal {
		if line.Status == importer.StatusUnknown && accepted[line.UniqueID] {
			lost++
		}
	}
	if lost > c.workers+uncommitted {
		c.t.Errorf("a kill lost %d answers", lost)
	}
	c.lost += lost
	c.most = max(c.most, lost)
	if lost > 0 {
		c.costly++
	}
}
