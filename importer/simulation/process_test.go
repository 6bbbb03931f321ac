package simulation_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/controller"
)

// moment says when a process dies.
type moment string

const (
	never     moment = "never"
	afterTime moment = "after a time"
	atWrite   moment = "at a write to the journal"
	atRequest moment = "before a request leaves"
	atAnswer  moment = "when an answer comes"
	inResults moment = "while the results are written"
)

// manner says how far the write comes that a process dies at.
type manner string

const (
	beforeIt manner = "before it"
	inIt     manner = "in the middle of it"
	afterIt  manner = "after it"
	powerCut manner = "in it, as the power is cut" // what was not synced may be lost
)

// crash is the end that is in store for a process.
type crash struct {
	moment
	after time.Duration // of afterTime
	nth   int           // write, request, answer or line, from 1
	manner
}

func (c crash) String() string {
	switch c.moment {
	case afterTime:
		return fmt.Sprintf("%s, %v", c.moment, c.after)
	case atWrite:
		return fmt.Sprintf("%s, number %d, %s", c.moment, c.nth, c.manner)
	}
	return fmt.Sprintf("%s, number %d", c.moment, c.nth)
}

// newCrash draws the end of a process that pushes a file of so many rows.
func newCrash(random *rand.Rand, rows int) crash {
	c := crash{moment: pick(random, afterTime, atWrite, atWrite, atWrite, atRequest, atAnswer, inResults)}
	switch c.moment {
	case afterTime:
		c.after = spread(random, time.Millisecond, 10*time.Minute)
	case atWrite:
		c.nth, c.manner = 1+random.IntN(pick(random, 8, 20, 60)), pick(random, beforeIt, inIt, inIt, afterIt, powerCut)
	case inResults:
		c.nth = 1 + random.IntN(rows+1) // beyond the last line: before the file gets its name
	default:
		c.nth = 1 + random.IntN(rows)
	}
	return c
}

// errDied is what everything in a process ends with that has died.
var errDied = errors.New("the process has died")

// process is one process of the command, from its start to its end or its death.
type process struct {
	*course
	number int // from 1
	end    crash
	alive  context.Context // until it dies
	kill   context.CancelCauseFunc

	// All that lasts happens under mu: what is on the disk, and that a request leaves.
	mu       sync.Mutex
	left     string // the folder that it left; "" while it lives
	writes   int
	requests int
	answers  int
	refused  int  // of the answers, as too many requests
	inRow    int  // of the latest answers were refused
	synced   disk // what the last write that was synced left; kept where a power cut is in store

	// What it knows, by unique id.
	pushing map[string]bool      // has a worker, and nobody has an answer yet
	known   map[string]time.Time // when the answer came
	diedAt  time.Time
}

func newProcess(c *course, number int, end crash) *process {
	p := &process{course: c, number: number, end: end, pushing: map[string]bool{}, known: map[string]time.Time{}}
	p.alive, p.kill = context.WithCancelCause(context.Background())
	return p
}

// die leaves the folder as it is now, or as rewrite makes it, and ends all that the
// process does. The caller holds mu.
func (p *process) die(rewrite func(state string) error) {
	if p.left != "" {
		return
	}
	left := filepath.Join(p.folder, fmt.Sprint("machine ", p.number+1))
	err := os.CopyFS(left, os.DirFS(p.machine))
	if rewrite != nil {
		err = errors.Join(err, rewrite(filepath.Join(left, stateFolder)))
	}
	p.check(err)
	p.left, p.diedAt = left, time.Now()
	p.count("crashes "+string(p.end.moment), 1)
	p.note("dies %s", p.end)
	p.kill(errDied)
}

// died reports whether it has.
func (p *process) died() bool { return errors.Is(context.Cause(p.alive), errDied) }

// dieLater lets it die after a time, unless the returned function is called before.
func (p *process) dieLater() (stop func() bool) {
	return time.AfterFunc(p.end.after, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.die(nil)
	}).Stop
}

// durability reports whether a change of the journal is on the disk when its call returns.
type durability bool

const (
	durable durability = true
	relaxed durability = false
)

// write makes a change of the journal, which takes a while, and dies at it when that
// is what is in store.
//
// No two of them begin at the same instant, so that it does not depend on the
// scheduler which of them is the first: each kind has its own delay.
func (p *process) write(what string, d durability, change func() error) error {
	time.Sleep(time.Duration(1 + draw(p.seed, "turn of "+what).Int64N(int64(way))))
	p.mu.Lock()
	p.writes++
	nth := p.writes
	p.mu.Unlock()
	time.Sleep(time.Duration(draw(p.seed, "write", p.file.number, p.number, nth).Int64N(int64(p.slowDisk))))

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.died() {
		return errDied
	}
	p.note("write %d: %s", nth, what)
	if p.end.moment != atWrite {
		return change()
	}
	if nth >= p.end.nth {
		return p.dieAt(change)
	}
	err := change()
	if p.isOnMachine && p.end.manner == powerCut && d == durable {
		p.synced = p.onDisk()
	}
	return err
}

