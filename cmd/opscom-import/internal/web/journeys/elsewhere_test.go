package journeys_test

import (
	"strings"

	"opscom-import/importer/journal/postgres"
	"opscom-import/importer/journal/postgres/pgtest"
)

// overPostgres makes a journey with a journal in a new database.
func overPostgres(travel func(*journey)) func(*journey) {
	return func(j *journey) {
		database := pgtest.Shared(j).NewDatabase(j)
		_, err := postgres.Migrate(j.Context(), database, postgres.Options{})
		j.must(err)
		j.variables = []string{"OPSCOM_JOURNAL=" + database, "OPSCOM_JOURNAL_KEY=first " + strings.Repeat("c0ffee00", 8)}
		travel(j)
	}
}

// looksAtAnotherMachine has two programs, as on two machines, that share a journal: what one
// pushes the other shows, and goes on with when it is stopped.
func looksAtAnotherMachine(j *journey) { overPostgres(betweenMachines)(j) }

func betweenMachines(j *journey) {
	real := j.startReal("")
	there := j.startProgram(append(real.flags, "--rate", "4/s")...)
	here := j.startProgram(append(real.flags, "--rate", "0")...)
	all := students(60)
	j.uploads(there, j.writes("students.csv", table(j, ',', plainTable(all, "Student ID", "Last Name", "First Name", "Email"))))
	j.answers("It is Unique ID")
	j.login("SSO")
	j.next("Rows")
	j.next("Review")
	j.goes("radio", "The real OPS-COM")
	j.fills("To confirm, type the number of people", "60")
	j.goes("button", "60 people")
	j.eventually("some people are pushed", func() bool { return len(real.people(j)) > 1 })

	j.open(here.address)
	j.sees("It is being sent.")
	j.goes("link", "See the progress of students.csv")
	j.sees("It is being sent, by another program or on another computer.", "of 60 people")
	j.isAccessible()
	j.hasPlainWords()
	j.isNotGreen()
	j.goes("button", "Stop")
	j.sees("It is not complete.")
	at := j.address()
	j.open(there.address)
	j.goes("link", "Go on with students.csv")
	j.sees("It was stopped from elsewhere.")
	j.open(at)
	j.goes("button", "Go on")
	j.sees("It is done: 60 people are in OPS-COM.")
	j.reached(expect(all, plainPerson), real.people(j))
}
