package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
)

func approveCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "approve RUN",
		Short: "Push exactly the plan of a run that a safety limit held",
		Long: `approve pushes the plan of a held run as it was stored. The file is not read
again: changes to it since then make no difference. To resume an approval that
was interrupted, approve the run again.`,
		Args: oneArgument("RUN"),
		RunE: func(c *cobra.Command, args []string) error {
			ss, err := newSession(c, s)
			if err != nil {
				return err
			}
			id, err := runNumber(args[0])
			if err != nil {
				return err
			}
			fetchCtx, workCtx, release := interrupts(c.Context(), s)
			defer release()
			return app.Approve(fetchCtx, workCtx, ss.Env, id, ss.printer(code))
		},
	}
}

func runNumber(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, fmt.Errorf("%q is not the number of a run; \"opscom-import runs\" lists them", text)
	}
	return id, nil
}
