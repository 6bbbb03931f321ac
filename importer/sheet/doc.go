// Package sheet reads the rows of a file that people call a spreadsheet: CSV in any dialect
// and encoding, Excel (.xlsx, .xlsm), and the web pages and XML documents that are called
// .xls. It reads them as a stream, so that a million rows are never in memory together.
//
// In goes a file such as
//
//	Banner ID,Legal Last Name,DOB
//	900123456,O'Brien,2004-02-29
//	900123457,"Nguyễn, Jr.",2003-11-05
//
// and out come its header, and below it one [importer.Row] after another:
//
//	Header{Row: 1, Names: ["Banner ID" "Legal Last Name" "DOB"]}
//	Row{Number: 2, Cells: ["900123456" "O'Brien" "2004-02-29"]}
//	Row{Number: 3, Cells: ["900123457" "Nguyễn, Jr." "2003-11-05"]}
//
// Row numbers are those that a spreadsheet shows, with blank rows and values of several
// lines counted. A cell keeps what a person sees where that is right (text, an id with the
// leading zeros of its format), and the real value where it is not (dates, long numbers):
// see [mapping.CellKind].
//
// Nothing is guessed and nothing is lost silently. What is wrong with one row is a problem
// of that row. A file that cannot be trusted as a whole, because it is cut short, damaged or
// not a spreadsheet, is a [*FileError] that says what it is and what to do. [Table.Notes]
// has what else the user should know.
//
// The package itself sees rows, never bytes, except for the first ones: [Open] (open.go)
// detects the format by them (format.go) and hands the file to one of the readers in
// internal/. By the first rows that it returns (preview.go, classify.go) the sheet is chosen
// (sheets.go) and its header found (header.go, headergroup.go); footers and second tables
// are recognized among the rows below it (body.go, footer.go).
package sheet
