package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/importer/sandbox"
	"opscom-import/importer/sandbox/audit"
)

// course is a scenario as it is played.
type course struct {
	*scenario
	journals
	t       *testing.T
	folder  string // has the machines of all processes
	machine string // the one that the next process finds
	box     *sandbox.Sandbox
	network *network
	began   time.Time

	// The file that is being pushed.
	file      *file
	since     int64 // the last request in the log before it
	earlier   int64 // the last run before it
	crashes   []audit.Crash
	unseen    int             // crashes whose journal nobody has looked into yet
	rounds    map[string]int  // of its rows that wait for others, by unique id
	settled   map[string]bool // who was accepted as the file before it has them; nil if it is not known
	last      *process
	latest    int64 // the newest run so far
	processes int

	mu         sync.Mutex
	violations []string
	events     []string
	counters   counters
	sends      map[string]int // by unique id
	departures []request
	pauses     []pause
}

// ramFolder is a file system in memory, where there is one: the simulation writes to
// the disk all the time, and never loses the real power.
const ramFolder = "/dev/shm"

func newCourse(t *testing.T, s *scenario, j journals) *course {
	c := &course{scenario: s, journals: j, t: t, began: time.Now(), counters: counters{}, sends: map[string]int{}}
	var err error
	if c.folder, err = os.MkdirTemp(ramFolder, "opscom-import-simulation-"); err != nil {
		c.folder, err = os.MkdirTemp("", "opscom-import-simulation-")
	}
	c.check(err)
	c.machine = filepath.Join(c.folder, "machine 1")
	c.check(os.Mkdir(c.machine, 0o700))
	c.box, err = sandbox.New(sandbox.Config{Client: simulatedClient, Token: simulatedToken, Faults: s.faults, Seed: s.seed, KeepRequests: true})
	c.check(err)
	c.network = newNetwork(c.box, s.wire.idle)
	return c
}

func (c *course) close() {
	if err := errors.Join(c.network.shutDown(), c.box.Close(), os.RemoveAll(c.folder)); err != nil {
		c.t.Error(err)
	}
}

// check gives up on an error that is none of the program's.
func (c *course) check(err error) {
	c.t.Helper()
	if err != nil {
		panic(fmt.Sprintf("seed %d: the simulation itself failed: %v", c.seed, err))
	}
}

// violated notes something that must not be.
func (c *course) violated(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.violations = append(c.violations, fmt.Sprintf("file %d: ", c.file.number)+fmt.Sprintf(format, args...))
	c.counters["violations"]++
}

// count counts n more of what happens.
func (c *course) count(what string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counters[what] += n
}

// note keeps what happens, with its time.
func (c *course) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, fmt.Sprintf("%16.9f s  ", time.Since(c.began).Seconds())+fmt.Sprintf(format, args...))
}

// noteRequest notes that a request about someone leaves.
func (p *process) noteRequest(who string) request {
	p.course.mu.Lock()
	defer p.course.mu.Unlock()
	p.sends[who]++
	p.counters["requests"]++
	r := request{p.number, who, time.Now(), p.sends[who]}
	p.course.departures = append(p.course.departures, r)
	return r
}

// play plays the files.
func (c *course) play() {
	for _, c.file = range c.files {
		c.count("runs", 1)
		c.playFile()
	}
	c.checkPeople()
	c.checkRequests()
}

// How often a command is given again.
const (
	maxFailures  = 12 // then failures in a row no longer stop it, and nobody interrupts it
	mostCommands = 60
)

