package metrics

import (
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"opscom-import/importer"
)

// filled returns metrics with every figure.
func filled() *Metrics {
	m := New("1.2.3")
	m.RunEnded(Run{
		Job: "students", Exit: 1, Counts: importer.Counts{importer.StatusPushed: 40, importer.StatusInvalid: 2}, Requests: 43, Seconds: 4.5,
		EndedAt: time.Unix(1_800_000_000, 250_000_000),
	})
	m.Succeeded("students", time.Unix(1_800_000_000, 0))
	m.Journal(1, 4096)
	m.NewLive().Began("staff", Push{Rate: func() float64 { return math.Inf(1) }, Rows: func() (done, total int) { return 3, 7 }})
	return m
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "opscom.prom")
	m := filled()
	if err := m.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`opscom_import_build_info{version="1.2.3"} 1`,
		`opscom_import_held_runs 1`,
		`opscom_import_journal_bytes 4096`,
		`opscom_import_last_run_exit_code{job_name="students"} 1`,
		`opscom_import_last_run_duration_seconds{job_name="students"} 4.5`,
		`opscom_import_last_run_requests{job_name="students"} 43`,
		`opscom_import_last_run_rows{job_name="students",status="pushed"} 40`,
		`opscom_import_last_run_rows{job_name="students",status="invalid"} 2`,
		`opscom_import_last_run_rows{job_name="students",status="failed"} 0`,
		`opscom_import_last_run_timestamp_seconds{job_name="students"} 1.80000000025e+09`,
		`opscom_import_last_success_timestamp_seconds{job_name="students"} 1.8e+09`,
		`opscom_import_push_rate_limit{job_name="staff"} +Inf`,
		`opscom_import_push_rows_done{job_name="staff"} 3`,
		`opscom_import_push_rows{job_name="staff"} 7`,
	} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	m.RunEnded(Run{Job: "students", Exit: 0, Counts: importer.Counts{importer.StatusPushed: 1}})
	if err := m.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(path); err != nil || !strings.Contains(string(text), `status="invalid"} 0`) {
		t.Errorf("a status of the run before stays: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
		t.Errorf("left beside the file: %v", left)
	}
}

func TestNamesAreThoseOfPrometheus(t *testing.T) {
	problems, err := testutil.GatherAndLint(filled().registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestLiveEnds(t *testing.T) {
	m := New("")
	live := m.NewLive()
	live.Began("students", Push{Rows: func() (int, int) { return 0, 0 }})
	live.Ended("students")
	if n := testutil.CollectAndCount(live); n != 0 {
		t.Errorf("%d figures of a push that has ended", n)
	}
}

func TestHandler(t *testing.T) {
	answer := httptest.NewRecorder()
	filled().Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for _, name := range []string{"opscom_import_held_runs 1", "go_goroutines"} {
		if !strings.Contains(answer.Body.String(), name) {
			t.Errorf("no %s", name)
		}
	}
}

// figures returns the names of all figures, those of a worker included.
func figures(t *testing.T) []string {
	t.Helper()
	worker := NewFleet("of the worker")
	worker.LaneBegan("OC_A")
	worker.Recorded("OC_A", []importer.Outcome{{Answer: importer.Answer{Status: importer.StatusPushed}}})
	families, err := prometheus.Gatherers{filled().registry, worker.registry}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, family := range families {
		names = append(names, family.GetName())
	}
	return names
}

// figuresIn returns the names of figures in a file of the documents.
func figuresIn(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`opscom_import_\w+`).FindAllString(string(text), -1)
}

// TestMonitoringFiles checks that dashboard, alerts and guides use figures that exist, that the guide
// explains all of them, and that the dashboard has all but the version and the time.
func TestMonitoringFiles(t *testing.T) {
	known := figures(t)
	for _, name := range []string{"monitoring/alerts.yaml", "monitoring/dashboard.json", "guide/monitoring.md"} {
		used := figuresIn(t, name)
		if len(used) == 0 {
			t.Errorf("%s uses no figure", name)
		}
		for _, figure := range used {
			if !slices.Contains(known, figure) {
				t.Errorf("%s uses %s, which does not exist", name, figure)
			}
		}
	}
	shown, explained := figuresIn(t, "monitoring/dashboard.json"), figuresIn(t, "guide/monitoring.md")
	shown = append(shown, "opscom_import_build_info", "opscom_import_last_run_timestamp_seconds")
	for _, figure := range known {
		if !slices.Contains(shown, figure) {
			t.Errorf("the dashboard does not show %s", figure)
		}
		if !slices.Contains(explained, figure) {
			t.Errorf("the guide does not explain %s", figure)
		}
	}
	if len(known) < 16 {
		t.Errorf("only %d figures", len(known))
	}
}

// TestAlerts lets Prometheus judge made-up figures by the rules.
func TestAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool, of Prometheus, is not installed here")
	}
	said, err := exec.Command(promtool, "test", "rules", filepath.Join("testdata", "alerts.test.yaml")).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
