package sqlite

import (
	"opscom-import/importer/journal"
	"slices"
	"testing"
)

// TestStatistics measures an empty journal: every table is counted.
func TestStatistics(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	s, err := j.Statistics(t.Context())
	if err != nil || s.Schema < 2 || s.Pages < 5 || s.PageSize != 4096 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, want := range []journal.TableCount{{Table: "journal", Rows: 1}, {Table: "run"}, {Table: "acceptance"}} {
		if !slices.Contains(s.Tables, want) {
			t.Errorf("%+v has not %+v", s.Tables, want)
		}
	}
}
