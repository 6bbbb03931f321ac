package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/metrics"
	"opscom-import/importer"
)

// writeMetrics writes the figures of a push or an approval to the file of the settings,
// if there is one. That it cannot be written changes nothing about the run.
func (s *session) writeMetrics(ctx context.Context, ends commandEnds) {
	if s.Settings.Metrics == "" || len(ends.of) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	m := metrics.New(s.Version)
	figures, err := app.JournalFigures(ctx, s.Env)
	if err == nil {
		m.Journal(figures.Held, figures.Bytes)
		for _, e := range ends.of {
			for _, source := range e.sources {
				m.RunEnded(figuresOf(seriesName(source), e))
				m.Succeeded(seriesName(source), figures.Successes[importer.SeriesOf(source)])
			}
		}
		err = m.WriteFile(s.Settings.Metrics)
	}
	if err != nil {
		s.Log.Error("the figures for Prometheus are not written", "error", err)
	}
}

// figuresOf returns the figures of a run that ended now.
func figuresOf(job string, e fileEnd) metrics.Run {
	return metrics.Run{
		Job: job, Exit: e.exit(), Counts: e.receipt.Counts, Requests: e.receipt.Attempts, Seconds: e.receipt.Seconds, EndedAt: time.Now(),
	}
}

// seriesName is what the figures call a FILE that no job pushes: students-DATE for
// students-2026-11-29.csv.
func seriesName(source string) string {
	if source == "-" {
		return "stdin"
	}
	name := filepath.Base(importer.SeriesOf(source))
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// jobFigures keeps the figures of jobs for Prometheus.
type jobFigures struct {
	*metrics.Metrics
	live *metrics.Live
	path string // of the file; "" for none
}

func (s *session) newJobFigures() *jobFigures {
	m := metrics.New(s.Version)
	return &jobFigures{m, m.NewLive(), s.Settings.Metrics}
}

// load sets the figures of what earlier processes did.
func (f *jobFigures) load(ctx context.Context, s *session, jobs []config.Job) error {
	history, err := app.JobHistory{Env: s.Env}.Runs(ctx, "")
	if err != nil {
		return err
	}
	for _, job := range jobs {
		ran := slices.DeleteFunc(slices.Clone(history), func(r importer.JobRun) bool { return r.Job != job.Name || r.File == "" || !r.IsEnded() })
		if len(ran) > 0 {
			last := ran[0]
			f.RunEnded(metrics.Run{
				Job: job.Name, Exit: last.Exit, Counts: last.Counts, Requests: -1, Seconds: last.EndedAt.Sub(last.StartedAt).Seconds(), EndedAt: last.EndedAt,
			})
		}
		if i := slices.IndexFunc(ran, func(r importer.JobRun) bool { return r.Exit <= app.ExitRows }); i >= 0 {
			f.Succeeded(job.Name, ran[i].EndedAt)
		}
	}
	return f.refresh(ctx, s)
}

// refresh sets the figures of the journal, and writes the file.
func (f *jobFigures) refresh(ctx context.Context, s *session) error {
	figures, err := app.JournalFigures(ctx, s.Env)
	if err != nil {
		return err
	}
	f.Journal(figures.Held, figures.Bytes)
	if f.path == "" {
		return nil
	}
	return f.WriteFile(f.path)
}
