package sqlite

import (
	"os"
	"testing"

	"opscom-import/importer"
)

func TestDiscardLeavesNoText(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(300, importer.StatusPending)}))
	if _, err := os.Stat(string(j.payloadFile(r.id))); err != nil {
		t.Fatal(err)
	}
	must(t, r.Discard(t.Context()))
	if _, err := os.Stat(string(j.payloadFile(r.id))); !os.IsNotExist(err) {
		t.Errorf("the payloads are still there: %v", err)
	}
	must(t, j.Close())
	for _, text := range []string{"id-2", "Canary-2"} {
		if holds(t, j.dir, text) {
			t.Errorf("%s is still in the journal", text)
		}
	}
}
