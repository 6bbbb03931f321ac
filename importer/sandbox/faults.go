package sandbox

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Faults says how a sandbox misbehaves. The zero Faults is a Controller without
// fault. ParseFaults reads one from text.
//
// Delays and the outage meet every request; the failures meet pushes only. A
// failure is drawn from the seed, the profile's key and how often that key has
// been sent, so that it depends neither on time nor on the order of requests.
type Faults struct {
	Latency time.Duration // before every answer, once the Controller has done its work
	Jitter  time.Duration // up to so much more, evenly spread
	Slow    Slow
	Outage  Outage

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

// Outage turns requests away with 503: Length of them from number From on, where
// the first request that the sandbox gets is number 1.
type Outage struct {
	From, Length int64
}

// Failure is one way in which a push goes wrong, and how often it does.
type Failure struct {
	Kind       Kind
	Share      float64       // of the pushes, 0 to 1
	First      int           // or in place of Share: of every key, the first so many sends
	RetryAfter time.Duration // of an HTTP status: what its Retry-After header says; 0 for none
	Code       int           // of CodeIn200: the ErrorCode
}

// Kind is a kind of failure. Its text is its name in ParseFaults and in an Entry.
type Kind string

// The kinds of failures. Only after DropAfter, DropDuring and Truncate has the
// profile been accepted.
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
	Lie        Kind = "lie"         // 200 with one of many bodies that are no success, though some look like it
	CodeIn200  Kind = "code"        // 200 with an ErrorCode

	rateExceeded Kind = "rate"   // Config.Rate turned the request away
	outage       Kind = "outage" // Faults.Outage did
)

// kinds returns every kind that may be asked for.
func kinds() []Kind {
	return []Kind{
		TooMany, TooManyUntil, InternalError, BadGateway, ServiceUnavailable, GatewayTimeout,
		DropBefore, DropAfter, DropDuring, Hang, Truncate, Lie, CodeIn200,
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
	if f.Outage.From < 0 || f.Outage.Length < 0 {
		return errors.New("the outage must not be negative")
	}
	sum := 0.0
	for _, failure := range f.Failures {
		if !slices.Contains(kinds(), failure.Kind) {
			return unknownFault(string(failure.Kind))
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
