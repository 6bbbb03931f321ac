package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"opscom-import/cmd/opscom-import/internal/inbox"
	"opscom-import/cmd/opscom-import/internal/schedule"
)

const twoJobs = `client: OC_TOMA
token_file: token
rate: 5/s
min_age: 5m
results: all.csv
jobs:
  students:
    folder: exports
    files: [students-*.csv, students.xlsx]
    settle: 90s
    expected_by: "05:00"
    time_zone: America/Toronto
    mapping: students.mapping.yaml
    only_changes: true
    max_changed: 20%
  staff:
    file: /srv/staff.csv
    at: "15 4 * * 1-5"
    not_after: "06:00"
    jitter: 5m
    client: OC_STAFF
    token_file: staff-token
    rate: 2/s
workers: 3
`

func TestJobs(t *testing.T) {
	p := newPlace(t)
	here := filepath.Dir(p.config(twoJobs))
	s := p.mustLoad()
	if names := s.JobNames(); !slices.Equal(names, []string{"students", "staff"}) {
		t.Fatalf("the jobs are %v", names)
	}
	students, staff := s.Jobs[0], s.Jobs[1]
	toronto, err := time.LoadLocation("America/Toronto")
	if err != nil {
		t.Fatal(err)
	}
	if students.Folder != filepath.Join(here, "exports") || !slices.Equal(students.Files, []string{"students-*.csv", "students.xlsx"}) ||
		students.Complete != inbox.Settled || students.Settle != 90*time.Second || students.At != nil || students.NotAfter != nil ||
		students.TimeZone.String() != toronto.String() || students.File != "" {
		t.Errorf("students is %+v", students)
	}
	day := time.Date(2026, 11, 30, 0, 0, 0, 0, toronto)
	if next := students.ExpectedBy.Next(day); !next.Equal(day.Add(5 * time.Hour)) {
		t.Errorf("students is expected by %v", next)
	}
	if want := filepath.Join(here, "opscom-import.yaml") + ":7: jobs.students"; students.Origin != want {
		t.Errorf("its origin is %s, want %s", students.Origin, want)
	}
	if got := students.Settings; got.Client != "OC_TOMA" || got.TokenFile != filepath.Join(here, "token") || got.Rate != 5 || got.Workers != 3 ||
		got.Mapping != filepath.Join(here, "students.mapping.yaml") || !got.OnlyChanges || !got.MaxChanged.Set || got.MinAge != 0 || got.Results != nil {
		t.Errorf("its settings are %+v", got)
	}
	if got, want := students.Settings.Origin("only_changes"), ":14: jobs.students.only_changes"; got != filepath.Join(here, "opscom-import.yaml")+want {
		t.Errorf("the origin of a setting is %s", got)
	}
	if got := staff.Settings; got.Client != "OC_STAFF" || got.TokenFile != filepath.Join(here, "staff-token") || got.Rate != 2 || got.OnlyChanges || got.Results == nil {
		t.Errorf("the settings of staff are %+v", got)
	}
	if staff.File != "/srv/staff.csv" || staff.Jitter != 5*time.Minute || staff.NotAfter.String() != "06:00" || staff.At.String() != "15 4 * * 1-5" || staff.TimeZone != time.Local {
		t.Errorf("staff is %+v", staff)
	}
	if s.Client != "OC_TOMA" || s.Rate != 5 || s.OnlyChanges {
		t.Errorf("the settings of the file are changed: %+v", s)
	}
}

// TestJobSettingsByStrength goes from the environment over the job to the command line.
func TestJobSettingsByStrength(t *testing.T) {
	p := newPlace(t, "OPSCOM_RATE=7/s", "OPSCOM_WORKERS=5")
	p.config(twoJobs)
	s := p.mustLoad()
	if students, staff := s.Jobs[0].Settings, s.Jobs[1].Settings; students.Rate != 7 || students.Workers != 5 || staff.Rate != 2 || staff.Workers != 5 {
		t.Errorf("rates %v and %v, workers %d and %d", students.Rate, staff.Rate, students.Workers, staff.Workers)
	}
	s = p.mustLoad("--rate", "1/s")
	if students, staff := s.Jobs[0].Settings, s.Jobs[1].Settings; students.Rate != 1 || staff.Rate != 1 {
		t.Errorf("rates %v and %v with --rate", students.Rate, staff.Rate)
	}
}

