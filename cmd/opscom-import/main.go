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
	_ "time/tzdata" // 0.4 MB: Windows and empty containers have no time zones of their own

	"github.com/inconshreveable/mousetrap"
	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/config"
)

func main() {
	limitMemory()
	log.SetOutput(io.Discard)    // net/http logs there what a server sends unasked, which may be anything
	cobra.MousetrapHelpText = "" // a double click on Windows is not a mistake: it opens the page
	args := os.Args[1:]
	if len(args) == 0 && mousetrap.StartedByExplorer() {
		args = []string{"web"} // a double click on Windows opens the page
	}
	os.Exit(run(context.Background(), args, streams{os.Stdin, os.Stdout, os.Stderr}))
}

// limitMemory collects garbage more often once much memory is in use, so that a million
// rows stay under 150 MiB. To collect it less often while little is in use gives 4 % of the
// CPU time for half as much memory again, and is not worth it. GOMEMLIMIT takes precedence.
func limitMemory() {
	const softLimit = 120 << 20
	environment, _ := config.System() // an error comes again when the command loads its settings
	if environment.Get("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
}

// spendMemory is for a worker: the goroutines and rows of hundreds of lanes alone are over that limit, so that the collector
// would never rest. It took two thirds of a worker's processor time. GOMEMLIMIT and GOGC take precedence.
func spendMemory() {
	const softLimit = 768 << 20
	const percent = 300               // of what is in use
	environment, _ := config.System() // an error came when the command loaded its settings
	if environment.Get("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit)
	}
	if environment.Get("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
