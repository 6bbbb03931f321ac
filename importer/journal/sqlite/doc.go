// Package sqlite is the journal of one machine: an SQLite database and files in a folder.
//
//	STATE/journal.db        plans, outcomes, acceptances
//	STATE/journal.db-clean  which database the last to close the journal left
//	STATE/payloads/17       the profiles of run 17 as they will be sent, until it is finished
//	STATE/locks/….lock      one for each target: one run at a time
//
// # How it is stored
//
// SQLite takes some four microseconds a row, which is a fifth of the time that
// pushing it takes. So rows are packed, 256 to a BLOB (a chunk), and what is found
// out later is appended in packs too (events), never changed in place. Each BLOB
// ends with a checksum, and each run counts what it stored: a flipped bit or a
// missing BLOB is a DamagedError, never a wrong line in a report.
package sqlite
