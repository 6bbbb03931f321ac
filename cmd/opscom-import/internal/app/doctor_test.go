package app

import (
	"strings"
	"testing"
	"time"

	"opscom-import/importer/controller"
)

// result is what Doctor makes of a finding: fail, note or ok.
func result(f Finding) string {
	switch {
	case f.Err != nil:
		return "fail"
	case f.Note != "":
		return "note"
	}
	return "ok"
}

func TestClockIsCompared(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		path controller.Path
		want string
	}{
		{controller.Path{At: now, Date: now.Add(time.Minute)}, "ok"},
		{controller.Path{At: now, Date: now.Add(-61 * time.Second)}, "note"},
		{controller.Path{At: now, Date: now.Add(2 * time.Minute)}, "note"},
		{controller.Path{At: now, Date: now.Add(121 * time.Second)}, "fail"},
		{controller.Path{At: now, Date: now.Add(-24 * time.Hour)}, "fail"},
		{controller.Path{At: now}, "ok"}, // it does not send its time
		{controller.Path{Step: controller.StepTLS}, "fail"},
	} {
		if f := examineClock(test.path, controller.Proxy{}); result(f) != test.want {
			t.Errorf("%v after %v: %+v, want %s", test.path.At, test.path.Date, f, test.want)
		}
	}
}

func TestSpaceIsCompared(t *testing.T) {
	for _, test := range []struct {
		free uint64
		rows int
		want string
	}{
		{1 << 40, 40_000, "ok"}, {200 << 20, 40_000, "ok"}, {100 << 20, 40_000, "note"}, {40 << 20, 40_000, "fail"},
		{1 << 30, 1_000_000, "note"}, {300 << 20, 1_000_000, "fail"}, {0, 0, "fail"},
	} {
		if f := judgeSpace(test.free, test.rows); result(f) != test.want {
			t.Errorf("%d bytes for %d rows: %+v, want %s", test.free, test.rows, f, test.want)
		}
	}
	if free, err := freeSpace(t.TempDir()); err != nil || free == 0 {
		t.Errorf("%d bytes, %v", free, err)
	}
	if _, err := freeSpace("/does/not/exist"); err == nil || !strings.Contains(examineSpace("/does/not/exist", 0).Detail, "not known") {
		t.Errorf("a folder that does not exist: %v", err)
	}
}
