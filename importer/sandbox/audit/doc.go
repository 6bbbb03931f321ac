// Package audit compares what a run reports with what really happened, in the manner
// of Jepsen: four records that were written independently of each other have to
// agree.
//
//	the source file            which rows there are, and what each would send
//	the sandbox's request log  which requests arrived, and what was accepted
//	the journal                what the program knows, at the end and after each crash
//	the reports                results file, summary, "runs show", exit code
//
// In goes the [Evidence] of a run, out come the violations, none if all is well:
//
//	for _, v := range audit.Check(evidence) {
//		t.Error(v) // I2 row 17: the results call it pushed with reference id "1017", but the request log has no such acceptance of its profile
//	}
//
// It is made for tests. Check reads no files and waits for nothing, so that it works
// for a simulation in memory as well as for a real program that was killed;
// [NewSourceRow], [ReadResults] and [ReadTotals] read the evidence from files.
//
// # The invariants
//
//   - I1: every row of the source has exactly one outcome, and the receipt adds up.
//   - I2: pushed means that the request log has an acceptance of that very profile,
//     with that reference id, in this run. Unchanged means that it had one before the
//     run, and nothing else since. A duplicate is identical to a row above it.
//   - I3: no request follows a recorded acceptance of the same row in the same run,
//     and a recorded acceptance is never taken back.
//   - I4: rejected is what the request log last answered to that row; invalid has a
//     rule as its reason, and skipped the mapping; only pending rows were sent.
//   - I5: exit code, summary, results, "runs show" and journal agree.
//   - I6: what cannot be known is unknown: a row that was requested is never called
//     not_sent, and a run that calls itself complete leaves nothing open.
package audit
