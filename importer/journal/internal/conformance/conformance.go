// Package conformance holds each kind of journal to what package journal says of them all:
// one suite of tests, which needs nothing but the interfaces. It is for tests only.
//
//	func TestConformance(t *testing.T) {
//		conformance.Test(t, newPlace)
//	}
//
// What goes in is a function that makes a [Place] where there is no journal yet. A test opens
// the journal there, as one process or as several, plans, pushes, lets the processes die, opens
// it again, and compares with what is to be there.
package conformance

import (
	"context"
	"slices"
	"testing"

	"opscom-import/importer/journal"
)

// TB is a test, or one of the many that a property has.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(f func())
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Place is where a journal is, until the end of the test. Its methods end the test when they
// fail.
type Place interface {
	// Open opens the journal as one more process does, and creates it the first time. It is
	// closed when the test ends, if the test has not done so.
	Open() journal.Journal
	// Crash ends all processes that have opened the journal, as if they were killed: what they
	// hold is free. The test does not use their journals any more.
	Crash()
	// Restore lets the journal go on from a copy of itself, as after a restore or a failover: those
	// who have it open are dead, and nobody knows what was recorded after the copy was made.
	Restore()
	// Damage changes or loses something that is stored, as a failing disk does, and says nothing
	// to those who have it open. There is such a record.
	Damage(Record)
}

// ReadOnly is a Place whose journal can be opened for reading only, once it is closed.
type ReadOnly interface {
	OpenReadOnly() journal.Journal
}

// Record is a kind of stored record.
type Record string

// The kinds of records.
const (
	PlanRecord       Record = "plan"       // some rows of the plan of run 1
	PayloadRecord    Record = "payload"    // what is to be sent for them
	OutcomeRecord    Record = "outcome"    // outcomes in run 1
	AcceptanceRecord Record = "acceptance" // what the Controller last accepted for somebody
	RosterRecord     Record = "roster"     // the people of a run that is forgotten
	LostPlan         Record = "plan, lost" // this one and the next are there no more
	LostOutcome      Record = "outcome, lost"
)

// test is one test of the suite.
type test struct {
	*testing.T
	newPlace func(TB) Place
	place    Place
}

// open opens the journal as one more process.
func (t *test) open() journal.Journal { return t.place.Open() }

// crash lets all processes die, and opens the journal as the next one does.
func (t *test) crash() journal.Journal {
	t.place.Crash()
	return t.open()
}

// part is a test of the suite by its name.
type part struct {
	name string
	run  func(*test)
}

// Test holds a kind of journal to the suite.
func Test(t *testing.T, newPlace func(TB) Place) {
	parts := slices.Concat(plans(), pushes(), rounds(), deaths(), histories(), acceptances(), rosters(), ends(), jobs(), targets(), damages())
	seen := map[string]bool{}
	for _, p := range parts {
		if seen[p.name] {
			t.Errorf("two parts are called %q", p.name)
		}
		seen[p.name] = true
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.run(&test{t, newPlace, newPlace(t)})
		})
	}
	t.Run("model", func(t *testing.T) { testModel(t, newPlace) })
}
