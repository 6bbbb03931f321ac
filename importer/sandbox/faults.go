package sandbox

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"opscom-import/mapping"
)

// Faults says how a sandbox misbehaves. The zero Faults is a Controller without
// fault. ParseFaults reads one from text.
//
// Delays, windows and the rate meet every request; the failures meet pushes only.
// A failure is drawn from the seed, the profile's key and how often that key has
// been sent, so that it depends neither on time nor on the order of requests.
type Faults struct {
	Latency time.Duration // before every answer, once the Controller has done its work
	Jitter  time.Duration // up to so much more, evenly spread
	Slow    Slow
	Outage  Window // every request is turned away with 503
	Revoked Window // the token may not make any call (9002)
	Rate    MovingRate

	// Require are the attributes that a person must have once the push is done, as a
	// site may demand of everybody.
	Require []mapping.Attribute

	// Failures are the ways in which a push goes wrong. At most one of them meets
	// a request: those that meet the first sends come one after the other, in the
	// order given, and the shares of the rest add up to 1 at most.
	Failures []Failure
}

// Slow makes some answers take their time.
type Slow struct {
	Share float64       // of all requests, 0 to 1
	For   time.Duration // in place of latency and jitter
}

// Window says during which requests something happens: by number, by time, or with
// its zero value never.
type Window struct {
	From, Length int64         // so many from number From on, where the sandbox's first request is number 1
	After, For   time.Duration // or so long, from so long after the first request on
}

// holds reports whether the request with this number is in the window, which came
// so long after the first.
func (w Window) contains(number int64, age time.Duration) bool {
	return number >= w.From && number-w.From < w.Length || age >= w.After && age-w.After < w.For
}

func (w Window) isNegative() bool { return min(w.From, w.Length, int64(w.After), int64(w.For)) < 0 }

// Swing is a limit of requests a second that rises from Low to High and falls
// again, evenly, once in each Period. The zero Swing is none.
type MovingRate struct {
	Low, High float64 // requests a second
	Period    time.Duration
}

// at returns the limit so long after the first request.
func (s MovingRate) at(age time.Duration) float64 {
	phase := float64(age%s.Period) / float64(s.Period) // 0 to 1
	return s.Low + (s.High-s.Low)*(1-math.Abs(2*phase-1))
}

// Failure is one way in which a push goes wrong, and how often it does.
type Failure struct {
	Kind       Kind
	Share      float64       // of the pushes, 0 to 1
	First      int           // or in place of Share: of every key, the first so many sends
	RetryAfter time.Duration // of an HTTP status: what its Retry-After header says; 0 for none
	Code       int           // of CodeIn200: the ErrorCode
	Over       time.Duration // of Drip: how long the answer takes to arrive
}

// Kind is a kind of failure. Its text is its name in ParseFaults and in an Entry.
type Kind string

// The kinds of failures. Only after DropAfter, DropDuring, Truncate, Drip, Endless
// and Bomb has the profile been accepted.
const (
	TooMany            Kind = "429"      // HTTP 429; Retry-After in seconds
	TooManyUntil       Kind = "429-date" // HTTP 429; Retry-After as a date
	InternalError      Kind = "500"      // HTTP 500, an HTML page
	BadGateway         Kind = "502"      // HTTP 502, an HTML page
	ServiceUnavailable Kind = "503"      // HTTP 503, an HTML page
	GatewayTimeout     Kind = "504"      // HTTP 504, an HTML page

	DropBefore Kind = "drop-before" // the connection is reset; the Controller never saw the request
	DropAfter  Kind = "drop-after"  // the profile is accepted, and the connection closed without an answer
	DropDuring Kind = "drop-during" // the profile is accepted, and the connection closed in the middle of the answer
	Hang       Kind = "hang"        // no answer until the client gives up or the sandbox is closed
	Truncate   Kind = "truncate"    // the profile is accepted, and half of the answer's JSON sent as if it were whole
	Lie        Kind = "lie"         // 200 with one of many bodies that are not a success, though some look like it
	CodeIn200  Kind = "code"        // 200 with an ErrorCode
	Drip       Kind = "drip"        // the profile is accepted, and the answer sent a byte at a time
	Endless    Kind = "endless"     // the profile is accepted, and after the answer spaces without end
	Bomb       Kind = "bomb"        // the profile is accepted, and the answer a gzip of 1 MiB that unpacks to 1 GiB

	rateExceeded Kind = "rate"   // Config.Rate or Faults.Rate turned the request away
	outage       Kind = "outage" // Faults.Outage did
	revoked      Kind = "revoke" // Faults.Revoked did
)

// kinds returns every kind that may be asked for.
func kinds() []Kind {
	return []Kind{
		TooMany, TooManyUntil, InternalError, BadGateway, ServiceUnavailable, GatewayTimeout,
		DropBefore, DropAfter, DropDuring, Hang, Truncate, Lie, CodeIn200, Drip, Endless, Bomb,
	}
}

// status returns the HTTP status that the failure answers with, 0 when it is none.
func (k Kind) status() int {
	switch k {
	case TooMany, TooManyUntil, rateExceeded:
		return 429
	case InternalError:
		return 500
	case BadGateway:
		return 502
	case ServiceUnavailable, outage:
		return 503
	case GatewayTimeout:
		return 504
	}
	return 0
}

func (f *Faults) validate() error {
	if f.Latency < 0 || f.Jitter < 0 || f.Slow.For < 0 {
		return errors.New("latency, jitter and slow must not be negative")
	}
	if !isShare(f.Slow.Share) {
		return errors.New("the share of slow answers must be between 0 and 100 %")
	}
	if f.Outage.isNegative() || f.Revoked.isNegative() {
		return errors.New("outage and revoke must not be negative")
	}
	if f.Rate != (MovingRate{}) && !(f.Rate.Low > 0 && f.Rate.High >= f.Rate.Low && f.Rate.Period > 0) {
		return errors.New("the rate must be over 0, its second number not below the first, and its time over 0")
	}
	sum := 0.0
	for _, failure := range f.Failures {
		if !slices.Contains(kinds(), failure.Kind) {
			return unknownFault(string(failure.Kind))
		}
		if failure.Over < 0 {
			return fmt.Errorf("the time of %s must not be negative", failure.Kind)
		}
		if !isShare(failure.Share) || failure.First < 0 {
			return fmt.Errorf("the share of %s must be between 0 and 100 %%, its count 0 or more", failure.Kind)
		}
		sum += failure.Share
	}
	if sum > 1+1e-9 {
		return fmt.Errorf("the failures add up to %s %% of the requests; 100 %% is the most", formatPercent(sum))
	}
	return nil
}

func isShare(f float64) bool { return f >= 0 && f <= 1 && !math.IsNaN(f) }
