package app

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer"
	"opscom-import/importer/journal"
	"opscom-import/mapping"
	"opscom-import/report"
)

// kindsOf returns the kinds of the reports, in the order of pathsOf.
func kindsOf() []report.Kind {
	return []report.Kind{report.KindResults, report.KindProblems, report.KindFix, report.KindSummary, report.KindLeavers}
}

// pathsOf returns the paths, for loops.
func pathsOf(r *importer.Reports) []*string { return r.Paths() }

// reportPaths is where the reports of a new run of a file go; base is the file's
// path without its extension.
func reportPaths(s config.Settings, base string) (importer.Reports, error) {
	reports := importer.Reports{Results: base + ".results.csv", Problems: base + ".problems.csv", Fix: base + ".fix.xlsx", Leavers: base + ".leavers.csv"}
	reports = redirected(reports, s)
	if !s.Leavers.IsOn() {
		reports.Leavers = ""
	}
	for _, path := range pathsOf(&reports) {
		if *path == "" || *path == "-" {
			continue
		}
		var err error
		if *path, err = filepath.Abs(*path); err != nil {
			return reports, fmt.Errorf("find %s: %w", *path, err)
		}
	}
	return reports, nil
}

// checkReportPaths is where the reports of a check go: it writes results only when
// asked.
func checkReportPaths(s config.Settings, base string) (importer.Reports, error) {
	paths, err := reportPaths(s, base)
	if s.Results == nil {
		paths.Results = ""
	}
	return paths, err
}

// redirected returns where the reports go when the settings have a say. Where the shell
// sends standard output to a file, /dev/stdout names that file, and the receipt is to
// stay in it.
func redirected(r importer.Reports, s config.Settings) importer.Reports {
	asked := []*string{s.Results, s.Problems, s.Fix, s.Summary, s.LeaversFile}
	for i, path := range pathsOf(&r) {
		if asked[i] != nil {
			*path = *asked[i]
		}
		if *path == "/dev/stdout" {
			*path = "-"
		}
	}
	return r
}

// notifyKeptPaths says which reports of a run go where it was first told to, although
// the settings now name another path.
func (e Env) notifyKeptPaths(run importer.RunInfo) {
	asked := redirected(run.Reports, e.Settings)
	kept := pathsOf(&run.Reports)
	for i, path := range pathsOf(&asked) {
		if *path != "" && *path != "-" {
			if abs, err := filepath.Abs(*path); err == nil {
				*path = abs
			}
		}
		if *path == "" || *path == *kept[i] {
			continue
		}
		where := map[string]string{"": "none", "-": "standard output"}[*kept[i]]
		if where == "" {
			where = ShortPath(*kept[i])
		}
		e.notify("Run %d keeps the paths that it began with: %s for the %s. For another path start a new run with push --fresh.", run.ID, where, kindsOf()[i])
	}
}

// checkWritable says before a run why one of its reports could not be written.
func checkWritable(r importer.Reports) error {
	for i, path := range pathsOf(&r) {
		if err := report.To(*path, nil).CanWrite(kindsOf()[i]); err != nil {
			return err
		}
	}
	return nil
}

// existing returns the paths of those reports of a run that exist. What lies there from before the run
// is of an earlier one, and so it is while rows are pushed: the reports are written at the end.
func existing(run importer.RunInfo) importer.Reports {
	for _, path := range pathsOf(&run.Reports) {
		file, err := os.Stat(*path)
		if err != nil || file.ModTime().Before(run.StartedAt) || run.State == importer.RunPushing {
			*path = ""
		}
	}
	return shortPaths(run.Reports)
}

func shortPaths(r importer.Reports) importer.Reports {
	for _, path := range pathsOf(&r) {
		*path = ShortPath(*path)
	}
	return r
}

