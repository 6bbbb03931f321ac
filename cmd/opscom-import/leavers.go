package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/report"
)

func leaversCommand(s streams) *cobra.Command {
	var asCSV bool
	c := &cobra.Command{
		Use:   "leavers FILE",
		Short: "List the people whom the last complete run had and the file has not",
		Long: `leavers compares the file with the last complete run of the same file, to the same
client and Controller, and lists the people of that run who are not in the file.
Dates in the file's name make no difference. If that run was of this very file, the
one before it counts. It sends no profile and changes nothing.

It ends with code 0 if it could compare, whether anybody left or not, and with code
2 if not.`,
		Example: `  opscom-import leavers --client OC_TOMA students-2026-11-29.csv
  opscom-import leavers --client OC_TOMA --csv students.csv > left.csv`,
		Args: oneArgument("FILE"),
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			ctx, release := interruptible(ctx)
			defer release()
			if asCSV && ss.Settings.JSON {
				return errors.New("--csv and --json are two ways to print the list; give one of them")
			}
			return app.Leavers(ctx, ss.Env, args[0], func(list app.LeaverList) error {
				l := report.LeaverList{Leavers: list.Leavers, File: list.File, HasIDs: list.HasKeys, List: list.List}
				switch {
				case ss.Settings.JSON:
					return l.WriteJSON(s.stdout)
				case asCSV:
					ss.say("%s", l.InWords())
					return l.WriteCSV(s.stdout)
				default:
					return l.WriteText(s.stdout)
				}
			})
		}),
	}
	c.Flags().BoolVar(&asCSV, "csv", false, "print the list as CSV")
	return c
}
