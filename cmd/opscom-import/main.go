// Command opscom-import pushes the people in a spreadsheet to an OPS-COM
// Controller, and writes what became of each row. docs/reference/commands.md has
// its commands, flags and exit codes.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}
