package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/watch"
)

func watchCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "watch [FOLDER]",
		Short: "Push files by itself: as they arrive in a folder, or on a schedule",
		Long: `watch runs the jobs of the config file until it is stopped: it takes files as they
arrive in a folder, or at the times of a schedule, and pushes them. Each file gets
a folder of its own, with its reports beside it:

  FOLDER/in-progress/2026-11-30T091502Z   while it is pushed
  FOLDER/done/…                           every row has its outcome
  FOLDER/failed/…                         the file could not be read, or not be mapped
  FOLDER/held/…                           a safety limit holds the run: approve it

With a FOLDER it takes every file that arrives there, with the settings of the
command; --mapping is needed then.

An interrupt (Ctrl-C, or a request to terminate) ends it: nothing new is sent, and
the next start goes on with what is in progress.`,
		Example: `  opscom-import watch --config /etc/opscom/opscom-import.yaml
  opscom-import watch --sandbox --mapping students.mapping.yaml /srv/exports`,
		Args: cobra.MaximumNArgs(1),
		RunE: with(s, func(ctx context.Context, ss *session, args []string) error {
			if len(args) == 1 {
				job, err := ss.Settings.FolderJob(args[0])
				if err != nil {
					return err
				}
				ss.Settings.Jobs = []config.Job{job}
			}
			fetchCtx, workCtx, release := interrupts(ctx, s)
			defer release()
			return ss.watch(fetchCtx, workCtx)
		}),
	}
}

// watch runs the jobs until fetchCtx ends.
func (s *session) watch(fetchCtx, workCtx context.Context) error {
	if len(s.Settings.Jobs) == 0 {
		return errors.New("there is nothing to watch: name a FOLDER, or give the config file a section jobs (--config PATH names the file)")
	}
	if s.Settings.ListensToOthers() { // /healthz names folders
		return fmt.Errorf("watch listens to this machine only: %q is not a loopback address, such as 127.0.0.1:9480; correct listen", s.Settings.Listen)
	}
	figures := s.newJobFigures()
	watcher, err := s.watcher(fetchCtx, s.Settings.Jobs, figures)
	if err != nil && fetchCtx.Err() != nil { // nothing has begun
		return nil
	}
	if err != nil {
		return err
	}
	close, err := s.serve(figures, func() string { return watcher.Unwell(time.Now()) })
	if err != nil {
		return err
	}
	defer close()
	for _, note := range app.Strays(s.Settings.Jobs) {
		s.say("note: %s", note)
	}
	s.say("Watching for %s: %s. Interrupt to stop.", english.Plural(len(s.Settings.Jobs), "job", ""), english.WordSeries(s.Settings.JobNames(), "and"))
	s.systemd(daemon.SdNotifyReady)
	stop := s.watchdog(fetchCtx, watcher)
	watcher.Run(fetchCtx, workCtx)
	s.systemd(daemon.SdNotifyStopping)
	stop()
	return nil
}

// watcher returns a watcher of these jobs, once nothing is wrong with any job. After an interrupt
// it returns the context's error.
func (s *session) watcher(ctx context.Context, jobs []config.Job, figures *jobFigures) (*watch.Watcher, error) {
	if err := app.JobsFault(ctx, s.Env); err != nil {
		return nil, err
	}
	if err := figures.load(ctx, s, jobs); err != nil && ctx.Err() == nil {
		s.Log.Error("the figures for Prometheus are not up to date", "error", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	outlivePipes()
	history := app.JobHistory{Env: s.Env}
	pusher := &jobPusher{session: s, figures: figures}
	return watch.New(watch.Options{
		Jobs: jobs, Pusher: pusher, History: history, Recorder: history, Log: s.Log, Host: history.Host(),
		Notify: func(job, note string) { pusher.locked(func() { s.say("%s: %s", job, note) }) },
		Jitter: func(most time.Duration) time.Duration { return rand.N(most + 1) },
	})
}

// systemd tells systemd how far the service is. Elsewhere nobody is told.
func (s *session) systemd(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.Log.Warn("systemd cannot be told", "state", state, "error", err)
	}
}

// watchdog tells systemd now and then that the jobs work, where it wants to hear that,
// until stop is called.
func (s *session) watchdog(ctx context.Context, watcher *watch.Watcher) (stop func()) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // answers in flight are awaited after an interrupt
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(interval / 3)
		defer ticker.Stop()
		for {
			if job := watcher.Stuck(time.Now()); job == "" {
				s.systemd(daemon.SdNotifyWatchdog)
			} else {
				s.Log.Error("a job is stuck: systemd will start the service again", "job", job)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}

// jobNamed returns the job of that name.
func (s *session) jobNamed(name string) (config.Job, error) {
	for _, job := range s.Settings.Jobs {
		if job.Name == name {
			return job, nil
		}
	}
	if len(s.Settings.Jobs) == 0 {
		return config.Job{}, errors.New("the config file has no section jobs, or none was found; name one with --config PATH")
	}
	return config.Job{}, fmt.Errorf("there is no job %q; the jobs are %s", name, english.WordSeries(s.Settings.JobNames(), "and"))
}
