// Package importer plans and pushes a run: it turns the rows of a table into one
// outcome a row, and survives being killed at any moment.
//
// In go a [Source] of rows and a [mapping.Mapper]; out comes a [Result] a row, in
// the file's order. In between:
//
//  1. Plan. [Planner.Make] reads the whole source, maps and validates each row,
//     and hands the planned rows to a [PlanStore] in batches. Nothing is sent.
//     On the disk: a run in the state planning. A crash leaves an incomplete
//     plan, which the next run of the command deletes.
//  2. Amend. After the last row the plan learns what only the whole source shows:
//     duplicates, contradictions, damaged columns, and rows that have to wait for
//     others. It is stored as [Amendment]s.
//  3. Judge. [Limits.Judge] compares the plan with the safety limits. The store
//     seals the plan, as held or as pushing: from here on it survives a power
//     failure, with the profiles exactly as they will be sent.
//  4. Claim. [Pusher.Push] claims the next pending rows from the [Queue]. That
//     they may be sent is on the disk before the first of them is.
//  5. Push. Workers send one row each through the [Controller], as often as it
//     takes to get an [Answer]. A row's failure is data; an error stops the run.
//     Rows that wait for others follow in later rounds of 4 to 6.
//  6. Record. Outcomes are written in batches, at most 400 of them or 100 ms
//     after the first. A crash between 4 and 6 leaves rows that were claimed and
//     have no outcome: they are unknown, because they may have been sent.
//  7. Report. The plan and the outcomes together give the results. They can be
//     written again at any time, whether the run was finished, stopped or killed.
//
// To resume a run is to repeat 4 to 7 with the rows that are still pending. The
// Controller updates a person whom it knows, so sending a row twice is safe.
//
// The package reads no files, speaks no HTTP and knows no SQL: sheet, controller
// and journal implement its interfaces.
package importer
