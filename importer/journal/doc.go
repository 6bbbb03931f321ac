// Package journal is the durable record of runs: the plan of each, the outcome of
// every row, and what the Controller last accepted. It declares what a journal does, and
// has what all journals share; package sqlite stores one in a folder of
// this machine, package postgres one in a database for many machines.
//
// A run goes in as a plan, batch by batch, and is sealed. Then rows are claimed,
// pushed by the caller, and their outcomes recorded, batch by batch:
//
//	Begin → Append, Amend … → Seal → Claim, Record … → Finish or Stop
//
// What comes out is the projection of both, Run.Results: one line a row in the
// file's order. It is the same whether the run was finished, was stopped, or died:
// a pending row that was claimed and has no outcome is unknown, because it may have
// been sent; one that was never claimed is certainly not sent.
//
// [TempStore] keeps the plan of a check, which needs no journal.
//
// # What is kept, and for how long
//
// Every claim and every outcome is on the disk (synced) when the call returns, a plan
// when it is sealed.
// Payloads are deleted when the run ends (Run.Finish, Journal.Supersede); the ids,
// messages and reference ids that reports show stay until Journal.Forget, which
// leaves only keyed digests: of what the Controller accepted, and of who was in the last
// complete run of each source (Journal.KeepKeys keeps their ids too).
package journal
