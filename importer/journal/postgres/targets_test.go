package postgres

import (
	"sync"
	"testing"
	"time"

	"opscom-import/mapping"
)

func TestSpellingsOfATargetAreOne(t *testing.T) {
	j := newJournal(t)
	var wg sync.WaitGroup
	for _, name := range []string{"OC at https://OPS.example", "OC at https://ops.example:443", "OC at https://ops.example/", "OC at https://ops.example"} {
		wg.Go(func() { // one of them comes first
			if err := j.SaveUserTypes(t.Context(), name, []mapping.UserType{{ID: "1", Name: "Student"}}, someTime); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var targets int
	must(t, j.pool.QueryRow(t.Context(), "SELECT count(*) FROM opscom.target").Scan(&targets))
	if targets != 1 {
		t.Errorf("there are %d targets", targets)
	}
	types, at, err := j.UserTypes(t.Context(), "OC at https://Ops.Example")
	must(t, err)
	diff(t, "user types", types, []mapping.UserType{{ID: "1", Name: "Student"}})
	if !at.Equal(someTime) || at.Location() != time.UTC {
		t.Errorf("saved at %v", at)
	}
	if types, at, err = j.UserTypes(t.Context(), "OC at https://other.example"); err != nil || len(types) > 0 || !at.IsZero() {
		t.Errorf("of another target: %v, %v, %v", types, at, err)
	}
}
