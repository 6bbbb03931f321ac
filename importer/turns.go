package importer

import "time"

// A turn is a moment at which one request to the Controller may start. Where several
// processes push to one Controller, a keeper that all of them reach gives out the turns
// of one rate, one after the other.

// TurnMargin is what a keeper adds to the second: it leaves (1 s + TurnMargin) / rate
// between two turns, so that no second has more than rate requests although
//
//   - a turn may be used some milliseconds late, so that a busy machine does not lose it;
//   - a process does not know the keeper's clock exactly, but thinks it slow by up to the
//     time that an answer of the keeper takes;
//   - requests are on their way to the Controller for different times.
//
// Of two requests that many turns apart, the first may be later than its turn by all of
// these together, and the second not at all.
const TurnMargin = 25 * time.Millisecond

// Reservation is some turns that belong to one process. Its times are on the keeper's
// clock, which may differ from that of the process by any amount, but for the last two.
type Reservation struct {
	Now         time.Time     // at some moment between the question and the answer
	First       time.Time     // the first turn; without turns, when to ask again
	Interval    time.Duration // from one turn to the next; 0: there is no limit
	Turns       int           // how many, at most as many as were asked for; 0: none is free yet, or there is a pause
	PausedUntil time.Time     // no request may start before; zero, or past, if there is no pause
	Asked       time.Time     // when the question was sent, on the clock of the process; zero: when Reserve was called
	Answered    time.Time     // when the answer came, likewise; zero: when Reserve returned
}
