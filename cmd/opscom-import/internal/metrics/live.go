package metrics

import (
	"maps"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Live are the figures of pushes in progress.
type Live struct {
	mu     sync.Mutex
	pushes map[string]Push // by job
}

// Push is a push that is in progress.
type Push struct {
	Rate func() float64           // requests a second that may start now; +Inf for no limit
	Rows func() (done, total int) // that were to be pushed
}

// NewLive adds figures of pushes in progress to m.
func (m *Metrics) NewLive() *Live {
	l := &Live{pushes: make(map[string]Push)}
	m.registry.MustRegister(l)
	return l
}

// Began says that a push of the job has begun; it lasts until Ended.
func (l *Live) Began(job string, p Push) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pushes[job] = p
}

// Ended says that the push of the job has ended.
func (l *Live) Ended(job string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pushes, job)
}

var (
	rateDesc  = description("push_rate_limit", "Requests a second that may start now, of a push in progress; +Inf for no limit.")
	doneDesc  = description("push_rows_done", "Rows that have their outcome, of a push in progress.")
	totalDesc = description("push_rows", "Rows to push, of a push in progress.")
)

func description(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, []string{"job_name"}, nil)
}

// Describe is of prometheus.Collector.
func (l *Live) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{rateDesc, doneDesc, totalDesc} {
		to <- d
	}
}

// Collect is of prometheus.Collector.
func (l *Live) Collect(to chan<- prometheus.Metric) {
	l.mu.Lock()
	pushes := maps.Clone(l.pushes)
	l.mu.Unlock()
	for job, p := range pushes {
		done, total := p.Rows()
		for _, figure := range []struct {
			desc  *prometheus.Desc
			value float64
		}{{rateDesc, p.Rate()}, {doneDesc, float64(done)}, {totalDesc, float64(total)}} {
			to <- prometheus.MustNewConstMetric(figure.desc, prometheus.GaugeValue, figure.value, job)
		}
	}
}
