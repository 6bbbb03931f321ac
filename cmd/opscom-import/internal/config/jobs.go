package config

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"opscom-import/cmd/opscom-import/internal/inbox"
	"opscom-import/cmd/opscom-import/internal/schedule"
)

// jobsKey is the config file's section of the jobs.
const jobsKey = "jobs"

// Job is a load that the program makes by itself: of each file that arrives in a folder,
// or of one file at the times of a schedule. Exactly one of Folder and File is given.
type Job struct {
	Name     string
	Origin   string   // where it was given: "opscom-import.yaml:14: jobs.students"
	Settings Settings // what its pushes work with

	Folder   string   // absolute path of the folder that files are taken from
	Files    []string // patterns of their names, such as students-*.csv
	Complete inbox.Completeness
	Settle   time.Duration // how long a file must stay as it is to be complete

	File string // absolute path of a file that stays where it is

	At         *schedule.Schedule // nil: as files arrive
	NotAfter   *schedule.Clock    // nothing new is sent after this time of the day; nil for no end
	Jitter     time.Duration      // longest random time by which a scheduled run begins later
	ExpectedBy *schedule.Schedule // by when a file should have come; nil when nobody is told
	TimeZone   *time.Location

	ReportFlags []string // that were given and name places for reports: those of a folder's files lie beside each
}

// The keys of a job that are no settings of a push.
const (
	folderKey     = "folder"
	filesKey      = "files"
	completeKey   = "complete"
	settleKey     = "settle"
	fileKey       = "file"
	atKey         = "at"
	notAfterKey   = "not_after"
	jitterKey     = "jitter"
	expectedByKey = "expected_by"
	timeZoneKey   = "time_zone"
)

func jobKeys() []string {
	return []string{folderKey, filesKey, completeKey, settleKey, fileKey, atKey, notAfterKey, jitterKey, expectedByKey, timeZoneKey}
}

// notOfAJob are settings of the whole command, and those with which a person overrules
// what the program does by itself.
func notOfAJob() []string {
	return []string{"state", "journal", "journal_key_file", "insecure_journal", "keep", "keep_keys", "json", "quiet", "no_progress", "metrics_file", "listen", "log_format", "log_level", "yes", "fresh", "min_age"}
}

// reportKeys are settings that would let each file of a folder replace the reports of the
// one before.
func reportKeys() []string { return []string{"results", "problems", "fix", "summary", "leavers_file"} }

// DefaultSettle is how long a file must stay as it is to be complete, unless a job says
// otherwise.
const DefaultSettle = time.Minute

// jobName is what a job may be called: its name is part of commands, and of names of metrics.
var jobName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// jobSection is a job as the config file has it, before its settings are read.
type jobSection struct {
	Job
	values map[string]given
}

// readJobs reads the section jobs.
func readJobs(file string, node *yaml.Node, table []Setting) ([]jobSection, error) {
	s := &section{file: file}
	if node.Kind != yaml.MappingNode {
		s.wrong(node, "%s takes names with keys, such as \"students: {folder: /srv/exports, files: students-*.csv}\"", jobsKey)
		return nil, s.err()
	}
	var jobs []jobSection
	lines := make(map[string]int)
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i]
		switch earlier := lines[name.Value]; {
		case !jobName.MatchString(name.Value):
			s.wrong(name, "a job's name has only letters, digits, - and _, and at most 64 of them")
		case earlier != 0:
			s.wrong(name, "job %s is already given in line %d; remove one of the two", name.Value, earlier)
		default:
			jobs = append(jobs, s.job(name, node.Content[i+1], table))
		}
		lines[name.Value] = name.Line
	}
	return jobs, s.err()
}

