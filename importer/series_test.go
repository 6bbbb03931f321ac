package importer

import "testing"

func TestSeriesOf(t *testing.T) {
	for path, want := range map[string]string{
		"/exports/students-2026-11-29.csv":           "/exports/students-DATE.csv",
		"/exports/students_20261129.csv":             "/exports/students_DATE.csv",
		"/exports/students 29.11.2026.csv":           "/exports/students DATE.csv",
		"/exports/students-1-9-2026.csv":             "/exports/students-DATE.csv",
		"/exports/2026_11_29/students.csv":           "/exports/DATE/students.csv",
		"/exports/students-20261129T021500Z.csv":     "/exports/students-DATEZ.csv",
		"/exports/students-2026-11-29_02-15.csv":     "/exports/students-DATE.csv",
		"/exports/20261128/students-2026-11-29.xlsx": "/exports/DATE/students-DATE.xlsx",
		// These only look like a date, and may tell one source from another.
		"/exports/students.csv":              "/exports/students.csv",
		"/exports/campus-1.csv":              "/exports/campus-1.csv",
		"/exports/students-202610.csv":       "/exports/students-202610.csv",
		"/exports/students-2026.csv":         "/exports/students-2026.csv",
		"/exports/students-2026-13-29.csv":   "/exports/students-2026-13-29.csv",
		"/exports/students-120261129.csv":    "/exports/students-120261129.csv",
		"/exports/students-202611291.csv":    "/exports/students-202611291.csv",
		"/exports/students-2026-11-29.1.csv": "/exports/students-DATE.1.csv",
		"-":                                  "-",
		"":                                   "",
	} {
		if got := SeriesOf(path); got != want {
			t.Errorf("SeriesOf(%q) = %q, want %q", path, got, want)
		}
	}
}
