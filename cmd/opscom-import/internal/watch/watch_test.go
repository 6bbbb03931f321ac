package watch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/inbox"
	"opscom-import/cmd/opscom-import/internal/schedule"
	"opscom-import/importer"
	"opscom-import/report"
)

// bench is a folder, a journal and a pusher for tests in virtual time.
type bench struct {
	t       *testing.T
	folder  string
	jobs    []config.Job
	history app.JobHistory
	notes   []string

	mu     sync.Mutex
	pushed []string // "students.csv" and the like, in order
	told   []string // "students.csv 0", "no file"
	host   string   // as of Options
	deaf   bool     // nobody can be told
	push   func(ctx context.Context, file File) End

	outcome   func(run int64) (importer.RunInfo, report.Receipt, error)
	failEnd   error // of the history
	failBegin error // likewise
}

func newBench(t *testing.T) *bench {
	t.Helper()
	root := t.TempDir()
	b := &bench{t: t, folder: filepath.Join(root, "in")}
	if err := os.Mkdir(b.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	b.history.Env = app.Env{
		Settings: config.Settings{State: filepath.Join(root, "state")}, Log: slog.New(slog.DiscardHandler), Notify: func(string) {}, Stdout: io.Discard,
	}
	b.jobs = []config.Job{{
		Name: "students", Folder: b.folder, Files: []string{"*.csv"}, Complete: inbox.Settled, Settle: time.Minute, TimeZone: time.UTC,
		Settings: config.Settings{Client: "OC_TEST", URL: "https://controller.example"},
	}}
	b.push = func(context.Context, File) End { return End{Run: 1, Exit: 0} }
	return b
}

// Push, Tell and TellTrouble are of Pusher.
func (b *bench) Push(fetchCtx, _ context.Context, _ config.Job, file File) End {
	b.mu.Lock()
	name := filepath.Base(file.Path)
	if file.Repeat {
		name += " again"
	}
	if !file.Since.IsZero() {
		name += " on"
	}
	b.pushed = append(b.pushed, name)
	b.mu.Unlock()
	if _, err := os.Stat(file.Path); err != nil && b.jobs[0].Folder != "" {
		b.t.Errorf("it does not lie where it should: %v", err)
	}
	return b.push(fetchCtx, file)
}

func (b *bench) Tell(_, _ context.Context, _ config.Job, row importer.JobRun, end End) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !row.IsTold {
		b.told = append(b.told, fmt.Sprintf("%s %d", filepath.Base(row.File), end.Exit))
	}
	return !b.deaf
}

func (b *bench) TellTrouble(_, _ context.Context, _ config.Job, trouble Trouble) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := trouble.Problem
	if !trouble.By.IsZero() {
		text = "no file by " + trouble.By.UTC().Format("02 15:04") + ": " + text
	}
	b.told = append(b.told, text)
	return !b.deaf
}

// fail sets what a call of the history returns.
func (b *bench) fail(of *error, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*of = err
}

func (b *bench) failing(of *error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *of
}

// benchHistory is the history of the journal, with runs that the test makes up.
type benchHistory struct {
	app.JobHistory
	bench *bench
}

func (h benchHistory) Outcome(_ context.Context, run int64) (importer.RunInfo, report.Receipt, error) {
	return h.bench.outcome(run)
}

func (h benchHistory) End(ctx context.Context, r importer.JobRun, relocate *importer.Relocation) error {
	if err := h.bench.failing(&h.bench.failEnd); err != nil {
		return err
	}
	return h.JobHistory.End(ctx, r, relocate)
}

func (h benchHistory) Begin(ctx context.Context, r importer.JobRun) (int64, error) {
	if err := h.bench.failing(&h.bench.failBegin); err != nil {
		return 0, err
	}
	return h.JobHistory.Begin(ctx, r)
}

func (b *bench) watcher() *Watcher {
	b.t.Helper()
	history := benchHistory{b.history, b}
	w, err := New(Options{
		Jobs: b.jobs, Pusher: b, History: history, Recorder: history, Log: slog.New(slog.DiscardHandler), Polling: true, Host: b.host,
		Notify: func(_, note string) { b.mu.Lock(); defer b.mu.Unlock(); b.notes = append(b.notes, note) },
		Jitter: func(time.Duration) time.Duration { return 0 },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return w
}

// run lets the jobs run for a while, in virtual time.
func (b *bench) run(d time.Duration) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), d)
	defer cancel()
	b.watcher().Run(ctx, b.t.Context())
}

