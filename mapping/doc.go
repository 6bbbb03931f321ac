// Package mapping turns a row of a spreadsheet into a profile, the set of
// attributes that the Controller accepts for one person. It does no input or output,
// and the same row always gives the same profile.
//
// # From a row to a profile
//
// What goes in is a mapping file, the table's header, and the cells of one row after
// another:
//
//	fields:                                       | Banner ID | DOB        | Prov    |
//	  unique_id: Banner ID                        | 900123456 | 02/03/1998 | Ontario |
//	  login_source: {value: SSO}
//	  date_of_birth: {column: DOB, date: DD/MM/YYYY}
//	  province: Prov
//
// What comes out is a [Profile], and a [Problem] for each thing that is wrong:
//
//	{"unique_id":"900123456","login_source":"SSO","province":"ON","date_of_birth":"1998-03-02"}
//
// The steps:
//
//  1. [Parse] reads the mapping file into a [File] and checks its structure. Without
//     a mapping file, package suggest says what each column seems to hold.
//  2. [Compile] fits the File to a header, once a table. It finds the columns,
//     compiles the expressions, and computes all that does not depend on a row. It
//     returns a [Mapper], or every mistake as a [FileError] with its line.
//  3. [Mapper.Map] maps one row's cells to a [Result]. The mapping's where may skip
//     the row. Then each attribute is mapped: the first column that has a value, or
//     the expression's result, is trimmed, checked for damage and for what cannot be
//     the attribute's, read as a date where one is expected, transformed and looked
//     up in the values; a default replaces a blank; the result is checked against
//     the [AttributeSpec].
//  4. [Mapper.Review] says what only the whole table shows: words for no value, ids
//     that are too short, and the order of day and month.
//
// A value that fails is not in the profile, and its Problem says what is wrong and
// what to do. All problems of a row are reported at once.
package mapping
