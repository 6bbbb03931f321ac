package main

import (
	"context"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
)

func checkCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Do everything that push does before it sends a profile; send and change nothing",
		Long: `check reads the whole file and judges every row exactly as push would, then says
how many rows are fine and what is wrong with the others. It sends no profile and
changes nothing.

User types are checked against the Controller's list or, when it does not answer,
against the list that the last push received.`,
		Args: someArguments("FILE"),
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			ctx, release := interruptible(ctx)
			defer release()
			return app.Check(ctx, ss.Env, args, ss.printer(code))
		}),
	}
}
