package app

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"opscom-import/importer"
	"opscom-import/mapping"
	"opscom-import/mapping/suggest"
)

// MaxValues is how many different values of a column are counted. A column with more of
// them, such as one of ids, has nothing to choose from.
const MaxValues = 200

// FileValues are the different values of a file's columns.
type FileValues struct {
	Rows    int // of the file
	Kept    int // of these, those that the mapping's where keeps
	Columns []ColumnValues
}

// ColumnValues are the different values of one column.
type ColumnValues struct {
	Column  int
	Name    string       // by which a mapping means this column and no other
	Values  []ValueCount // the most frequent first; those that are not blank
	Blank   ValueCount   // blank cells
	TooMany bool         // there are more than MaxValues, and none is listed
}

// ValueCount is one value of a column, as it is written without white space around it.
// It is personal data.
type ValueCount struct {
	Text  string
	Rows  int // that have it
	Kept  int // of these rows, those that the mapping's where keeps
	First int // number of the first of the rows
}

// Values counts the values of every column of a file, as they are after a person's
// corrections. m says how to read the file, and its where which rows are kept; nil for
// neither.
func Values(ctx context.Context, env Env, file string, m *mapping.File) (values FileValues, err error) {
	err = env.withInput(ctx, file, func(in *input) (err error) {
		t, err := env.openCorrected(in.path, m)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.Close()) }()
		header := t.Header().Names
		source := mapping.SourceSection{}
		if m != nil {
			source = m.Source
		}
		filter, err := mapping.NewFilter(source, header)
		if err != nil {
			return err
		}
		counter := newValueCounter(header)
		row := new(importer.Row)
		for {
			if err := t.Next(row); errors.Is(err, io.EOF) {
				values = FileValues{counter.rows, counter.kept, counter.columns()}
				return nil
			} else if err != nil {
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			counter.add(row, filter.Keeps(row.Cells))
		}
	})
	return values, err
}

// valueCounter counts the values of all columns in one pass.
type valueCounter struct {
	header     []string
	rows, kept int
	counts     []map[string]*ValueCount // by column; nil for one with too many values
}

func newValueCounter(header []string) *valueCounter {
	c := &valueCounter{header: header, counts: make([]map[string]*ValueCount, len(header))}
	for i := range c.counts {
		c.counts[i] = map[string]*ValueCount{}
	}
	return c
}

func (c *valueCounter) add(row *importer.Row, keeps bool) {
	c.rows++
	if keeps {
		c.kept++
	}
	for column, counts := range c.counts {
		if counts == nil {
			continue
		}
		text := mapping.ValueOf(row.Cells, column)
		count := counts[text]
		if count == nil {
			count = &ValueCount{Text: strings.Clone(text), First: row.Number} // a reader's text may hold all of its row
			counts[count.Text] = count
			if len(counts) > MaxValues+1 { // one of them may be blank
				c.counts[column] = nil
			}
		}
		count.Rows++
		if keeps {
			count.Kept++
		}
	}
}

func (c *valueCounter) columns() []ColumnValues {
	list := make([]ColumnValues, len(c.header))
	for column, counts := range c.counts {
		v := &list[column]
		v.Column, v.Name = column, mapping.ColumnName(c.header, column)
		if counts == nil {
			v.TooMany = true
			continue
		}
		for text, count := range counts {
			if text == "" {
				v.Blank = *count
			} else {
				v.Values = append(v.Values, *count)
			}
		}
		if len(v.Values) > MaxValues {
			v.Values, v.Blank, v.TooMany = nil, ValueCount{}, true
		}
		slices.SortFunc(v.Values, func(a, b ValueCount) int { return cmp.Or(b.Rows-a.Rows, cmp.Compare(a.Text, b.Text)) })
	}
	return list
}

// UserTypes is the Controller's list of user types, as far as it is known.
type UserTypes struct {
	List    []mapping.UserType
	Known   bool   // the list is OPS-COM's, of now or of an earlier day
	Denied  bool   // the Controller does not list them for this token: user types have to be numbers
	Problem string // why the list is not that of now, for a person; "" when it is
}

// ListUserTypes asks the Controller for its user types. When it does not answer, those
// that are remembered count, as in a check.
func ListUserTypes(ctx context.Context, env Env) (UserTypes, error) {
	checker, err := newChecker(ctx, env)
	if err != nil {
		return UserTypes{}, err
	}
	types := UserTypes{
		List: checker.userTypes.list, Known: checker.userTypes.known,
		Denied: checker.userTypes.denied != nil, Problem: checker.note,
	}
	return types, checker.Close()
}

// TypeValue is a kind of people as a file has it, and the user type that it becomes.
type TypeValue struct {
	ValueCount          // as it is mostly written; the counts are of all its spellings
	Spellings  []string // that differ in case alone
	Becomes    string   // what a mapping calls the user type; "" when nobody knows
	IsSure     bool     // it is the type's own number or name
}

// TypeValues says what the values of some columns become as user types, the most frequent
// first.
func TypeValues(columns []ColumnValues, types UserTypes) []TypeValue {
	var list []TypeValue
	for _, column := range columns {
		for _, value := range column.Values {
			i := slices.IndexFunc(list, func(t TypeValue) bool { return strings.EqualFold(t.Text, value.Text) })
			if i < 0 {
				list = append(list, TypeValue{ValueCount: value, Spellings: []string{value.Text}})
				continue
			}
			t := &list[i]
			t.Rows, t.Kept, t.First = t.Rows+value.Rows, t.Kept+value.Kept, min(t.First, value.First)
			if !slices.Contains(t.Spellings, value.Text) {
				t.Spellings = append(t.Spellings, value.Text)
			}
		}
	}
	for i := range list {
		t := &list[i]
		if t.Becomes, t.IsSure = suggest.UserTypeOf(t.Text, types.List); len(types.List) == 0 && mapping.IsUserTypeID(t.Text) {
			t.Becomes, t.IsSure = t.Text, true
		}
	}
	slices.SortStableFunc(list, func(a, b TypeValue) int { return b.Rows - a.Rows })
	return list
}
