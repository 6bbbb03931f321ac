package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interruptible returns a context that the first interrupt (Ctrl-C, a request to
// terminate, or a terminal that is closed) ends; the second ends the program. release
// gives the signals back.
func interruptible(ctx context.Context) (interrupted context.Context, release func()) {
	interrupted, release = signal.NotifyContext(ctx, append(hangups(), os.Interrupt, syscall.SIGTERM)...)
	context.AfterFunc(interrupted, release)
	return interrupted, release
}

// interrupts returns two contexts: the first interrupt cancels fetchCtx, the second
// workCtx, and the third ends the program. A terminal that is closed counts as the
// first, and never as another: both the system and the shell tell of it. release
// gives the signals back.
func interrupts(ctx context.Context, s streams) (fetchCtx, workCtx context.Context, release func()) {
	workCtx, abort := context.WithCancel(ctx)
	fetchCtx, stop := context.WithCancel(workCtx)
	signals, hungUp := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if hangups := hangups(); len(hangups) > 0 {
		signal.Notify(hungUp, hangups...)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-done:
			return
		case <-signals:
		case <-hungUp:
		}
		stop()
		fmt.Fprintln(s.stderr, "\nStopping: no new requests; waiting for the answers in flight. Interrupt again to stop at once.")
		select {
		case <-done:
		case <-signals:
			signal.Stop(signals)
			abort()
		}
	}()
	return fetchCtx, workCtx, func() {
		signal.Stop(signals)
		signal.Stop(hungUp)
		close(done)
		<-ended
		abort()
	}
}

// hangups returns the signal of a terminal that is closed, nothing when the program
// was told to outlive it, as by nohup.
func hangups() []os.Signal {
	if signal.Ignored(syscall.SIGHUP) {
		return nil
	}
	return []os.Signal{syscall.SIGHUP}
}

// outlivePipes lets a write to a pipe that nobody reads any more fail, where it would end the
// program: a run ends as its rows do, whether or not anyone listens. It lasts until the program
// ends, whose last words are written after the command.
var outlivePipes = sync.OnceFunc(func() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) })
