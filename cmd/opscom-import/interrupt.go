package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"opscom-import/importer"
)

// interruptible returns a context that the first interrupt (Ctrl-C, or a request
// to terminate) ends; the second ends the program. release gives the signals back.
func interruptible(ctx context.Context) (interrupted context.Context, release func()) {
	interrupted, release = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(interrupted, release)
	return interrupted, release
}

// interrupts returns two contexts: the first interrupt ends feed, the second ends
// send, and the third the program. release gives the signals back.
func interrupts(ctx context.Context, s streams) (feed, send context.Context, release func()) {
	send, abort := context.WithCancel(ctx)
	feed, stop := context.WithCancel(send)
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
	return feed, send, func() {
		signal.Stop(signals)
		close(done)
		<-ended
		abort()
	}
}

// interruptedBefore is the error of an interrupt before the first request.
func interruptedBefore() error {
	return &incompleteError{fmt.Errorf("%w before anything was sent", importer.ErrInterrupted)}
}

// orInterrupted returns the error, or what it means when it came of an interrupt
// before the first request.
func orInterrupted(ctx context.Context, err error) error {
	ofRun := errors.As(err, new(*incompleteError)) && !errors.Is(err, context.Canceled)
	if err == nil || ctx.Err() == nil || ofRun {
		return err
	}
	return interruptedBefore()
}
