package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/watch"
	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/report"
)

// fortnight is one seed as it is played.
type fortnight struct {
	t    *testing.T
	plan *fortnightPlan
	seed uint64
	home string // has root, and what is no part of the machine
	root string // the machine: what is in it outlives processes
	told *toldMessages

	boxes   map[string]*sandbox.Sandbox // by host
	hook    string
	process *watchProcess
	persons sync.WaitGroup // who approve
	dying   chan struct{}

	mu      sync.Mutex
	aim     *death // that is in store
	log     bytes.Buffer
	events  []string
	counted map[string]int
}

const (
	studentsHost = "127.0.0.1:8001" // and alumni
	staffHost    = "127.0.0.1:8002"

	longestAim = 45 * time.Minute // then the process dies in any case
)

func newFortnight(t *testing.T, seed uint64, home string) *fortnight {
	t.Helper()
	zone, err := time.LoadLocation("America/Toronto")
	if err != nil {
		t.Fatal(err)
	}
	return &fortnight{
		t: t, seed: seed, plan: newFortnightPlan(seed, zone), home: home, root: filepath.Join(home, "machine"), told: &toldMessages{},
		boxes: make(map[string]*sandbox.Sandbox), counted: make(map[string]int),
	}
}

func (f *fortnight) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// note keeps what happened, with its time.
func (f *fortnight) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, time.Now().In(f.plan.zone).Format("Mon 01-02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}

const fortnightConfig = `client: OC_ONE
url: http://127.0.0.1:8001
token_file: token
state: state
rate: 20
workers: 4
mapping: people.mapping.yaml
min_rows: 50
jobs:
  students: {folder: students, files: "students-*.xlsx", settle: 2m, expected_by: "05:00", time_zone: America/Toronto, only_changes: true}
  staff:
    folder: staff
    files: staff-*.csv
    at: "30 2 * * *"
    not_after: "06:00"
    jitter: 10m
    time_zone: America/Toronto
    client: OC_TWO
    url: http://127.0.0.1:8002
    token_file: token
  alumni: {file: alumni/alumni.csv, at: "30 1 * * *", time_zone: America/Toronto, only_changes: true}
notify:
  - webhook: {url_file: hook}
    on: [held, failed, not_complete, rows_to_fix, recovered, no_file]
`

// setUp makes the machine and the Controllers, and lets the time be that of the first night.
func (f *fortnight) setUp(hook string) {
	f.hook, f.dying = hook, make(chan struct{}, 1)
	for _, job := range []string{"students", "staff", "alumni"} {
		f.check(os.MkdirAll(filepath.Join(f.root, job), 0o700))
	}
	for name, text := range map[string]string{
		"opscom-import.yaml": fortnightConfig, "people.mapping.yaml": trialMapping, "token": scriptToken,
	} {
		f.check(os.WriteFile(filepath.Join(f.root, name), []byte(text), 0o600))
	}
	for host, client := range map[string]string{studentsHost: "OC_ONE", staffHost: "OC_TWO"} {
		faults, err := sandbox.ParseFaults("latency=20ms,jitter=80ms,503=1%,drop-before=1%,drop-after=1%,truncate=1%")
		f.check(err)
		f.boxes[host], err = sandbox.New(sandbox.Config{
			Client: client, Token: scriptToken, Faults: faults, Seed: f.seed, KeepRequests: true, PeopleFile: filepath.Join(f.home, client),
		})
		f.check(err)
	}
	time.Sleep(time.Until(f.plan.at(-1, 18, 0)))
}

// step is something that happens at a time.
type step struct {
	at time.Time
	do func()
}

// play lets the two weeks pass, and a quiet day.
func (f *fortnight) play() {
	var steps []step
	add := func(at time.Time, do func()) { steps = append(steps, step{at, do}) }
	for _, a := range f.plan.arrivals {
		add(a.at, func() { f.arrive(a, 1) })
		if a.pause > 0 {
			add(a.at.Add(a.pause), func() { f.arrive(a, 2) })
		}
	}
	for _, d := range f.plan.deaths {
		add(d.at, func() { f.takeAim(d) })
		add(d.at.Add(longestAim), f.missed)
	}
	for _, d := range f.plan.decided {
		add(d.at, func() { f.persons.Go(func() { f.decide(d) }) })
	}
	if n := slices.Index(f.plan.nights["students"], full); n >= 0 {
		add(f.plan.at(n-1, 17, 0), func() { f.fill(true) })
		add(f.plan.at(n, 9, 0), func() { f.fill(false) })
	}
	add(f.plan.at(nights+1, 0, 0), func() {})
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	f.start()
	for _, s := range steps {
		f.until(s.at)
		s.do()
	}
	f.process.interrupt()
	f.persons.Wait()
	<-f.process.ended
	synctest.Wait()
}

// until waits, and lets the process die when that is in store.
func (f *fortnight) until(at time.Time) {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-f.dying:
			f.kill()
		}
	}
}

