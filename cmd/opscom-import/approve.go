package main

import (
	"context"

	"github.com/spf13/cobra"
)

func approveCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "approve RUN",
		Short: "Push exactly the plan of a run that a safety limit held",
		Long: `approve pushes the plan of a held run as it was stored. The file is not read
again: changes to it since then make no difference. It resumes a run that was
stopped, too.`,
		Args: oneArgument("RUN"),
		RunE: withRun(s, func(ctx context.Context, ss *session, id int64) error {
			fetchCtx, workCtx, release := interrupts(ctx, s)
			defer release()
			return ss.approve(fetchCtx, workCtx, id, code)
		}),
	}
}
