package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// interrupts returns two contexts: the first interrupt (Ctrl-C, or a request to
// terminate) ends feed, the second ends send. release gives the signals back.
func interrupts(ctx context.Context, s streams) (feed, send context.Context, release func()) {
	send, abort := context.WithCancel(ctx)
	feed, stop := context.WithCancel(send)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for first := true; ; first = false {
			select {
			case <-done:
				return
			case <-signals:
			}
			if !first {
				abort()
				continue
			}
			stop()
			fmt.Fprintln(s.stderr, "\nStopping: no new requests; waiting for the answers in flight. Interrupt again to stop at once.")
		}
	}()
	return feed, send, func() {
		signal.Stop(signals)
		close(done)
		<-ended
		abort()
	}
}
