package watch

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/schedule"
	"opscom-import/importer"
	"opscom-import/report"
)

// Two programs with histories of their own take files from one folder: the second leaves alone what
// the first works on.
func TestTwoProgramsInAFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no locks on files in progress")
	}
	inTime(t, func(t *testing.T, b *bench) {
		other := newBench(t)
		other.folder, other.jobs[0].Folder = b.folder, b.folder
		b.arrive("a.csv", "x")
		b.push = func(ctx context.Context, _ File) End {
			if exit, err := other.watcher().RunOnce(ctx, ctx); app.ExitCode(err) != app.ExitBusy {
				t.Errorf("the other program: exit %d, %v", exit, err)
			}
			return End{Run: 1}
		}
		b.run(10 * time.Minute)
		b.want("pushed", b.pushed, "a.csv")
		b.want("pushed by the other", other.pushed)
		b.want("done", b.in("done"), "a.csv")
		if len(other.notes) != 1 || !strings.Contains(other.notes[0], "another program works on a.csv") {
			t.Errorf("it is said: %q", other.notes)
		}
	})
}

// What another machine works on, in a folder that is not here, is left to it.
func TestAFolderOfAnotherMachine(t *testing.T) {
	for host, isOpen := range map[string]bool{"": false, "here": true} { // only where the history is shared there are others
		t.Run(host, func(t *testing.T) {
			inTime(t, func(t *testing.T, b *bench) {
				b.host = host
				folder := filepath.Join(t.TempDir(), "in-progress", "2026-11-30T091502Z")
				row := importer.JobRun{Job: "students", File: "/exports/a.csv", Folder: folder, StartedAt: time.Now()}
				if _, err := b.history.Begin(t.Context(), row); err != nil {
					t.Fatal(err)
				}
				b.run(10 * time.Minute)
				if got := b.runs()[0]; got.IsEnded() == isOpen {
					t.Errorf("the history has %+v", got)
				}
				if said := strings.Join(b.notes, "\n"); strings.Count(said, "in a folder that is not here: "+folder) != map[bool]int{true: 1}[isOpen] {
					t.Errorf("it is said: %q", said)
				}
			})
		})
	}
}

// Two processes, as on two machines, have the same job: each time of its schedule is served once.
func TestATimeOfTheScheduleIsServedOnce(t *testing.T) {
	inTime(t, func(t *testing.T, b *bench) {
		at, err := schedule.Parse("0 2 * * *", time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(b.folder, "students.csv")
		b.jobs[0].Folder, b.jobs[0].File, b.jobs[0].At = "", path, &at
		b.push = func(context.Context, File) End {
			time.Sleep(time.Minute)
			return End{Run: 1}
		}
		b.arrive("students.csv", "first")
		var processes sync.WaitGroup
		for range 2 {
			processes.Go(func() { b.run(72*time.Hour + time.Minute) })
		}
		processes.Wait()
		if len(b.pushed) != 3 || len(b.runs()) != 3 {
			t.Errorf("in three nights: pushed %q, and the history has %d runs", b.pushed, len(b.runs()))
		}
	})
}

// Somebody removes a held file, and its run is approved, or forgotten: its folder does not stay.
func TestAHeldFileThatIsRemoved(t *testing.T) {
	for place, state := range map[string]importer.RunState{"done": importer.RunFinished, "failed": importer.RunSuperseded} {
		t.Run(place, func(t *testing.T) {
			inTime(t, func(t *testing.T, b *bench) {
				b.arrive("a.csv", "x")
				run := importer.RunInfo{State: importer.RunHeld}
				b.outcome = func(int64) (importer.RunInfo, report.Receipt, error) { return run, report.Receipt{}, nil }
				b.push = func(_ context.Context, f File) End {
					if err := os.WriteFile(strings.TrimSuffix(f.Path, ".csv")+".results.csv", nil, 0o600); err != nil {
						t.Error(err)
					}
					return End{Run: 7, Exit: app.ExitHeld, Problem: "few rows"}
				}
				b.run(2 * time.Minute)
				if err := os.Remove(filepath.Join(b.runs()[0].Folder, "a.csv")); err != nil {
					t.Fatal(err)
				}
				run = importer.RunInfo{State: state, FileHash: b.runs()[0].FileHash}
				b.run(3 * time.Minute)
				b.want("held", b.in("held"))
				if got := b.in(place); !slices.Contains(got, "a.results.csv") {
					t.Errorf("%s has %q", place, got)
				}
			})
		})
	}
}
