// Package postgres keeps the journal of many machines in a PostgreSQL database.
//
//	err := postgres.Migrate(ctx, url, postgres.Options{})   // once for each version of the program
//	j, err := postgres.Open(ctx, url, postgres.Options{})
//	defer j.Close()
//
// Everything is in the schema opscom; the queue of its work, River, has the schema
// river. Errors say which database is meant, as user@host:port/database, and what
// to do; they hold no password and no value of a row.
package postgres