// TestTokenOfAJob checks that the token of one client, or for one host, is never sent for
// another one.
func TestTokenOfAJob(t *testing.T) {
	p := newPlace(t, TokenVariable+"=of-the-environment")
	p.write(filepath.Join(p.WorkDir, "a"), "of-a")
	p.write(filepath.Join(p.WorkDir, "b"), "of-b")
	p.write(filepath.Join(p.WorkDir, "tokens", "A"), "of-a-too")
	p.write(filepath.Join(p.WorkDir, "tokens", "B"), "of-b-too")
	const where = "folder: in, files: '*.csv'"
	p.config("client: A\ntoken_file: a\njobs:\n" +
		"  same: {" + where + "}\n" +
		"  token: {" + where + ", token_file: b}\n" +
		"  client: {" + where + ", client: B}\n" +
		"  url: {" + where + ", url: 'https://other.example'}\n" +
		"  both: {" + where + ", client: B, token_file: b}\n" +
		"  folder: {" + where + ", token_folder: tokens}\n" +
		"  client_in_folder: {" + where + ", client: B, token_folder: tokens}\n")
	s := p.mustLoad()
	for i, want := range []string{TokenVariable, filepath.Join(p.WorkDir, "b"), "", "", filepath.Join(p.WorkDir, "b"), filepath.Join(p.WorkDir, "tokens", "A"), filepath.Join(p.WorkDir, "tokens", "B")} {
		token, err := s.Jobs[i].Settings.FindToken(t.Context())
		if (err != nil) != (want == "") || token.From != want {
			t.Errorf("the token of job %s is from %q, want %q (%v)", s.Jobs[i].Name, token.From, want, err)
		}
	}
}

// The folder and the command know the token of each client, for the host of the settings.
func TestTokensOfJobsFromFolderAndCommand(t *testing.T) {
	keyring.MockInit()
	p := newPlace(t)
	p.Variables = os.Environ()
	p.write(filepath.Join(p.WorkDir, "tokens", "A"), "of-a")
	p.write(filepath.Join(p.WorkDir, "tokens", "B"), "of-b")
	const jobs = "jobs:\n  client: {folder: in, files: '*.csv', client: B}\n  url: {folder: in, files: '*.csv', url: 'https://other.example'}\n"
	for place, want := range map[string]string{
		"token_folder: tokens":                         filepath.Join(p.WorkDir, "tokens", "B"),
		"token_command: [printf, '%s', 'of-{client}']": "the program printf",
	} {
		p.config("client: A\nstate: s\n" + place + "\n" + jobs)
		s := p.mustLoad()
		if token, err := s.Jobs[0].Settings.FindToken(t.Context()); err != nil || token.From != want {
			t.Errorf("%s: the token of another client is from %q, want %q (%v)", place, token.From, want, err)
		}
		if token, err := s.Jobs[1].Settings.FindToken(t.Context()); err == nil {
			t.Errorf("%s: another host gets the token of %s", place, token.From)
		}
	}
}

