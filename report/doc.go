// Package report turns what became of the rows into what people and scripts
// read: the results and the problems as CSV files, the rows that need a person as
// a workbook, the run as a page, the summary as JSON, the receipt as text, and the
// progress while a run is in progress.
//
// In goes an iterator over importer.Result, in the file's order:
//
//	{Row: 2, UniqueID: "900123456", LoginSource: "SSO", Status: Pushed, ReferenceID: "44", Attempts: 1, FinishedAt: …}
//	{Row: 3, UniqueID: "=900123457", LoginSource: "SSO", Status: Invalid, Field: "email", Message: "…"}
//
// Out comes NAME.results.csv, whole or not at all:
//
//	row,unique_id,login_source,status,reference_id,error_code,field,message,warnings,attempts,finished_at
//	2,900123456,SSO,pushed,44,,,,,1,2026-09-01T12:00:05Z
//	3,'=900123457,SSO,invalid,,,email,…,,0,
//
// and the counts over the statuses, which the receipt and the summary show:
//
//	samples/term-start.xlsx → the sandbox, run 1
//	  1  pushed
//	  1  invalid  not sent; fix these rows in the file
//	  ─
//	  2  rows read
//
// A problem is a line of NAME.problems.csv, and its row stands in NAME.fix.xlsx,
// laid out like the file that it comes from, so that it can be fixed and pushed
// with the same mapping:
//
//	row,column,header,field,severity,rule,value,message
//	3,D,E-mail,email,error,bad_email,none,"Email ""none"" is not an e-mail address. …"
//
// NAME.summary.html shows the counts, the most common problems and the run over time,
// and nothing by which a person could be known.
package report
