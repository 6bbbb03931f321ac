package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
)

func doctorCommand(s streams, code *int) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check settings, token, Controller, state folder and clock; say what to do",
		Long: `doctor checks everything that a push needs besides the file: the settings, the
token, the Controller's answer to a call for its user types, the state folder and
the clock. It sends no profile. Exit code 0: all is well; 2: something is not.`,
		Args: noArgument,
		RunE: with(s, func(ctx context.Context, ss *session, _ []string) error {
			findings, err := app.Doctor(ctx, ss.Env)
			for _, f := range findings {
				mark := ss.style.Good("ok  ")
				if f.Err != nil {
					mark, f.Detail, *code = ss.style.Bad("FAIL"), f.Err.Error(), app.ExitUsage
				}
				fmt.Fprintf(s.stdout, "%s  %-12s %s\n", mark, f.What, f.Detail)
			}
			return err
		}),
	}
}
