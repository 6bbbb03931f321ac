//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// contender is one of those that are measured side by side.
type contender struct {
	name    string
	absent  string   // how to install what is missing; "" when it is there
	version []string // command that prints its version; nil for this project's own

	// command returns what is run. Its standard output goes into the file out.
	command func(ctx context.Context) *exec.Cmd
	// done returns how many rows were done, as the output tells.
	done func(out string) (rows int, err error)
	want int // rows that must be done; 0 for any number
	// timed returns how long it took, where the output tells that better than the
	// process's life; nil elsewhere.
	timed func(out string) (time.Duration, error)
}

// sample is one run of a contender.
type sample struct {
	wall, cpu time.Duration
	peak      int64 // bytes
	rows      int
}

func seconds(s sample) float64 { return s.wall.Seconds() }

func cpuSeconds(s sample) float64 { return s.cpu.Seconds() }

func peak(s sample) float64 { return float64(s.peak) }

func rate(s sample) float64 { return float64(s.rows) / s.wall.Seconds() }

func cpuOf1000(s sample) float64 { return s.cpu.Seconds() * 1000 / float64(s.rows) }

// contest is a table of contenders and what was measured of each.
type contest struct {
	contenders []contender
	samples    map[string][]sample
	failures   map[string]error // why one was not measured to the end
}

// hold runs each contender in turn, over and over.
func (b *bench) hold(ctx context.Context, contenders []contender) (*contest, error) {
	c := &contest{samples: map[string][]sample{}, failures: map[string]error{}}
	for _, one := range contenders {
		if b.only == nil || slices.Contains(b.only, one.name) {
			c.contenders = append(c.contenders, one)
		}
	}
	if len(c.contenders) == 0 {
		return nil, fmt.Errorf("nobody here has one of the names %q", b.only)
	}
	for round := range b.rounds + 1 {
		for _, one := range c.contenders {
			if one.absent != "" || c.failures[one.name] != nil {
				continue
			}
			s, err := b.measure(ctx, one)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				c.failures[one.name] = err
			} else if round > 0 { // the first warms the file's pages up
				c.samples[one.name] = append(c.samples[one.name], s)
			}
		}
	}
	return c, nil
}

// measure runs a contender once.
func (b *bench) measure(ctx context.Context, one contender) (s sample, err error) {
	path := filepath.Join(b.dir, "out")
	out, err := os.Create(path)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, os.Remove(path)) }()
	command := one.command(ctx)
	var messages bytes.Buffer
	command.Stdout, command.Stderr = out, &messages
	began := time.Now()
	err = command.Run()
	s.wall = time.Since(began)
	if err = errors.Join(err, out.Close()); err != nil {
		return s, fmt.Errorf("%w: %s", err, lastLine(messages.String()))
	}
	s.cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.peak = usage.Maxrss << 10
	}
	if s.rows, err = one.done(path); err != nil {
		return s, err
	}
	if one.want > 0 && s.rows != one.want {
		return s, fmt.Errorf("it did %d of %d rows", s.rows, one.want)
	}
	if one.timed != nil {
		s.wall, err = one.timed(path)
	}
	return s, err
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// median returns the middle of what of says of the samples.
func median(samples []sample, of func(sample) float64) float64 {
	values := valuesOf(samples, of)
	slices.Sort(values)
	return values[len(values)/2]
}

func valuesOf(samples []sample, of func(sample) float64) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	return values
}

// floor is the peak below which nothing can be told of a process: this one's own.
func floor() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return usage.Maxrss << 10
}

// machine names the processor, the cores and Go's version.
func machine() string {
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return describe(model)
}

// load returns the machine's load over the last minute.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
