package notify

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The time for a target is bounded, however it fails, and the error is that of a try.
func TestAttempts(t *testing.T) {
	fault := errors.New("a fault")
	hangs := func(ctx context.Context) error {
		<-ctx.Done()
		return fault
	}
	for name, tt := range map[string]struct {
		try     func(context.Context) error
		least   time.Duration
		longest time.Duration
		tries   int
	}{
		"at once":       {func(context.Context) error { return fault }, 13 * time.Second, 40 * time.Second, maxAttempts},
		"hanging":       {hangs, patience, patience, 3},
		"permanent":     {func(context.Context) error { return permanent(fault) }, 0, 0, 1},
		"asks to wait":  {func(context.Context) error { return errors.Join(fault, backoff.RetryAfter(5)) }, 15 * time.Second, 15 * time.Second, maxAttempts},
		"asks too much": {func(context.Context) error { return errors.Join(fault, backoff.RetryAfter(3600)) }, 0, 0, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := &Notifier{options: Options{Log: slog.New(slog.DiscardHandler)}, pause: firstPause, timeout: attemptTimeout}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			began, tries := time.Now(), 0
			err := n.attempt(ctx, func(ctx context.Context) error {
				tries++
				return tt.try(ctx)
			})
			if took := time.Since(began); !errors.Is(err, fault) || took < tt.least || took > tt.longest || tries != tt.tries {
				t.Errorf("%s: %d tries in %v, error %v", name, tries, took, err)
			}
		})
	}
}

// A library that panics changes nothing about the run, and what it panics with is not said.
func TestAttemptThatPanics(t *testing.T) {
	n := &Notifier{options: Options{Log: slog.New(slog.DiscardHandler)}, pause: firstPause, timeout: attemptTimeout}
	tries := 0
	err := n.attempt(t.Context(), func(context.Context) error {
		tries++
		panic(secret)
	})
	if err == nil || tries != 1 || strings.Contains(err.Error(), secret) {
		t.Errorf("%d tries, error %v", tries, err)
	}
}

// Who interrupts the command waits for less, and who does so twice for nothing.
func TestPatience(t *testing.T) {
	for name, tt := range map[string]struct{ fetch, work, want time.Duration }{
		"nobody interrupts": {time.Hour, time.Hour, patience},
		"before":            {-1, time.Hour, patienceInterrupted},
		"meanwhile":         {10 * time.Second, time.Hour, 10*time.Second + patienceInterrupted},
		"near the end":      {55 * time.Second, time.Hour, patience},
		"twice":             {5 * time.Second, 7 * time.Second, 7 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			workCtx, stopWork := context.WithTimeout(t.Context(), tt.work)
			defer stopWork()
			fetchCtx, stopFetch := context.WithTimeout(workCtx, tt.fetch)
			defer stopFetch()
			began := time.Now()
			ctx, cancel := withPatience(fetchCtx, workCtx)
			defer cancel()
			<-ctx.Done()
			if took := time.Since(began); took != tt.want {
				t.Errorf("%s: %v, want %v", name, took, tt.want)
			}
		})
	}
}