func TestJobMistakes(t *testing.T) {
	const where = "folder: in, files: '*.csv'"
	for text, words := range map[string][]string{
		"jbs: {}\n":              {`:1: there is no setting "jbs"; the nearest is "jobs"`},
		"jobs: [x]\n":            {":1: jobs takes names with keys"},
		"jobs:\n  a b: {}\n":     {":2: a job's name has only letters"},
		"jobs:\n  -x: {}\n":      {":2: a job's name has only letters"},
		"jobs:\n  students: 3\n": {":2: jobs.students takes keys with values"},
		"jobs:\n  a: {" + where + "}\n  a: {" + where + "}\n": {":3: job a is already given in line 2"},
		"jobs:\n  a: {}\n":                                                  {":2: job a needs either folder, with files, or file"},
		"jobs:\n  a: {" + where + ", file: x.csv}\n":                        {":2: job a needs either folder, with files, or file"},
		"jobs:\n  a: {folder: in}\n":                                        {":2: job a needs files"},
		"jobs:\n  a: {folder: in, files: 'in/*.csv'}\n":                     {":2: files: "},
		"jobs:\n  a: {file: x.csv}\n":                                       {":2: job a needs at"},
		"jobs:\n  a: {file: x.csv, at: '4 15 * * * *'}\n":                   {":2: at: "},
		"jobs:\n  a: {file: x.csv, at: '04:15'}\n":                          {":2: at: ", `"15 4 * * *"`},
		"jobs:\n  a: {file: x.csv, at: '15 4 30 2 *'}\n":                    {":2: at: "},
		"jobs:\n  a: {file: x.csv, at: '@daily', settle: 1m}\n":             {":2: settle is for a job with a folder"},
		"jobs:\n  a: {" + where + ", complete: marked}\n":                   {":2: complete is not one of settled, marker, renamed"},
		"jobs:\n  a: {" + where + ", complete: marker, settle: 1m}":         {":2: settle is for complete: settled"},
		"jobs:\n  a: {" + where + ", settle: soon}\n":                       {":2: settle is not a time"},
		"jobs:\n  a: {" + where + ", jitter: 1m}\n":                         {":2: jitter is for a job with at"},
		"jobs:\n  a: {" + where + ", not_after: '06:00'}\n":                 {":2: not_after is for a job with at"},
		"jobs:\n  a: {" + where + ", at: '@daily', not_after: 6}":           {":2: not_after: "},
		"jobs:\n  a: {" + where + ", expected_by: morning}\n":               {":2: expected_by is neither a time such as 05:00 nor a schedule"},
		"jobs:\n  a: {" + where + ", time_zone: EDT4}\n":                    {":2: time_zone: "},
		"jobs:\n  a: {" + where + ", only_chnges: true}\n":                  {`:2: jobs.a has no key "only_chnges"; the nearest is "only_changes"`},
		"jobs:\n  a: {" + where + ", state: x}\n":                           {`:2: jobs.a has no key "state"`},
		"jobs:\n  a: {" + where + ", keep_keys: true}\n":                    {`:2: jobs.a has no key "keep_keys"`},
		"jobs:\n  a: {" + where + ", yes: true}\n":                          {`:2: jobs.a has no key "yes"`},
		"jobs:\n  a: {" + where + ", results: x.csv}\n":                     {":2: reports of a job with a folder lie beside each file: remove results"},
		"jobs:\n  a: {" + where + ", rate: [1]}\n":                          {":2: rate takes one value, not a list"},
		"jobs:\n  a:\n    folder: in\n    files: '*.csv'\n    rate: fast\n": {":5: jobs.a.rate: ", "is not a rate"},
		"jobs:\n  a: {" + where + ", token: s3cr3t}\n":                      {":2: a secret does not belong in the config file"},
		"jobs:\n  a: {fles: x}\n  b: {}\nworkrs: 3\n":                       {":2: ", ":3: ", ":4: "}, // every mistake at once
	} {
		p := newPlace(t)
		p.config(text)
		p.wantError(nil, words...)
	}
	p := newPlace(t)
	p.config("jobs: {}\n")
	if s := p.mustLoad(); len(s.Jobs) > 0 {
		t.Errorf("an empty section: %+v", s.Jobs)
	}
}

func TestWhenOfAJob(t *testing.T) {
	at, err := schedule.Parse("15 4 * * *", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	six, err := schedule.ParseClock("06:00")
	if err != nil {
		t.Fatal(err)
	}
	for want, job := range map[string]Job{
		"as files arrive":                   {TimeZone: time.UTC},
		`at "15 4 * * *"`:                   {At: &at, TimeZone: time.Local},
		`at "15 4 * * *" (UTC) until 06:00`: {At: &at, TimeZone: time.UTC, NotAfter: &six},
	} {
		if got := job.When(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestFolderJob(t *testing.T) {
	p := newPlace(t)
	results := "x.csv"
	s := p.mustLoad("--client", "OC_TOMA", "--min-age", "5m", "--results", results)
	job, err := s.FolderJob("exports")
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if job.Folder != filepath.Join(here, "exports") || job.Settings.Results != nil || job.Settings.MinAge != 0 || job.Settings.Client != "OC_TOMA" {
		t.Errorf("the job is %+v", job)
	}
	if beside := job.Settings.WithSummaryBeside("/in/students.csv").Summary; *beside != "/in/students.summary.html" {
		t.Errorf("the summary is %s", *beside)
	}
}
