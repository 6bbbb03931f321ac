package app

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/mapping/answers"
)

// Columns reads what questions about the columns of a file are about: its header, what
// the columns seem to be, and how they write dates. It asks the Controller for nothing.
func Columns(ctx context.Context, env Env, file string) (t answers.Table, err error) {
	err = env.withInput(ctx, file, func(in *input) error {
		first, err := env.readFirstPass(in, nil)
		if err != nil {
			return err
		}
		t = answers.Table{Header: first.header, Suggestions: first.suggestions(userTypes{}), Dates: first.dates, LoginSource: env.Settings.LoginSource}
		return nil
	})
	return t, err
}

// Person is one row of a file as it would be sent. It holds personal data.
type Person struct {
	Row      int           // as the spreadsheet numbers it; 0 when there is no such row
	Values   []PersonValue // in the attributes' order
	Problems []mapping.Problem
	IsLast   bool // there is no row after it
}

// PersonValue is what would be sent for one attribute.
type PersonValue struct {
	Attribute mapping.Attribute
	Value     string
}

// maxExamples is how many rows an example can be chosen of: it is for a look, not for
// reading the file.
const maxExamples = 200

// Example returns the n-th person, counted from 0, that a mapping makes of the file's
// rows. The mapping may still lack what OPS-COM requires. The error is one of
// mapping.Compile when the mapping does not fit.
func Example(ctx context.Context, env Env, file string, m *mapping.File, n int) (p Person, err error) {
	err = env.withInput(ctx, file, func(in *input) (err error) {
		t, err := env.openCorrected(in.path, m)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.Close()) }()
		mapper, lacking, err := compileUnfinished(m, t.Header().Names)
		if err != nil {
			return err
		}
		row, result := new(importer.Row), new(mapping.Result)
		seen := 0
		for range maxExamples {
			if err := t.Next(row); errors.Is(err, io.EOF) {
				p.IsLast = true
				return nil
			} else if err != nil {
				return err
			}
			if mapper.Map(row.Cells, result); result.Skipped {
				continue
			}
			if seen > n {
				return nil
			}
			if seen == n {
				p = personOf(row, result, lacking)
			}
			seen++
		}
		p.IsLast = true
		return nil
	})
	return p, err
}

// compileUnfinished compiles a mapping that may lack what OPS-COM requires. It returns
// the attributes that were put in, so that the rest can be shown.
func compileUnfinished(m *mapping.File, header []string) (*mapping.Mapper, []mapping.Attribute, error) {
	whole, lacking := *m, []mapping.Attribute(nil)
	whole.Fields = slices.Clone(m.Fields)
	for _, spec := range mapping.Attributes() {
		given := slices.ContainsFunc(m.Fields, func(f mapping.Field) bool { return f.Attribute == spec.Attribute })
		if spec.Required && !given {
			lacking = append(lacking, spec.Attribute)
			whole.Fields = append(whole.Fields, mapping.Field{Attribute: spec.Attribute, Value: new("-")})
		}
	}
	mapper, err := mapping.Compile(&whole, header, mapping.Options{Today: time.Now()})
	return mapper, lacking, err
}

func personOf(row *importer.Row, result *mapping.Result, lacking []mapping.Attribute) Person {
	p := Person{Row: row.Number}
	for _, spec := range mapping.Attributes() {
		if value, sent := result.Profile.Get(spec.Attribute); sent && value != "" && !slices.Contains(lacking, spec.Attribute) {
			p.Values = append(p.Values, PersonValue{spec.Attribute, value})
		}
	}
	for _, problem := range slices.Concat(row.Problems, result.Problems) {
		if !slices.Contains(lacking, problem.Attribute) || problem.Attribute == mapping.NoAttribute {
			p.Problems = append(p.Problems, problem)
		}
	}
	return p
}
