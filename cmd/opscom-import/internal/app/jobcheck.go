package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/inbox"
	"opscom-import/importer"
	"opscom-import/mapping"
)

// CheckJobs checks everything that the jobs need besides the files and the Controller, and
// changes nothing: client, token, mapping, folders, and that no two jobs take one file.
// There is one finding a job.
func CheckJobs(ctx context.Context, env Env) []Finding {
	jobs := env.Settings.Jobs
	findings := make([]Finding, len(jobs))
	for i, job := range jobs {
		wrong := env.checkJob(ctx, job)
		for _, earlier := range jobs[:i] {
			wrong = append(wrong, clashOf(earlier, job))
		}
		for k, other := range jobs {
			if k != i && job.Folder != "" {
				wrong = append(wrong, checkOwnFiles(job, other.Settings))
			}
		}
		findings[i] = Finding{What: job.Name, Detail: describeJob(job), Err: errors.Join(wrong...)}
	}
	return findings
}

// JobsFault returns what is wrong with the jobs, nil when nothing is.
func JobsFault(ctx context.Context, env Env) error {
	var faults []error
	for i, f := range CheckJobs(ctx, env) {
		if f.Err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", env.Settings.Jobs[i].Origin, f.Err))
		}
	}
	return errors.Join(faults...)
}

func (e Env) checkJob(ctx context.Context, job config.Job) (wrong []error) {
	s := job.Settings
	e.Settings = s
	if f := e.examineSettings(); f.Err != nil {
		wrong = append(wrong, errors.New("no client code: give the job a client"))
	} else if f := e.examineToken(ctx); f.Err != nil {
		wrong = append(wrong, f.Err)
	}
	if _, err := s.FindCertificates(); err != nil && !s.Sandbox {
		wrong = append(wrong, err)
	}
	if s.MaxChanged.Set && !s.OnlyChanges {
		wrong = append(wrong, errors.New("max_changed counts rows that are new or changed: it needs only_changes"))
	}
	for _, flag := range job.ReportFlags {
		wrong = append(wrong, fmt.Errorf("%s: the reports of job %s lie beside each of its files", flag, job.Name))
	}
	wrong = append(wrong, checkJobMapping(job))
	if job.Folder != "" {
		return append(wrong, inbox.Check(job.Inbox()), checkOwnFiles(job, s))
	}
	return append(wrong, checkJobFile(job))
}

// checkJobMapping checks that the job's mapping file can be read, and what of it does not need the
// columns of a file: nobody is there to
// confirm a suggestion.
func checkJobMapping(job config.Job) error {
	paths := []string{job.Settings.Mapping}
	if paths[0] == "" && job.Folder != "" {
		return errors.New("no mapping: name the mapping file of these files with mapping")
	}
	if paths[0] == "" {
		paths = mappingsBeside(baseOf(job.File))
	}
	var text []byte
	err := fs.ErrNotExist
	name := ""
	for i := 0; i < len(paths) && errors.Is(err, fs.ErrNotExist); i++ {
		name = paths[i]
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return fmt.Errorf("the mapping file %s cannot be read: %w", paths[0], errors.Unwrap(err))
	}
	file, err := mapping.Parse(name, text)
	if err != nil {
		return err
	}
	return file.Check()
}

// checkOwnFiles checks that the job does not take what the program works with, for this job
// or another.
func checkOwnFiles(job config.Job, s config.Settings) error {
	folder := realPath(job.Folder)
	if within, err := filepath.Rel(folder, realPath(s.State)); err == nil && (within == "." || slices.Contains(inbox.Places(), firstElement(within))) {
		return fmt.Errorf("%s is the folder of the program's own state: name another one", job.Folder)
	}
	own := []string{s.ConfigFile, s.Mapping, s.TokenFile, s.ClientTokenFile(), s.JournalKeyFile, s.PasswordFile, s.CAFile, s.ClientCert, s.ClientKey, s.Metrics}
	for _, target := range s.Notify {
		own = append(own, target.SecretFile())
	}
	for _, path := range own {
		if path == "" || filepath.Dir(realPath(path)) != folder {
			continue
		}
		for _, pattern := range job.Files {
			if inbox.Match(pattern, filepath.Base(path)) {
				return fmt.Errorf("it would take %s away, which the program works with: it matches %s", path, pattern)
			}
		}
	}
	return nil
}

