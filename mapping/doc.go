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
//  1. [Parse] reads the mapping file into a [File] and judges its form. [Suggest]
//     makes a File from a header and sample rows instead.
//  2. [Compile] fits the File to a header, once a table. It finds the columns,
//     compiles the expressions, and works out all that no row can change. It
//     returns a [Mapper], or every mistake as a [FileError] with its line.
//  3. [Mapper.Map] takes one row's cells to a [Result]. The mapping's where may
//     skip the row. Then each attribute is made in these steps:
//     pick the first column that is not blank, or the expression's result;
//     trim it; read it as a date, if the attribute is one; apply the transforms;
//     look it up among the values; put the default in place of a blank; say what a
//     blank means; validate it against the [AttributeSpec].
//
// A value that fails a step is not in the profile, and its Problem says in a
// sentence what is wrong and what to do. Several attributes of a row may fail;
// each is reported.
package mapping
