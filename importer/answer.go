package importer

import (
	"context"
	"fmt"
)

// Answer is what the Controller made of one profile, after as many attempts as
// it took.
type Answer struct {
	Status      Status // Pushed, Rejected, Failed; Unknown or NotSent when the run ended first
	ReferenceID string // of a pushed profile, as text
	ErrorCode   string // the Controller's ErrorCode of a rejected profile
	Field       string // attribute at fault, where the code tells
	Message     string // for the person who fixes the row: what is wrong, and what to do
	Attempts    int    // requests sent
}

// Controller pushes one profile at a time.
//
// Push waits for its turn and sends the payload, again and again while the
// Controller gives no answer. Once feed is done it starts no further request; an
// answer in flight is awaited until send is done. The error is nil whatever
// became of the profile: an error, a *RefusedError, says that every other row
// would fail alike and ends the run; the answer counts even then.
type Controller interface {
	Push(feed, send context.Context, payload []byte) (Answer, error)
}

// RefusedError says that the Controller refused the whole run, not one row: a
// wrong token, a wrong client code, an address that is not the Controller's.
type RefusedError struct {
	Code   string // the Controller's ErrorCode, or the HTTP status where it gave none
	Reason string // what happened, for a person
	Hint   string // what to do next
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the Controller refused the run (%s): %s; %s", e.Code, e.Reason, e.Hint)
}
