package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
	"opscom-import/mapping"
)

func checked(t *testing.T, dir string) *Health {
	t.Helper()
	h, err := CheckAll(t.Context(), dir)
	must(t, err)
	return h
}

func TestCheckAllFindsNothingWrong(t *testing.T) {
	dir := halfPushed(t, false)
	j := openTest(t, dir)
	finishedRun(t, j, 2, 3)
	planned(t, j, importer.RunHeld, 4)
	busy := planned(t, j, importer.RunPushing, 5, 6)
	claim(t, busy, 1)
	h := checked(t, dir) // while it is in use
	diff(t, "health", fmt.Sprint(h.Damage, h.Notes, h.Runs, h.Rows, h.Unfinished, h.Oldest.Equal(testTime), h.Bytes > 0), "[] [] 4 605 3 true true")
	stats, err := j.Stats(t.Context())
	must(t, err)
	stats.Bytes = h.Bytes
	diff(t, "stats", stats, h.Stats)
}

func TestCheckAllNamesWhatIsDamaged(t *testing.T) {
	whole := halfPushed(t, false)
	for what, test := range map[string]struct {
		query string // or
		file  func(dir string) error
		want  string
	}{
		"chunk gone":          {query: "DELETE FROM chunk WHERE chunk = 1", want: "run 1: "},
		"event gone":          {query: "DELETE FROM event WHERE seq = 2", want: "run 1: "},
		"chunk changed":       {query: "UPDATE chunk SET data = zeroblob(length(data)) WHERE chunk = 1", want: "run 1: "},
		"run changed":         {query: "UPDATE run SET rows = 2", want: "run 1: "},
		"run said to be over": {query: "UPDATE run SET state = 'finished'", want: "run 1: "},
		"acceptance changed":  {query: "UPDATE acceptance SET data = zeroblob(20)", want: "what is known of the targets: "},
		"roster changed":      {query: "INSERT INTO roster SELECT id, 'x', 1, zeroblob(50) FROM target", want: "what is known of the targets: "},
		"target changed":      {query: "UPDATE target SET name = 'other'", want: "what is known of the targets: "},
		"no salt":             {query: "UPDATE journal SET salt = x'00'", want: "the key of the digests: "},
		"records of no run":   {query: "PRAGMA foreign_keys = OFF; DELETE FROM run", want: "the records of the database: a stored record is incomplete or was changed: "},
		"schema changed":      {query: "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'REFERENCES target', 'REFERENCES taroet') WHERE name = 'run'", want: "the tables of the database: "},
		"no version":          {query: "DROP TABLE goose_db_version", want: "the tables of the database: "},
		"no table":            {query: "DROP TABLE acceptance", want: "the tables of the database: "},
		"no profiles":         {file: func(dir string) error { return os.Remove(filepath.Join(dir, payloadsName, "1")) }, want: "run 1: "},
		"profile changed":     {file: func(dir string) error { return flip(filepath.Join(dir, payloadsName, "1"), 9000, 1) }, want: "run 1: "},
		"no database": {file: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, databaseName), make([]byte, 9999), 0o600)
		}, want: "the database: "},
		"database cut off": {file: func(dir string) error { return os.Truncate(filepath.Join(dir, databaseName), 50_000) }, want: "the database: "},
	} {
		t.Run(what, func(t *testing.T) {
			dir := copyOf(t, whole)
			j, err := Open(t.Context(), dir)
			must(t, err)
			_, err = j.Acceptances().Accepted(t.Context(), testTarget, []importer.Digest{testKey(2)})
			must(t, err)
			if test.query != "" {
				_, err = j.writer.Exec(test.query)
				must(t, err)
			}
			must(t, j.Close())
			if test.file != nil {
				must(t, test.file(dir))
			}
			h := checked(t, dir)
			if len(h.Damage) == 0 || !strings.HasPrefix(h.Damage[0], test.want) {
				t.Errorf("%q, want %q", h.Damage, test.want)
			}
			if strings.Contains(fmt.Sprint(h.Damage, h.Notes), "Canary") {
				t.Errorf("values of a row: %q", h.Damage)
			}
		})
	}
}

