package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"opscom-import/mapping"
)

// explainFlag adds what to do to the error of a flag. It repeats nothing but an unknown
// flag's name: what follows it could be a token.
func explainFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return fmt.Errorf("%w; %s", err, seeHelp(c))
	}
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("there is no flag -%s; %s", name, seeHelp(c))
	}
	var known []string
	meant := ""
	c.Flags().VisitAll(func(f *pflag.Flag) {
		known = append(known, f.Name)
		if meant == "" && strings.HasPrefix(f.Name, name) {
			meant = f.Name
		}
	})
	if meant = cmp.Or(meant, mapping.Nearest(name, known)); meant != "" {
		return fmt.Errorf("there is no flag --%s; did you mean --%s? %s", name, meant, seeHelp(c))
	}
	return fmt.Errorf("there is no flag --%s; %s", name, seeHelp(c))
}

func seeHelp(c *cobra.Command) string { return fmt.Sprintf("see %q", c.CommandPath()+" --help") }

// noArgument refuses every argument, and names the subcommand that was meant.
func noArgument(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case !c.HasSubCommands():
		return fmt.Errorf("%s takes no arguments, but was given %q; %s", c.Name(), args[0], seeHelp(c))
	}
	c.SuggestionsMinimumDistance = 2
	if meant := c.SuggestionsFor(args[0]); len(meant) > 0 {
		return fmt.Errorf("there is no command %q; did you mean %s?", c.CommandPath()+" "+args[0], strings.Join(meant, " or "))
	}
	return fmt.Errorf("there is no command %q; %s", c.CommandPath()+" "+args[0], seeHelp(c))
}

// explainHelp makes the help of an unknown command an error, as the command itself is.
// It shows a command's own flags first, then the settings in the order of their table,
// where those that belong together stand together.
func explainHelp(root *cobra.Command) {
	root.Flags().SortFlags = false
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "Global Flags:",
		"Settings of every command (also as OPSCOM_… variables, or in a config file):", 1))
	show := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.InheritedFlags().SortFlags = false
		show(c, args)
	})
	root.InitDefaultHelpCmd()
	i := slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == "help" })
	root.Commands()[i].RunE = func(_ *cobra.Command, args []string) error {
		c, rest, err := root.Find(args)
		if err == nil && c.HasSubCommands() {
			err = noArgument(c, rest)
		}
		if err != nil {
			return err
		}
		c.InitDefaultHelpFlag()
		return c.Help()
	}
}

// oneArgument asks for exactly one argument, which the help calls by that name.
func oneArgument(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%s takes one %s, not %d; %s", c.Name(), name, len(args), seeHelp(c))
		}
		return nil
	}
}

// someArguments asks for at least one argument, which the help calls by that name.
func someArguments(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s needs at least one %s; %s", c.Name(), name, seeHelp(c))
		}
		return nil
	}
}
