package main

import (
	"context"

	"github.com/spf13/cobra"
)

func pushCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "push FILE...",
		Short: "Plan, then push every row that needs it, and write a result for every row",
		Long: `push reads the whole file, checks every row, and stores the plan before the
first request. Then it pushes the rows that need it, and writes NAME.results.csv
beside the file: a reference id or a reason for every row.

FILE is a CSV file or an Excel workbook; "-" is standard input. NAME.mapping.yaml
beside it says how its columns become attributes; "opscom-import map" suggests
one.

To resume a run that was stopped, run the same command again.`,
		Example: `  opscom-import push --sandbox samples/term-start.xlsx
  opscom-import push --client OC_TOMA students.csv
  opscom-import push --client OC_TOMA --only-changes --min-rows 90% nightly.csv`,
		Args: someArguments("FILE"),
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			fetchCtx, workCtx, release := interrupts(ctx, s)
			defer release()
			return ss.push(fetchCtx, workCtx, args, code)
		}),
	}
}
