package mapping

// File is a mapping file as it was read: what each attribute is made of. See
// docs/reference/mapping.md for the form.
type File struct {
	Name   string // for errors; "" for a mapping that was never a file
	Source SourceSection
	Fields []Field // in the file's order, one an attribute
}

// SourceSection says which table of the source is meant, and what it must look like.
type SourceSection struct {
	Sheet     string   // "" to choose
	HeaderRow int      // number of the header's row in the spreadsheet; 0 to find it
	Where     string   // expression; rows for which it is false are skipped; "" for none
	Headers   []string // the layout that the mapping was approved for; nil when not given
	Lines     Lines
}

// Field says what one attribute is made of: Columns, Value or Expr, one of them.
type Field struct {
	Attribute Attribute
	Line      int      // of the attribute's name in the file; 0 when there is no file
	Columns   []string // header names; the first that is not blank counts
	Value     *string  // constant
	Expr      string   // expression
	Apply     []string // transforms, in order, such as "lower" or "pad:9"
	Date      string   // form of the dates in the column, such as "DD/MM/YYYY"
	Values    []ValuePair
	Otherwise string // what a value that is not in Values becomes: "error" (the default), "keep", "blank" or a value
	Default   string // taken when the result is blank
	Blank     string // what a blank result means: "omit" (the default), "clear" or "error"
	Required  bool
	AsIs      bool // the values are right as they stand: no damage is looked for
	Lines     Lines
}

// ValuePair turns one value of a column into another.
type ValuePair struct {
	From, To string
	Line     int
}

// Lines holds the line in the file of each key, for errors.
type Lines map[string]int
