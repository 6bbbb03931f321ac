package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"opscom-import/cmd/opscom-import/internal/app"
)

// manCommand is for those who make packages, and so it is not in the help.
func manCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:    "man FOLDER",
		Short:  "Write a manual page of every command into a folder",
		Args:   oneArgument("FOLDER"),
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			root, _ := newRoot(s)
			pages, err := manPages(root, commitTime())
			if err != nil {
				return fmt.Errorf("make the manual pages: %w", err)
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("make the folder of the manual pages: %w", err)
			}
			for name, page := range pages {
				if err := os.WriteFile(filepath.Join(args[0], name), page, 0o644); err != nil {
					return fmt.Errorf("write a manual page: %w", err)
				}
			}
			return nil
		},
	}
}

// manPages returns the manual page of each command that the help shows, by its
// file's name.
func manPages(root *cobra.Command, date *time.Time) (map[string][]byte, error) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true // it has the day of the build in it
	root.Long += manExtra()
	root.PersistentFlags().VisitAll(explainValue)
	pages := make(map[string][]byte)
	err := addManPages(pages, root, date)
	return pages, err
}

func addManPages(pages map[string][]byte, c *cobra.Command, date *time.Time) error {
	c.InheritedFlags().SortFlags = false
	c.LocalNonPersistentFlags().VisitAll(explainValue)
	var page bytes.Buffer
	header := doc.GenManHeader{Section: "1", Date: date, Source: "opscom-import", Manual: "opscom-import"}
	if err := doc.GenMan(c, &header, &page); err != nil {
		return err
	}
	pages[strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"] = page.Bytes()
	for _, child := range c.Commands() {
		if !child.IsAvailableCommand() {
			continue
		}
		if err := addManPages(pages, child, date); err != nil {
			return err
		}
	}
	return nil
}

// manValue is what a manual page shows in place of a flag's value: its name.
type manValue struct{ pflag.Value }

// Type is none that cobra puts into quotation marks.
func (manValue) Type() string { return "name" }

// explainValue lets the manual page show a flag as the help does: with the name of its
// value, and the default after the meaning.
func explainValue(f *pflag.Flag) {
	name, usage := pflag.UnquoteUsage(f)
	if f.NoOptDefVal != "" || name == "" {
		return // a switch
	}
	if f.DefValue != "" && f.DefValue != "0" && f.DefValue != "0s" {
		usage += " (default " + f.DefValue + ")"
	}
	f.Value, f.DefValue, f.Usage = manValue{f.Value}, name, usage
}

// manExtra is what the manual page of the program says besides its help.
func manExtra() string {
	var b strings.Builder
	b.WriteString("\n\n# SETTINGS\nEach option that every command has is also a variable in the environment, and a key in the config file: " +
		"--max-bad is OPSCOM_MAX_BAD and max_bad. The option comes first, then the variable, then the file.\n\n# EXIT STATUS\n")
	for _, code := range exitCodes() {
		fmt.Fprintf(&b, "**%d**\n\t%s\n\n", code.number, code.meaning)
	}
	return b.String()
}

// exitCode is an exit code and its meaning for a person.
type exitCode struct {
	number  int
	meaning string
}

func exitCodes() []exitCode {
	return []exitCode{
		{app.ExitDone, "every row ended well"},
		{app.ExitRows, "complete, but some rows are invalid, rejected or failed"},
		{app.ExitUsage, "usage, settings, mapping, or a file that cannot be read: nothing of it was sent"},
		{app.ExitIncomplete, "the run is not complete; the same command resumes it"},
		{app.ExitHeld, "a safety limit holds the run: nothing was sent"},
		{app.ExitBusy, "another run to the same client is in progress"},
	}
}

// commitTime is the time of the commit that was built; nil when the build does not say,
// and then the pages have the date in SOURCE_DATE_EPOCH, or today's.
func commitTime() *time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	i := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs.time" })
	if i < 0 {
		return nil
	}
	when, err := time.Parse(time.RFC3339, info.Settings[i].Value)
	if err != nil {
		return nil
	}
	return &when
}
