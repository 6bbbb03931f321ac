package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"opscom-import/mapping"
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
		RunE: func(c *cobra.Command, args []string) error {
			return withSession(c, s, func(ss *session) (err error) {
				ctx, release := interruptible(c.Context())
				defer release()
				in, err := openInput(ctx, args[0], s)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(in.named(err), in.Close()) }()
				if err := ss.openJournalToRead(ctx); err != nil {
					return err
				}
				if _, err := ss.findUserTypes(ctx); err != nil { // without them, the values' meaning is left open
					return err
				}
				suggestions, err := ss.suggest(in)
				if err != nil {
					return err
				}
				text, err := mapping.FormatSuggestion(ss.sourceSection(), suggestions)
				if err != nil {
					return err
				}
				if output == "" || output == "-" {
					_, err = s.stdout.Write(text)
					return err
				}
				if _, err := os.Stat(output); err == nil {
					return fmt.Errorf("%s exists already and is left as it is; give another --output, or remove it first", output)
				}
				if err := report.WriteFile(output, text); err != nil {
					return err
				}
				ss.say("%s is written. Read it, answer what it asks, then:  opscom-import check %s", output, args[0])
				return nil
			})
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "file to save the suggestion to")
	return c
}
