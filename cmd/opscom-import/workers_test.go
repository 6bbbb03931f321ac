package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/fleet"
)

func TestPrintWorkers(t *testing.T) {
	at := time.Date(2026, 11, 30, 2, 15, 0, 0, time.Local)
	lanes := []fleet.LaneAtWork{{Run: 17, Client: "OC_A"}, {Run: 17, Client: "OC_A", Lane: 1}, {Run: 18, Client: "OC_B", Lane: 1}}
	busy := fleet.Process{ID: "a", Host: "one", Process: 71, Version: "1.2", Slots: 3, Alive: true, Speed: 9.84, Started: at, Seen: at, Lanes: lanes}
	for run := int64(19); run < 23; run++ {
		busy.Lanes = append(busy.Lanes, fleet.LaneAtWork{Run: run, Client: "OC_C"})
	}
	list := []fleet.Process{
		busy, {ID: "b", Host: "two", Process: 8, Version: "1.3", Slots: 200, Alive: true, Draining: true, Started: at, Seen: at, Lanes: lanes[:1]},
		{ID: "d", Host: "four", Process: 10, Version: "1.3", Slots: 200, Alive: true, Started: at, Seen: at},
		{ID: "c", Controller: "http://127.0.0.1:1", Host: "three", Process: 9, Version: "1.3", Slots: 200, Started: at, Seen: at.Add(time.Minute)},
	}
	var out bytes.Buffer
	s := &session{streams: streams{stdout: &out}, Env: app.Env{Settings: config.Settings{}}}
	if err := s.printWorkers(list); err != nil {
		t.Fatal(err)
	}
	want := `HOST   PROCESS  VERSION  STARTED           STATE                               SLOTS     ROWS/S  RUNS
one    71       1.2      2026-11-30 02:15  working                             7 of 3    9.8     17 OC_A, 18 OC_B, 19 OC_C, 20 OC_C and 2 more
two    8        1.3      2026-11-30 02:15  stopping                            1 of 200  0.0     17 OC_A
four   10       1.3      2026-11-30 02:15  idle                                0 of 200  -       
three  9        1.3      2026-11-30 02:15  not seen since 2026-11-30 02:16:00  0 of 200  -       
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	out.Reset()
	s.Settings.JSON = true
	if err := s.printWorkers(list[3:]); err != nil {
		t.Fatal(err)
	}
	stamp := at.UTC().Format(time.RFC3339)
	wantJSON := `[{"worker":"c","host":"three","process":9,"version":"1.3","url":"http://127.0.0.1:1","state":"silent","slots":200,"rows_per_second":0,"started_at":"` + stamp +
		`","seen_at":"` + at.Add(time.Minute).UTC().Format(time.RFC3339) + `","lanes":[]}]`
	if got := strings.TrimSpace(out.String()); got != wantJSON {
		t.Errorf("got %s\nwant %s", got, wantJSON)
	}
}
