package audit

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/mapping"
	"opscom-import/report"
)

// What report writes is read back as it was.
func TestReadResults(t *testing.T) {
	want := []importer.Result{
		{Row: 2, UniqueID: "=1+1", LoginSource: "SSO", Status: importer.StatusPushed, ReferenceID: "1001", Attempts: 2,
			Warnings: "look", FinishedAt: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)},
		{Row: 3, UniqueID: "'quoted'", Status: importer.StatusInvalid, ErrorCode: "9019", Field: "email", Message: "-bad, \"very\""},
	}
	var file bytes.Buffer
	_, err := report.WriteResults(report.To("-", &file), func(yield func(importer.Result, error) bool) {
		_ = yield(want[0], nil) && yield(want[1], nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadResults(&file)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, differs (-want +got):\n%s", err, diff)
	}
}

func TestReadResultsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "EOF",
		"row,statis\n2,pushed\n":  "column statis",
		"row,status\ntwo,x\n":     "line 2: column row",
		"row,finished_at\n2,x\n":  "column finished_at",
		"row,status\n2,pushed,\n": "wrong number of fields",
	} {
		if _, err := ReadResults(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", text, err, want)
		}
	}
}

func TestReadClaim(t *testing.T) {
	summary := report.Receipt{Command: "push", Rows: 3, Attempts: 4, Exit: 3, Counts: importer.Counts{importer.StatusPushed: 2, importer.StatusNotSent: 1}}
	var line bytes.Buffer
	if err := summary.WriteJSON(&line); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTotals("summary", line.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got.Counts = withoutZeros(got.Counts)
	if diff := cmp.Diff(Totals{Name: "summary", Rows: 3, Attempts: 4, Exit: 3, Counts: summary.Counts}, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	for _, text := range []string{"", "{}", `{"rows":1,"attempts":1,"exit":"0"}`, `{"rows":1,"attempts":1,"exit":0,"pushed":"1"}`} {
		if _, err := ReadTotals("summary", []byte(text)); err == nil {
			t.Errorf("%q is taken for a summary", text)
		}
	}
}

func TestNewRow(t *testing.T) {
	var profile mapping.Profile
	profile.Set(mapping.UniqueID, "A-1")
	profile.Set(mapping.LoginSource, "SSO")
	fault := []mapping.Problem{{Rule: mapping.RuleBadDate}}
	warning := []mapping.Problem{{Rule: mapping.RuleBadDate, Severity: mapping.SeverityWarning}}
	sent := SourceRow{Number: 7, Status: importer.StatusPending, Key: sandbox.Key{LoginSource: "sso", UniqueID: "a-1"},
		Body: sha256.Sum256([]byte(`{"unique_id":"A-1","login_source":"SSO"}`))}
	for name, tc := range map[string]struct {
		row    importer.Row
		result mapping.Result
		want   SourceRow
	}{
		"sent":    {importer.Row{Number: 7}, mapping.Result{Profile: profile, Problems: warning}, sent},
		"skipped": {importer.Row{Number: 7, Problems: fault}, mapping.Result{Profile: profile, Skipped: true}, SourceRow{Number: 7, Status: importer.StatusSkipped}},
		"skipped by cells that may have moved": {importer.Row{Number: 7, Problems: []mapping.Problem{{Rule: mapping.RuleRaggedRow}}}, mapping.Result{Profile: profile, Skipped: true},
			SourceRow{Number: 7, Status: importer.StatusInvalid}},
		"a bad cell":    {importer.Row{Number: 7}, mapping.Result{Profile: profile, Problems: fault}, SourceRow{Number: 7, Status: importer.StatusInvalid}},
		"a ragged line": {importer.Row{Number: 7, Problems: fault}, mapping.Result{Profile: profile}, SourceRow{Number: 7, Status: importer.StatusInvalid}},
	} {
		got, err := NewSourceRow(&tc.row, &tc.result)
		if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v, differs (-want +got):\n%s", name, err, diff)
		}
	}
}
