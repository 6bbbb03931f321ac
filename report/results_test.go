package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"opscom-import/importer"
)

var update = flag.Bool("update", false, "write the golden files")

// everyStatus has every status, and text that CSV and spreadsheets trip over.
func everyStatus() []importer.Result {
	toronto := time.FixedZone("EST", -5*60*60)
	sent := time.Date(2026, 8, 31, 19, 0, 5, 987654321, toronto)
	return []importer.Result{
		{Row: 4, UniqueID: "900123456", LoginSource: "SSO", Status: importer.StatusPushed, ReferenceID: "44", Attempts: 1, FinishedAt: sent},
		{Row: 5, UniqueID: "000123457", LoginSource: "SSO", Status: importer.StatusPushed, ReferenceID: "6f9619ff-8b86", Warnings: "the date of birth is in the future", Attempts: 3, FinishedAt: sent.Add(time.Hour)},
		{Row: 6, UniqueID: "900123458", LoginSource: "SSO", Status: importer.StatusValid},
		{Row: 7, UniqueID: "900123459", LoginSource: "SSO", Status: importer.StatusUnchanged, ReferenceID: "-12"},
		{Row: 8, UniqueID: "900123456", LoginSource: "SSO", Status: importer.StatusDuplicate, Message: "the same as row 4"},
		{Row: 9, Status: importer.StatusSkipped},
		{Row: 10, UniqueID: "=HYPERLINK(\"http://example.org\")", LoginSource: "+SSO", Status: importer.StatusInvalid, Field: "email", Message: "\"zoë@\" is not an e-mail address; the name has a line\nbreak"},
		{Row: 11, UniqueID: "O'Brien, José", LoginSource: "OPSCOM", Status: importer.StatusRejected, ErrorCode: "9019", Field: "email", Message: "another user has this e-mail address", Attempts: 1, FinishedAt: sent},
		{Row: 12, UniqueID: "@12", LoginSource: "OPSCOM", Status: importer.StatusFailed, Message: "no answer", Attempts: 5, FinishedAt: sent},
		{Row: 13, UniqueID: "-13", LoginSource: "OPSCOM", Status: importer.StatusUnknown, Attempts: 1},
		{Row: 1048576, UniqueID: "-1+3", LoginSource: "OPSCOM", Status: importer.StatusNotSent},
	}
}

func TestWriteResultsGolden(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.results.csv")
	totals, err := WriteResults(To(path, nil), yielding(everyStatus(), nil))
	if err != nil {
		t.Fatal(err)
	}
	want := importer.Counts{
		importer.StatusPushed: 2, importer.StatusValid: 1, importer.StatusUnchanged: 1, importer.StatusDuplicate: 1, importer.StatusSkipped: 1,
		importer.StatusInvalid: 1, importer.StatusRejected: 1, importer.StatusFailed: 1, importer.StatusUnknown: 1, importer.StatusNotSent: 1,
	}
	if diff := cmp.Diff(want, totals.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "results.csv", got)

	var streamed bytes.Buffer
	if _, err := WriteResults(To("-", &streamed), yielding(everyStatus(), nil)); err != nil || !bytes.Equal(streamed.Bytes(), got) {
		t.Errorf("standard output and the file differ (%v)", err)
	}
}

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestNoResults(t *testing.T) {
	var out bytes.Buffer
	totals, err := WriteResults(To("-", &out), yielding[importer.Result](nil, nil))
	const header = "\uFEFFrow,unique_id,login_source,status,reference_id,error_code,field,message,warnings,attempts,finished_at\r\n"
	if err != nil || totals.Counts.Sum() != 0 || out.String() != header {
		t.Errorf("wrote %q, %v, %v; want the header alone", out.String(), totals, err)
	}
}

