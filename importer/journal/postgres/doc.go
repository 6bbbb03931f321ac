// Package postgres keeps the journal of many machines in a PostgreSQL database.
//
//	err := postgres.Migrate(ctx, url, postgres.Options{})   // once for each version of the program
//	j, err := postgres.Open(ctx, url, postgres.Options{})
//	defer j.Close()
//
// Everything is in the schema opscom; the queue of its work, River, has the schema
// river. Errors say which database is meant, as user@host:port/database, and what
// to do; they hold no password and no value of a row.
//
// # How several processes push one run
//
// A run goes in as a plan, as package journal describes, and lies in chunks of 256 row
// numbers. Each process that pushes it has a [Lane]: it leases a few chunks at a time, claims their rows
// and records what became of them. [Run.Work] pushes as one of several, and returns when
// nothing of the run is left in anybody's hands.
//
//	lease:   chunk, epoch, claimed up to, records, round      of the earliest round that is open
//	claim:   chunk, epoch, records → claimed up to            before the first of the rows is sent
//	record:  chunk, epoch, records → one record more, or the chunk is done
//
// Each lease of a chunk has its own epoch. A claim or a record is one statement that checks
// it, and the number of records: a process that has lost a chunk writes nothing, and a statement
// whose answer was lost can be repeated. Rows that were claimed under an earlier epoch and
// have no outcome are unknown to the next holder, who sends them again.
//
// After a failover PostgreSQL has another timeline. What the old one may have lost is
// unknown too: every row of a chunk that is not done.
package postgres
