package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"opscom-import/importer"
)

// Fleet are the figures of a worker, by client code. Its methods may be called by several
// goroutines.
type Fleet struct {
	registry *prometheus.Registry

	rows   *prometheus.CounterVec
	lanes  *prometheus.GaugeVec
	leases *prometheus.CounterVec
	last   *prometheus.GaugeVec
}

// NewFleet returns figures of a worker without any but the program's version.
func NewFleet(version string) *Fleet {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: namespace, Subsystem: "worker", Name: name, Help: help}
	}
	client := []string{"client"}
	f := &Fleet{
		registry: prometheus.NewRegistry(),
		rows:     prometheus.NewCounterVec(prometheus.CounterOpts(opts("rows_total", "Rows that got an outcome from this worker, by status as in the results.")), []string{"client", "status"}),
		lanes:    prometheus.NewGaugeVec(prometheus.GaugeOpts(opts("lanes", "Lanes that this worker works on.")), client),
		leases:   prometheus.NewCounterVec(prometheus.CounterOpts(opts("leases_lost_total", "Leases that ended while this worker pushed: others sent those rows again.")), client),
		last:     prometheus.NewGaugeVec(prometheus.GaugeOpts(opts("last_outcome_timestamp_seconds", "When a row last got its outcome from this worker.")), client),
	}
	f.registry.MustRegister(buildInfo(version), f.rows, f.lanes, f.leases, f.last)
	return f
}

// LaneBegan says that the worker works on one more lane of the client.
func (f *Fleet) LaneBegan(client string) {
	f.lanes.WithLabelValues(client).Inc()
	f.leases.WithLabelValues(client) // 0 shows that it is looked at
}

// LaneEnded says that the worker has left a lane of the client, and whether it had lost a lease.
func (f *Fleet) LaneEnded(client string, leaseLost bool) {
	f.lanes.WithLabelValues(client).Dec()
	if leaseLost {
		f.leases.WithLabelValues(client).Inc()
	}
}

// Recorded says which outcomes of the client's rows are on the disk.
func (f *Fleet) Recorded(client string, outcomes []importer.Outcome) {
	for _, o := range outcomes {
		f.rows.WithLabelValues(client, string(o.Status)).Inc()
	}
	f.last.WithLabelValues(client).Set(seconds(time.Now()))
}

// Handler serves the figures, and those of the process.
func (f *Fleet) Handler() http.Handler { return handler(f.registry) }