// A reader that knows of the byte order mark and the apostrophe gets back what
// was written.
func TestResultsReadBack(t *testing.T) {
	text := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[=+\-@\t'"]{0,2}[0-9.,;\n é]{0,6}`),
	).Filter(func(s string) bool {
		// A carriage return is dropped in writing CRLF line ends; an apostrophe of
		// the value's own before a formula cannot be told from the added one.
		return !strings.Contains(s, "\r") && !(strings.HasPrefix(s, "'") && formulaSafe(s[1:]) != s[1:])
	})
	result := rapid.Custom(func(t *rapid.T) importer.Result {
		return importer.Result{
			Row:         rapid.IntRange(1, 1<<20).Draw(t, "row"),
			UniqueID:    text.Draw(t, "unique id"),
			LoginSource: text.Draw(t, "login source"),
			Status:      rapid.SampledFrom(importer.Statuses()).Draw(t, "status"),
			ReferenceID: text.Draw(t, "reference id"),
			ErrorCode:   text.Draw(t, "error code"),
			Field:       text.Draw(t, "field"),
			Message:     text.Draw(t, "message"),
			Warnings:    text.Draw(t, "warnings"),
			Attempts:    rapid.IntRange(0, 99).Draw(t, "attempts"),
			FinishedAt:  time.Unix(rapid.Int64Range(1, 1<<32).Draw(t, "finished"), 0).UTC(),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SliceOfN(result, 1, 5).Draw(t, "results")
		copies := rapid.SampledFrom([]int{1, 51, 128, 256}).Draw(t, "copies")
		var results []importer.Result
		for range copies {
			results = append(results, few...)
		}
		var out bytes.Buffer
		totals, err := WriteResults(To("-", &out), yielding(results, nil))
		if err != nil {
			t.Fatal(err)
		}
		if totals.Counts.Sum() != len(results) {
			t.Fatalf("counted %d rows of %d", totals.Counts.Sum(), len(results))
		}
		if diff := cmp.Diff(results, readBack(t, out.String())); diff != "" {
			t.Fatalf("read back (-want +got):\n%s", diff)
		}
	})
}

func readBack(t *rapid.T, text string) []importer.Result {
	records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\uFEFF"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	results := make([]importer.Result, 0, len(records))
	for _, record := range records[1:] {
		for i, cell := range record {
			if bare, hasMark := strings.CutPrefix(cell, "'"); hasMark && formulaSafe(bare) == cell {
				record[i] = bare
			}
		}
		finished, err := time.Parse(time.RFC3339, record[10])
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, importer.Result{
			Row: number(record[0]), UniqueID: record[1], LoginSource: record[2], Status: importer.Status(record[3]),
			ReferenceID: record[4], ErrorCode: record[5], Field: record[6], Message: record[7], Warnings: record[8],
			Attempts: number(record[9]), FinishedAt: finished,
		})
	}
	return results
}

func TestFailingResultsLeaveNoFile(t *testing.T) {
	broken := errors.New("the journal is gone")
	for _, rows := range []int{0, 1, 255, 256, 257, 20_000} {
		folder := t.TempDir()
		results := make([]importer.Result, rows)
		totals, err := WriteResults(To(filepath.Join(folder, "a.results.csv"), nil), yielding(results, broken))
		if !errors.Is(err, broken) || totals.Counts != nil {
			t.Errorf("after %d rows: %v, %v; want the error and no totals", rows, totals, err)
		}
		wantFolder(t, folder, nil)
	}
}

// fullDisk takes so many bytes and then no more.
type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.left {
		n := d.left
		d.left = 0
		return n, io.ErrShortWrite
	}
	d.left -= len(p)
	return len(p), nil
}

func TestResultsReportAFullDisk(t *testing.T) {
	var whole bytes.Buffer
	if _, err := WriteResults(To("-", &whole), yielding(everyStatus(), nil)); err != nil {
		t.Fatal(err)
	}
	for size := range whole.Len() {
		if _, err := WriteResults(To("-", &fullDisk{left: size}), yielding(everyStatus(), nil)); err == nil {
			t.Fatalf("no error on a disk with room for %d of %d bytes", size, whole.Len())
		}
	}
	if _, err := WriteResults(To("-", &fullDisk{left: whole.Len()}), yielding(everyStatus(), nil)); err != nil {
		t.Errorf("%v on a disk with room for everything", err)
	}
}

func TestSecondText(t *testing.T) {
	var seconds secondText
	start := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		at   time.Time
		want string
	}{
		{time.Time{}, ""},
		{time.Unix(0, 0), "1970-01-01T00:00:00Z"},
		{start, "2026-09-01T12:00:00Z"},
		{start.Add(999 * time.Millisecond), "2026-09-01T12:00:00Z"},
		{start.Add(time.Second), "2026-09-01T12:00:01Z"},
		{time.Time{}, ""},
		{start.In(time.FixedZone("EST", -5*60*60)), "2026-09-01T12:00:00Z"}, // the answers do not come in the order of the rows
		{start.Add(-time.Nanosecond), "2026-09-01T11:59:59Z"},
	} {
		if got := seconds.of(step.at); got != step.want {
			t.Errorf("%v is written %q, want %q", step.at, got, step.want)
		}
	}
}

func BenchmarkWriteResults(b *testing.B) {
	const rows = 100_000
	results := func(yield func(importer.Result, error) bool) {
		finished := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
		for row := range rows {
			r := importer.Result{
				Row: row + 2, UniqueID: "900123456", LoginSource: "SSO", Status: importer.StatusPushed,
				ReferenceID: "123456", Attempts: 1, FinishedAt: finished,
			}
			if !yield(r, nil) {
				return
			}
		}
	}
	path := filepath.Join(b.TempDir(), "bench.results.csv")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := WriteResults(To(path, nil), results); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