// arrive lets a file come, or its second half.
func (f *fortnight) arrive(a *arrival, part int) {
	path := a.path(f.root)
	if a.place == "gone" {
		f.note("%s is removed", a.name)
		f.check(os.RemoveAll(path)) // it may be gone already
		return
	}
	content := f.content(a)
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND | os.O_TRUNC
	switch {
	case a.pause == 0:
	case part == 1:
		content = content[:len(content)/2]
	default:
		content, flags = content[len(content)/2:], os.O_WRONLY|os.O_APPEND
	}
	f.note("%s arrives, part %d", a.name, part)
	file, err := os.OpenFile(path, flags, 0o600)
	f.check(err)
	_, err = file.Write(content)
	f.check(errors.Join(err, file.Close(), os.Chtimes(path, time.Now(), time.Now())))
}

// content is the whole file.
func (f *fortnight) content(a *arrival) []byte {
	if a.text != nil {
		return a.text
	}
	var text bytes.Buffer
	if filepath.Ext(a.name) == ".csv" {
		f.check(csv.NewWriter(&text).WriteAll(a.records))
	} else {
		path := filepath.Join(f.home, "book.xlsx")
		f.check(writeWorkbook(path, a.records))
		content, err := os.ReadFile(path)
		f.check(err)
		text.Write(content)
	}
	a.text = text.Bytes() // a workbook has the time in it
	return a.text
}

// fill lets each write to the journal fail, as on a full disk, or no more. It can still be
// read.
func (f *fortnight) fill(isFull bool) {
	f.note("the disk is full: %v", isFull)
	db, err := sql.Open("sqlite", filepath.Join(f.root, "state", "journal.db"))
	f.check(err)
	defer func() { f.check(db.Close()) }()
	rows, err := db.Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	f.check(err)
	var tables []string
	for rows.Next() {
		var name string
		f.check(rows.Scan(&name))
		tables = append(tables, name)
	}
	f.check(errors.Join(rows.Err(), rows.Close()))
	for _, table := range tables {
		for _, change := range []string{"INSERT", "UPDATE"} {
			statement := fmt.Sprintf("CREATE TRIGGER full_%s_%s BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END", table, change, change, table)
			if !isFull {
				statement = fmt.Sprintf("DROP TRIGGER full_%s_%s", table, change)
			}
			_, err := db.Exec(statement)
			f.check(err)
		}
	}
}

// watchProcess is one process of watch, from its start to its end or its death.
type watchProcess struct {
	*fortnight
	*session
	number    int
	alive     context.Context // until it dies
	die       context.CancelFunc
	interrupt context.CancelFunc
	ended     chan struct{}
	commands  sync.WaitGroup // of persons: they die with it
	stands    bool           // it is about to die
	diedAt    time.Time
}

// start starts the next process.
func (f *fortnight) start() {
	number := 1
	if f.process != nil {
		number = f.process.number + 1
	}
	f.check(os.WriteFile(filepath.Join(f.root, "hook"), fmt.Appendf(nil, "%s/%d", f.hook, number), 0o600))
	p := &watchProcess{fortnight: f, number: number, ended: make(chan struct{})}
	p.alive, p.die = context.WithCancel(context.Background())
	fetchCtx, interrupt := context.WithCancel(p.alive)
	p.interrupt = interrupt
	p.session = f.newSession(p)
	f.check(app.JobsFault(f.t.Context(), p.Env))
	history := dyingHistory{app.JobHistory{Env: p.Env}, p}
	figures := p.newJobFigures()
	f.check(figures.load(p.alive, p.session, p.Settings.Jobs))
	random := f.plan.random
	watcher, err := watch.New(watch.Options{
		Jobs: p.Settings.Jobs, Pusher: &jobPusher{session: p.session, figures: figures}, History: history, Recorder: history, Log: p.Log, Polling: true,
		Notify: func(job, note string) { f.note("%s: %s", job, note) },
		Jitter: func(most time.Duration) time.Duration {
			f.mu.Lock()
			defer f.mu.Unlock()
			return time.Duration(random.Int64N(int64(most) + 1))
		},
	})
	f.check(err)
	f.process = p
	f.note("process %d starts", number)
	go func() {
		defer close(p.ended)
		watcher.Run(fetchCtx, p.alive)
	}()
}