func (b *bench) arrive(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.folder, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// in returns the names of the files in a place, without their own folders.
func (b *bench) in(place string) (names []string) {
	b.t.Helper()
	found, err := filepath.Glob(filepath.Join(b.folder, place, "*", "*"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, path := range found {
		if name := filepath.Base(path); !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (b *bench) want(what string, got []string, want ...string) {
	b.t.Helper()
	if !slices.Equal(got, want) {
		b.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (b *bench) runs() []importer.JobRun {
	b.t.Helper()
	runs, err := b.history.Runs(b.t.Context(), "students")
	if err != nil {
		b.t.Fatal(err)
	}
	return runs
}

// inTime runs a test in virtual time, which begins at midnight.
func inTime(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) {
		b.t = t
		test(t, b)
	})
}

func TestFilesAsTheyArrive(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("b.csv", "older")
		b.arrive("a.csv", "newer")
		older := time.Now().Add(-time.Hour)
		if err := os.Chtimes(filepath.Join(b.folder, "b.csv"), older, older); err != nil {
			t.Fatal(err)
		}
		b.run(50 * time.Second)
		b.want("pushed before they have settled", b.pushed)
		b.run(10 * time.Minute)
		b.want("pushed", b.pushed, "b.csv", "a.csv")
		b.want("told", b.told, "b.csv 0", "a.csv 0")
		b.want("done", b.in("done"), "a.csv", "b.csv")
		if runs := b.runs(); len(runs) != 2 || runs[0].Exit != 0 || !runs[0].IsTold || runs[0].Run != 1 || !exists(runs[0].Folder) {
			t.Errorf("the history has %+v", runs)
		}
		b.arrive("c.csv", "newer")
		b.run(10 * time.Minute)
		b.want("the same bytes", b.pushed[2:], "c.csv again")
	})
}

func TestWhereFilesGo(t *testing.T) {
	for name, tc := range map[string]struct {
		end   End
		place string
		files []string
	}{
		"rows to fix": {End{Run: 7, Exit: app.ExitRows}, "done", []string{"a.csv", "a.results.csv"}},
		"held":        {End{Run: 7, Exit: app.ExitHeld, Problem: "few rows"}, "held", []string{"a.csv", "a.message.txt", "a.results.csv"}},
		"failed":      {End{Exit: app.ExitUsage, Problem: "no header", OfFile: true}, "failed", []string{"a.csv", "a.message.txt", "a.results.csv"}},
		"full disk":   {End{Exit: app.ExitUsage, Problem: "full"}, "in-progress", []string{"a.csv", "a.results.csv"}},
		"stopped":     {End{Run: 7, Exit: app.ExitIncomplete}, "in-progress", []string{"a.csv", "a.results.csv"}},
		"busy":        {End{Exit: app.ExitBusy}, "in-progress", []string{"a.csv", "a.results.csv"}},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, b *bench) {
				b.arrive("a.csv", "x")
				b.outcome = func(int64) (importer.RunInfo, report.Receipt, error) {
					return importer.RunInfo{State: importer.RunHeld}, report.Receipt{}, nil
				}
				b.push = func(_ context.Context, f File) End {
					if err := os.WriteFile(strings.TrimSuffix(f.Path, ".csv")+".results.csv", nil, 0o600); err != nil {
						t.Error(err)
					}
					if f.Arrived != filepath.Join(b.folder, "a.csv") {
						t.Errorf("it arrived at %s", f.Arrived)
					}
					return tc.end
				}
				b.run(2*time.Minute + time.Second)
				b.want("in "+tc.place, b.in(tc.place), tc.files...)
				if tc.end.Exit == app.ExitBusy {
					b.want("told", b.told)
				} else {
					b.want("told", b.told[:1], fmt.Sprintf("a.csv %d", tc.end.Exit))
				}
				if tc.end.Problem != "" && tc.place != "in-progress" {
					text, err := os.ReadFile(filepath.Join(b.runs()[0].Folder, "a.message.txt"))
					if err != nil || string(text) != "a.csv: "+tc.end.Problem+"\n" {
						t.Errorf("the message is %q, %v", text, err)
					}
				}
			})
		})
	}
}

// TestRetries tries again what is not complete, before anything newer, and longer and longer
// apart.
func TestRetries(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		var at []int // in minutes
		began := time.Now()
		b.arrive("a.csv", "x")
		b.push = func(_ context.Context, f File) End {
			if filepath.Base(f.Path) == "a.csv" {
				if at = append(at, int(time.Since(began).Round(time.Minute)/time.Minute)); len(at) < 8 {
					return End{Run: 1, Exit: app.ExitIncomplete, Problem: "down"}
				}
			}
			return End{Run: 1}
		}
		b.run(2 * time.Minute)
		b.arrive("b.csv", "y")
		b.run(4 * time.Hour)
		if want := []int{1, 2, 3, 5, 10, 20, 35, 65}; !slices.Equal(at, want) || len(b.pushed) != 9 || b.pushed[8] != "b.csv" {
			t.Errorf("pushed %q after %v minutes, want %v: there is a restart after two", b.pushed, at, want)
		}
		b.want("done", b.in("done"), "a.csv", "b.csv")
	})
}

