package conformance

import (
	"bytes"
	"sync"

	"opscom-import/importer"
)

func histories() []part {
	return []part{
		{"unfinished and last", unfinishedAndLast},
		{"two processes", twoProcesses},
		{"opened again", openedAgain},
		{"many open a new journal at once", manyOpenAtOnce},
		{"measures", measures},
	}
}

func unfinishedAndLast(t *test) {
	j := t.open()
	ctx := t.Context()
	if _, ok, err := j.Last(ctx, testTarget, testSource); ok || err != nil {
		t.Errorf("last of none: %v %v", ok, err)
	}
	empty := planned(t, j, importer.RunPushing)
	must(t, empty.Finish(ctx, testTime))
	stopped := planned(t, j, importer.RunPushing, 2)
	must(t, stopped.Stop(ctx))
	held := planned(t, j, importer.RunHeld, 2)
	superseded := begin(t, j, testTarget)
	must(t, superseded.Seal(ctx, importer.RunHeld, 0, []string{"too few rows"}))
	must(t, j.Supersede(ctx, superseded.Info().ID))
	elsewhere := testRun()
	elsewhere.Source, elsewhere.Target = "/data/staff.csv", "OC_OTHER at https://controller.example"
	_, err := j.Begin(ctx, elsewhere)
	must(t, err)
	planning := begin(t, j, testTarget)

	runs, err := j.Unfinished(ctx, testTarget, testSource)
	must(t, err)
	diff(t, "unfinished", runs, []importer.RunInfo{held.Info(), stopped.Info()})
	last, ok, err := j.Last(ctx, testTarget, testSource)
	if want := stopped.Info().ID; err != nil || !ok || last.ID != want {
		t.Errorf("last is %d, %v, %v; want %d", last.ID, ok, err, want)
	}
	if last, ok, err = j.Last(ctx, testTarget, "/data/students-2026-09-02.csv"); err != nil || ok {
		t.Errorf("last of another source is %d, %v", last.ID, err)
	}
	all, err := j.Runs(ctx)
	must(t, err)
	if len(all) != 6 || all[0].ID != planning.Info().ID || all[5].ID != empty.Info().ID {
		t.Errorf("runs: %+v", all)
	}
	if runs, err := j.Unfinished(ctx, "another", testSource); err != nil || len(runs) > 0 {
		t.Errorf("of another target: %v %v", runs, err)
	}
}

func twoProcesses(t *test) {
	a, b := t.open(), t.open()
	r := planned(t, a, importer.RunPushing, 2, 3)
	claim(t, r, 1)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(2)}))
	diff(t, "results seen by the other", statuses(t, openRun(t, b, r.Info().ID)), []string{"2 pushed 1", "3 not_sent 0"})
	other := plannedFor(t, b, "another target", importer.RunHeld, 2)
	runs, err := a.Runs(t.Context())
	must(t, err)
	if len(runs) != 2 || runs[0].ID != other.Info().ID || runs[0].State != importer.RunHeld {
		t.Errorf("runs: %+v", runs)
	}
	claim(t, r, 1)
	must(t, r.Record(t.Context(), []importer.Outcome{pushed(3)}))
	must(t, r.Finish(t.Context(), testTime))
	diff(t, "state seen by the other", openRun(t, b, r.Info().ID).Info().State, importer.RunFinished)
	if err := openRun(t, b, other.Info().ID).Start(t.Context()); err != nil {
		t.Error(err)
	}
	if info := openRun(t, a, other.Info().ID).Info(); info.State != importer.RunPushing {
		t.Errorf("the other's run is %s", info.State)
	}
}

func openedAgain(t *test) {
	first := t.open()
	id := planned(t, first, importer.RunHeld, 2, 3).Info().ID
	salt := bytes.Clone(first.Salt())
	must(t, first.Check(t.Context()))
	must(t, first.Close())
	second := t.open()
	must(t, second.Check(t.Context()))
	if len(salt) != 32 || !bytes.Equal(second.Salt(), salt) {
		t.Errorf("salt %x, then %x", salt, second.Salt())
	}
	diff(t, "results", statuses(t, openRun(t, second, id)), []string{"2 not_sent 0", "3 not_sent 0"})
	if bytes.Equal(t.newPlace(t).Open().Salt(), salt) {
		t.Error("two journals have one salt")
	}
}

func manyOpenAtOnce(t *test) {
	var mu sync.Mutex
	var salts [][]byte
	var opening sync.WaitGroup
	for range 8 {
		opening.Go(func() {
			j := t.open()
			mu.Lock()
			defer mu.Unlock()
			salts = append(salts, j.Salt())
		})
	}
	opening.Wait()
	for _, salt := range salts {
		if !bytes.Equal(salt, salts[0]) {
			t.Error("they have different salts")
		}
	}
}

func measures(t *test) {
	j := t.open()
	stats, err := j.Stats(t.Context())
	must(t, err)
	if stats.Runs != 0 || stats.Unfinished != 0 || !stats.Oldest.IsZero() {
		t.Errorf("of a new journal: %+v", stats)
	}
	finished(t, j, 2, 3)
	planned(t, j, importer.RunHeld, 4)
	r := planned(t, j, importer.RunPushing, 5)
	must(t, r.Stop(t.Context()))
	stats, err = j.Stats(t.Context())
	must(t, err)
	if stats.Runs != 3 || stats.Unfinished != 2 || !stats.Oldest.Equal(testTime) || stats.Bytes <= 0 {
		t.Errorf("%+v", stats)
	}
	counted, err := j.Statistics(t.Context())
	must(t, err)
	tables := map[string]int64{}
	for _, table := range counted.Tables {
		tables[table.Table] = table.Rows
	}
	if counted.Schema < 1 || tables["run"] != 3 || tables["journal"] != 1 {
		t.Errorf("%+v", counted)
	}
}
