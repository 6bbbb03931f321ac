package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// interruptible returns a context that the first interrupt (Ctrl-C, or a request
// to terminate) ends; the second ends the program. release gives the signals back.
func interruptible(ctx context.Context) (interrupted context.Context, release func()) {
	interrupted, release = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(interrupted, release)
	return interrupted, release
}

// interrupts returns two contexts: the first interrupt cancels fetchCtx, the second
// workCtx, and the third ends the program. release gives the signals back.
func interrupts(ctx context.Context, s streams) (fetchCtx, workCtx context.Context, release func()) {
	workCtx, abort := context.WithCancel(ctx)
	fetchCtx, stop := context.WithCancel(workCtx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-done:
			return
		case <-signals:
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
		close(done)
		<-ended
		abort()
	}
}
