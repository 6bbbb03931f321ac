package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/report"
)

func mapCommand(s streams) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "map FILE",
		Short: "Suggest a mapping file, each line with how sure it is and why",
		Example: `  opscom-import map students.xlsx
  opscom-import map students.xlsx --output students.mapping.yaml`,
		Args: oneArgument("FILE"),
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			ctx, release := interruptible(ctx)
			defer release()
			suggestion, err := app.Suggest(ctx, ss.Env, args[0])
			if err != nil {
				return err
			}
			if output == "" || output == "-" {
				_, err = s.stdout.Write(suggestion.Text)
				return err
			}
			if _, err := os.Stat(output); err == nil {
				return fmt.Errorf("%s exists already and was not changed; give another --output, or remove it first", output)
			}
			if err := report.WriteFile(output, suggestion.Text); err != nil {
				return err
			}
			ss.say("%s is written. Read it, answer its questions, then:  opscom-import check %s", output, args[0])
			return nil
		}),
	}
	c.Flags().StringVarP(&output, "output", "o", "", "`PATH` of the file to save the suggestion to")
	return c
}
