package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/fleet"
	"opscom-import/report"
)

func submitCommand(s streams, code *int) *cobra.Command {
	wait, priority := false, ""
	c := &cobra.Command{
		Use:   "submit FILE...",
		Short: "Plan as push does, and leave the push to the workers",
		Long: `submit reads the whole file, checks every row, and stores the plan in a journal in
PostgreSQL, as push does. The workers push it. submit ends when the plan is stored:
"opscom-import runs" shows how far it is, and "runs report" writes its reports.

With --wait it waits for the end of the run, writes the reports, and ends with the
exit code that push would have. If it is interrupted meanwhile the workers go on.`,
		Example: `  opscom-import submit --client OC_TOMA --journal postgres://opscom@db.example.edu/opscom students.csv
  opscom-import submit --wait --priority scheduled nightly.csv`,
		Args: someArguments("FILE"),
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			switch priority {
			case "person":
				ss.Priority = fleet.Person
			case "scheduled":
				ss.Priority = fleet.Scheduled
			default:
				return fmt.Errorf("--priority: %q is neither person nor scheduled", priority)
			}
			fetchCtx, workCtx, release := interrupts(ctx, s)
			defer release()
			if wait {
				return ss.pushBy(fetchCtx, workCtx, "submit", args, code, func(fetchCtx, workCtx context.Context, env app.Env, files []string, done func(report.Receipt) error) error {
					return app.Submit(fetchCtx, workCtx, env, files, true, done)
				})
			}
			return app.Submit(fetchCtx, workCtx, ss.Env, args, false, ss.printer(code))
		}),
	}
	c.Flags().BoolVar(&wait, "wait", false, "wait for the end of the run, and write its reports")
	c.Flags().StringVar(&priority, "priority", "person", "`WHO` waits for it: person, or scheduled, which workers take after those of persons")
	return c
}
