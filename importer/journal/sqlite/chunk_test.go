package sqlite

import (
	"encoding/binary"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

func TestDigestsAreStoredOfPendingRows(t *testing.T) {
	var b format.ChunkBuilder
	for i, status := range []importer.Status{importer.StatusPending, importer.StatusUnchanged, importer.StatusInvalid, importer.StatusSkipped, importer.StatusPending} {
		row := testRow(i+2, status)
		must(t, b.Add(&row, func() error { return nil }))
	}
	c := new(format.Chunk)
	if rows, err := c.Read(1, 0, format.Section{}, format.Seal(b.Plan, 1, 0, 0, 0)); err != nil || rows != 5 {
		t.Fatal(rows, err)
	}
	for row := range c.All {
		stored, original := row.Plan, testRow(row.Plan.Row, row.Plan.Status)
		if stored.Status == importer.StatusPending && (stored.Key != original.Key || stored.Hash != original.Hash) ||
			stored.Status != importer.StatusPending && (stored.Key != importer.Digest{} || stored.Hash != importer.Digest{}) {
			t.Errorf("%s: %x %x", stored.Status, stored.Key, stored.Hash)
		}
		if stored.UniqueID != original.UniqueID || stored.LoginSource != original.LoginSource {
			t.Errorf("row %d: %+v", stored.Row, stored)
		}
	}
}

// TestDigestsOfOlderRowsAreRead reads an unchanged row as earlier versions stored it.
func TestDigestsOfOlderRowsAreRead(t *testing.T) {
	row := testRow(2, importer.StatusUnchanged)
	code, err := format.StatusCode(row.Status)
	must(t, err)
	data := append([]byte{2, code | format.StatusVersion2}, row.Key[:]...)
	data = format.AppendTexts(append(data, row.Hash[:]...), row.UniqueID, row.LoginSource, row.ReferenceID)
	data = binary.AppendUvarint(data, 0)
	c := new(format.Chunk)
	if rows, err := c.Read(1, 0, format.Section{}, format.Seal(data, 1, 0, 0, 0)); err != nil || rows != 1 {
		t.Fatal(rows, err)
	}
	if got := c.Row(2).Plan; got.Status != row.Status || got.Key != row.Key || got.Hash != row.Hash || got.UniqueID != row.UniqueID {
		t.Errorf("%+v", got)
	}
}