func (c *course) playFile() {
	c.note("file %d", c.file.number)
	c.since, c.crashes, c.unseen = c.lastSequence(), nil, 0
	c.earlier = c.latest
	c.check(c.removeResults())
	incomplete, paused, yes := 0, 0, false
	settled := map[string]bool(nil)
	defer func() { c.settled = settled }()
	for given := 1; ; given++ {
		if given-paused > mostCommands {
			c.violated("the run is not complete after %d commands", mostCommands)
			return
		}
		p, e := c.command(given, incomplete > maxFailures, yes)
		random := draw(c.seed, "pause", c.file.number, given)
		if p.died() {
			c.takeOver(p)
			time.Sleep(spread(random, time.Millisecond, time.Minute))
			continue
		}
		c.audit(e)
		p.checkKnown(e.lines)
		switch e.code {
		case exitDone, exitRows:
			c.checkNothingLeft()
			settled = map[string]bool{}
			for i := range e.lines {
				if s := e.lines[i].Status; s == importer.StatusPushed || s == importer.StatusUnchanged {
					settled[e.lines[i].UniqueID] = true
				}
			}
			return
		case exitHeld:
			yes = true
		default:
			incomplete++
			if c.file.abandoned {
				c.count("runs abandoned", 1)
				return
			}
			time.Sleep(spread(random, time.Second, time.Hour))
			c.awaitToken(e.err)
			if errors.As(e.err, new(*importer.PauseError)) { // each such answer ends one command
				paused++
			}
		}
	}
}

// awaitToken waits until the token is given back.
func (c *course) awaitToken(err error) {
	if !errors.As(err, new(*importer.RefusedError)) {
		return
	}
	if requests := c.box.Requests(); len(requests) > 0 {
		time.Sleep(time.Until(requests[0].Time.Add(c.faults.Revoked.After + c.faults.Revoked.For + time.Second)))
	}
}

// command gives the command once.
func (c *course) command(given int, lenient, yes bool) (*process, ended) {
	random := draw(c.seed, "command", c.file.number, given)
	c.processes++
	end := crash{moment: never}
	if len(c.crashes) < c.file.crashes {
		end = newCrash(random, len(c.file.records))
	}
	p := newProcess(c, c.processes, end)
	defer p.kill(nil)
	if end.moment == afterTime {
		defer p.dieLater()()
	}
	workCtx, abort := context.WithCancel(p.alive)
	defer abort()
	fetchCtx, stop := context.WithCancel(workCtx)
	defer stop()
	if chance(random, 0.15) && !lenient {
		c.count("interrupts", 1)
		after := spread(random, time.Millisecond, 5*time.Minute)
		defer time.AfterFunc(after, stop).Stop()
		if chance(random, 0.5) {
			defer time.AfterFunc(after+spread(random, time.Millisecond, time.Minute), abort).Stop()
		}
	}
	if lenient {
		c.settings.maxFailures = 0
	}
	c.count("commands", 1)
	c.note("process %d", p.number)
	e := p.push(fetchCtx, workCtx, yes)
	p.checkRounds()
	if !p.died() {
		c.note("exit code %d: %v", e.code, e.err)
		p.checkError(e.err)
	}
	c.count(fmt.Sprint("exit code ", e.code), 1)
	return p, e
}

// takeOver takes over what a process left that died.
func (c *course) takeOver(p *process) {
	c.check(os.RemoveAll(c.machine))
	c.machine, c.last = p.left, p
	c.count("crashes", 1)
	c.crashes = append(c.crashes, audit.Crash{Sequence: c.lastSequence()})
	c.unseen++
}

// inspect takes down what the journal says after a crash, before anything changes it.
// It returns the file's run when that is finished: the process died after that.
func (c *course) inspect(j journal.Journal) (finished journal.Run) {
	runs, err := j.Runs(context.Background())
	if err != nil {
		c.violated("list the runs after a crash: %v", err)
		return nil
	}
	if len(runs) == 0 || runs[0].ID <= c.earlier || runs[0].State == importer.RunPlanning {
		c.unseen = 0
		return nil
	}
	run, err := j.Run(context.Background(), runs[0].ID)
	var lines []importer.Result
	if err == nil {
		lines, err = linesOf(run)
	}
	if err != nil {
		c.violated("read the run after a crash: %v", err)
		return nil
	}
	for ; c.unseen > 0; c.unseen-- {
		c.crashes[len(c.crashes)-c.unseen].Journal = lines
		if c.unseen == 1 {
			c.checkRepeats(lines)
		}
	}
	if runs[0].State != importer.RunFinished {
		return nil
	}
	return run
}

// lastSequence is the number of the last request in the request log.
func (c *course) lastSequence() int64 {
	requests := c.box.Requests()
	if len(requests) == 0 {
		return 0
	}
	return requests[len(requests)-1].Sequence
}

func (c *course) removeResults() error {
	err := os.Remove(filepath.Join(c.machine, resultsName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
