package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
)

// judge holds what is there in the end against what the files say.
func (f *fortnight) judge() {
	for _, box := range f.boxes {
		f.counted["requests"] += len(box.Requests())
		f.check(box.Close())
	}
	f.judgePeople()
	f.judgeMessages()
	f.judgePlaces()
	f.judgeHistory()
	health, err := app.CheckJournal(context.Background(), f.newSession(nil).Env)
	f.check(err)
	if len(health.Damage)+len(health.Notes) > 0 {
		f.t.Errorf("the journal: %q, %q", health.Damage, health.Notes)
	}
	if health.Unfinished > 0 {
		f.t.Errorf("%d runs are not finished", health.Unfinished)
	}
	f.counted["runs"] += health.Runs
	f.counted["rows"] += health.Rows
}

// judgePeople compares the people of the Controllers with what the files say that count.
func (f *fortnight) judgePeople() {
	want := map[string]map[string]string{"OC_ONE": {}, "OC_TWO": f.plan.people["staff"]}
	maps.Copy(want["OC_ONE"], f.plan.people["students"])
	maps.Copy(want["OC_ONE"], f.plan.people["alumni"])
	for client, people := range want {
		text, err := os.ReadFile(filepath.Join(f.home, client))
		f.check(err)
		got := make(map[string]string)
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			var line struct {
				Profile struct {
					ID   string `json:"unique_id"`
					City string
				}
			}
			f.check(json.Unmarshal(lines.Bytes(), &line))
			got[line.Profile.ID] = line.Profile.City
		}
		wrong := 0
		for id, city := range people {
			if got[id] != city {
				if wrong++; wrong < 5 {
					f.t.Errorf("%s: the city of %s is %q, want %q", client, id, got[id], city)
				}
			}
		}
		if len(got) != len(people) || wrong > 0 {
			f.t.Errorf("%s has %d people, want %d; %d are wrong", client, len(got), len(people), wrong)
		}
		f.counted["people"] += len(got)
	}
}

// judgeMessages makes sure that people were told everything once.
func (f *fortnight) judgeMessages() {
	got := make(map[string][]config.NotifyEvent)
	for i, m := range f.told.all {
		isRepeat := slices.ContainsFunc(f.told.all[:i], func(e toldMessage) bool {
			// It was delivered in the instant in which the process died.
			return e.Event == m.Event && e.Run == m.Run && e.File == m.File && f.told.dead[e.process].Equal(e.At) && m.At.Sub(e.At) < time.Hour
		})
		if isRepeat {
			f.counted["messages told twice, as the process died when they were told"]++
			continue
		}
		f.counted["messages"]++
		got[m.job()] = append(got[m.job()], config.NotifyEvent(m.Event))
	}
	for job, want := range f.plan.told {
		if !slices.Equal(got[job], want) {
			f.t.Errorf("%s: people are told\n%v, want\n%v", job, got[job], want)
		}
	}
	if f.t.Failed() {
		for _, m := range f.told.all {
			f.events = append(f.events, "told: "+m.At.In(f.plan.zone).Format("Mon 01-02 15:04:05.000 ")+m.Event+" "+m.Title)
		}
	}
}

// judgePlaces makes sure that each file that arrived is where it belongs, whole and once.
func (f *fortnight) judgePlaces() {
	left := make(map[string]int) // place, name and bytes
	for _, job := range []string{"students", "staff"} {
		folder := filepath.Join(f.root, job)
		f.check(filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			within, err := filepath.Rel(folder, path)
			f.check(err)
			content, err := os.ReadFile(path)
			if isReportOf(entry.Name()) {
				return err
			}
			place, _, _ := strings.Cut(filepath.ToSlash(within), "/")
			left[place+" "+entry.Name()+" "+string(content)]++
			return err
		}))
	}
	for _, a := range f.plan.arrivals {
		key := a.place + " " + a.name + " " + string(a.text)
		switch {
		case a.job == "alumni":
			continue
		case left[key] == 0:
			f.t.Errorf("%s, which arrived at %s, is not in %s", a.name, a.at.Format(time.DateTime), a.place)
		default:
			if left[key]--; left[key] == 0 {
				delete(left, key)
			}
		}
		f.counted["files"]++
	}
	for key := range left {
		f.t.Errorf("nobody knows what this is: %.60q", key)
	}
	if left, err := filepath.Glob(filepath.Join(f.root, "state", "payloads", "*")); err != nil || len(left) > 0 {
		f.t.Errorf("payloads are left: %q, %v", left, err)
	}
}

// isReportOf reports whether a name is that of a report, or of the note of a folder.
func isReportOf(name string) bool {
	return name == ".taken.json" || slices.ContainsFunc([]string{".results.csv", ".problems.csv", ".fix.xlsx", ".summary.html", ".message.txt"}, func(end string) bool {
		return strings.HasSuffix(name, end)
	})
}

// judgeHistory makes sure that the history says what is there, and that done has only what
// was done.
func (f *fortnight) judgeHistory() {
	env := f.newSession(nil).Env
	runs, err := app.JobHistory{Env: env}.Runs(context.Background(), "")
	f.check(err)
	folders := make(map[string]importer.JobRun)
	for _, r := range runs {
		if !r.IsEnded() || r.Retry || !r.IsTold {
			f.t.Errorf("the history is not at its end: %+v", r)
		}
		if r.File == "" {
			f.counted["times without a file"]++
		}
		if r.Folder == "" {
			continue
		}
		if _, isTwice := folders[r.Folder]; isTwice {
			f.t.Errorf("two runs have the folder %s", r.Folder)
		}
		folders[r.Folder] = r
		place := filepath.Base(filepath.Dir(r.Folder))
		if _, err := os.Stat(r.Folder); err != nil || (place == "done") != (r.Exit <= app.ExitRows) {
			f.t.Errorf("the history has %+v: %v", r, err)
		}
	}
	for _, job := range []string{"students", "staff"} {
		done, err := filepath.Glob(filepath.Join(f.root, job, "done", "*"))
		f.check(err)
		for _, folder := range done {
			f.judgeDone(env, folder, folders[folder])
		}
	}
}

// judgeDone makes sure that what lies in done was done.
func (f *fortnight) judgeDone(env app.Env, folder string, r importer.JobRun) {
	info, receipt, err := app.ShowRun(context.Background(), env, r.Run)
	results, globErr := filepath.Glob(filepath.Join(folder, "*.results.csv"))
	if err != nil || globErr != nil || info.State != importer.RunFinished || receipt.Counts.Of(importer.KindOpen) > 0 || len(results) != 1 || receipt.Counts.Sum() != r.Counts.Sum() {
		f.t.Errorf("%s: run %+v, %+v, results %q, %v", folder, info, receipt.Counts, results, errors.Join(err, globErr))
	}
	if filepath.Dir(info.Reports.Results) != folder {
		f.t.Errorf("%s: the journal has the results at %s", folder, info.Reports.Results)
	}
}