// newSession is what a command works with on the machine; p is nil after the end.
func (f *fortnight) newSession(p *watchProcess) *session {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.AddFlags(flags)
	f.check(flags.Parse([]string{"--config", filepath.Join(f.root, "opscom-import.yaml")}))
	settings, err := config.Load(flags, config.Environment{WorkDir: f.root, OS: runtime.GOOS})
	f.check(err)
	log := slog.New(slog.NewTextHandler(lockedWriter{f}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	env := app.Env{
		Settings: settings, Version: "test", Log: log, Notify: func(text string) { f.note("%s", text) },
		Progress: report.NewProgress(io.Discard, report.Quiet), Stdout: io.Discard,
	}
	if p != nil {
		env.Transport = wireOf{p}
	}
	return &session{Env: env, streams: streams{stdout: io.Discard, stderr: io.Discard}}
}

type lockedWriter struct{ *fortnight }

func (w lockedWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(text)
}

// decide does what somebody does who finds a run held in the morning.
func (f *fortnight) decide(d decision) {
	for range 20 {
		p := f.process
		runs, err := app.JobHistory{Env: p.Env}.Runs(context.Background(), d.job)
		f.check(err)
		i := slices.IndexFunc(runs, func(r importer.JobRun) bool { return r.Exit == app.ExitHeld })
		if i < 0 {
			f.t.Errorf("no run of %s is held", d.job)
			return
		}
		code := 0
		p.commands.Add(1)
		s := *p.session
		s.Settings = p.Settings.Jobs[slices.Index(p.Settings.JobNames(), d.job)].Settings
		if d.approve {
			err = s.approve(p.alive, p.alive, runs[i].Run, &code)
		} else {
			_, err = app.Forget(p.alive, s.Env, []int64{runs[i].Run}, 0)
		}
		p.commands.Done()
		f.note("somebody decides about run %d of %s: %d %v", runs[i].Run, d.job, code, err)
		if err == nil && code <= app.ExitRows {
			f.counted["decisions"]++
			return
		}
		time.Sleep(10 * time.Minute)
	}
	f.t.Errorf("nobody can decide about the run of %s", d.job)
}

// takeAim lets the process die soon.
func (f *fortnight) takeAim(d death) {
	if d.how == "now" {
		f.kill()
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.aim = &d
}

// missed kills a process that did not come to the moment at which it was to die.
func (f *fortnight) missed() {
	f.mu.Lock()
	isMissed := f.aim != nil
	f.aim = nil
	f.mu.Unlock()
	if isMissed {
		f.kill()
	}
}

// moment is a moment at which the process may die. From then on it does nothing any more.
func (p *watchProcess) moment(kind string) error {
	p.mu.Lock()
	if p.aim != nil && p.aim.how == kind && !p.stands {
		if p.aim.nth--; p.aim.nth <= 0 {
			p.aim, p.stands = nil, true
			p.dying <- struct{}{}
		}
	}
	stands := p.stands
	p.mu.Unlock()
	if stands {
		<-p.alive.Done()
	}
	return p.alive.Err()
}

// kill ends the process, leaves what is on the disk at this instant, and starts the next.
func (f *fortnight) kill() {
	synctest.Wait() // nothing is written now
	p := f.process
	next := f.root + ".next"
	f.check(copyTree(f.root, next))
	p.diedAt = time.Now()
	f.told.dies(p.number, p.diedAt)
	f.note("process %d dies", p.number)
	f.counted["kills"]++
	p.die()
	<-p.ended
	p.commands.Wait()
	dead := f.root + ".dead"
	f.check(errors.Join(os.Rename(f.root, dead), os.Rename(next, f.root), os.RemoveAll(dead)))
	time.Sleep(5 * time.Second)
	f.start()
}

// copyTree copies a folder with the times of the files. What only living processes need of
// SQLite's files is left out.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, "-shm") {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			return os.Mkdir(target, 0o700)
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return errors.Join(os.WriteFile(target, content, 0o600), os.Chtimes(target, info.ModTime(), info.ModTime()))
	})
}