// TestInterrupted goes on in the next process with what an interrupt left, and tells nobody.
func TestInterrupted(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "x")
		b.push = func(ctx context.Context, _ File) End {
			<-ctx.Done()
			return End{Run: 1, Exit: app.ExitIncomplete}
		}
		b.run(5 * time.Minute)
		b.want("in progress", b.in("in-progress"), "a.csv")
		b.want("told", b.told)
		b.push = func(context.Context, File) End { return End{Run: 1} }
		b.run(time.Second)
		b.want("pushed", b.pushed, "a.csv", "a.csv on")
		b.want("told", b.told, "a.csv 0")
		b.want("done", b.in("done"), "a.csv")
	})
}

// TestDiedBeforeTheEndWasStored pushes nothing twice that the pusher knows to be finished.
func TestDiedBeforeTheEndWasStored(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "x")
		b.fail(&b.failEnd, errors.New("the disk is full"))
		b.run(70 * time.Second)
		b.want("told", b.told)
		b.fail(&b.failEnd, nil)
		b.run(time.Minute)
		b.want("pushed", b.pushed, "a.csv", "a.csv on")
		b.want("told", b.told, "a.csv 0")
	})
}

// TestDiedAgainAndAgain waits longer and longer for a file that may be the cause.
func TestDiedAgainAndAgain(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "x")
		b.fail(&b.failEnd, errors.New("as if it had died"))
		b.run(70 * time.Second)
		began := len(b.pushed)
		for range 50 { // a process that is started again every second
			b.run(time.Second)
		}
		if more := len(b.pushed) - began; more != 1 || len(b.notes) == 0 {
			t.Errorf("tried %d times in 50 seconds, notes %q", more, b.notes)
		}
	})
}

// TestDiedBeforeTheMove moves only what the history says has ended.
func TestDiedBeforeTheMove(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "x")
		b.push = func(context.Context, File) End { return End{Run: 1, Exit: app.ExitIncomplete} }
		b.run(70 * time.Second)
		row := b.runs()[0]
		row.Exit, row.Retry, row.IsTold = 0, false, false
		to := filepath.Join(b.folder, "done", filepath.Base(row.Folder))
		if err := b.history.End(t.Context(), row, &importer.Relocation{From: row.Folder, To: to}); err != nil {
			t.Fatal(err)
		}
		b.pushed, b.told = nil, nil
		b.run(time.Minute)
		b.want("pushed", b.pushed)
		b.want("told", b.told, "a.csv 0")
		b.want("done", b.in("done"), "a.csv")
	})
}

// TestStoppedByAPerson stops a run for good, while it is pushed and while it waits to be tried again: it waits for
// a person.
func TestStoppedByAPerson(t *testing.T) {
	for name, isPushed := range map[string]bool{"while it is pushed": true, "while it waits": false} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, b *bench) {
				b.arrive("a.csv", "x")
				state := importer.RunStopped
				b.outcome = func(int64) (importer.RunInfo, report.Receipt, error) {
					return importer.RunInfo{State: state, FileHash: b.runs()[0].FileHash}, report.Receipt{}, nil
				}
				b.push = func(context.Context, File) End {
					return End{Run: 7, Exit: app.ExitIncomplete, Stopped: isPushed, Problem: "stopped"}
				}
				b.run(70 * time.Second)
				if !isPushed {
					b.want("told", b.told, "a.csv 3")
					row := b.runs()[0]
					row.Retry, row.IsTold = false, true
					if err := b.history.End(t.Context(), row, nil); err != nil {
						t.Fatal(err)
					}
					b.told = nil
				}
				b.run(2 * time.Hour)
				b.want("pushed", b.pushed, "a.csv")
				b.want("told", b.told, "a.csv 3")
				b.want("held", b.in("held"), "a.csv", "a.message.txt")
				if row := b.runs()[0]; row.Retry || row.Exit != app.ExitIncomplete || filepath.Base(filepath.Dir(row.Folder)) != "held" {
					t.Errorf("the history has %+v", row)
				}
				state = importer.RunFinished // somebody has approved it
				b.run(2 * time.Minute)
				b.want("done", b.in("done"), "a.csv")
				b.want("pushed", b.pushed, "a.csv")
			})
		})
	}
}

