package importer

import (
	"context"
	"fmt"
	"time"
)

// Answer is what the Controller said to one profile, after as many attempts as it
// took.
type Answer struct {
	Status      Status // Pushed, Rejected, Failed; Unknown or NotSent when the run ended first
	ReferenceID string // of a pushed profile, as text
	ErrorCode   string // the Controller's ErrorCode, "" when it gave none
	HTTPStatus  int    // of a rejection without an ErrorCode; else 0. Not stored
	Field       string // attribute at fault, where the code tells
	Message     string // for the person who fixes the row: what is wrong, and what to do
	Attempts    int    // requests sent
}

// Controller pushes one profile at a time.
//
// Push waits for its turn and sends the payload, again and again while the
// Controller gives no answer. Once fetchCtx is done it starts no further request;
// a request in flight is awaited until workCtx is done. A profile that fails is not
// an error: an error, a *RefusedError, *PauseError or *NoTurnsError, means that every other row would
// fare alike and ends the run. The answer counts even then: after a *RefusedError it is
// Failed, because the run was refused, not the row.
//
// Push calls onRetry, unless it is nil, once: before it waits after a failure. The caller may push
// another row meanwhile: Push itself sees to it that no more requests are in flight
// than there are workers, and lets rows that were tried before go first.
type Controller interface {
	Push(fetchCtx, workCtx context.Context, payload []byte, onRetry func()) (Answer, error)
}

// RefusedError says that the Controller, or the proxy before it, refused the whole run,
// not one row: a wrong token, a wrong client code, an address that is not the Controller's.
type RefusedError struct {
	Code   string // the Controller's ErrorCode, or the HTTP status where it gave none
	Reason string // what happened, for a person
	Hint   string // what to do next

	ByProxy bool // it was the proxy, and the Controller was not reached
}

func (e *RefusedError) Error() string {
	if e.ByProxy {
		return fmt.Sprintf("the proxy refused the run (%s): %s; %s", e.Code, e.Reason, e.Hint)
	}
	return fmt.Sprintf("the Controller refused the run (%s): %s; %s", e.Code, e.Reason, e.Hint)
}

// NoTurnsError says that there are no turns of a shared rate, however often one asks for them: nothing can be sent.
type NoTurnsError struct{ Err error }

func (e *NoTurnsError) Error() string { return e.Err.Error() }
func (e *NoTurnsError) Unwrap() error { return e.Err }

// PauseError says that the Controller asked for a pause that is too long to wait for.
type PauseError struct {
	Until time.Time // when it ends
}

func (e *PauseError) Error() string {
	until := e.Until.Add(time.Second - 1).Truncate(time.Second) // not earlier than asked
	return fmt.Sprintf("the Controller asks to wait until %s, longer than the run may (--max-pause); run the same command again after that",
		until.Local().Format("2006-01-02 15:04:05 MST"))
}

// Job is a claimed row, ready to be pushed.
type Job struct {
	Row     int
	Payload []byte
}

// Outcome is how the push of a claimed row ended.
type Outcome struct {
	Row int
	Answer
	Retry      bool // resuming the run pushes the row again
	FinishedAt time.Time
}

// Result is one row's line in the results: its plan and its outcome together.
type Result struct {
	Row         int
	UniqueID    string
	LoginSource string
	Status      Status
	ReferenceID string
	ErrorCode   string
	Field       string
	Message     string
	Warnings    string
	Attempts    int          // over every time it was claimed
	FinishedAt  time.Time    // zero when the row was never sent
	Problems    []RowProblem // that the plan found
	Leaver      bool         // not a row of the file: a person who left
}

// IsToFix reports whether a person has to fix the row in the file. A leaver is not in it.
func (r *Result) IsToFix() bool { return r.Status.Spec().Kind == KindToFix && !r.Leaver }

// Acceptance is what the Controller last accepted for a key.
type Acceptance struct {
	Hash        Digest       // of the profile
	Unique      UniqueValues // that the Controller has for the person, as far as they were ever sent
	ReferenceID string
	AcceptedAt  time.Time
	IsDoubted   bool // the journal was restored or failed over since, and may have lost a later one
}
