//go:build linux

// Command compare measures the program beside what people would use in its place,
// in one run: each in turn, over and over, as a process of its own.
//
//	go run ./cmd/opscom-import/internal/benchmark/compare csv     # check of a CSV file
//	go run ./cmd/opscom-import/internal/benchmark/compare xlsx    # check of workbooks
//	go run ./cmd/opscom-import/internal/benchmark/compare push    # push to a server on this machine
//
// It prints a table of medians, and asserts nothing. A peer that is not installed
// is said to be absent. docs/benchmarks.md tells how to install them, and what was
// measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// run measures, or is one of the processes that this program starts itself as.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 1 && args[0] == "self" {
		return runSelf(args[1], args[2:], out)
	}
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	rows := flags.Int("rows", 100_000, "rows of the file")
	rounds := flags.Int("rounds", 5, "how often each is measured, after once that does not count")
	only := flags.String("only", "", "names of those to measure, with commas between them; all when left out")
	latency := flags.Duration("latency", 0, "how long the server takes for an answer (push)")
	slow := flags.Duration("slow", 0, "how long it takes for every hundredth (push)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b, err := newBench(ctx, out, *rows, *rounds, *only)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir) // a temporary folder
	switch flags.Arg(0) {
	case "csv":
		return b.compareCSV(ctx)
	case "xlsx":
		return errors.Join(b.compareXLSX(ctx, false), b.compareXLSX(ctx, true))
	case "push":
		return b.comparePush(ctx, *latency, *slow)
	}
	return errors.New("say what to compare: csv, xlsx or push")
}

// bench is what all comparisons of one run work with.
type bench struct {
	out          io.Writer
	rows, rounds int
	only         []string // nil for all
	dir          string   // temporary
	home         string   // the folder of this package, with the peers' scripts
	self         string   // this program
	program      string   // the program that is measured
	nodeModules  string   // what is installed from npm
}

func newBench(ctx context.Context, out io.Writer, rows, rounds int, only string) (*bench, error) {
	b := &bench{out: out, rows: rows, rounds: rounds}
	if only != "" {
		b.only = strings.Split(only, ",")
	}
	var err error
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	b.nodeModules = filepath.Join(cache, "opscom-import-peers", "node_modules")
	const command = "opscom-import/cmd/opscom-import"
	found, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", command+"/internal/benchmark/compare").Output()
	if err != nil {
		return nil, fmt.Errorf("find the peers' scripts (run this in the repository): %w", err)
	}
	b.home = strings.TrimSpace(string(found))
	if b.dir, err = os.MkdirTemp("", "opscom-import-compare-"); err != nil {
		return nil, err
	}
	b.program = filepath.Join(b.dir, "opscom-import")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.program, command).CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("build the program: %w\n%s", err, out), os.RemoveAll(b.dir))
	}
	return b, b.printMachine(ctx)
}

// printMachine says what the figures were measured on.
func (b *bench) printMachine(ctx context.Context) error {
	commit, err := exec.CommandContext(ctx, "git", "-C", b.home, "describe", "--always", "--dirty").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	_, err = fmt.Fprintf(b.out, "%s, %s, commit %s, %d rows, %d rounds, load before %s\n\n",
		time.Now().Format("2 January 2006 15:04"), machine(), strings.TrimSpace(string(commit)), b.rows, b.rounds, load())
	return err
}

// make lets a process of its own make a file, so that this one stays small: the
// peak of what it starts is never less than its own.
func (b *bench) make(ctx context.Context, kind, path string) error {
	out, err := exec.CommandContext(ctx, b.self, "self", "make", kind, path, fmt.Sprint(b.rows)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("make %s: %w\n%s", path, err, out)
	}
	return nil
}