// TestFileThatStaysIsStopped stops the run of a file that stays where it is: it is pushed again at its next time.
func TestFileThatStaysIsStopped(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.fileThatStays()
		b.push = func(context.Context, File) End { return End{Run: 7, Exit: app.ExitIncomplete, Stopped: true} }
		b.run(20 * time.Hour)
		b.want("pushed", b.pushed, "staff.csv")
		b.run(24 * time.Hour)
		b.want("pushed", b.pushed, "staff.csv", "staff.csv")
	})
}

func TestHeldRuns(t *testing.T) {
	for name, tc := range map[string]struct {
		state importer.RunState
		err   error
		place string
		exit  int
	}{
		"approved":  {importer.RunFinished, nil, "done", app.ExitRows},
		"waiting":   {importer.RunHeld, nil, "held", app.ExitHeld},
		"pushing":   {importer.RunPushing, nil, "held", app.ExitHeld},
		"replaced":  {importer.RunSuperseded, nil, "failed", app.ExitUsage},
		"forgotten": {"", nil, "failed", app.ExitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, b *bench) {
				b.arrive("a.csv", "x")
				b.outcome = func(int64) (importer.RunInfo, report.Receipt, error) {
					return importer.RunInfo{State: importer.RunHeld}, report.Receipt{}, nil
				}
				b.push = func(context.Context, File) End { return End{Run: 7, Exit: app.ExitHeld, Problem: "few rows"} }
				b.run(2 * time.Minute)
				b.outcome = func(run int64) (importer.RunInfo, report.Receipt, error) {
					if tc.state == "" {
						return b.history.Outcome(t.Context(), run) // there is none
					}
					return importer.RunInfo{State: tc.state, FileHash: b.runs()[0].FileHash}, report.Receipt{Exit: app.ExitRows, Counts: importer.Counts{importer.StatusPushed: 3}}, nil
				}
				b.run(time.Minute) // as documented
				if row := b.runs()[0]; row.Exit != tc.exit || filepath.Base(filepath.Dir(row.Folder)) != tc.place {
					t.Errorf("the history has exit %d in %s", row.Exit, row.Folder)
				}
				if got := b.in(tc.place); !slices.Contains(got, "a.csv") || slices.Contains(got, "a.message.txt") == (tc.place == "done") {
					t.Errorf("%s has %q", tc.place, got)
				}
				b.want("told", b.told, "a.csv 4")
			})
		})
	}
}

func (b *bench) schedule(at, notAfter, expectedBy string) {
	b.t.Helper()
	job := &b.jobs[0]
	if at != "" {
		s := must[schedule.Schedule](b.t)(schedule.Parse(at, time.UTC))
		job.At = &s
	}
	if notAfter != "" {
		clock := must[schedule.Clock](b.t)(schedule.ParseClock(notAfter))
		job.NotAfter = &clock
	}
	if expectedBy != "" {
		s := must[schedule.Schedule](b.t)(schedule.Parse(expectedBy, time.UTC))
		job.ExpectedBy = &s
	}
}

func TestSchedule(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) { // from midnight
		b.schedule("0 4 * * *", "", "")
		b.arrive("a.csv", "x")
		b.run(4*time.Hour - time.Second)
		b.want("pushed before its time", b.pushed)
		b.run(3 * time.Minute)
		b.want("pushed", b.pushed, "a.csv")
		b.arrive("b.csv", "y")
		b.run(20 * time.Hour)
		b.want("pushed outside its time", b.pushed, "a.csv")
		b.run(10 * time.Hour)
		b.want("pushed the next night", b.pushed, "a.csv", "b.csv")
		b.run(24 * time.Hour)
		if row := b.runs()[0]; row.File != "" || row.DueAt.Hour() != 4 || row.Problem == "" || len(b.told) != 2 {
			t.Errorf("a night without a file: %+v, told %q", row, b.told)
		}
	})
}

func TestNotAfter(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.schedule("0 4 * * *", "06:00", "")
		b.push = func(ctx context.Context, _ File) End {
			select {
			case <-ctx.Done():
				return End{Run: 1, Exit: app.ExitIncomplete, Problem: "interrupted"}
			case <-time.After(90 * time.Minute):
				return End{Run: 1}
			}
		}
		var ended time.Time
		b.run(4*time.Hour + 40*time.Minute)
		b.arrive("a.csv", "x") // late, and still in time
		b.run(3 * time.Hour)
		b.want("pushed", b.pushed, "a.csv")
		b.want("told", b.told, "a.csv 3")
		if row := b.runs()[0]; !strings.Contains(row.Problem, "not_after") || !row.Retry || row.EndedAt.Hour() != 6 {
			t.Errorf("the history has %+v", row)
		}
		ended = time.Now()
		b.run(25 * time.Hour)
		b.want("pushed the next night", b.pushed, "a.csv", "a.csv on")
		if row := b.runs()[1]; row.Exit != 0 || row.EndedAt.Sub(ended) < 20*time.Hour || row.EndedAt.UTC().Hour() != 5 {
			t.Errorf("the history has %+v", row)
		}
	})
}