func (s *section) job(name, node *yaml.Node, table []Setting) jobSection {
	what := jobsKey + "." + name.Value
	job := jobSection{
		Job:    Job{Name: name.Value, Origin: fmt.Sprintf("%s:%d: %s", s.file, name.Line, what)},
		values: make(map[string]given),
	}
	known := jobKeys()
	for _, key := range keys(table) {
		if !slices.Contains(notOfAJob(), key) {
			known = append(known, key)
		}
	}
	found := s.entries(node, what, known...)
	if found == nil {
		return job
	}
	s.arrival(&job.Job, name, found)
	s.times(&job.Job, found)
	for _, setting := range table {
		e, ok := found[setting.Key()]
		if !ok {
			continue
		}
		if job.Folder != "" && slices.Contains(reportKeys(), setting.Key()) {
			s.wrong(e.name, "reports of a job with a folder lie beside each file: remove %s", setting.Key())
		}
		text := e.value.Value
		if e.value.Kind != yaml.ScalarNode {
			s.wrong(e.name, "%s takes one value, not a list", setting.Key())
		}
		if setting.path && text != "" && text != "-" && !filepath.IsAbs(text) {
			text = filepath.Join(filepath.Dir(s.file), text)
		}
		job.values[setting.Key()] = given{text, fmt.Sprintf("%s:%d: %s.%s", s.file, e.name.Line, what, setting.Key())}
	}
	return job
}

// arrival reads where a job's files come from, and when they are complete.
func (s *section) arrival(job *Job, name *yaml.Node, found map[string]entry) {
	job.Folder, job.File = s.absolutePath(found[folderKey]), s.absolutePath(found[fileKey])
	if (job.Folder == "") == (job.File == "") {
		s.wrong(name, "job %s needs either folder, with files, or file", job.Name)
	}
	for _, key := range []string{filesKey, completeKey, settleKey} {
		if e, ok := found[key]; ok && job.Folder == "" {
			s.wrong(e.name, "%s is for a job with a folder", key)
		}
	}
	if job.Folder == "" {
		return
	}
	job.Files = s.texts(found[filesKey])
	if found[filesKey].name == nil {
		s.wrong(name, "job %s needs files, the pattern of the names that it takes, such as students-*.csv", job.Name)
	}
	for _, pattern := range job.Files {
		if err := inbox.CheckPattern(pattern); err != nil {
			s.wrong(found[filesKey].name, "files: %w", err)
		}
	}
	job.Complete = inbox.Completeness(s.word(found[completeKey], string(inbox.Settled), string(inbox.Marker), string(inbox.Renamed)))
	job.Settle = s.duration(found[settleKey], DefaultSettle)
	if e, ok := found[settleKey]; ok && job.Complete != inbox.Settled {
		s.wrong(e.name, "settle is for complete: %s", inbox.Settled)
	}
}

// times reads when a job runs, and by when its file should have come.
func (s *section) times(job *Job, found map[string]entry) {
	job.TimeZone = time.Local
	if zone := s.text(found[timeZoneKey]); zone != "" {
		location, err := schedule.Zone(zone)
		if err != nil {
			s.wrong(found[timeZoneKey].name, "time_zone: %w", err)
		} else {
			job.TimeZone = location
		}
	}
	job.At = s.schedule(found[atKey], job.TimeZone)
	job.NotAfter = s.clock(found[notAfterKey])
	if e, ok := found[notAfterKey]; ok && job.At == nil && found[atKey].name == nil {
		s.wrong(e.name, "not_after is for a job with at")
	}
	job.Jitter = s.duration(found[jitterKey], 0)
	if text := s.text(found[expectedByKey]); text != "" {
		if clock, err := schedule.ParseClock(text); err == nil {
			hour, minute, _ := strings.Cut(clock.String(), ":")
			text = minute + " " + hour + " * * *"
		}
		expected, err := schedule.Parse(text, job.TimeZone)
		if err != nil {
			s.wrong(found[expectedByKey].name, "expected_by is neither a time such as 05:00 nor a schedule such as \"0 5 * * 1-5\"")
		}
		job.ExpectedBy = &expected
	}
	if e, ok := found[jitterKey]; ok && job.At == nil && found[atKey].name == nil {
		s.wrong(e.name, "jitter is for a job with at")
	}
	if job.File != "" && job.At == nil && found[atKey].name == nil {
		s.wrong(found[fileKey].name, "job %s needs at, the times when the file is pushed, such as \"15 4 * * *\"", job.Name)
	}
}

// absolutePath is path, and absolute where the config file's own path is not.
func (s *section) absolutePath(e entry) string {
	path := s.path(e)
	if path == "" {
		return ""
	}
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}

func (s *section) schedule(e entry, zone *time.Location) *schedule.Schedule {
	text := s.text(e)
	if text == "" {
		return nil
	}
	parsed, err := schedule.Parse(text, zone)
	if err != nil {
		s.wrong(e.name, "%s: %w", e.name.Value, err)
	}
	return &parsed
}

