package main

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/report"
)

// reportPaths is where the reports of a new run of a file go; base is the file's
// path without its extension.
func (s *session) reportPaths(base string) (importer.Reports, error) {
	paths := importer.Reports{Results: base + ".results.csv", Problems: base + ".problems.csv", Fix: base + ".fix.xlsx"}
	for _, r := range []struct {
		path  *string
		asked *string // nil: not asked for elsewhere
	}{
		{&paths.Results, s.settings.Results}, {&paths.Problems, s.settings.Problems},
		{&paths.Fix, s.settings.Fix}, {&paths.Summary, s.settings.Summary},
	} {
		if r.asked != nil {
			*r.path = *r.asked
		}
		if *r.path == "" || *r.path == "-" {
			continue
		}
		var err error
		if *r.path, err = filepath.Abs(*r.path); err != nil {
			return paths, fmt.Errorf("find %s: %w", *r.path, err)
		}
	}
	return paths, nil
}

// canWrite says before a run why one of its reports could not be written.
func canWrite(paths importer.Reports) error {
	for _, path := range []string{paths.Results, paths.Problems, paths.Fix, paths.Summary} {
		if err := report.To(path, nil).CanWrite(); err != nil {
			return err
		}
	}
	return nil
}

// reportSet is what the reports of one run are made of.
type reportSet struct {
	paths   importer.Reports
	results func() iter.Seq2[importer.Result, error] // in row order, from the start each time
	table   *table                                   // nil: the file is no longer what was planned
}

// write writes the results, the problems and the fix workbook, and adds up what
// they hold. The summary needs that sum and comes later.
func (s *session) write(set *reportSet) (report.Totals, error) {
	totals, err := report.WriteResults(s.to(set.paths.Results), set.results())
	if err != nil {
		return totals, err
	}
	if err := s.writeProblems(set, totals.Problems); err != nil {
		return totals, err
	}
	return totals, s.writeFix(set, totals.Counts.Of(importer.KindToFix))
}

func (s *session) to(path string) report.Destination { return report.To(path, s.stdout) }

// writeProblems writes the problems, and forgets the path when there are none.
func (s *session) writeProblems(set *reportSet, count int) error {
	problems := func(yield func(importer.RowProblem, error) bool) {
		if count == 0 {
			return
		}
		for r, err := range set.results() {
			if err != nil {
				yield(importer.RowProblem{}, err)
				return
			}
			for _, p := range r.Problems {
				if !yield(p, nil) {
					return
				}
			}
		}
	}
	to := s.to(set.paths.Problems)
	n, err := report.WriteProblems(to, problems)
	if n == 0 && to.IsFile() {
		set.paths.Problems = ""
	}
	return err
}

// writeFix writes the rows to fix as a workbook, and forgets the path when there are
// none. The rows' cells are read from the file once more.
func (s *session) writeFix(set *reportSet, count int) (err error) {
	path, to := set.paths.Fix, s.to(set.paths.Fix)
	if count == 0 || set.table == nil {
		set.paths.Fix = ""
	}
	switch {
	case path == "":
		return nil
	case count > 0 && set.table == nil:
		s.say("%s is not written: the file is no longer what was planned.", shortPath(path))
		return nil
	case count == 0 && !to.IsFile():
		return nil
	case count == 0:
		_, err := report.WriteFix(to, report.FixSheet{}, func(func(report.FixRow, error) bool) {}) // removes an older one
		return err
	}
	source, err := s.openSheet(set.table.in.path, set.table.mapping)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	header := source.Header()
	layout := report.FixSheet{Sheet: source.Sheet(), HeaderRow: header.Row, Header: header.Names, Choices: s.choices(set.table)}
	_, err = report.WriteFix(to, layout, fixRows(set.results(), source, set.table.mapper))
	if errors.Is(err, report.ErrTooLarge) {
		s.say("%s is not written: %v.", shortPath(path), err)
		set.paths.Fix, err = "", nil
	}
	return errors.Join(err, set.table.in.unchanged())
}

// writeSummary completes the summary and writes it where it was asked for. t is the
// table that was planned, nil when it is gone.
func (s *session) writeSummary(path string, summary report.Summary, t *table) error {
	summary.Version, summary.WrittenAt = version(), time.Now()
	if t != nil {
		summary.Mapping = filepath.Base(t.mappingName)
	}
	summary.Settings = []report.Setting{
		{Name: "Only changes", Value: map[bool]string{true: "yes", false: "no"}[s.settings.OnlyChanges]},
		{Name: "Held when more are invalid than", Value: s.settings.MaxBad.String()},
		{Name: "Held when more are new or changed than", Value: s.settings.MaxChanged.String()},
		{Name: "Held when the file has fewer rows than", Value: s.settings.MinRows.String()},
	}
	return report.WriteSummary(s.to(path), summary)
}

// fixRows joins the results of the rows to fix with the rows of the source. Both
// come in row order.
func fixRows(results iter.Seq2[importer.Result, error], source importer.Source, mapper *mapping.Mapper) iter.Seq2[report.FixRow, error] {
	return func(yield func(report.FixRow, error) bool) {
		var row importer.Row
		for r, err := range results {
			if err == nil && r.Status.Spec().Kind != importer.KindToFix {
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
	for _, cell := range mapper.Restate(row.Cells) {
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

// choices are the values that the mapping allows in the column of the user type.
func (s *session) choices(t *table) map[int][]string {
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
		for _, userType := range s.userTypes.list {
			values = append(values, userType.Name)
		}
	}
	return map[int][]string{column: values}
}

// tableOf opens the file of a stored run again, nil when it is not the very file,
// mapping and settings that were planned.
func (s *session) tableOf(run importer.RunInfo) *table {
	if run.Source == "-" {
		return nil
	}
	in := &input{shown: shownSource(run), path: run.Source, source: run.Source, base: baseOf(run.Source)}
	var err error
	if in.found, err = in.stat(); err != nil {
		return nil
	}
	t, err := s.openTable(in)
	if err != nil {
		return nil
	}
	hash, err := in.hash()
	if err == nil && hash == run.FileHash && t.planHash == run.MappingHash {
		err = s.compile(t)
	} else {
		err = errors.Join(err, errors.New("another file"))
	}
	if err = errors.Join(err, t.Close()); err != nil {
		return nil
	}
	return t
}