// ShortPath shows a path as seen from the working folder, where that is shorter.
func ShortPath(path string) string {
	if path == "" || path == "-" {
		return path
	}
	if here, err := os.Getwd(); err == nil && here != filepath.Dir(here) { // seen from the root, only the slash would be lost
		if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return path
}

// resultsOf returns a function that reads a run's results from the start.
func resultsOf(ctx context.Context, run journal.Run) func() iter.Seq2[importer.Result, error] {
	return func() iter.Seq2[importer.Result, error] { return run.Results(ctx) }
}

// reporter writes the reports of one run, or of a check.
type reporter struct {
	Env
	paths   importer.Reports                         // those that turn out to be empty are dropped
	results func() iter.Seq2[importer.Result, error] // in row order, from the start each time
	reopen  func() *mappedTable                      // what was planned; nil when the file is no longer that
	folders report.Folders
}

func (r *reporter) to(path string) report.Destination {
	return report.To(path, r.Stdout).SyncLater(&r.folders).OnKept(func(kept string) {
		r.notify("%s was edited since this program wrote it: it is kept as %s.", ShortPath(path), ShortPath(kept))
	})
}

// write writes the results, the problems, the fix workbook and the leavers, and syncs their folders
// together. It returns what the results add up to: the summary needs that and comes later.
func (r *reporter) write() (report.Totals, error) {
	totals, err := report.WriteResults(r.to(r.paths.Results), r.results())
	if err == nil {
		err = r.writeProblems(totals.Problems)
	}
	if err == nil {
		err = r.writeFix(totals.ToFix)
	}
	if err == nil {
		err = r.writeLeavers()
	}
	return totals, errors.Join(err, r.folders.Sync())
}

// writeProblems writes the problems, and drops the path when there are none.
func (r *reporter) writeProblems(count int) error {
	problems := func(yield func(importer.RowProblem, error) bool) {
		if count == 0 {
			return
		}
		for result, err := range r.results() {
			if err != nil {
				yield(importer.RowProblem{}, err)
				return
			}
			for _, p := range result.Problems {
				if !yield(p, nil) {
					return
				}
			}
		}
	}
	to := r.to(r.paths.Problems)
	n, err := report.WriteProblems(to, problems)
	if n == 0 && to.IsFile() {
		r.paths.Problems = ""
	}
	return err
}

// writeLeavers writes the leavers, and drops the path when there are none.
func (r *reporter) writeLeavers() error {
	to := r.to(r.paths.Leavers)
	n, err := report.WriteLeavers(to, r.results())
	if n == 0 && to.IsFile() {
		r.paths.Leavers = ""
	}
	return err
}

// writeFix writes the rows to fix as a workbook, and drops the path when there are
// none. The rows' cells are read from the file once more.
func (r *reporter) writeFix(count int) (err error) {
	path, to := r.paths.Fix, r.to(r.paths.Fix)
	if path == "" {
		return nil
	}
	if count == 0 {
		r.paths.Fix = ""
		if to.IsFile() {
			return to.Remove(report.KindFix)
		}
		return nil
	}
	t := r.reopen()
	if t == nil {
		r.paths.Fix = ""
		r.notify("%s is not written: the file, its mapping or the settings are not those that were planned.", ShortPath(path))
		return nil
	}
	err = r.writeFixOf(t, to, count)
	switch {
	case err != nil && t.in.checkUnchanged() != nil: // what was read may be of another file
		r.paths.Fix, err = "", nil
		r.notify("%s is not written: %s was changed, replaced or moved after it was planned. The other reports are complete.", ShortPath(path), t.in.shown)
	case errors.Is(err, report.ErrTooLarge):
		r.notify("%s is not written: %v.", ShortPath(path), err)
		r.paths.Fix, err = "", nil
	case err == nil && r.Settings.JSON:
		r.notifyFixIsPart(count)
	}
	return err
}

// notifyFixIsPart says, where no receipt does, that the fix workbook has not all rows.
func (r *reporter) notifyFixIsPart(toFix int) {
	if r.paths.Fix != "" && toFix > report.MaxFixRows {
		r.notify("%s has only the first %d of the %d rows to fix.", ShortPath(r.paths.Fix), report.MaxFixRows, toFix)
	}
}

// writeFixOf reads the cells of the first of the rows to fix from the table's file. If that is no
// longer the file that was planned, the workbook is not written.
func (r *reporter) writeFixOf(t *mappedTable, to report.Destination, count int) (err error) {
	rows, err := r.openCorrected(t.in.path, t.mapping)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	header := rows.Header()
	layout := report.FixSheet{Sheet: rows.Sheet(), HeaderRow: header.Row, Header: header.Names, Choices: t.userTypeChoices(), ToFix: count}
	_, err = report.WriteFix(to, layout, func(yield func(report.FixRow, error) bool) {
		n := 0
		for row, err := range fixRows(r.results(), rows, t.mapper) {
			if !yield(row, err) {
				return
			}
			if n++; n == report.MaxFixRows {
				break
			}
		}
		if err := t.in.checkUnchanged(); err != nil {
			yield(report.FixRow{}, err)
		}
	})
	return err
}

// writeSummary completes the summary and writes it where it was asked for.
func (r *reporter) writeSummary(summary report.Summary) error {
	if r.paths.Summary == "" {
		return nil
	}
	summary.Version, summary.WrittenAt = r.Version, time.Now()
	if t := r.reopen(); t != nil {
		summary.Mapping = filepath.Base(t.mappingName)
	}
	summary.Settings = []report.Fact{
		{Name: "Only changes", Value: map[bool]string{true: "yes", false: "no"}[r.Settings.OnlyChanges]},
		{Name: "Held when more are invalid than", Value: r.Settings.MaxBad.String()},
		{Name: "Held when more are new or changed than", Value: r.Settings.MaxChanged.String()},
		{Name: "Held when the file has fewer rows than", Value: r.Settings.MinRows.String()},
		{Name: "People who left", Value: leaverSetting(r.Settings)},
	}
	return errors.Join(report.WriteSummary(r.to(r.paths.Summary), summary), r.folders.Sync())
}

// leaverSetting says what is done about leavers.
func leaverSetting(s config.Settings) string {
	switch {
	case s.Leavers.UserType != "":
		return fmt.Sprintf("get the user type %s; held when more left than %s", s.Leavers.UserType, s.MaxLeavers)
	case s.Leavers.IsOn():
		return "are reported"
	}
	return "are not looked for"
}

// fixRows joins the results of the rows to fix with the rows of the source. Both come
// in row order.
func fixRows(results iter.Seq2[importer.Result, error], source importer.Source, mapper *mapping.Mapper) iter.Seq2[report.FixRow, error] {
	return func(yield func(report.FixRow, error) bool) {
		var row importer.Row
		for r, err := range results {
			if err == nil && !r.IsToFix() {
				continue
			}
			for err == nil && row.Number < r.Row {
				err = source.Next(&row)
			}
			if err == nil && row.Number != r.Row {
				err = fmt.Errorf("row %d is no longer in the file", r.Row)
			}
			if !yield(fixRow(r, row, mapper), err) || err != nil {
				return
			}
		}
	}
}

func fixRow(r importer.Result, row importer.Row, mapper *mapping.Mapper) report.FixRow {
	fix := report.FixRow{Row: r.Row}
	for _, cell := range mapper.WithISODates(row.Cells) {
		fix.Cells = append(fix.Cells, cell.Text)
	}
	for _, p := range r.Problems {
		fix.Problems = append(fix.Problems, p.Problem)
	}
	if r.Status != importer.StatusRejected {
		return fix
	}
	attribute := mapping.AttributeNamed(r.Field)
	if column := mapper.Column(attribute); column != mapping.NoColumn {
		fix.Problems = append(fix.Problems, mapping.Problem{Attribute: attribute, Column: column, Message: r.Message})
	} else {
		fix.Note = r.Message
	}
	return fix
}

// userTypeChoices are the values that the mapping allows in the column of the user
// type.
func (t *mappedTable) userTypeChoices() map[int][]string {
	i := slices.IndexFunc(t.mapping.Fields, func(f mapping.Field) bool { return f.Attribute == mapping.UserTypeID })
	column := t.mapper.Column(mapping.UserTypeID)
	if i < 0 || column == mapping.NoColumn {
		return nil
	}
	var values []string
	for _, pair := range t.mapping.Fields[i].Values {
		values = append(values, pair.From)
	}
	if len(values) == 0 {
		for _, userType := range t.userTypes {
			values = append(values, userType.Name)
		}
	}
	return map[int][]string{column: values}
}
