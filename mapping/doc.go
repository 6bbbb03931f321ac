// Package mapping turns a row of a spreadsheet into a profile, the set of
// attributes that the Controller takes for one person. It does no input or
// output, and the same row gives the same profile at any time.
//
// # From a row to a profile
//
// What goes in is a mapping file, the table's header, and one row's cells after
// the other:
//
//	fields:                                       | Banner ID | DOB        | Prov    |
//	  unique_id: Banner ID                        | 900123456 | 02/03/1998 | Ontario |
//	  login_source: {value: SSO}
//	  date_of_birth: {column: DOB, date: DD/MM/YYYY}
//	  province: Prov
//
// What comes out is a [Profile], and a [Problem] for whatever is wrong:
//
//	{"unique_id":"900123456","login_source":"SSO","province":"ON","date_of_birth":"1998-03-02"}
//
// The way there:
//
//  1. [Parse] reads the mapping file into a [File] and judges its form. Without a
//     mapping file, [Suggest] says what each column seems to hold, and
//     [SuggestedFile] makes a File of it.
//  2. [Compile] fits the File to a header, once a table. It finds the columns,
//     compiles the expressions, and works out all that no row can change. It
//     returns a [Mapper], or every mistake as a [FileError] with its line.
//  3. [Mapper.Map] takes one row's cells to a [Result]. The mapping's where may
//     skip the row. Then each attribute is made: the first column that is not
//     blank, or the expression's result, is trimmed, read as a date where one is
//     meant, put through the transforms and looked up among the values; a default
//     takes the place of a blank; what is left is checked against the
//     [AttributeSpec].
//
// A value that fails on its way is not in the profile, and its Problem says in a
// sentence what is wrong and what to do. All that is wrong in a row is said at
// once.
package mapping