// dieAt dies at a change of the journal.
func (p *process) dieAt(change func() error) error {
	random := draw(p.seed, "death", p.file.number, p.number)
	if !p.isOnMachine {
		if p.end.manner == afterIt || p.end.manner != beforeIt && chance(random, 0.5) { // a transaction is made or not
			if err := change(); err != nil {
				return err
			}
		}
		p.die(nil)
		return errDied
	}
	before := p.onDisk()
	if p.end.manner != beforeIt {
		if err := change(); err != nil {
			return err
		}
	}
	after := p.onDisk()
	var rewrite func(state string) error
	switch p.end.manner {
	case inIt:
		if between, ok := torn(before, after, random); ok {
			rewrite = between.write
			p.count("journals torn", 1)
		}
	case powerCut:
		if p.synced != nil && string(p.synced[databaseFile]) == string(after[databaseFile]) {
			rewrite = powerless(p.synced, after, random).write
			p.count("power cuts", 1)
		}
	}
	p.die(rewrite)
	return errDied
}

// onDisk reads what the journal has on the disk.
func (p *process) onDisk() disk {
	d, err := readDisk(filepath.Join(p.machine, stateFolder))
	p.check(err)
	return d
}

// leave notes that a request about someone leaves now.
func (l *line) leave(who string) (request, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.requests++; l.end.moment == atRequest && l.requests >= l.end.nth {
		l.die(nil)
	}
	if l.died() {
		return request{}, errDied
	}
	return l.noteRequest(who), nil
}

// arrive notes what an answer asks for.
func (l *line) arrive(r request, response *http.Response) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.answers++; l.end.moment == atAnswer && l.answers >= l.end.nth {
		l.die(nil)
	}
	if l.died() {
		return errDied
	}
	if response == nil || response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		l.inRow = 0
		return nil
	}
	l.refused++
	l.inRow++
	if until, asked := pauseAskedFor(response); asked {
		l.course.mu.Lock()
		defer l.course.mu.Unlock()
		now := time.Now()
		everyone := until.Sub(now) > longestOwnPause || l.refused <= refusedBeforeNoise || l.inRow > 2*max(5, l.settings.workers)
		l.pauses = append(l.pauses, pause{l.number, r.who, now, until, everyone})
	}
	return nil
}

// client is the process's client of the Controller. It notes what the process knows.
type client struct {
	*process
	controller *controller.Client
}

func (p *process) newClient() (*client, *line) {
	l := newLine(p)
	random := draw(p.seed, "jitter", p.file.number, p.number)
	var mu sync.Mutex
	s := p.settings
	c, err := controller.New(controller.Config{
		BaseURL: "http://127.0.0.1", Client: simulatedClient, Token: controller.NewToken(simulatedToken),
		Workers: s.workers, Rate: s.rate, Burst: s.burst, MaxAttempts: s.maxAttempts, Timeout: s.timeout, MaxPause: 10 * time.Minute, Transport: l,
		Jitter: func() float64 {
			mu.Lock()
			defer mu.Unlock()
			return random.Float64()
		},
	})
	p.check(err)
	return &client{p, c}, l
}

// Push implements importer.Controller. No two workers come to the client at the same
// instant, so that it does not depend on the scheduler which of them is the first.
func (c *client) Push(fetchCtx, workCtx context.Context, payload []byte, onRetry func()) (importer.Answer, error) {
	who := uniqueID(payload)
	if fetchCtx.Err() == nil {
		time.Sleep(time.Duration(1 + draw(c.seed, "worker "+who, c.number).Int64N(int64(way))))
	}
	c.mu.Lock()
	if !c.died() {
		c.pushing[who] = true
	}
	c.mu.Unlock()
	answer, err := c.controller.Push(fetchCtx, workCtx, payload, func() {
		c.mu.Lock()
		if !c.died() {
			delete(c.pushing, who)
			c.count("rows parked", 1)
		}
		c.mu.Unlock()
		onRetry()
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.died() {
		delete(c.pushing, who)
		if answer.Status == importer.StatusPushed || answer.Status == importer.StatusRejected {
			c.known[who] = time.Now()
		}
	}
	return answer, err
}
