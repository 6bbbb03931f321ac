// Package report writes what happened to the rows for people and scripts: the
// results and the problems as CSV, the rows to fix as a workbook, the summary as an
// HTML page, the receipt as text or JSON, and the progress of a run.
// Each report goes to a Destination: a file, standard output, or nowhere.
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
// and the counts by status, which the receipt and the summary show:
//
//	samples/term-start.xlsx → the sandbox, run 1
//	  1  pushed   accepted by the Controller
//	  1  invalid  not sent; fix these rows in the file
//	  ─
//	  2  rows read
//
// A problem is a line of NAME.problems.csv, and its row is in NAME.fix.xlsx,
// laid out like the file that it comes from, so that it can be fixed and pushed
// with the same mapping:
//
//	row,column,header,field,severity,rule,value,message
//	3,D,E-mail,email,error,bad_email,none,"Email ""none"" is not an e-mail address. …"
//
// NAME.summary.html shows the counts, the most common problems and the run over time,
// and no personal data.
package report
