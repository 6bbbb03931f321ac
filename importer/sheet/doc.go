// Package sheet turns a file that people call a spreadsheet into rows: CSV in any
// dialect and encoding, Excel (.xlsx, .xlsm), and the web pages and XML documents
// that are called .xls, read as a stream, so that a million rows never sit in
// memory.
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
// Numbers of rows are those that a spreadsheet shows, blank rows and values of
// several lines counted. A cell keeps what a person sees where that is the truth
// (text, an id with the leading zeros of its format), and the real value where
// it is not (dates, long numbers): see [mapping.CellKind].
//
// Nothing is guessed and nothing is lost in silence. What is wrong with one row
// is a problem of that row. A file that cannot be trusted as a whole, be it cut
// short, damaged or not a spreadsheet at all, is a [*FileError] that says what it
// is and what to do. [Table.Notes] holds what a person should know of the rest.
//
// One way through the code: [Open] (open.go) tells the format by the file's content
// (format.go, compound.go), however much a file was made to keep it busy
// (patience.go). Text is unpacked (compression.go), turned into UTF-8
// (textreader.go, encoding.go, accents.go) and cut into cells (csv.go) by the
// dialect that its first rows show (dialect.go, sniff.go). A workbook, unlocked
// where it has a password (password.go), is a package of parts (package.go,
// workbook.go, sharedstrings.go) whose worksheet is scanned once (worksheet.go on
// top of xml.go), its cells made of type, number format and raw value together
// (cell.go, numberformat.go, serial.go). What is called .xls may be a web page
// (html.go) or an XML Spreadsheet 2003 (xmlspreadsheet.go).
//
// All end in the same [Table] (table.go). By its first rows (preview.go, look.go) the
// sheet is chosen (sheets.go) and its header found (header.go, headergroup.go); the
// rows below it are told from footers and second tables (body.go, footer.go).
package sheet
