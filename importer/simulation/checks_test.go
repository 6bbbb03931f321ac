package simulation_test

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/importer/sandbox/audit"
	"opscom-import/mapping"
)

// audit holds all that is known of the run against each other, once a command has
// ended.
func (c *course) audit(e ended) {
	if e.run == 0 { // it was stopped before there was a plan
		if sequence := c.lastSequence(); len(c.crashes) == 0 && sequence != c.since {
			c.violated("there is no plan, and request %d came", sequence)
		}
		return
	}
	c.latest = max(c.latest, e.run)
	if e.lines == nil {
		return // said by checkError
	}
	evidence := audit.Evidence{
		Source: c.source(), Requests: c.box.Requests(), Since: c.since, Crashes: c.crashes, Journal: e.lines, Exit: e.code,
		Totals: []audit.Totals{
			{Name: "runs show", Rows: e.counts.Sum(), Counts: e.counts, Attempts: e.tries, Exit: e.code},
		},
	}
	results, err := os.Open(filepath.Join(c.machine, resultsName))
	c.check(err)
	evidence.Results, err = audit.ReadResults(results)
	c.check(errors.Join(err, results.Close()))
	for _, v := range audit.Check(evidence) {
		c.violated("%v", v)
	}
	for i := range e.lines {
		c.count("rows "+string(e.lines[i].Status), 1)
	}
}

// source maps the rows of the file, each by itself.
func (c *course) source() (rows []audit.SourceRow) {
	mapper := newMapper(c)
	source := c.file.source()
	var row importer.Row
	var result mapping.Result
	for {
		err := source.Next(&row)
		if err == io.EOF {
			return rows
		}
		c.check(err)
		mapper.Map(row.Cells, &result)
		mapped, err := audit.NewSourceRow(&row, &result)
		c.check(err)
		rows = append(rows, mapped)
	}
}

// checkError makes sure that a command ended for a reason that there is.
func (p *process) checkError(err error) {
	switch {
	case err == nil, errors.Is(err, importer.ErrInterrupted), errors.Is(err, context.Canceled),
		errors.As(err, new(*importer.CircuitError)), errors.As(err, new(*importer.PauseError)):
	case errors.As(err, new(*importer.RefusedError)):
		if p.faults.Revoked == (sandbox.Window{}) && p.wire.cut == 0 {
			p.violated("the run was refused, and nobody refuses it: %v", err)
		}
	default:
		p.violated("the command failed: %v", err)
	}
}

// checkKnown makes sure that a command which ended in good order puts all answers on
// the disk that it had.
func (p *process) checkKnown(lines []importer.Result) {
	for i := range lines {
		if _, known := p.known[lines[i].UniqueID]; known && lines[i].Status == importer.StatusUnknown {
			p.violated("row %d: the command had its answer, and the journal does not", lines[i].Row)
		}
	}
}

// recordDelay is how long an outcome waits for others before it is put on the disk.
const recordDelay = 100 * time.Millisecond

// mostLost is counted by its largest, not added up.
const mostLost = most + "answers lost in one crash"

// checkRepeats makes sure that a crash cost no more than it may: of the rows that the
// journal does not know about, the process that died was pushing some, and had had
// the answer to the others for no longer than it takes to put them on the disk, which
// may have been busy with those before.
func (c *course) checkRepeats(lines []importer.Result) {
	p := c.last
	longest := recordDelay + 2*c.slowDisk
	lost := 0
	for i := range lines {
		if lines[i].Status != importer.StatusUnknown {
			continue
		}
		if at, known := p.known[lines[i].UniqueID]; known {
			lost++
			if age := p.diedAt.Sub(at); age > longest {
				c.violated("row %d: its answer was known for %v when the process died, and is not on the disk", lines[i].Row, age)
			}
		}
	}
	if busy := len(p.pushing); busy > c.settings.workers {
		c.violated("%d rows were being pushed at a time; there are %d workers", busy, c.settings.workers)
	}
	c.count("answers lost in crashes", lost)
	c.counters[mostLost] = max(c.counters[mostLost], lost)
}

// checkNothingLeft makes sure that no profile is left on the machine when a run is finished.
func (c *course) checkNothingLeft() {
	if !c.isOnMachine {
		return
	}
	files, err := os.ReadDir(filepath.Join(c.machine, stateFolder, "payloads"))
	c.check(err)
	if len(files) > 0 {
		c.violated("the run is finished, and %d files with payloads are left", len(files))
	}
}

