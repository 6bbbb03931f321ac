//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"text/tabwriter"
)

func describe(processor string) string {
	return fmt.Sprintf("%s, %d cores, %s", processor, runtime.NumCPU(), runtime.Version())
}

// print writes a line for each contender: head names the columns between the name
// and the version, and cells fills them.
func (c *contest) print(ctx context.Context, out io.Writer, title string, head []string, cells func([]sample) []string) error {
	if _, err := fmt.Fprintf(out, "%s\n\n", title); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0) // keeps the first error for Flush
	line := func(first string, middle []string, last string) {
		fmt.Fprintf(w, "| %s\t| %s\t| %s\t|\n", first, strings.Join(middle, "\t| "), last)
	}
	line("", head, "version")
	line("---", strings.Split(strings.Repeat("--- ", len(head)-1)+"---", " "), "---")
	for _, one := range c.contenders {
		values := make([]string, len(head))
		note := versionOf(ctx, one)
		switch samples := c.samples[one.name]; {
		case one.absent != "":
			note = "absent: " + one.absent
		case c.failures[one.name] != nil:
			note = "failed: " + c.failures[one.name].Error()
		default:
			values = cells(samples)
		}
		line(one.name, values, note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nA peak below %s may be that of this command. Load after: %s\n\n", mebibytes(float64(floor())), load())
	return err
}

// versionOf asks a contender for its version: the first line that holds a digit.
func versionOf(ctx context.Context, one contender) string {
	if one.version == nil || one.absent != "" {
		return ""
	}
	out, err := exec.CommandContext(ctx, one.version[0], one.version[1:]...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.ContainsAny(line, "0123456789") {
			return strings.TrimSpace(line)
		}
	}
	return fmt.Sprint(err)
}

func mebibytes(bytes float64) string { return fmt.Sprintf("%.0f MiB", bytes/(1<<20)) }