func TestFileThatStays(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		file := filepath.Join(b.folder, "staff.csv")
		b.jobs[0].Folder, b.jobs[0].Files, b.jobs[0].File = "", nil, file
		b.schedule("0 4 * * *", "06:00", "")
		b.run(5 * time.Hour)
		b.want("pushed without a file", b.pushed)
		b.arrive("staff.csv", "x")
		b.run(4 * time.Hour)
		b.want("pushed when it has come", b.pushed, "staff.csv")
		b.run(24 * time.Hour)
		b.want("pushed the next night", b.pushed, "staff.csv", "staff.csv again")
		if !exists(file) {
			t.Error("the file does not stay")
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		b.run(24 * time.Hour)
		if row := b.runs()[0]; row.File != "" || len(b.pushed) != 2 {
			t.Errorf("a night without a file: %+v, pushed %q", row, b.pushed)
		}
	})
}

// TestLateAndThenNone does not take a late file for that of the next day.
func TestLateAndThenNone(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.schedule("", "", "0 5 * * *")
		b.arrive("a.csv", "x")
		for name, after := range map[string]time.Duration{
			"b.csv": 30 * time.Hour, // none by five of the second day
			"c.csv": 54 * time.Hour, // none by five of the third
			"d.csv": 72 * time.Hour, // in time on the fourth
		} {
			time.AfterFunc(after, func() { b.arrive(name, name) })
		}
		b.run(96 * time.Hour)
		b.want("told", b.told, "a.csv 0", "no file by 02 05:00: nothing is there", "b.csv 0", "no file by 03 05:00: nothing is there", "c.csv 0", "d.csv 0")
	})
}

// fileThatStays makes the job one with a file that stays where it is, pushed at 04:00.
func (b *bench) fileThatStays() {
	b.t.Helper()
	b.jobs[0].Folder, b.jobs[0].Files, b.jobs[0].File = "", nil, filepath.Join(b.folder, "staff.csv")
	b.schedule("0 4 * * *", "", "")
	b.arrive("staff.csv", "x")
}

// TestFileThatStaysIsTriedAgain tries again when the window is long over, and once a night.
func TestFileThatStaysIsTriedAgain(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.fileThatStays()
		up := time.Now().Add(8 * time.Hour)
		b.push = func(context.Context, File) End {
			if time.Now().Before(up) {
				return End{Exit: app.ExitIncomplete, Problem: "down"}
			}
			return End{Run: 1}
		}
		b.run(9 * time.Hour)
		if row := b.runs()[0]; row.Exit != 0 || row.EndedAt.Sub(up) > 30*time.Minute {
			t.Errorf("the history has %+v", row)
		}
		tries := len(b.pushed)
		b.run(10 * time.Hour)
		b.want("pushed again on the same day", b.pushed[tries:])
	})
}

// TestHistoryThatCannotBeWritten does the work of a night when it can be, and tells people
// once that it cannot.
func TestHistoryThatCannotBeWritten(t *testing.T) {
	for name, setUp := range map[string]func(b *bench){
		"file": (*bench).fileThatStays,
		"folder": func(b *bench) {
			b.schedule("0 4 * * *", "", "0 6 * * *")
			b.arrive("staff.csv", "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, b *bench) {
				b.run(time.Hour)
				setUp(b)
				b.fail(&b.failBegin, errors.New("the disk is full"))
				time.AfterFunc(7*time.Hour, func() { b.fail(&b.failBegin, nil) })
				b.run(20 * time.Hour)
				b.want("pushed", b.pushed, "staff.csv")
				b.want("told", b.told, "the disk is full", "staff.csv 0")
			})
		})
	}
}

// TestTroubleThatPasses is no news.
func TestTroubleThatPasses(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "x")
		b.fail(&b.failBegin, errors.New("the disk is full"))
		time.AfterFunc(3*time.Minute, func() { b.fail(&b.failBegin, nil) })
		b.run(time.Hour)
		b.want("told", b.told, "a.csv 0")
	})
}

// TestRunOfAnEarlierTry remains that of the file when a later try comes less far.
func TestRunOfAnEarlierTry(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "x")
		run := int64(7)
		b.push = func(context.Context, File) End {
			end := End{Run: run, Exit: app.ExitIncomplete, Problem: "down"}
			run = 0
			return end
		}
		b.run(3 * time.Minute)
		if row := b.runs()[0]; row.Run != 7 || len(b.pushed) < 2 {
			t.Errorf("the history has %+v, pushed %q", row, b.pushed)
		}
	})
}

