// Package web is the page for people who don't use a terminal: it does in a
// browser, on this computer only, what the commands check, push, approve and runs
// do, with their code.
//
// What goes in are an uploaded spreadsheet, perhaps with its mapping file, and a
// person's clicks. What comes out are pages: the verdict on every row, the
// progress of the push, and the results to download.
//
//	POST /files            a file arrives     → task: check
//	GET  /files/1          the verdict        → POST /files/1/push → task: push
//	GET  /progress         the task in progress, live
//	GET  /runs/17          how the run ended  → GET /runs/17/results
//
// One task is in progress at a time: Server.Serve works on it, and the handlers only
// leave it there and look at it (task.go). All that changes an uploaded file
// happens in a task too, so that no file changes while it is read (upload.go).
//
// A request has to pass guard.go first: it must be meant for this address, carry
// the secret of this launch, and come from a page of this server.
package web

import (
	"context"
	"errors"
	"io"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/report"
)

// Job is a piece of work for an Importer.
type Job struct {
	File     string           // path of the uploaded file; its mapping, if any, lies beside it as NAME.mapping.yaml
	Sandbox  bool             // push to the mock Controller
	Progress *report.Progress // shows how far it has come
	Notes    io.Writer        // takes what a person should know, a line each
}

// Importer does what the commands check, push and approve do.
type Importer interface {
	// Check returns ErrUncertain when a person has to say what the columns hold.
	Check(ctx context.Context, job Job) (report.Receipt, error)
	// Push returns the receipt even of a run that was stopped, with the reason. The
	// receipt has no run when the error kept it from being planned.
	Push(feed, send context.Context, job Job) (report.Receipt, error)
	// Approve pushes what waits in a held or stopped run.
	Approve(feed, send context.Context, run int64, job Job) (report.Receipt, error)
}

// ErrUncertain says that the file has no mapping and its headers leave questions.
var ErrUncertain = errors.New("the headers leave questions")

// Suggester says what the columns of a job's file seem to hold, and writes that
// as a mapping file.
type Suggester interface {
	Suggest(job Job) (columns []mapping.Suggestion, text []byte, err error)
}

// History knows the runs, those of the command line too.
type History interface {
	Runs(ctx context.Context) ([]importer.RunInfo, error) // the newest first
	Run(ctx context.Context, id int64) (importer.RunInfo, importer.Counts, error)
	WriteResults(ctx context.Context, id int64, w io.Writer) error
}

// Real is the real Controller, as far as it can be pushed to.
type Real struct {
	Name    string // for a person, such as "controller.example (client OC_TOMA)"
	Missing string // why it cannot be pushed to; "" when it can
}
