// Package metrics makes figures of runs for Prometheus.
//
// What goes in is how pushes ended, and what is in progress. What comes out is a text
// file for the textfile collector of node_exporter, or a handler for /metrics. Labels
// are names of jobs, client codes, statuses and versions: nothing of a person.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"opscom-import/importer"
)

// Metrics are the figures of one process. Its methods may be called by several goroutines.
type Metrics struct {
	registry *prometheus.Registry

	rows     *prometheus.GaugeVec
	requests *prometheus.GaugeVec
	seconds  *prometheus.GaugeVec
	exit     *prometheus.GaugeVec
	ended    *prometheus.GaugeVec
	success  *prometheus.GaugeVec
	held     prometheus.Gauge
	journal  prometheus.Gauge
}

// namespace begins every name.
const namespace = "opscom_import"

// New returns metrics without figures but the program's version.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		rows:     gauges("last_run_rows", "Rows of the last run, by status as in the results.", "status"),
		requests: gauges("last_run_requests", "Requests that the last run sent, every attempt counted."),
		seconds:  gauges("last_run_duration_seconds", "Seconds that the last run took."),
		exit:     gauges("last_run_exit_code", "Exit code of the last run: 0 done, 1 rows to fix, 2 failed, 3 not complete, 4 held, 5 busy."),
		ended:    gauges("last_run_timestamp_seconds", "When the last run ended."),
		success:  gauges("last_success_timestamp_seconds", "When a run last ended in which every row has its outcome."),
		held:     prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "held_runs", Help: "Runs that a safety limit holds."}),
		journal:  prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: "journal_bytes", Help: "Size of the journal on the disk."}),
	}
	m.registry.MustRegister(m.rows, m.requests, m.seconds, m.exit, m.ended, m.success, m.held, m.journal, buildInfo(version))
	return m
}

// buildInfo returns the figure that tells the version.
func buildInfo(version string) prometheus.Gauge {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "The version of the program; always 1.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	return build
}

// gauges returns figures of each job, and of further labels.
func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, append([]string{"job_name"}, labels...))
}

// Run is how a run ended.
type Run struct {
	Job      string // name of the job, or of the file's series
	Exit     int
	Counts   importer.Counts // none when nothing was planned
	Requests int             // -1 if nobody knows
	Seconds  float64
	EndedAt  time.Time
}

// RunEnded sets the figures of the job's last run.
func (m *Metrics) RunEnded(r Run) {
	for _, status := range importer.Statuses() {
		m.rows.WithLabelValues(r.Job, string(status)).Set(float64(r.Counts[status]))
	}
	if r.Requests >= 0 {
		m.requests.WithLabelValues(r.Job).Set(float64(r.Requests))
	}
	m.seconds.WithLabelValues(r.Job).Set(r.Seconds)
	m.exit.WithLabelValues(r.Job).Set(float64(r.Exit))
	m.ended.WithLabelValues(r.Job).Set(seconds(r.EndedAt))
}

// Succeeded sets when a run of the job last ended well; the zero time for never.
func (m *Metrics) Succeeded(job string, at time.Time) {
	if !at.IsZero() {
		m.success.WithLabelValues(job).Set(seconds(at))
	}
}

// Journal sets how many runs are held, and the journal's size in bytes.
func (m *Metrics) Journal(held int, bytes int64) {
	m.held.Set(float64(held))
	m.journal.Set(float64(bytes))
}

// WriteFile writes the figures to a file for the textfile collector, in one step.
func (m *Metrics) WriteFile(path string) error { return prometheus.WriteToTextfile(path, m.registry) }

// Handler serves the figures, and those of the process.
func (m *Metrics) Handler() http.Handler { return handler(m.registry) }

func handler(registry *prometheus.Registry) http.Handler {
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