func TestExpectedBy(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.schedule("", "", "0 5 * * *")
		b.arrive("a.csv", "x")
		b.run(24 * time.Hour)
		b.want("told when it came", b.told, "a.csv 0")
		b.told = nil
		b.run(24 * time.Hour)
		b.want("told when none came", b.told, "no file by 02 05:00: nothing is there")
		b.run(4 * time.Hour)
		b.told = nil
		b.arrive("b.csv", "half")
		upload, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { // it goes on at five
			defer close(ended)
			for n := 5; upload.Err() == nil; n++ {
				b.arrive("b.csv", strings.Repeat("x", n))
				time.Sleep(30 * time.Second)
			}
		}()
		b.run(65 * time.Minute)
		cancel()
		<-ended
		if len(b.told) != 1 || !strings.Contains(b.told[0], "no file by 03 05:00: b.csv: ") {
			t.Errorf("told %q while a file is written", b.told)
		}
		b.run(2 * time.Hour)
		b.want("told when it came late", b.told[len(b.told)-1:], "b.csv 0")
	})
}

func TestRunOnce(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.schedule("0 4 * * *", "06:00", "")
		b.arrive("a.csv", "x")
		b.arrive("b.csv", "y")
		b.push = func(_ context.Context, f File) End {
			if filepath.Base(f.Path) == "b.csv" {
				return End{Run: 2, Exit: app.ExitRows}
			}
			return End{Run: 1}
		}
		exit, err := b.watcher().RunOnce(t.Context(), t.Context())
		if exit != app.ExitRows || err != nil {
			t.Errorf("exit %d, %v", exit, err)
		}
		slices.Sort(b.pushed)
		b.want("pushed", b.pushed, "a.csv", "b.csv")
		if exit, err = b.watcher().RunOnce(t.Context(), t.Context()); exit != 0 || err != nil || len(b.notes) == 0 {
			t.Errorf("with nothing to do: exit %d, %v, notes %q", exit, err, b.notes)
		}
		b.arrive("c.csv", "z")
		b.push = func(context.Context, File) End { return End{Run: 1, Exit: app.ExitIncomplete} }
		if exit, err = b.watcher().RunOnce(t.Context(), t.Context()); exit != app.ExitIncomplete || err != nil {
			t.Errorf("stopped: exit %d, %v", exit, err)
		}
		release, err := b.history.Lock(t.Context(), "students")
		if err != nil {
			t.Fatal(err)
		}
		if _, err = b.watcher().RunOnce(t.Context(), t.Context()); app.ExitCode(err) != app.ExitBusy {
			t.Errorf("while another process works: %v", err)
		}
		if err := release(); err != nil {
			t.Error(err)
		}
	})
}

// TestOneTarget pushes one file at a time to a target, whatever the job.
func TestOneTarget(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		staff := b.jobs[0]
		staff.Name, staff.Files = "staff", []string{"*.txt"}
		other := b.jobs[0]
		other.Name, other.Files, other.Settings.Client = "other", []string{"*.tsv"}, "OC_OTHER"
		b.jobs = append(b.jobs, staff, other)
		for _, name := range []string{"a.csv", "b.txt", "c.tsv"} {
			b.arrive(name, name)
		}
		var mu sync.Mutex
		now, most := map[string]int{}, map[string]int{}
		b.push = func(_ context.Context, f File) End {
			count := func(n int) {
				mu.Lock()
				defer mu.Unlock()
				for _, key := range []string{"all", map[bool]string{true: "other", false: "one"}[strings.HasSuffix(f.Path, ".tsv")]} {
					now[key] += n
					most[key] = max(most[key], now[key])
				}
			}
			count(1)
			time.Sleep(time.Minute)
			count(-1)
			return End{Run: 1}
		}
		b.run(20 * time.Minute)
		if len(b.pushed) != 3 || most["one"] != 1 || most["all"] != 2 {
			t.Errorf("pushed %q, at most %v at once", b.pushed, most)
		}
	})
}

// TestFileThatGrows pushes again what was still being written when it was taken.
func TestFileThatGrows(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "half")
		b.push = func(_ context.Context, f File) End {
			if err := os.WriteFile(strings.TrimSuffix(f.Path, ".csv")+".results.csv", nil, 0o600); err != nil {
				t.Error(err)
			}
			if len(b.pushed) == 1 {
				if err := os.WriteFile(f.Path, []byte("half and half"), 0o600); err != nil {
					t.Error(err)
				}
			}
			return End{Run: int64(len(b.pushed))}
		}
		b.run(10 * time.Minute)
		b.want("pushed", b.pushed, "a.csv", "a.csv on")
		b.want("told", b.told, "a.csv 3", "a.csv 0")
		b.want("done", b.in("done"), "a.csv", "a.results.csv")
		if row := b.runs()[0]; row.Run != 2 || row.Problem != "" {
			t.Errorf("the history has %+v", row)
		}
	})
}

