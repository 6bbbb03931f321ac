// Command opscom-import pushes the people in a spreadsheet to an OPS-COM
// Controller, and reports the result of each row. docs/reference/commands.md has
// its commands, flags and exit codes.
//
// A command turns its flags into an app.Env, calls one use case of internal/app, and
// prints what that returns.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"runtime/debug"

	"github.com/inconshreveable/mousetrap"
	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/config"
)

func main() {
	tuneMemory()
	log.SetOutput(io.Discard)    // net/http logs there what a server sends unasked, which may be anything
	cobra.MousetrapHelpText = "" // a double click on Windows is not a mistake: it opens the page
	args := os.Args[1:]
	if len(args) == 0 && mousetrap.StartedByExplorer() {
		args = []string{"web"} // a double click on Windows opens the page
	}
	os.Exit(run(context.Background(), args, streams{os.Stdin, os.Stdout, os.Stderr}))
}

// tuneMemory collects garbage less often while little is in use, which gives 8 %
// more rows a second for some MiB, and more often beyond, so that a million rows
// stay under 200 MiB. GOGC and GOMEMLIMIT take precedence.
func tuneMemory() {
	const softLimit = 120 << 20
	environment, _ := config.System() // an error comes again when the command loads its settings
	if environment.Get("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if environment.Get("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
}
