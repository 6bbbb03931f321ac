package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
)

func notifyCommand(s streams, code *int) *cobra.Command {
	parent := &cobra.Command{
		Use:   "notify",
		Short: "Try whom the config file says to tell about runs",
		Args:  noArgument,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	parent.AddCommand(&cobra.Command{
		Use:   "test",
		Short: "Send a test message to each target, and say what became of it",
		Long: `test sends a test message to each target of the section notify of the config file,
once, and says what became of it. A healthcheck gets the sign of a success. Exit
code 0: every target took it; 2: one did not.`,
		Args: noArgument,
		RunE: with(s, func(ctx context.Context, ss *session, _ []string) error {
			if len(ss.Settings.Notify) == 0 {
				return errors.New("there is nobody to tell: the config file has no section notify, or none was found; name one with --config PATH")
			}
			for _, result := range ss.notifier().Test(ctx) {
				mark, detail := ss.style.Good("ok  "), "took a test message"
				if result.Err != nil {
					mark, detail, *code = ss.style.Bad("FAIL"), result.Err.Error(), app.ExitUsage
				}
				fmt.Fprintf(s.stdout, "%s  %s: %s\n", mark, result.Target.Origin, detail)
			}
			return nil
		}),
	})
	return parent
}
