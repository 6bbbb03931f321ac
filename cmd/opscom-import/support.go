package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
)

func supportCommand(s streams) *cobra.Command {
	var output string
	var run int64
	var yes bool
	c := &cobra.Command{
		Use:   "support [FILE]",
		Short: "Write a file for somebody who helps, without personal data",
		Long: `support writes a zip file for somebody who helps: version, settings and where each
was given, the journal's sizes, the runs and how the rows of one ended, and of a FILE
the names and shapes of its columns (A9A 9A9 for a postal code). No value of a row,
no token and no name of a file is in it. What is in it is listed first, and it is
written when you say so. Nothing is sent anywhere.`,
		Example: `  opscom-import support
  opscom-import support students.xlsx --output students-support.zip`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("support takes one FILE at most, not %d; %s", len(args), seeHelp(c))
			}
			return nil
		},
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			ctx, release := interruptible(ctx)
			defer release()
			if run < 0 {
				return fmt.Errorf("--run %d is not the number of a run; \"opscom-import runs\" lists them", run)
			}
			if _, err := os.Lstat(output); err == nil {
				return fmt.Errorf("%s exists already and was not changed; give another --output, or remove it first", output)
			}
			file := strings.Join(args, "")
			bundle, err := app.CollectSupport(ctx, ss.Env, file, run)
			if err != nil {
				return err
			}
			ss.listSupport(bundle, output)
			if !yes {
				if err := ss.confirm(ctx, "Write it?"); err != nil {
					return err
				}
			}
			if err := bundle.Write(output); err != nil {
				return err
			}
			ss.say("%s is written. Only you can read it. Look at it before you send it to anybody.", output)
			return nil
		}),
	}
	c.Flags().StringVarP(&output, "output", "o", "opscom-import-support.zip", "`PATH` of the zip file; an existing file is not overwritten")
	c.Flags().Int64Var(&run, "run", 0, "`NUMBER` of the run (default the last one of FILE, else the last one of all)")
	c.Flags().BoolVar(&yes, "yes", false, "write it without asking")
	return c
}

// listSupport lists what a bundle has. That is said even with --quiet: somebody has to
// see it before it leaves.
func (s *session) listSupport(b *app.SupportBundle, output string) {
	fmt.Fprintf(s.stdout, "What %s will have:\n", output)
	for _, f := range b.Files {
		fmt.Fprintf(s.stdout, "  %-13s %8s  %s\n", f.Name, humanize.Bytes(uint64(len(f.Text))), f.About)
	}
	if len(b.Headers) > 0 {
		quoted := make([]string, len(b.Headers))
		for i, name := range b.Headers {
			quoted[i] = fmt.Sprintf("%q", name)
		}
		fmt.Fprintf(s.stdout, "The %s of these columns as they are: %s\n", english.PluralWord(len(quoted), "name", ""), strings.Join(quoted, ", "))
	}
	fmt.Fprintln(s.stdout, "No value of a row, no id, no token, no name of a file. Nothing is sent anywhere.")
}

// confirm asks a person, who has to say yes.
func (s *session) confirm(ctx context.Context, question string) error {
	fmt.Fprintf(s.stdout, "%s [y/N] ", question)
	answered := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(s.stdin).ReadString('\n') // without an answer it is no
		answered <- line
	}()
	select {
	case <-ctx.Done():
		return errors.New("interrupted; nothing was written")
	case line := <-answered:
		if slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(line))) {
			return nil
		}
	}
	return errors.New("nothing was written; answer y, or give --yes where nobody can answer")
}
