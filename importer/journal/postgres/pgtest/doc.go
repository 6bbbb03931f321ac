// Package pgtest starts PostgreSQL for tests, from the programs that the system has
// installed, in a temporary folder, as another user than root. A server listens on
// a free port of the loopback interface and on a Unix socket, and ends with the
// process of the test, however that ends.
//
//	url := pgtest.Shared(t).NewDatabase(t)      // an empty database for this test
//
//	server := pgtest.Start(t, pgtest.Options{FSync: true})
//	server.Kill()                               // as if the machine had lost its power
//	server.Restart()
//
//	standby := server.Standby(t)                // asynchronous
//	standby.Detach()                            // what is committed now gets lost
//	server.Kill()
//	standby.Promote()
//
// Where PostgreSQL is not installed, the test fails if the environment variable CI is
// set, and is skipped otherwise.
package pgtest