// checkJobFile checks that the reports of a file that stays where it is can be written.
func checkJobFile(job config.Job) error {
	reports, err := reportPaths(job.Settings, baseOf(job.File))
	if err != nil {
		return err
	}
	if err := checkPaths(job.Settings, []string{job.File}, func(string) (importer.Reports, error) { return reports, nil }); err != nil {
		return err
	}
	return checkWritable(reports)
}

// clashOf returns why two jobs cannot run beside each other, nil when they can.
func clashOf(a, b config.Job) error {
	switch {
	case a.Folder != "" && b.Folder != "":
		return clashOfFolders(a, b)
	case a.Folder != "":
		return clashOfFile(a, b)
	case b.Folder != "":
		return clashOfFile(b, a)
	}
	ours, err := reportPaths(a.Settings, baseOf(a.File))
	theirs, otherErr := reportPaths(b.Settings, baseOf(b.File))
	if err = errors.Join(err, otherErr); err != nil {
		return err
	}
	theirPaths := pathsOf(&theirs)
	for i, path := range pathsOf(&ours) {
		if *path != "" && *path != "-" && realPath(*path) == realPath(*theirPaths[i]) {
			return fmt.Errorf("its %s and those of job %s would both be %s: name another path with %s", kindsOf()[i], a.Name, *path, kindsOf()[i])
		}
	}
	return nil
}

func clashOfFolders(a, b config.Job) error {
	if realPath(a.Folder) != realPath(b.Folder) {
		for _, pair := range [][2]config.Job{{a, b}, {b, a}} {
			within, err := filepath.Rel(realPath(pair[0].Folder), realPath(pair[1].Folder))
			if err == nil && filepath.IsLocal(within) && slices.Contains(inbox.Places(), firstElement(within)) {
				return fmt.Errorf("the folder %s belongs to job %s, which keeps its files there: name another one", pair[1].Folder, pair[0].Name)
			}
		}
		return nil
	}
	for _, ours := range a.Files {
		for _, theirs := range b.Files {
			if inbox.Overlap(ours, theirs) {
				return fmt.Errorf("it takes files from %s that job %s takes too: a name can match both %s and %s", b.Folder, a.Name, theirs, ours)
			}
		}
	}
	return nil
}

// clashOfFile checks that a job with a folder does not take the file of another one.
func clashOfFile(folder, file config.Job) error {
	if realPath(filepath.Dir(file.File)) != realPath(folder.Folder) {
		return nil
	}
	reports, err := reportPaths(file.Settings, baseOf(file.File))
	if err != nil {
		return err
	}
	for _, pattern := range folder.Files {
		if inbox.Overlap(pattern, filepath.Base(file.File)) {
			return fmt.Errorf("job %s takes %s away from job %s: it matches %s", folder.Name, file.File, file.Name, pattern)
		}
		for _, path := range reports.Paths() {
			if *path != "" && *path != "-" && realPath(filepath.Dir(*path)) == realPath(folder.Folder) && inbox.Match(pattern, filepath.Base(*path)) {
				return fmt.Errorf("job %s would take %s, a report of job %s: it matches %s", folder.Name, *path, file.Name, pattern)
			}
		}
	}
	return nil
}

// firstElement returns the first element of a relative path.
func firstElement(path string) string {
	first, _, _ := strings.Cut(filepath.ToSlash(path), "/")
	return first
}

// describeJob says what the job takes, and when.
func describeJob(job config.Job) string {
	text := "takes " + job.Takes() + " " + job.When()
	if s := job.Settings; !s.MinRows.Set && !s.MaxChanged.Set {
		text += "; note: neither min_rows nor max_changed is set, so no limit notices an export that was cut short"
	}
	return text
}
