package sqlite

import (
	"testing"

	"opscom-import/importer"
)

// TestAPlanInTheMakingCanBeRead has a story: a program that was killed between the
// last amendment and the end of its plan left a journal that "runs show" took for
// damaged, because the amendment was stored and the row that it is about was not.
func TestAPlanInTheMakingCanBeRead(t *testing.T) {
	dir := t.TempDir()
	j := openTest(t, dir)
	r, err := j.begin(t.Context(), testRun())
	must(t, err)
	must(t, r.Append(t.Context(), []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(3, importer.StatusPending)}))
	must(t, r.Amend(t.Context(), []importer.Amendment{{Row: 3, DuplicateOf: 2}}))
	other, err := openTest(t, dir).run(t.Context(), r.Info().ID)
	must(t, err)
	diff(t, "results", statuses(t, other), []string{"2 not_sent 0", "3 duplicate 0"})
	must(t, r.Seal(t.Context(), importer.RunPushing, 2, nil))
	diff(t, "claimed", claim(t, r, 9), []int{2})
}
