package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
)

// supportJournal adds what the journal has: its measures, its runs, and one of them.
func (e Env) supportJournal(ctx context.Context, b *SupportBundle, file string, id int64) error {
	j, err := e.readJournal(ctx)
	if err != nil {
		b.add("journal.txt", "the files of the state folder; the journal cannot be read", func(t *supportText) {
			t.line("damaged", errors.As(err, new(*journal.DamagedError)))
			e.supportFolder(t)
		})
		if id != 0 {
			return err
		}
		return nil
	}
	if j == nil {
		if id != 0 {
			return e.noRun(id)
		}
		b.add("journal.txt", "there is no journal", func(t *supportText) { t.say("There is no journal in the state folder.") })
		return nil
	}
	defer j.Close() // only read
	statistics, err := j.Statistics(ctx)
	if err != nil {
		return err
	}
	runs, err := j.Runs(ctx)
	if err != nil {
		return err
	}
	b.add("journal.txt", "sizes of the journal's files and tables", func(t *supportText) {
		e.supportFolder(t)
		t.line()
		t.line("schema", statistics.Schema)
		t.line("pages", statistics.Pages, fmt.Sprintf("%d free, %d bytes each", statistics.FreePages, statistics.PageSize))
		for _, table := range statistics.Tables {
			t.line(table.Table, table.Rows, "rows")
		}
	})
	b.add("runs.txt", "the last 50 runs: times, states, numbers of rows", func(t *supportText) { e.supportRuns(t, runs) })
	if id == 0 {
		id = lastRun(runs, file)
	}
	if id == 0 {
		return nil
	}
	run, err := j.Run(ctx, id)
	if err != nil {
		return err
	}
	return e.supportRun(ctx, b, run)
}

// lastRun returns the number of the newest run of the FILE, else of all; 0 if there is none.
func lastRun(runs []importer.RunInfo, file string) int64 {
	source, err := filepath.Abs(file)
	if i := slices.IndexFunc(runs, func(r importer.RunInfo) bool { return r.Source == source }); file != "" && err == nil && i >= 0 {
		return runs[i].ID
	}
	if len(runs) == 0 {
		return 0
	}
	return runs[0].ID
}

// supportFolder lists the files of the state folder by kind.
func (e Env) supportFolder(t *supportText) {
	type sum struct {
		files int
		bytes int64
	}
	sums := make(map[string]sum)
	err := filepath.WalkDir(e.Settings.State, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // what cannot be listed is left out
		}
		info, err := entry.Info()
		if err != nil {
			return nil
		}
		name := "other files"
		if rest, err := filepath.Rel(e.Settings.State, path); err == nil {
			if first, _, deep := strings.Cut(filepath.ToSlash(rest), "/"); !deep && strings.HasPrefix(first, "journal.") || slices.Contains([]string{"payloads", "locks", "notify"}, first) {
				name = first
			}
		}
		s := sums[name]
		sums[name] = sum{s.files + 1, s.bytes + info.Size()}
		return nil
	})
	if err != nil {
		return
	}
	t.line("state folder", fileSystemOf(e.Settings.State), mode(e.Settings.State))
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		t.line(name, sums[name].files, "files", sums[name].bytes, "bytes")
	}
}

func supportTime(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format("2006-01-02T15:04:05Z")
}

func (e Env) supportRuns(t *supportText, runs []importer.RunInfo) {
	t.line("RUN", "STARTED", "FINISHED", "STATE", "ROWS", "HELD", "TO", "FILE")
	for _, r := range runs[:min(len(runs), 50)] {
		t.line(r.ID, supportTime(r.StartedAt), supportTime(r.FinishedAt), r.State, r.Rows, len(r.Held), targetKind(r), maskPath(r.Source, e.Settings.Home()))
	}
}

func targetKind(r importer.RunInfo) string {
	if r.Client == sandboxClient {
		return sandboxClient
	}
	return "Controller"
}

// outcomeKind is what outcomes have in common.
type outcomeKind struct {
	status importer.Status
	code   string
	field  string
}

// problemKind is what problems have in common.
type problemKind struct {
	rule     mapping.Rule
	severity mapping.Severity
	column   int
}

// supportRun adds a run: how its rows ended, and when.
func (e Env) supportRun(ctx context.Context, b *SupportBundle, run journal.Run) error {
	info := run.Info()
	outcomes, problems, minutes := make(map[outcomeKind]int), make(map[problemKind]int), make(map[string]map[importer.Status]int)
	attempts := make(map[int]int)
	for result, err := range run.Results(ctx) {
		if err != nil {
			return err
		}
		outcomes[outcomeKind{result.Status, errorCode(result.ErrorCode), fieldName(result.Field)}]++
		attempts[result.Attempts]++
		for _, problem := range result.Problems {
			problems[problemKind{problem.Rule, problem.Severity, problem.Column}]++
		}
		if !result.FinishedAt.IsZero() {
			at := result.FinishedAt.UTC().Format("2006-01-02T15:04Z")
			if minutes[at] == nil {
				minutes[at] = make(map[importer.Status]int)
			}
			minutes[at][result.Status]++
		}
	}
	b.add("run.txt", fmt.Sprintf("run %d: how its rows ended, which problems they had, and its minutes", info.ID), func(t *supportText) {
		e.supportRuns(t, []importer.RunInfo{info})
		t.line()
		t.line("ROWS", "STATUS", "ERROR CODE", "FIELD")
		for _, kind := range byCount(outcomes) {
			t.line(outcomes[kind], kind.status, cmp.Or(kind.code, "-"), cmp.Or(kind.field, "-"))
		}
		t.line()
		t.line("ROWS", "ATTEMPTS")
		for _, n := range slices.Sorted(maps.Keys(attempts)) {
			t.line(attempts[n], n)
		}
		t.line()
		writeProblemKinds(t, problems)
		t.line()
		t.line("MINUTE", "ROWS BY STATUS")
		const most = 1000
		for _, at := range slices.Sorted(maps.Keys(minutes))[:min(len(minutes), most)] {
			var counts []string
			for _, status := range slices.Sorted(maps.Keys(minutes[at])) {
				counts = append(counts, fmt.Sprintf("%s %d", status, minutes[at][status]))
			}
			t.line(at, strings.Join(counts, ", "))
		}
	})
	return nil
}

func writeProblemKinds(t *supportText, problems map[problemKind]int) {
	t.line("PROBLEMS", "RULE", "SEVERITY", "COLUMN")
	for _, kind := range byCount(problems) {
		t.line(problems[kind], kind.rule, kind.severity, cmp.Or(mapping.ColumnLetter(kind.column), "-"))
	}
}

// byCount returns the keys of a map of counts, the largest first.
func byCount[K comparable](counts map[K]int) []K {
	return slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
}

// errorCode returns a code of the Controller; what is not one, which could be anything, is
// "other".
func errorCode(code string) string {
	if code == "" || len(code) <= 5 && strings.Trim(code, "0123456789") == "" {
		return code
	}
	return "other"
}

// fieldName returns the name of an attribute; anything else is "other".
func fieldName(field string) string {
	known := slices.ContainsFunc(mapping.Attributes(), func(spec mapping.AttributeSpec) bool { return slices.Contains(spec.Names, field) })
	if field == "" || known {
		return field
	}
	return "other"
}
