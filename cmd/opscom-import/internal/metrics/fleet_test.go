package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"opscom-import/importer"
)

func TestFleet(t *testing.T) {
	f := NewFleet("1.2.3")
	f.LaneBegan("OC_A")
	f.LaneBegan("OC_A")
	f.LaneBegan("OC_B")
	f.Recorded("OC_A", []importer.Outcome{
		{Row: 2, Answer: importer.Answer{Status: importer.StatusPushed}}, {Row: 3, Answer: importer.Answer{Status: importer.StatusPushed}},
		{Row: 4, Answer: importer.Answer{Status: importer.StatusRejected}},
	})
	f.LaneEnded("OC_A", true)
	if problems, err := testutil.GatherAndLint(f.registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	answer := httptest.NewRecorder()
	f.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	text := answer.Body.String()
	for _, line := range []string{
		`opscom_import_build_info{version="1.2.3"} 1`,
		`opscom_import_worker_lanes{client="OC_A"} 1`,
		`opscom_import_worker_lanes{client="OC_B"} 1`,
		`opscom_import_worker_leases_lost_total{client="OC_A"} 1`,
		`opscom_import_worker_leases_lost_total{client="OC_B"} 0`,
		`opscom_import_worker_rows_total{client="OC_A",status="pushed"} 2`,
		`opscom_import_worker_rows_total{client="OC_A",status="rejected"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if !strings.Contains(text, `opscom_import_worker_last_outcome_timestamp_seconds{client="OC_A"}`) || strings.Contains(text, `last_outcome_timestamp_seconds{client="OC_B"}`) {
		t.Errorf("when a row last got its outcome:\n%s", text)
	}
}