// checkPeople makes sure that the Controller has the people whom it accepted, and
// nobody twice.
func (c *course) checkPeople() {
	people := make(map[sandbox.Key]bool)
	for _, entry := range c.box.Requests() {
		if entry.Applied {
			people[entry.Key] = true
		}
		if entry.Fault != "" {
			c.count("fault "+string(entry.Fault), 1)
		}
	}
	if c.box.People() != len(people) {
		c.violated("the Controller knows %d people; it accepted %d", c.box.People(), len(people))
	}
}

// almost is what a sliding second lacks, because times between requests are rounded.
const almost = time.Second - way

// checkRequests holds the times of the requests of each process against the rate and
// against what the Controller asked for. (A new process knows nothing of either.)
func (c *course) checkRequests() {
	limit := math.MaxInt
	if rate, burst := c.settings.rate, c.settings.burst; rate > 0 {
		limit = int(math.Ceil(rate))
		if burst > 1 { // so many may start at once, besides
			limit += burst
		}
	}
	first := 0
	for i, r := range c.departures {
		for c.departures[first].process != r.process || r.at.Sub(c.departures[first].at) > almost {
			first++
		}
		if n := i - first + 1; n > limit {
			c.violated("%d requests left within a second, %v after the beginning; the rate is %v", n, r.at.Sub(c.began), c.settings.rate)
		}
	}
	for _, asked := range c.pauses {
		for _, r := range c.departures {
			if r.process == asked.process && (asked.everyone || r.who == asked.who) && r.at.After(asked.at.Add(way)) && r.at.Before(asked.until) {
				c.violated("a request left %v after the Controller had asked for %v", r.at.Sub(asked.at), asked.until.Sub(asked.at))
				break
			}
		}
	}
	c.checkRevoked()
}

// checkRevoked makes sure that a process stops once its token is refused. Beyond the requests that
// are in flight then, as many may set out before it is stopped: the answer that frees a slot for
// somebody who waits comes to the worker that stops the push, and it depends on the scheduler which
// of the two goes on first.
func (c *course) checkRevoked() {
	refused := make(map[int]int)
	for _, entry := range c.box.Requests() {
		if entry.Fault != "revoke" || entry.Key == (sandbox.Key{}) { // a request that was cut has no answer
			continue
		}
		p := c.processAt(entry.Time)
		if refused[p]++; refused[p] > 2*c.settings.workers {
			c.violated("process %d sent %d requests with a token that is refused, and has %d workers", p, refused[p], c.settings.workers)
		}
	}
}

// checkRounds makes sure that no row leaves before those that it waits for.
func (p *process) checkRounds() {
	p.course.mu.Lock()
	var sent []request
	for _, r := range p.departures {
		if r.process == p.number {
			sent = append(sent, r)
		}
	}
	p.course.mu.Unlock()
	for i := 1; i < len(sent); i++ {
		if before, now := p.rounds[sent[i-1].who], p.rounds[sent[i].who]; before > now {
			p.violated("process %d sent a row of round %d after one of round %d", p.number, now, before)
		} else if before < now {
			p.count("rounds that follow others", 1)
		}
	}
}

// checkOrder makes sure that a row waits for the one that gives up what it takes, if it is
// known that the Controller accepted the address for that person last.
func (p *process) checkOrder(pending map[string]bool) {
	if p.settled == nil {
		return
	}
	had := map[string]string{} // who had an address in the file before
	for _, record := range p.files[p.file.number-2].records {
		had[record[3]] = record[0]
	}
	for _, record := range p.file.records {
		taker, giver := record[0], had[record[3]]
		if giver == "" || giver == taker || !p.settled[giver] || !pending[taker] || !pending[giver] {
			continue
		}
		p.count("addresses handed on", 1)
		if p.rounds[taker] <= p.rounds[giver] {
			p.violated("%s takes the address of %s, and does not wait", taker, giver)
		}
	}
}

// processAt returns the number of the process that sent the requests of that time.
func (c *course) processAt(at time.Time) int {
	number := 0
	for _, r := range c.departures {
		if r.at.After(at) {
			break
		}
		number = r.process
	}
	return number
}
