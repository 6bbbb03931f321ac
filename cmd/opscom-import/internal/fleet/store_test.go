package fleet

import (
	"slices"
	"testing"
)

// A job that was late, or ran twice, changes nothing for the one that has the lane since.
func TestJobOfAnEarlierEpochDoesNothing(t *testing.T) {
	t.Parallel()
	m := newMemory(t, newDatabase(t))
	lane := LaneArgs{Run: m.submit(t, "OC_A", 1, 1, Person).info.ID}
	if _, err := m.pool.Exec(t.Context(), "UPDATE opscom.lane SET epoch = 1"); err != nil {
		t.Fatal(err)
	}
	s := &store{m.pool, testLease}
	holder := func() (worker string) {
		t.Helper()
		if err := m.pool.QueryRow(t.Context(), "SELECT worker FROM opscom.lane").Scan(&worker); err != nil {
			t.Fatal(err)
		}
		return worker
	}
	later := lane
	later.Epoch = 1
	if held, err := s.take(t.Context(), later, "new"); !held || err != nil {
		t.Errorf("the lane was not taken: %v", err)
	}
	if held, err := s.take(t.Context(), lane, "old"); held || err != nil || holder() != "new" {
		t.Errorf("the earlier job has taken it: %v", err)
	}
	gone, _, err := s.beat(t.Context(), Process{ID: "old"}, false, 0, []LaneArgs{lane})
	if err != nil || !slices.Equal(gone, []LaneArgs{lane}) {
		t.Errorf("the worker of the earlier job is told of %v, %v", gone, err)
	}
	if gone, _, err = s.beat(t.Context(), Process{ID: "new"}, false, 0, []LaneArgs{later}); err != nil || len(gone) > 0 {
		t.Errorf("that of the later job is told of %v, %v", gone, err)
	}
	if err := s.leave(t.Context(), lane, "trouble"); err != nil || holder() != "new" {
		t.Errorf("the earlier job has given it back: %v", err)
	}
	if err := s.leave(t.Context(), later, ""); err != nil || holder() != "" {
		t.Errorf("the later job has not given it back: %v", err)
	}
}