// TestCheckAllOfValuesWithoutChecksum: what cannot have been written is damage.
func TestCheckAllOfValuesWithoutChecksum(t *testing.T) {
	j := openTest(t, t.TempDir())
	must(t, j.SaveUserTypes(t.Context(), testTarget, []mapping.UserType{{ID: "3", Name: "CanaryType", Info: "Student"}}, testTime))
	must(t, j.SaveUserTypes(t.Context(), "other:"+testTarget, nil, testTime))
	id, err := j.BeginJobRun(t.Context(), importer.JobRun{Job: "canaryJob", File: "/in/Canary.csv", StartedAt: testTime})
	must(t, err)
	must(t, j.EndJobRun(t.Context(), importer.JobRun{
		ID: id, Job: "canaryJob", FileHash: strings.Repeat("0f", 32), Run: 7, Exit: 5, Counts: importer.Counts{importer.StatusPushed: 3}, Retry: true, EndedAt: testTime,
	}, nil))
	_, err = j.BeginJobRun(t.Context(), importer.JobRun{Job: "canaryJob", StartedAt: testTime, DueAt: testTime})
	must(t, err)
	diff(t, "damage", checked(t, j.dir).Damage, []string(nil))
	const types, jobs = "the lists of user types: ", "the history of the jobs: "
	for change, want := range map[string]string{
		"target SET user_types = replace(user_types, '[', 'K')":         types,
		"target SET user_types = replace(user_types, 'Name', 'Nale')":   types,
		"target SET user_types = replace(user_types, '\"3\"', '\" \"')": types,
		"target SET user_types = user_types || 'x'":                     types,
		"target SET user_types = CAST(x'5bff5d' AS TEXT)":               types,
		"target SET user_types_at = user_types_at + (1 << 60)":          types,
		"target SET user_types_at = 'Canary'":                           types,
		"target SET user_types_at = 0":                                  types,
		"job_run SET exit = 6 WHERE id = 1":                             jobs,
		"job_run SET exit = -1 WHERE id = 1":                            jobs,
		"job_run SET exit = 'Canary' WHERE id = 1":                      jobs,
		"job_run SET exit = 0 WHERE id = 2":                             jobs,
		"job_run SET counts = '{\"pushed\":3'":                          jobs,
		"job_run SET counts = '{\"pushee\":3}'":                         jobs,
		"job_run SET counts = '{\"pushed\":-3}'":                        jobs,
		"job_run SET ended_at = -ended_at WHERE id = 1":                 jobs,
		"job_run SET started_at = 5":                                    jobs,
		"job_run SET begun_at = 0":                                      jobs,
		"job_run SET due_at = 1 << 61":                                  jobs,
		"job_run SET file_hash = substr(file_hash, 2) WHERE id = 1":     jobs,
		"job_run SET file_hash = 'Canary' WHERE id = 1":                 jobs,
		"job_run SET retry = 3":                                         jobs,
		"job_run SET told = 2":                                          jobs,
		"job_run SET run = -7":                                          jobs,
		"job_run SET starts = 0":                                        jobs,
		"job_run SET job = ''":                                          jobs,
		"job_run SET job = CAST(x'ff' AS TEXT)":                         jobs,
		"job_run SET problem = CAST(x'ff' AS TEXT)":                     jobs,
	} {
		dir := copyOf(t, j.dir)
		damaged, err := Open(t.Context(), dir)
		must(t, err)
		_, err = damaged.writer.Exec("UPDATE " + change)
		must(t, err)
		must(t, damaged.Close())
		h := checked(t, dir)
		if len(h.Damage) != 1 || !strings.HasPrefix(h.Damage[0], want) {
			t.Errorf("%s: %q, want %q", change, h.Damage, want)
		}
		if strings.Contains(strings.ToLower(fmt.Sprint(h.Damage, h.Notes)), "canary") {
			t.Errorf("%s: a value is told: %q", change, h.Damage)
		}
	}
}

func TestCheckAllNotesFilesThatNobodyNeeds(t *testing.T) {
	j, err := Open(t.Context(), t.TempDir())
	must(t, err)
	over := finishedRun(t, j, 2)
	must(t, j.Close())
	for _, name := range []string{fmt.Sprint(over.id), "99", "notes.txt"} {
		must(t, os.WriteFile(filepath.Join(j.dir, payloadsName, name), []byte("x"), 0o600))
	}
	h := checked(t, j.dir)
	diff(t, "damage", h.Damage, []string(nil))
	diff(t, "notes", h.Notes, []string{
		"payloads/1 belongs to a run that is over; the next push removes it", "payloads/99 belongs to no run; the next push removes it",
		"payloads/notes.txt is not a file of the journal",
	})
}

func TestCheckAllOfWhatIsNoJournal(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	dir := halfPushed(t, false)
	if h, err := CheckAll(ended, dir); err == nil {
		t.Errorf("interrupted: %+v", h)
	}
}

// TestCheckAllMissesNoDamage flips bits at random: either that is found, or everything is
// read as it was.
func TestCheckAllMissesNoDamage(t *testing.T) {
	whole := halfPushed(t, false)
	want, err := goOn(t, copyOf(t, whole))
	must(t, err)
	random := rand.New(rand.NewPCG(12, 8))
	found := 0
	for range *damagePlaces {
		dir := copyOf(t, whole)
		name := databaseName
		if random.IntN(4) == 0 {
			name = filepath.Join(payloadsName, "1")
		}
		path := filepath.Join(dir, name)
		at, bit := random.IntN(int(sizeOf(path))), byte(1)<<random.IntN(8)
		must(t, damageFile(path, true, func(path string) error { return flip(path, at, bit) }))
		h, err := CheckAll(t.Context(), dir)
		if err != nil || len(h.Damage) > 0 {
			found++
			continue
		}
		if got, err := goOn(t, dir); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("bit %d of byte %d of %s: nothing was found, and then %v", bit, at, name, err)
		}
	}
	t.Logf("%d of %d flipped bits made a difference", found, *damagePlaces)
}

// TestCheckAllOfWhatNoChecksumTells: records that are as they were written, and do not fit
// together.
func TestCheckAllOfWhatNoChecksumTells(t *testing.T) {
	j := openTest(t, t.TempDir())
	r := planned(t, j, importer.RunHeld, 2, 3)
	h, err := j.checkAll(t.Context(), func(_ context.Context, run int64, _ format.Section) ([]byte, error) {
		var b format.ChunkBuilder
		row := testRow(2, importer.StatusPending)
		return format.Seal(b.Payloads, run, 0), b.Add(&row, func() error { return nil })
	})
	must(t, err)
	diff(t, "a profile is missing", h.Damage, []string{"run 1: a stored record is incomplete or was changed: 0 of 2 profiles are there"})
	must(t, j.update(t.Context(), "end it", durable, func(tx *sql.Tx) error {
		record, err := loadRun(t.Context(), tx, r.id)
		must(t, err)
		record.State = importer.RunFinished
		return j.save(t.Context(), tx, &record)
	}))
	diff(t, "outcomes are missing", checked(t, j.dir).Damage, []string{"run 1: a stored record is incomplete or was changed: it is finished, and 2 rows have no outcome"})
}