func (s *section) clock(e entry) *schedule.Clock {
	text := s.text(e)
	if text == "" {
		return nil
	}
	clock, err := schedule.ParseClock(text)
	if err != nil {
		s.wrong(e.name, "%s: %w", e.name.Value, err)
	}
	return &clock
}

// duration returns a time of at most 24 hours, otherwise where there is none.
func (s *section) duration(e entry, otherwise time.Duration) time.Duration {
	text := s.text(e)
	if text == "" {
		return otherwise
	}
	d, err := parseAge(text)
	if err != nil {
		s.wrong(e.name, "%s is not a time of at most 24 hours, such as 90s or 5m", e.name.Value)
	}
	return d
}

// jobs returns the jobs with their settings. Those that a job gives are stronger than the
// rest of the config file and the environment, and weaker than flags.
func (s Settings) jobs(sections []jobSection, env Environment, weaker, flags map[string]given) (jobs []Job, err error) {
	var mistakes []error
	for _, job := range sections {
		values := maps.Clone(weaker)
		if job.Folder != "" { // its reports lie beside each file
			for _, key := range reportKeys() {
				delete(values, key)
			}
		}
		delete(values, "min_age")
		_, ownClient := job.values["client"]
		_, ownURL := job.values["url"]
		_, ownToken := job.values["token_file"]
		_, ownFolder := job.values["token_folder"]
		if ownClient || ownURL || ownFolder { // what there is besides is of another client, or for another host
			delete(values, "token_file")
		}
		if ownURL {
			delete(values, "token_folder")
		}
		maps.Copy(values, job.values)
		maps.Copy(values, flags)
		for _, key := range reportKeys() {
			if given, ok := flags[key]; ok && job.Folder != "" { // it may be for a run of another file
				delete(values, key)
				job.ReportFlags = append(job.ReportFlags, given.origin)
			}
		}
		settings, err := s.read(values, env)
		settings.ownToken = ownClient || ownURL || ownToken || ownFolder
		if ownURL {
			settings.TokenCommand = nil
		}
		job.Settings = settings
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		jobs = append(jobs, job.Job)
	}
	return jobs, errors.Join(mistakes...)
}

// FolderJob returns a job that takes every file with people that arrives in a folder, with
// these settings.
func (s Settings) FolderJob(folder string) (Job, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return Job{}, fmt.Errorf("find %s: %w", folder, err)
	}
	s.Results, s.Problems, s.Fix, s.Summary, s.LeaversFile, s.MinAge = nil, nil, nil, nil, nil, 0
	return Job{
		Name: "folder", Origin: folder, Settings: s, Folder: absolute, TimeZone: time.Local,
		Files: []string{"*.csv", "*.tsv", "*.txt", "*.xlsx", "*.xlsm", "*.csv.gz", "*.zip"}, Complete: inbox.Settled, Settle: DefaultSettle,
	}, nil
}

// WithSummaryBeside returns the settings with a summary beside the file.
func (s Settings) WithSummaryBeside(file string) Settings {
	path := strings.TrimSuffix(file, filepath.Ext(file)) + ".summary.html"
	s.Summary = &path
	return s
}

// JobNames returns the names of the jobs, in the order of the config file.
func (s Settings) JobNames() []string {
	names := make([]string, len(s.Jobs))
	for i, job := range s.Jobs {
		names[i] = job.Name
	}
	return names
}

// Inbox is the folder of the job with what is taken from it.
func (j Job) Inbox() inbox.Options {
	return inbox.Options{Folder: j.Folder, Patterns: j.Files, Complete: j.Complete, Settle: j.Settle}
}

// Takes names what the job takes: "/srv/exports/students-*.csv".
func (j Job) Takes() string {
	if j.File != "" {
		return j.File
	}
	patterns := strings.Join(j.Files, ", ")
	return filepath.Join(j.Folder, patterns)
}

// When says when the job runs: "as files arrive", or `at "15 4 * * *" (America/Toronto) until 06:00`.
func (j Job) When() string {
	if j.At == nil {
		return "as files arrive"
	}
	text := fmt.Sprintf("at %q", j.At.String())
	if j.TimeZone != time.Local {
		text += " (" + j.TimeZone.String() + ")"
	}
	if j.NotAfter != nil {
		text += " until " + j.NotAfter.String()
	}
	return text
}
