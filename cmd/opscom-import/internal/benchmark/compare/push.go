//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"opscom-import/cmd/opscom-import/internal/benchmark"
)

const (
	workers = 32

	// newmanRows is how many rows newman is given at most: it sends one after the
	// other, keeps every answer, and takes some hundred times as long.
	newmanRows = 1000

	// wrkSeconds is how long wrk runs: it knows no end of a file.
	wrkSeconds = 5
)

// comparePush measures a push beside what else can send a file's rows.
func (b *bench) comparePush(ctx context.Context, latency, slow time.Duration) (err error) {
	server, err := benchmark.StartServer(b.selfCommand("server", latency.String(), slow.String())(ctx))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	file, few := filepath.Join(b.dir, "profiles.csv"), filepath.Join(b.dir, "few.csv")
	if err := errors.Join(b.make(ctx, "profiles.csv", file), benchmark.WriteProfiles(few, min(newmanRows, b.rows))); err != nil {
		return err
	}
	counts := &pushCounter{ctx: ctx, server: server}
	contenders := []contender{
		b.pusher(server, file),
		{name: bare, command: b.selfCommand("bare-loop", server.PushURL(), strconv.Itoa(b.rows), strconv.Itoa(workers)), timed: saidTime},
		b.installed("wrk", "wrk", contender{name: wrk, timed: saidTime},
			"-t", "2", "-c", strconv.Itoa(workers), "-d", fmt.Sprintf("%ds", wrkSeconds), "-s", b.peer("push.lua"), server.PushURL()),
		b.redpanda(ctx, server, file),
		b.python("aiohttp", "python3-aiohttp", contender{name: "Python, aiohttp"},
			b.peer("aiohttp_push.py"), file, server.PushURL(), benchmark.Token, strconv.Itoa(workers)),
		b.node("newman", contender{name: "newman, one at a time", want: min(newmanRows, b.rows)}, filepath.Join(b.nodeModules, "newman", "bin", "newman.js"),
			"run", b.peer("newman.json"), "--silent", "--bail", "-d", few, "--env-var", "url="+server.PushURL()),
	}
	for i := range contenders {
		contenders[i].done = counts.since
		if contenders[i].want == 0 && contenders[i].name != wrk {
			contenders[i].want = b.rows
		}
	}
	c, err := b.hold(ctx, contenders)
	if err != nil {
		return err
	}
	title := fmt.Sprintf("push of %d rows, %d in flight, answers after %s", b.rows, workers, latency)
	if slow > 0 {
		title += fmt.Sprintf(", every hundredth after %s", slow)
	}
	return c.printPush(ctx, b.out, title)
}

// Contenders that are treated apart from the others.
const (
	bare = "bare loop of net/http"
	wrk  = "wrk, one body over and over"
)

func (c *contest) printPush(ctx context.Context, out io.Writer, title string) error {
	head := []string{"rows/s, median", "share of the bare loop", "CPU seconds a 1,000 rows", "peak", "rows"}
	return c.print(ctx, out, title, head, func(samples []sample) []string {
		share := "-"
		if loop := c.samples[bare]; len(loop) > 0 {
			share = fmt.Sprintf("%.3f", median(samples, rate)/median(loop, rate))
		}
		return []string{
			fmt.Sprintf("%.0f", median(samples, rate)), share, fmt.Sprintf("%.4f", median(samples, cpuOf1000)),
			mebibytes(median(samples, peak)), strconv.Itoa(samples[0].rows),
		}
	})
}

// pushCounter counts by what has reached the server, whatever a contender says.
type pushCounter struct {
	ctx    context.Context
	server *benchmark.Server
	last   int
}

// since returns how many profiles were pushed since it was last asked.
func (p *pushCounter) since(string) (int, error) {
	count, err := p.server.Count(p.ctx)
	rows := count - p.last
	p.last = count
	if err == nil && rows == 0 {
		err = errors.New("nothing reached the server")
	}
	return rows, err
}

// pusher is the program itself, with a journal of its own each time.
func (b *bench) pusher(server *benchmark.Server, file string) contender {
	return contender{name: program, command: func(ctx context.Context) *exec.Cmd {
		state := filepath.Join(b.dir, "state")
		if err := os.RemoveAll(state); err != nil {
			return &exec.Cmd{Err: err}
		}
		command := exec.CommandContext(ctx, b.program, server.PushArguments(file, state, workers)...)
		command.Env = append(os.Environ(), "OPSCOM_API_TOKEN="+benchmark.Token)
		return command
	}}
}

// redpanda builds Redpanda Connect, which is a module of its own.
func (b *bench) redpanda(ctx context.Context, server *benchmark.Server, file string) contender {
	binary := filepath.Join(b.dir, "redpanda-connect")
	one := contender{name: "Redpanda Connect, csv to http_client", command: func(ctx context.Context) *exec.Cmd {
		command := exec.CommandContext(ctx, binary, "run", b.peer("connect.yaml"))
		command.Env = append(os.Environ(), "PEER_FILE="+file, "PEER_URL="+server.PushURL(), "PEER_WORKERS="+strconv.Itoa(workers))
		return command
	}}
	folder := filepath.Join(b.home, "redpanda")
	one.version = []string{"go", "-C", folder, "list", "-m", "github.com/redpanda-data/benthos/v4"}
	if out, err := exec.CommandContext(ctx, "go", "-C", folder, "build", "-o", binary, ".").CombinedOutput(); err != nil {
		one.absent = "it cannot be built: " + lastLine(string(out))
	}
	return one
}

// saidTime reads what the bare loop and wrk print of themselves.
func saidTime(out string) (time.Duration, error) {
	text, err := os.ReadFile(out)
	if err != nil {
		return 0, err
	}
	var requests, microseconds, failed int
	if _, err := fmt.Sscanf(lastLine(string(text)), "requests %d microseconds %d errors %d", &requests, &microseconds, &failed); err != nil {
		return 0, fmt.Errorf("understand the output: %w", err)
	}
	if failed > 0 {
		return 0, fmt.Errorf("%d of %d requests failed", failed, requests)
	}
	return time.Duration(microseconds) * time.Microsecond, nil
}