// TestFileThatIsPutBack closes what is known of a file that changed before anything was
// written beside it.
func TestFileThatIsPutBack(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "half")
		b.push = func(_ context.Context, f File) End {
			if len(b.pushed) == 1 {
				if err := os.WriteFile(f.Path, []byte("half and half"), 0o600); err != nil {
					t.Error(err)
				}
			}
			return End{Run: int64(len(b.pushed))}
		}
		b.run(10 * time.Minute)
		b.want("pushed", b.pushed, "a.csv", "a.csv")
		b.want("done", b.in("done"), "a.csv")
		if runs := b.runs(); len(runs) != 2 || runs[1].Retry || runs[1].Exit != app.ExitUsage || runs[0].Exit != 0 {
			t.Errorf("the history has %+v", runs)
		}
	})
}

// TestHeldFileThatGrows does not take for done what a person approved of half a file.
func TestHeldFileThatGrows(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "half")
		held := importer.RunInfo{State: importer.RunHeld}
		b.outcome = func(int64) (importer.RunInfo, report.Receipt, error) { return held, report.Receipt{}, nil }
		b.push = func(context.Context, File) End { return End{Run: 7, Exit: app.ExitHeld, Problem: "few rows"} }
		b.run(5 * time.Minute)
		row := b.runs()[0]
		if err := os.WriteFile(filepath.Join(row.Folder, "a.csv"), []byte("half and half"), 0o600); err != nil {
			t.Fatal(err)
		}
		held.State, held.FileHash = importer.RunFinished, row.FileHash
		b.run(5 * time.Minute)
		b.want("failed", b.in("failed"), "a.csv", "a.message.txt")
		b.want("told", b.told, "a.csv 4", "a.csv 3")
	})
}

func TestFileThatIsRemoved(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "x")
		b.push = func(_ context.Context, f File) End {
			if err := os.RemoveAll(filepath.Dir(f.Path)); err != nil {
				t.Error(err)
			}
			return End{Run: 1, Exit: app.ExitIncomplete}
		}
		b.run(10 * time.Minute)
		b.want("pushed", b.pushed, "a.csv")
		b.want("told", b.told, "a.csv 3")
		if row := b.runs()[0]; row.Retry || !strings.Contains(row.Problem, "removed") {
			t.Errorf("the history has %+v", row)
		}
	})
}

func TestOldFileHasNotCome(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		file := filepath.Join(b.folder, "staff.csv")
		b.arrive("staff.csv", "x")
		b.jobs[0].Folder, b.jobs[0].Files, b.jobs[0].File = "", nil, file
		b.schedule("0 4 * * *", "", "0 5 * * *")
		changed := func(at time.Time) {
			t.Helper()
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
		}
		changed(time.Now().Add(2 * time.Hour))
		b.run(24 * time.Hour)
		b.want("told when it was new", b.told, "staff.csv 0")
		b.run(24 * time.Hour)
		b.want("told when it was old", b.told[1:], "staff.csv 0", "no file by 02 05:00: the file has not changed since 2000-01-01 02:00 UTC")
	})
}

func TestTimesBeforeNotAfter(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("staff.csv", "x")
		file := filepath.Join(b.folder, "staff.csv")
		b.jobs[0].Folder, b.jobs[0].Files, b.jobs[0].File = "", nil, file
		b.schedule("0,30 4 * * *", "06:00", "")
		b.run(24 * time.Hour)
		b.want("pushed", b.pushed, "staff.csv", "staff.csv again")
	})
}

func TestRefusedFiles(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		if err := os.Symlink("/dev/null", filepath.Join(b.folder, "a.csv")); err != nil {
			t.Skip("no links here")
		}
		b.run(4 * time.Minute)
		b.want("told at once", b.told)
		b.run(time.Hour)
		if len(b.told) != 1 || !strings.Contains(b.told[0], "a.csv") {
			t.Errorf("told %q", b.told)
		}
		b.told = nil
		exit, err := b.watcher().RunOnce(t.Context(), t.Context())
		if exit != app.ExitIncomplete || err != nil || len(b.told) != 1 {
			t.Errorf("by hand: exit %d, %v, told %q", exit, err, b.told)
		}
	})
}

// TestRunOnceAndAnEmptyFile does not wait for as long as watch would.
func TestRunOnceAndAnEmptyFile(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "")
		began := time.Now()
		if exit, err := b.watcher().RunOnce(t.Context(), t.Context()); exit != app.ExitIncomplete || err != nil {
			t.Errorf("exit %d, %v", exit, err)
		}
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("it waits for %v", took)
		}
	})
}

