package metrics

import (
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

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

// TestMonitoringFiles checks that the dashboard and the alerts use figures that exist, and
// that the dashboard has all of them but the version and the time.
func TestMonitoringFiles(t *testing.T) {
	families, err := filled().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	unused := make(map[string]bool)
	for _, family := range families {
		unused[family.GetName()] = true
	}
	known := len(unused)
	for _, name := range []string{"alerts.yaml", "dashboard.json"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "monitoring", name))
		if err != nil {
			t.Fatal(err)
		}
		used := regexp.MustCompile(`opscom_import_\w+`).FindAllString(string(text), -1)
		if len(used) == 0 {
			t.Errorf("%s uses no figure", name)
		}
		for _, figure := range used {
			if _, exists := unused[figure]; !exists {
				t.Errorf("%s uses %s, which does not exist", name, figure)
				continue
			}
			unused[figure] = false
		}
	}
	delete(unused, "opscom_import_build_info")
	delete(unused, "opscom_import_last_run_timestamp_seconds")
	for figure, isUnused := range unused {
		if isUnused {
			t.Errorf("the dashboard does not show %s", figure)
		}
	}
	if known < 12 {
		t.Errorf("only %d figures", known)
	}
}
