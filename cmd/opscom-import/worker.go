package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/metrics"
)

// maxSlots is what River allows.
const maxSlots = 10_000

func workerCommand(s streams) *cobra.Command {
	slots := 0
	c := &cobra.Command{
		Use:   "worker",
		Short: "Push the runs of a journal in PostgreSQL, with any number of other workers",
		Long: `worker pushes the runs that push and submit have stored in a journal in PostgreSQL,
until it is stopped. Any number of workers on any machines share the work and the
rate of each client. What a worker that dies has left, the others go on with.

Each client's token comes from the folder of --token-folder, or from the
token_command of the config file.

An interrupt (Ctrl-C, or a request to terminate) ends it: nothing new is sent, the
answers in flight are awaited, and what is left is given back. The exit code is 0
then, and 2 if it could not start.`,
		Example: `  opscom-import worker --journal postgres://opscom@db.example.edu/opscom --token-folder /etc/opscom/tokens
  opscom-import worker --slots 50 --listen 127.0.0.1:9481`,
		Args: noArgument,
		RunE: withoutState(s, func(ctx context.Context, ss *session, _ []string) error {
			if slots < 1 || slots > maxSlots {
				return fmt.Errorf("--slots %d: the number of slots is 1 to %d", slots, maxSlots)
			}
			fetchCtx, workCtx, release := interrupts(ctx, s)
			defer release()
			return ss.work(fetchCtx, workCtx, slots)
		}),
	}
	c.Flags().IntVar(&slots, "slots", 200, "how many lanes of runs to work on at a time, `N`: a client that is pushed has two")
	return c
}

// work works on lanes until fetchCtx ends.
func (s *session) work(fetchCtx, workCtx context.Context, slots int) (err error) {
	spendMemory()
	figures := metrics.NewFleet(s.Version)
	worker, err := app.NewWorker(fetchCtx, s.Env, slots, figures, func() {
		s.say("Working on the runs in %s, with %s. Interrupt to stop.", s.Settings.Journal, english.Plural(slots, "slot", ""))
		s.systemd(daemon.SdNotifyReady)
	})
	if err != nil && fetchCtx.Err() != nil { // it has taken nothing
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, worker.Close()) }()
	close, err := s.serve(figures, worker.Unwell)
	if err != nil {
		return err
	}
	defer close()
	outlivePipes()
	defer s.systemd(daemon.SdNotifyStopping)
	return worker.Run(fetchCtx, workCtx)
}
