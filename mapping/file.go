package mapping

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
)

// File is a mapping file as it was read: what each attribute is made of. See
// docs/reference/mapping.md for the format.
type File struct {
	Name   string // for errors; "" for a mapping that was never a file
	Source SourceSection
	Fields []Field // in the file's order, one an attribute
}

// SourceSection says which table of the source is meant, and what it must look like.
type SourceSection struct {
	Sheet         string   // "" to choose one
	HeaderRow     int      // number of the header's row in the spreadsheet; 0 to find it
	NoHeader      bool     // no row names the columns: they are called "Column A", "Column B" …
	Delimiter     rune     // of a text file; 0 to find it
	Encoding      string   // of a text file, such as "windows-1252"; "" to find it
	Where         string   // expression; rows for which it is false are skipped; "" for none
	Headers       []string // the layout that the mapping was approved for; nil when not given
	MissingValues []string // texts that mean that there is no value, besides those that are known
	Lines         Lines
}

// Field says what one attribute is made of: Columns, Value or Expr, one of them.
type Field struct {
	Attribute Attribute
	Line      int      // of the attribute's name in the file; 0 when there is no file
	Columns   []string // header names; the first that is not blank counts
	Value     *string  // constant
	Expr      string   // expression
	Apply     []string // transforms, in order, such as "lower" or "pad:9"
	Date      string   // format of the dates in the column, such as "DD/MM/YYYY"
	Values    []ValuePair
	Otherwise string // what a value that is not in Values becomes: "error" (the default), "keep", "blank" or a value
	Default   string // used when the result is blank
	Blank     string // what a blank result means: "omit" (the default), "clear" or "error"
	Required  bool
	AsIs      bool // the values are right as they are: no damage is looked for
	Lines     Lines
}

// ValuePair turns one value of a column into another.
type ValuePair struct {
	From, To string
	Line     int
}

// Lines holds the line in the file of each key, for errors.
type Lines map[string]int

// noSource is the mistake of a field without any source.
const noSource = "nothing says where the value comes from; add column, value or expr"

// FileError is one mistake in a mapping file.
type FileError struct {
	File    string // the file's name; "" for a mapping that was never a file
	Line    int    // counted from 1; 0 when the whole file is meant
	Key     string // where in the file, such as "province" or "province.apply"; "" for the file itself
	Message string // what is wrong and what to do, without a full stop at the end

	// Of a question that only the rows raise:
	Attribute Attribute // whose column it is about; NoAttribute for another mistake
	Ways      []Way     // to answer it in the mapping; none where only another file helps
}

// Error puts the place before the message, as compilers do:
//
//	students.mapping.yaml:7: province: there is no column "Provnce"; the nearest is "Province"
func (e *FileError) Error() string {
	text := cmp.Or(e.File, "mapping")
	if e.Line > 0 {
		text += ":" + strconv.Itoa(e.Line)
	}
	if e.Key != "" {
		text += ": " + e.Key
	}
	return text + ": " + e.Message
}

// mistakes collects what is wrong with a mapping file.
type mistakes struct {
	name string // the file's
	list []*FileError
}

func (m *mistakes) fail(line int, key, message string) {
	m.list = append(m.list, &FileError{File: m.name, Line: line, Key: key, Message: message})
}

// err joins the mistakes in the order of their lines; nil when there are none.
func (m *mistakes) err() error {
	slices.SortStableFunc(m.list, func(a, b *FileError) int { return a.Line - b.Line })
	errs := make([]error, len(m.list))
	for i, mistake := range m.list {
		errs[i] = mistake
	}
	return errors.Join(errs...)
}
