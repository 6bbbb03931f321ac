package sqlite

import (
	"iter"
	"os"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// collected returns what the results yield.
func collected(t testing.TB, results iter.Seq2[importer.Result, error]) []importer.Result {
	t.Helper()
	var all []importer.Result
	for r, err := range results {
		must(t, err)
		all = append(all, r)
	}
	return all
}

func TestTempStoreNeedsNoFileForRowsThatAreFine(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR"))
	store := journal.NewTempStore(false)
	must(t, store.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(3, importer.StatusPending)}))
	diff(t, "results", collected(t, store.Results()), []importer.Result(nil))
	wantTempFiles(t, 0)

	must(t, store.Append(t.Context(), []importer.PlannedRow{testRow(4, importer.StatusSkipped)}))
	diff(t, "rows", len(collected(t, store.Results())), 1)
	wantTempFiles(t, 1)
	must(t, store.Close())
	wantTempFiles(t, 0)
}

func wantTempFiles(t testing.TB, want int) {
	t.Helper()
	files, err := os.ReadDir(os.TempDir())
	must(t, err)
	if len(files) != want {
		t.Errorf("temporary files: %v, want %d", files, want)
	}
}
