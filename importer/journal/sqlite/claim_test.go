package sqlite

import (
	"testing"

	"opscom-import/importer"
)

// One call returns as many rows as are asked for, from as many chunks as it takes.
func TestAClaimIsFull(t *testing.T) {
	r := planned(t, openTest(t, t.TempDir()), importer.RunPushing, 2, 3, 255, 256, 257, 1000, 1001)
	diff(t, "first claim", claim(t, r, 3), []int{2, 3, 255})
	diff(t, "second claim", claim(t, r, 3), []int{256, 257, 1000})
	diff(t, "third claim", claim(t, r, 100), []int{1001})
}
