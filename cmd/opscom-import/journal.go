package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
)

func journalCommand(s streams, code *int) *cobra.Command {
	parent := &cobra.Command{
		Use:   "journal",
		Short: "Check the journal of all runs, back it up, restore it",
		Args:  noArgument,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	parent.AddCommand(journalCheckCommand(s, code), journalBackupCommand(s), journalRestoreCommand(s))
	return parent
}

func journalCheckCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Read the whole journal, and say whether anything in it is damaged",
		Long: `check reads everything in the journal and changes nothing. A run may be in progress
meanwhile. Exit code 0: it is sound; 1: something is damaged; 2: it cannot be read.`,
		Args: noArgument,
		RunE: with(s, func(ctx context.Context, ss *session, _ []string) error {
			health, err := app.CheckJournal(ctx, ss.Env)
			if err != nil {
				return err
			}
			if len(health.Damage) > 0 {
				*code = app.ExitRows
			}
			return ss.printHealth(health)
		}),
	}
}

func (s *session) printHealth(h *app.JournalHealth) error {
	if s.Settings.JSON {
		return json.NewEncoder(s.stdout).Encode(struct {
			Sound  bool     `json:"sound"`
			Bytes  int64    `json:"bytes"`
			Runs   int      `json:"runs"`
			Rows   int      `json:"rows"`
			Damage []string `json:"damage"`
			Notes  []string `json:"notes"`
		}{len(h.Damage) == 0, h.Bytes, h.Runs, h.Rows, append([]string{}, h.Damage...), append([]string{}, h.Notes...)})
	}
	for _, what := range h.Damage {
		fmt.Fprintf(s.stdout, "%s  %s\n", s.style.Bad("DAMAGED"), what)
	}
	if len(h.Damage) > 0 {
		_, err := fmt.Fprintf(s.stdout, `
Keep a copy of %s. Then move the folder away, and restore the last backup into it
with "opscom-import journal restore FILE", or go without: people who exist are
updated by the next push, and nobody is created twice.
`, s.Settings.State)
		return err
	}
	for _, note := range h.Notes {
		s.say("%s.", note)
	}
	if s.Settings.Quiet {
		return nil
	}
	_, err := fmt.Fprintf(s.stdout, "The journal is sound: %s.\n", contents(h))
	return err
}

// contents says how much there is in a journal.
func contents(h *app.JournalHealth) string {
	return fmt.Sprintf("%s with %s rows, %s", english.Plural(h.Runs, "run", ""), humanize.Comma(int64(h.Rows)), humanize.Bytes(uint64(h.Bytes)))
}

func journalBackupCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the journal into a new file, also while a run is in progress",
		Long: `backup copies the journal as it is at one moment, with the profiles that are still to
be pushed, into a new file that only its owner can read, and checks the copy. A run
may be in progress meanwhile. An existing file is never replaced.`,
		Example: `  opscom-import journal backup /backup/opscom-2026-11-30.db`,
		Args:    oneArgument("FILE"),
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			if args[0] == "-" {
				return errors.New("a backup is a file, and cannot go to the output: name a new file, such as opscom-backup.db")
			}
			health, err := app.BackupJournal(ctx, ss.Env, args[0])
			if err == nil {
				ss.say("%s is written, and is sound: %s.", args[0], contents(health))
			}
			return err
		}),
	}
}

func journalRestoreCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Make the journal again from a backup, in a state folder that has none",
		Long: `restore makes a journal of a backup. What was pushed since the backup is not known:
what the Controller last accepted is in doubt, so that the next push sends
everybody once, and every row that was waiting is unknown, because it may have been
sent since. The numbers of the next runs begin 1000 higher.`,
		Example: `  opscom-import journal restore /backup/opscom-2026-11-30.db --state /var/lib/opscom-import`,
		Args:    oneArgument("FILE"),
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			restored, err := app.RestoreJournal(ctx, ss.Env, args[0])
			if err != nil {
				return err
			}
			ss.say("%s restored into %s, as of %s.", english.Plural(restored.Runs, "run", ""), ss.Settings.State, restored.TakenAt.Local().Format(time.DateTime))
			for _, r := range restored.Unfinished {
				ss.say("Run %d of %s was %s: its rows that had no answer may have been sent since. Push its newest file again, or forget the run.",
					r.ID, filepath.Base(r.Source), r.State.Label())
			}
			ss.say("The next push sends everybody, also with --only-changes. For that max-changed does not hold it: it compares with what was accepted before the backup.")
			ss.say("Leavers of a file are NOT looked for until it has a complete run again.")
			return nil
		}),
	}
}
