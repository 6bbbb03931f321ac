package fleet

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal/postgres"
)

// What ends the push of one lane ends the run if it would end that of each. One that another lane is about to
// stop is stopped by the first one that hears of it.
func TestWhatEndsARun(t *testing.T) {
	for _, c := range []struct {
		err  error
		ends bool
	}{
		{nil, false},
		{&postgres.StoppedError{}, true},
		{&importer.RefusedError{}, true},
		{&importer.CircuitError{}, true},
		{fmt.Errorf("push: %w", &importer.PauseError{}), true},
		{&importer.NoTurnsError{Err: errors.New("no rights")}, false},
		{postgres.ErrLeaseLost, false},
		{importer.ErrInterrupted, false},
	} {
		if ends := endsRun(c.err); ends != c.ends {
			t.Errorf("%T ends the run: %v", c.err, ends)
		}
	}
}

// A worker whose lane another job has taken over sends nothing more of it.
func TestLaneIsTakenOver(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	run := m.submit(t, "OC_A", 2000, 1, Person)
	g := &gate{pause: 100 * time.Millisecond}
	w := startWorker(t, "a", url, m, nil, 1, g)
	eventually(t, "a row is sent", func() bool { return g.count() > 0 })
	if _, err := m.pool.Exec(t.Context(), "UPDATE opscom.lane SET epoch = epoch + 1, worker = 'b', lease_until = 'infinity'"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of its turn", func() bool { return len(w.held()) == 0 })
	if n := w.log.count("another job has taken the lane over"); n != 1 || run.isIn(importer.RunFinished)() {
		t.Errorf("it was said %d times, and %d of 2000 rows were sent", n, g.count())
	}
}

// A worker that gets no turns of the rate says why, for those who ask why the run waits.
func TestTroubleOfALane(t *testing.T) {
	t.Parallel()
	url := newDatabase(t)
	m := newMemory(t, url)
	run := m.submit(t, "OC_A", 10, 1, Person)
	startWorker(t, "a", url, m, nil, 1, &gate{refused: &importer.NoTurnsError{Err: errors.New("a right is missing")}})
	var trouble string
	eventually(t, "the trouble is known", func() bool {
		standings, err := Standings(t.Context(), m.pool)
		if err != nil {
			t.Fatal(err)
		}
		trouble = standings[run.info.ID].Trouble
		return trouble != ""
	})
	if !strings.Contains(trouble, "a right is missing") {
		t.Error(trouble)
	}
}

// A lane that hears late that its run was about to be stopped does not stop it again.
func TestRunIsStoppedOnce(t *testing.T) {
	t.Parallel()
	j := open(t, newDatabase(t), 1)
	c := newCollege(t, j, "OC_A", 10, "")
	late, err := Runs(j).Run(t.Context(), c.run)
	if err != nil {
		t.Fatal(err)
	}
	other, err := j.Run(t.Context(), c.run)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.Stop(t.Context()), other.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := late.End(t.Context(), &postgres.StoppedError{Run: c.run}); err != nil || c.state(t) != importer.RunPushing {
		t.Errorf("the run that was resumed is %s, %v", c.state(t), err)
	}
	if err := late.End(t.Context(), errors.New("refused")); err != nil || c.state(t) != importer.RunStopped {
		t.Errorf("the run is %s, %v", c.state(t), err)
	}
}
