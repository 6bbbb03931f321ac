// Package app does what the commands and the page are for: it checks and pushes
// files, approves and shows runs, writes their reports again, suggests mappings,
// and looks after the sandbox.
//
// What goes in is an [Env], which no use case changes, and the names of files or
// the numbers of runs. What comes out are values: receipts, runs, findings. Nothing
// here prints: what a person should hear while a use case runs goes to Env.Notify
// and Env.Progress.
//
//	Push     FILE → input → table → plan in the journal → push → reports → receipt
//	Check    FILE → input → table → plan in memory              → reports → receipt
//	Inspect  FILE → input → table → plan in temporary files     → rows to look at
//	Approve  run  →                  plan in the journal → push → reports → receipt
//
// A run that ended early returns its receipt and an error. [ExitCode] says what an
// error means to a script.
package app

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/fleet"
	"opscom-import/importer"
	"opscom-import/importer/controller"
	"opscom-import/report"
)

// Env is what a use case works with.
type Env struct {
	Settings config.Settings
	Version  string // of the program
	Log      *slog.Logger
	Notify   func(note string) // is told what a person should know, by one goroutine at a time
	Progress *report.Progress
	Stdin    io.Reader // what the FILE "-" is read from
	Stdout   io.Writer // where a report goes whose path is "-"

	Source string // where the FILE arrived, "" for where it lies: what identifies it from run to run

	Begun time.Time // when a process first worked on the FILE: a run of it that was finished since is not pushed again; zero for now

	OnConnect func(rate func() float64) // is given the client's rate when a push begins; nil when nobody asks

	Transport http.RoundTripper // for tests: the way to the Controller; nil for connections of its own

	Priority fleet.Priority // of runs that workers push too; 0 for those of a person

	submits bool                                 // the runs are left to workers
	turns   func(target string) controller.Turns // of a rate that is shared with other processes; nil where it is not

	Types *TypesCache // nil to ask for the user types each time

	Corrections []importer.Correction // of the file that is read, in the order in which they were made
	Reviewed    *Reviewed             // what a push may send; nil: whatever the file plans
}

func (e Env) notify(format string, args ...any) { e.Notify(fmt.Sprintf(format, args...)) }

// client is the client code that rows are pushed for.
func (e Env) client() string {
	if e.Settings.Sandbox {
		return sandboxClient
	}
	return e.Settings.Client
}

// target names what a run is pushed to: runs of one target exclude each other.
func (e Env) target() string {
	if e.Settings.Sandbox {
		return e.SandboxTarget()
	}
	return importer.TargetOf(e.Settings.Client, e.Settings.URL)
}

// Host is the Controller's host, or the sandbox, as a person knows it.
func (e Env) Host() string {
	if e.Settings.Sandbox {
		return "the sandbox"
	}
	if u, err := url.Parse(e.Settings.URL); err == nil && u.Host != "" {
		return u.Host
	}
	return e.Settings.URL
}
