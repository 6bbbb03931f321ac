package journal

import (
	"encoding/binary"
	"testing"

	"opscom-import/importer"
)

func TestDigestsAreStoredOfPendingRows(t *testing.T) {
	var b chunkBuilder
	for i, status := range []importer.Status{importer.StatusPending, importer.StatusUnchanged, importer.StatusInvalid, importer.StatusSkipped, importer.StatusPending} {
		row := testRow(i+2, status)
		must(t, b.add(&row, func() error { return nil }))
	}
	c := new(chunk)
	if rows, err := c.read(1, 0, section{}, seal(b.plan, 1, 0, 0, 0)); err != nil || rows != 5 {
		t.Fatal(rows, err)
	}
	for row := range c.all {
		stored, original := row.plan, testRow(row.plan.Row, row.plan.Status)
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
	code, err := statusCode(row.Status)
	must(t, err)
	data := append([]byte{2, code | statusVersion2}, row.Key[:]...)
	data = appendTexts(append(data, row.Hash[:]...), row.UniqueID, row.LoginSource, row.ReferenceID)
	data = binary.AppendUvarint(data, 0)
	c := new(chunk)
	if rows, err := c.read(1, 0, section{}, seal(data, 1, 0, 0, 0)); err != nil || rows != 1 {
		t.Fatal(rows, err)
	}
	if got := c.row(2).plan; got.Status != row.Status || got.Key != row.Key || got.Hash != row.Hash || got.UniqueID != row.UniqueID {
		t.Errorf("%+v", got)
	}
}
