package sqlite

import (
	"testing"

	"opscom-import/importer"
)

// accepted returns the reference ids of the acceptances of rows, by row.
func accepted(t *testing.T, j *Journal, rows ...int) map[int]string {
	t.Helper()
	var keys []importer.Digest
	for _, row := range rows {
		keys = append(keys, testKey(row))
	}
	found, err := j.Acceptances().Accepted(t.Context(), testTarget, keys)
	must(t, err)
	references := map[int]string{}
	for _, row := range rows {
		if a, ok := found[testKey(row)]; ok {
			references[row] = a.ReferenceID + map[bool]string{true: " in doubt"}[a.IsDoubted]
		}
	}
	return references
}

func reference(row int, id string) importer.Outcome {
	o := pushed(row)
	o.ReferenceID = id
	return o
}
