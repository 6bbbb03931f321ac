package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script: the command line as its users see it, each
// script in a folder of its own and in processes of their own. Run one with
//
//	go test ./cmd/opscom-import -run 'TestScripts/push_resume$' -v
//
// Besides testscript's own commands there are those of scriptCommands, of secureCommands,
// of receiverCommand, and of databaseCommand.
func TestScripts(t *testing.T) { testscript.Run(t, scriptParams(t)) }

// scriptParams are how scripts are run. A script's environment may get more than it has here.
func scriptParams(t *testing.T, more ...func(*testscript.Env)) testscript.Params {
	t.Helper()
	samples, err := filepath.Abs(filepath.Join("..", "..", "samples"))
	if err != nil {
		t.Fatal(err)
	}
	return testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Cmds:                scriptCommands(),
		Deadline:            time.Now().Add(8 * time.Minute), // of all scripts: a program that does not end is killed
		RequireExplicitExec: true,
		Condition: func(name string) (bool, error) {
			if name != "hangups" {
				return false, fmt.Errorf("there is no condition %q", name)
			}
			return !signal.Ignored(syscall.SIGHUP), nil // as it is below nohup, which every program inherits
		},
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "home", "state"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "home", "config"))
			env.Setenv("OPSCOM_STATE", filepath.Join(env.WorkDir, "state"))
			env.Setenv("OPSCOM_RATE", "0")
			env.Setenv("SAMPLES", samples)
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else a program built with -race takes a second to end
			env.Values[runsKey{}] = &scriptRun{skip: env.T().Skip}
			for _, f := range more {
				f(env)
			}
			return nil
		},
	}
}

type runsKey struct{} // of a *scriptRun in a script's values

// scriptRun is what a script's own commands share.
type scriptRun struct {
	controller  *troubledController
	interrupted *exec.Cmd
	secure      atomic.Value    // address (a string) at which the controller is reached by TLS
	inspection  scriptAuthority // of the proxy that inspects
	skip        func(args ...any)
}

func runOf(ts *testscript.TestScript) *scriptRun { return ts.Value(runsKey{}).(*scriptRun) }

// controllerOf returns the Controller that the script started.
func controllerOf(ts *testscript.TestScript) *troubledController {
	c := runOf(ts).controller
	if c == nil {
		ts.Fatalf("the script has started no controller")
	}
	return c
}

type scriptCommand = func(ts *testscript.TestScript, neg bool, args []string)

// scriptCommands returns the commands that scripts have besides testscript's own.
func scriptCommands() map[string]scriptCommand {
	commands := processCommands()
	maps.Copy(commands, controllerCommands())
	commands["receiver"] = receiverCommand
	commands["database"] = databaseCommand
	maps.Copy(commands, secureCommands())
	maps.Copy(commands, fileCommands())
	for name, command := range commands {
		commands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg {
				ts.Fatalf("unsupported: ! %s", name)
			}
			command(ts, neg, args)
		}
	}
	return commands
}

// processCommands returns the commands about processes:
//
//	exits CODE PROGRAM [ARG...]  runs the program, which must end with that exit code
//	interrupt [SIGNAL]           interrupts the one background process, or hangs up its terminal: interrupt HUP
//	interrupted CODE             the process that was interrupted, and waited for, ended with that exit code
//	eventually PATTERN REGEXP    waits until there is one such file and its text matches
//	capture NAME FILE REGEXP     sets the variable to the first group of the match in the file
//	reports RUN STATUS=N...      waits until the report of the run that goes on in the background has so many rows of these statuses
func processCommands() map[string]scriptCommand {
	return map[string]scriptCommand{
		"exits": func(ts *testscript.TestScript, _ bool, args []string) {
			if len(args) < 2 {
				ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
			}
			code := 0
			if err := ts.Exec(args[1], args[2:]...); err != nil {
				var exit *exec.ExitError
				if !errors.As(err, &exit) {
					ts.Fatalf("run %s: %v", args[1], err)
				}
				code = exit.ExitCode()
			}
			if code != number(ts, args[0]) {
				ts.Fatalf("exit code %d, want %s", code, args[0])
			}
		},
		"interrupt": func(ts *testscript.TestScript, _ bool, args []string) {
			process := background(ts)
			runOf(ts).interrupted = process
			signal := os.Interrupt
			if slices.Equal(args, []string{"HUP"}) {
				signal = syscall.SIGHUP
			}
			ts.Check(process.Process.Signal(signal))
		},
		"interrupted": func(ts *testscript.TestScript, _ bool, args []string) {
			if got := runOf(ts).interrupted.ProcessState.ExitCode(); got != number(ts, args[0]) {
				ts.Fatalf("exit code %d, want %s", got, args[0])
			}
		},
		"eventually": func(ts *testscript.TestScript, _ bool, args []string) {
			if len(args) != 2 {
				ts.Fatalf("usage: eventually PATTERN REGEXP")
			}
			pattern := expression(ts, args[1])
			until(ts, "the text is in "+args[0], func() bool {
				files, err := filepath.Glob(ts.MkAbs(args[0]))
				ts.Check(err)
				return len(files) == 1 && pattern.MatchString(ts.ReadFile(files[0]))
			})
		},
		"capture": func(ts *testscript.TestScript, _ bool, args []string) {
			match := expression(ts, args[2]).FindStringSubmatch(ts.ReadFile(args[1]))
			if len(match) < 2 {
				ts.Fatalf("%s does not match", args[1])
			}
			ts.Setenv(args[0], match[1])
		},
		"reports": func(ts *testscript.TestScript, _ bool, args []string) {
			want := pairs(ts, args[1:])
			until(ts, "the report says "+strings.Join(args[1:], " "), func() bool {
				ts.Check(ts.Exec("opscom-import", "runs", "report", args[0], "--results", "-"))
				counts := countStatuses(readResults(ts, "stdout"))
				for status, n := range want {
					if counts[status] != number(ts, n) {
						return false
					}
				}
				return true
			})
		},
	}
}

// background returns the one process that the script runs in the background.
func background(ts *testscript.TestScript) *exec.Cmd {
	processes := ts.BackgroundCmds()
	if len(processes) != 1 {
		ts.Fatalf("%d processes in the background, want 1", len(processes))
	}
	return processes[0]
}