// TestExpectedInAFolderThatIsGone tells it on time.
func TestExpectedInAFolderThatIsGone(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.schedule("", "", "0 5 * * *")
		b.arrive("a.csv", "x")
		go func() {
			time.Sleep(24 * time.Hour)
			if err := os.Rename(b.folder, b.folder+"-gone"); err != nil {
				t.Error(err)
			}
		}()
		w := b.watcher()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Hour)
		defer cancel()
		w.Run(ctx, t.Context())
		if why := w.Unwell(time.Now()); !strings.Contains(why, "students") {
			t.Errorf("it is unwell because %q", why)
		}
		if !slices.Contains(b.told, "no file by 02 05:00: nothing is there") {
			t.Errorf("told %q", b.told)
		}
	})
}

// TestJobOfAnotherName goes on with what a job left that is called otherwise now.
func TestJobOfAnotherName(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "x")
		held := importer.RunInfo{State: importer.RunHeld}
		b.outcome = func(int64) (importer.RunInfo, report.Receipt, error) { return held, report.Receipt{}, nil }
		b.push = func(context.Context, File) End { return End{Run: 7, Exit: app.ExitHeld, Problem: "few rows"} }
		b.run(5 * time.Minute)
		held.State, held.FileHash = importer.RunFinished, b.runs()[0].FileHash
		b.jobs[0].Name = "others"
		b.run(5 * time.Minute)
		b.want("done", b.in("done"), "a.csv")
	})
}

// TestPeopleWhoCannotBeTold are told again, less and less often, for a day.
func TestPeopleWhoCannotBeTold(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "x")
		b.deaf = true
		b.push = func(context.Context, File) End { return End{Exit: app.ExitUsage, Problem: "no header", OfFile: true} }
		b.run(10 * time.Minute)
		if n := len(b.told); n != 4 { // at 1, 2, 4 and 9 minutes
			t.Errorf("told %d times in ten minutes", n)
		}
		b.deaf = false
		b.run(time.Hour)
		if n := len(b.told); n != 5 || !b.runs()[0].IsTold {
			t.Errorf("told %d times, %+v", n, b.runs())
		}
		b.deaf = true
		b.arrive("b.csv", "y")
		b.run(40 * time.Hour)
		if !b.runs()[0].IsTold || len(b.pushed) != 2 {
			t.Errorf("after a day: %+v", b.runs())
		}
	})
}

// TestTroubleThatCannotBeTold is told when that is possible again.
func TestTroubleThatCannotBeTold(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.schedule("", "", "0 5 * * *")
		b.arrive("a.csv", "x")
		b.run(24 * time.Hour)
		b.told, b.deaf = nil, true
		w := b.watcher()
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Hour)
		defer cancel()
		time.AfterFunc(5*time.Hour+90*time.Second, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.deaf = false
		})
		w.Run(ctx, t.Context())
		const text = "no file by 02 05:00: nothing is there"
		b.want("told", b.told, text, text, text) // at once, after one minute, and after two more
	})
}

// TestFileThatGrowsWhileItIsRead is pushed again, though half of it could not be read.
func TestFileThatGrowsWhileItIsRead(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.arrive("a.csv", "half")
		b.push = func(_ context.Context, f File) End {
			if len(b.pushed) > 1 {
				return End{Run: 1}
			}
			if err := os.WriteFile(strings.TrimSuffix(f.Path, ".csv")+".results.csv", nil, 0o600); err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(f.Path, []byte("half and half"), 0o600); err != nil {
				t.Error(err)
			}
			return End{Exit: app.ExitUsage, OfFile: true, Problem: "it changed while it was read"}
		}
		b.run(10 * time.Minute)
		b.want("done", b.in("done"), "a.csv", "a.results.csv")
		b.want("told", b.told, "a.csv 3", "a.csv 0")
	})
}

// TestTroubleOfAFileThatStays is told again on time, though nothing else wakes the job.
func TestTroubleOfAFileThatStays(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		b.jobs[0].File = filepath.Join(b.folder, "staff.csv")
		b.jobs[0].Folder, b.jobs[0].Files = "", nil
		b.schedule("0 4 * * *", "06:00", "0 7 * * *")
		b.arrive("other.csv", "x")
		b.run(24 * time.Hour) // so that there is a history
		b.told, b.deaf = nil, true
		b.run(8*time.Hour + 30*time.Minute)
		if n := len(b.told); n != 7 { // at 7:00, and after 1, 2, 5, 10, 15 and 30 minutes more each
			t.Errorf("told %d times: %q", n, b.told)
		}
	})
}
