package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/dustin/go-humanize"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/postgres"
)

// examineState looks at the state folder: whether the journal can be written and is sound,
// who can change it, and how much room there is.
func (e Env) examineState(ctx context.Context) []Finding {
	folder := e.Settings.State
	f := Finding{What: "state folder", Detail: folder}
	rows := 0 // of the largest run
	if f.Err = os.MkdirAll(folder, 0o700); f.Err == nil && e.Settings.Journal.IsZero() {
		f.Err = e.withSilentJournal(ctx, func(j journal.Journal) error {
			runs, err := j.Runs(ctx)
			for _, run := range runs {
				rows = max(rows, run.Rows)
			}
			if err != nil {
				return err
			}
			content, err := e.describeJournal(ctx, j)
			if content != "" {
				f.Detail += " (" + content + ")"
			}
			return errors.Join(err, j.Check(ctx))
		})
	}
	if f.Err != nil {
		f.Err = fmt.Errorf("%w%s", f.Err, notOwner(folder))
	}
	if wrong := onNetwork(fileSystemOf(folder)); wrong != "" {
		f.Note += ": it " + wrong
	}
	f.Note += notOwner(folder)
	if info, err := os.Stat(folder); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		f.Note += fmt.Sprintf("; others can change what is in it: run \"chmod 700 %s\"", folder)
	}
	return []Finding{f, examineSpace(folder, rows)}
}

// withSilentJournal calls f with the journal; that it is on a network is a finding.
func (e Env) withSilentJournal(ctx context.Context, f func(journal.Journal) error) error {
	e.Notify = func(string) {}
	return e.withJournalTo(ctx, postgres.ToLook(), f)
}

// What a run needs on the disk, as the guide for scheduled runs says.
const (
	bytesPerRow = 340
	logBytes    = 30 << 20
	usualRows   = 40_000 // at least
)

// examineSpace compares the room on the state folder's disk with what the largest run
// needs.
func examineSpace(folder string, rows int) Finding {
	free, err := freeSpace(folder)
	if err != nil {
		return Finding{What: "disk space", Detail: fmt.Sprintf("not known: %v", err)}
	}
	return judgeSpace(free, max(rows, usualRows))
}

// judgeSpace compares free bytes with what a run of so many rows needs.
func judgeSpace(free uint64, rows int) Finding {
	const roomy = 4
	need := uint64(logBytes + bytesPerRow*rows)
	f := Finding{What: "disk space"}
	f.Detail = fmt.Sprintf("%s free for the state folder; a run of %s rows needs %s", humanize.IBytes(free), humanize.Comma(int64(rows)), humanize.IBytes(need))
	switch {
	case free < need:
		f.Err = fmt.Errorf("%s; make room, or name another folder with --state", f.Detail)
	case free < roomy*need:
		f.Note = "; make room"
	}
	return f
}
