package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
)

func migrateCommand(s streams, code *int) *cobra.Command {
	var status bool
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the schema of a journal in PostgreSQL to this version of the program",
		Long: `migrate makes the tables that a journal in PostgreSQL needs, or adds what this
version of the program needs more. It goes forward only, and changes nothing if
nothing is missing. Other processes may work meanwhile, and several may migrate
at once. Exit code 0: the schema is that of this version; 2: it is not.`,
		Example: `  opscom-import migrate --journal postgres://opscom@db.example.edu/opscom
  opscom-import migrate --status`,
		Args: noArgument,
		RunE: withoutState(s, func(ctx context.Context, ss *session, _ []string) error {
			if status {
				steps, err := app.SchemaStatus(ctx, ss.Env)
				if err != nil {
					return err
				}
				for _, step := range steps {
					if !step.Applied {
						*code = app.ExitRows
					}
				}
				return ss.printSteps(steps)
			}
			taken, err := app.Migrate(ctx, ss.Env)
			if err != nil {
				return err
			}
			if err := ss.printSteps(taken); err != nil {
				return err
			}
			if len(taken) == 0 {
				ss.say("%s has the schema of this version; nothing was missing.", ss.Settings.Journal)
			} else {
				ss.say("%s has the schema of this version now: %s.", ss.Settings.Journal, english.Plural(len(taken), "step", ""))
			}
			return nil
		}),
	}
	c.Flags().BoolVar(&status, "status", false, "list the steps that are applied or pending, and change nothing; exit code 1 if one is pending")
	return c
}

// printSteps prints a line for each step, or all as one JSON array.
func (s *session) printSteps(steps []app.SchemaStep) error {
	type line struct {
		Schema  string `json:"schema"`
		Version int64  `json:"version"`
		Name    string `json:"name"`
		State   string `json:"state"` // applied, pending, or newer than this version of the program
	}
	lines := make([]line, len(steps))
	for i, step := range steps {
		lines[i] = line{step.Schema, step.Version, step.Name, "applied"}
		if !step.Known {
			lines[i].State = "newer"
		} else if !step.Applied {
			lines[i].State = "pending"
		}
	}
	if s.Settings.JSON {
		return json.NewEncoder(s.stdout).Encode(lines)
	}
	if s.Settings.Quiet {
		return nil
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(s.stdout, "%-8s %-7s %3d  %s\n", l.State, l.Schema, l.Version, l.Name); err != nil {
			return err
		}
	}
	return nil
}
