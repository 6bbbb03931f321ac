// Package fleet lets any number of processes push the runs of one journal in PostgreSQL.
//
// A run's work is done by its lanes. What goes in is the number of a run, when its plan is
// sealed: [Queue.Enqueue] stores its lanes, and a job of River for each, in the same
// transaction. What comes out is what the lanes do to the run: outcomes of its rows, and its end.
//
//  1. A [Worker] is one process. River gives it jobs, the highest priority and the one that
//     has waited longest first, as many at a time as it has slots.
//  2. A job works on its lane for a turn: rows go from the run's [Lane] through the
//     Controller's client of the run's target, which all lanes of that target in the
//     process share. When somebody waits for a slot the lane gives back what it holds,
//     and waits in line again, so that a large run delays a small one by a turn at most.
//  3. The lane that finds nothing left finishes the run; one whose push the Controller
//     refused stops it for all.
//  4. While a lane is worked on, the process renews its lease. Each process looks for leases
//     of others that have ended, and gives those lanes a new epoch and a new job: so the rows
//     of a process that died go on elsewhere. A job of an earlier epoch does nothing.
//
// Lanes are about who works, never about what is true: that is decided by the leases of
// the run's chunks, in the journal.
package fleet
