// Package audit holds what a run reports against what became of it, in the
// manner of Jepsen: four witnesses that were written independently of each other
// have to tell one story.
//
//	the source file        which rows there are, and what each would send
//	the sandbox's account  which requests came, and what was accepted
//	the journal            what the program knows, in the end and after each crash
//	the reports            results file, summary, "runs show", exit code
//
// In goes a [Run], out come the violations, none when all is well:
//
//	for _, v := range audit.Check(run) {
//		t.Error(v) // I2 row 17: pushed with reference id 1017, and the account has no such acceptance
//	}
//
// It is made for tests. Check reads no files and waits for nothing, so that it
// serves a simulation in memory as well as a real program that was killed;
// [NewRow], [ReadResults] and [ReadClaim] make what it needs out of files.
//
// # The invariants
//
//   - I1: every row of the source has exactly one outcome, and the receipt adds up.
//   - I2: pushed means that the account holds an acceptance of that very profile,
//     with that reference id, in this run. Unchanged means that it held one before
//     the run, and nothing else since. A duplicate is identical to a row above it.
//   - I3: no request follows a committed acceptance of the same row in the same
//     run, and a committed acceptance is never taken back.
//   - I4: rejected is what the account last answered to that row; invalid has a
//     rule behind it, and skipped the mapping; none but pending rows were sent.
//   - I5: exit code, summary, results, "runs show" and journal agree.
//   - I6: what cannot be known is unknown: a row of which a request came is never
//     called not_sent, and a run that calls itself complete leaves nothing open.
package audit
