package sandbox

import (
	"errors"
	"fmt"
	"math"
	"time"

	"opscom-import/mapping"
)

// Faults says how a sandbox misbehaves. The zero Faults has no faults. ParseFaults
// reads one from text.
//
// Delays, windows and the rate affect every request, failures only pushes. A failure
// depends on the seed, the profile's key and how often that key was sent before,
// so neither on time nor on the order of requests.
type Faults struct {
	Latency time.Duration // before every answer, after the request was processed
	Jitter  time.Duration // up to this much more, evenly distributed
	Slow    Slow
	Outage  Window // every request is answered with 503
	Revoked Window // the token is not permitted to make any call (9002)
	Rate    MovingRate

	// Require lists the attributes that a person must have after a push, as a site
	// may demand.
	Require []mapping.Attribute

	// Failures are the ways in which a push fails. A request gets at most one of
	// them: those of the first pushes one after the other, in this order; the shares
	// of the others add up to 1 at most.
	Failures []Failure
}

// Slow makes some answers slow.
type Slow struct {
	Share float64       // of all requests, 0 to 1
	For   time.Duration // in place of latency and jitter
}

// Window says during which requests something happens: by number, by time, or
// never (the zero Window).
type Window struct {
	From, Length int64         // so many requests from number From on; the sandbox's first is number 1
	After, For   time.Duration // or for so long, starting so long after the first request
}

// contains reports whether the window contains the request with this number, which
// arrived so long after the first.
func (w Window) contains(number int64, age time.Duration) bool {
	return number >= w.From && number-w.From < w.Length || age >= w.After && age-w.After < w.For
}

func (w Window) isNegative() bool { return min(w.From, w.Length, int64(w.After), int64(w.For)) < 0 }

// MovingRate is a limit of requests a second that rises from Low to High and falls
// again, linearly, once in each Period. The zero MovingRate is no limit.
type MovingRate struct {
	Low, High float64 // requests a second
	Period    time.Duration
}

// at returns the limit so long after the first request.
func (m MovingRate) at(age time.Duration) float64 {
	phase := float64(age%m.Period) / float64(m.Period) // 0 to 1
	return m.Low + (m.High-m.Low)*(1-math.Abs(2*phase-1))
}

// Failure is one way in which a push fails, and how often it does.
type Failure struct {
	Kind       Kind
	Share      float64       // of the pushes, 0 to 1
	First      int           // or instead of Share: the first so many pushes of every key
	RetryAfter time.Duration // for an HTTP status: the Retry-After header, 0 for none
	Code       int           // for CodeIn200: the ErrorCode
	Over       time.Duration // for Drip: how long the answer takes to arrive
}

// Kind is a kind of failure. Its text is its name in ParseFaults and in an Entry.
type Kind string

// The kinds of failures.
const (
	TooMany            Kind = "429"      // HTTP 429; Retry-After in seconds
	TooManyUntil       Kind = "429-date" // HTTP 429; Retry-After as a date
	InternalError      Kind = "500"      // HTTP 500, an HTML page
	BadGateway         Kind = "502"      // HTTP 502, an HTML page
	ServiceUnavailable Kind = "503"      // HTTP 503, an HTML page
	GatewayTimeout     Kind = "504"      // HTTP 504, an HTML page

	DropBefore Kind = "drop-before" // the connection is reset before the Controller sees the request
	DropAfter  Kind = "drop-after"  // the profile is accepted, and the connection closed without an answer
	DropDuring Kind = "drop-during" // the profile is accepted, and the connection closed in the middle of the answer
	Hang       Kind = "hang"        // no answer until the client gives up or the sandbox is closed
	Truncate   Kind = "truncate"    // the profile is accepted, and half of the answer sent as if it were complete
	Lie        Kind = "lie"         // 200 with one of many bodies that are not a success, though some look like it
	CodeIn200  Kind = "code"        // 200 with an ErrorCode
	Drip       Kind = "drip"        // the profile is accepted, and the answer sent byte by byte
	Endless    Kind = "endless"     // the profile is accepted, and the answer followed by endless spaces
	Bomb       Kind = "bomb"        // the profile is accepted, and the answer a gzip of 1 MiB that expands to 1 GiB

	rateExceeded Kind = "rate"   // by Config.Rate or Faults.Rate
	outage       Kind = "outage" // by Faults.Outage
	revoked      Kind = "revoke" // by Faults.Revoked
)

// behavior says what happens to a request with a failure of a kind.
type behavior struct {
	status    int  // the HTTP status that is answered, 0 for none
	processed bool // the Controller processes the request
	delivered bool // a complete answer is sent
}

// behaviors has the kinds that ParseFaults knows, in the order of its messages.
var behaviors = []struct {
	kind Kind
	behavior
}{
	{TooMany, behavior{429, false, true}},
	{TooManyUntil, behavior{429, false, true}},
	{InternalError, behavior{500, false, true}},
	{BadGateway, behavior{502, false, true}},
	{ServiceUnavailable, behavior{503, false, true}},
	{GatewayTimeout, behavior{504, false, true}},
	{DropBefore, behavior{0, false, false}},
	{DropAfter, behavior{0, true, false}},
	{DropDuring, behavior{0, true, false}},
	{Hang, behavior{0, false, false}},
	{Truncate, behavior{0, true, false}},
	{Lie, behavior{0, false, true}},
	{CodeIn200, behavior{0, false, true}},
	{Drip, behavior{0, true, true}},
	{Endless, behavior{0, true, false}},
	{Bomb, behavior{0, true, false}},
}

// behavior returns what happens to a request with a failure of this kind; known is
// false for a kind that ParseFaults does not know.
func (k Kind) behavior() (b behavior, known bool) {
	if k == "" {
		return behavior{processed: true, delivered: true}, false
	}
	for i := range behaviors {
		if behaviors[i].kind == k {
			return behaviors[i].behavior, true
		}
	}
	return behavior{delivered: true}, false // rateExceeded, outage, revoked
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
		if _, known := failure.Kind.behavior(); !known {
			return f.unknownFault(string(failure.Kind))
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
