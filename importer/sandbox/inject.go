package sandbox

import (
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// injectedFault is what the sandbox does to one request.
type injectedFault struct {
	kind   Kind // "" for nothing but the delay
	delay  time.Duration
	over   time.Duration // for Drip: how long the answer takes to arrive
	answer answer        // in place of the Controller's
}

// drawFault returns the fault of the request with this number, counted from 1,
// which arrived so long after the first.
func (s *Sandbox) drawFault(number int64, age time.Duration, entry Entry) injectedFault {
	switch faults := &s.config.Faults; {
	case faults.Outage.contains(number, age):
		return injectedFault{kind: outage, answer: pageAnswer(http.StatusServiceUnavailable)}
	case !s.allows(age):
		a := pageAnswer(http.StatusTooManyRequests)
		a.retryAfter = "1"
		return injectedFault{kind: rateExceeded, answer: a}
	case faults.Revoked.contains(number, age):
		return injectedFault{kind: revoked, answer: notPermitted()}
	}
	return s.faults.next(entry)
}

// allows reports whether the rate limit permits a request so long after the first.
func (s *Sandbox) allows(age time.Duration) bool {
	if s.limiter == nil {
		return true
	}
	if moving := s.config.Faults.Rate; moving != (MovingRate{}) {
		limit := moving.at(age)
		s.limiter.SetLimit(rate.Limit(limit))
		s.limiter.SetBurst(max(1, int(limit)))
	}
	return s.limiter.Allow()
}

// faultSource draws the faults of requests.
type faultSource struct {
	faults Faults
	seed   uint64

	mu    sync.Mutex
	sends map[Key]int // pushes of each key so far
}

func newFaultSource(faults Faults, seed uint64) *faultSource {
	return &faultSource{faults: faults, seed: seed, sends: make(map[Key]int)}
}

// next draws the fault of another request with the entry's key.
func (f *faultSource) next(entry Entry) injectedFault {
	if f.faults.Jitter == 0 && f.faults.Slow.Share == 0 && len(f.faults.Failures) == 0 {
		return injectedFault{delay: f.faults.Latency}
	}
	f.mu.Lock()
	f.sends[entry.Key]++
	send := f.sends[entry.Key]
	f.mu.Unlock()

	random := rand.New(rand.NewPCG(f.seed, hashSend(entry.Key, send)))
	fault := injectedFault{delay: f.faults.Latency + time.Duration(random.Float64()*float64(f.faults.Jitter))}
	if random.Float64() < f.faults.Slow.Share {
		fault.delay = f.faults.Slow.For
	}
	if entry.Call != PushCall {
		return fault
	}
	if failure := f.failure(send, random.Float64()); failure != nil {
		fault.kind, fault.over = failure.Kind, failure.Over
		fault.answer = failure.answer(random)
	}
	return fault
}

// hashSend returns a hash of the nth push of a key.
func hashSend(key Key, n int) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, key.LoginSource+"\x00"+key.UniqueID+"\x00"+strconv.Itoa(n)) // a hash never fails
	return h.Sum64()
}

// failure returns the failure of a key's nth push, counted from 1; nil for none. The
// draw is evenly distributed over 0 to 1.
func (f *faultSource) failure(n int, draw float64) *Failure {
	for i := range f.faults.Failures {
		failure := &f.faults.Failures[i]
		if n <= failure.First {
			return failure
		}
		n -= failure.First
	}
	for i := range f.faults.Failures {
		failure := &f.faults.Failures[i]
		if draw < failure.Share {
			return failure
		}
		draw -= failure.Share
	}
	return nil
}

// answer returns the answer in place of the Controller's; none for a failure that
// cuts the connection or the Controller's own answer.
func (f *Failure) answer(random *rand.Rand) answer {
	behavior, _ := f.Kind.behavior()
	switch {
	case f.Kind == CodeIn200:
		return errorAnswer(http.StatusOK, f.Code, "The profile was not accepted.")
	case f.Kind == Lie:
		all := falseSuccesses()
		return all[random.IntN(len(all))]
	case behavior.status == 0:
		return answer{}
	}
	a := pageAnswer(behavior.status)
	switch {
	case f.RetryAfter == 0:
	case f.Kind == TooManyUntil:
		a.retryAfter = time.Now().Add(f.RetryAfter).UTC().Format(http.TimeFormat)
	default:
		a.retryAfter = strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10)
	}
	return a
}

// pageAnswer returns the HTML page of a proxy in front of the Controller.
func pageAnswer(status int) answer {
	const page = "<!DOCTYPE html>\n<html><head><title>%[1]d %[2]s</title></head>\n<body><h1>%[1]d %[2]s</h1></body></html>\n"
	return answer{status: status, contentType: htmlType, body: fmt.Appendf(nil, page, status, http.StatusText(status))}
}

// falseSuccesses returns answers with status 200 that are not the documented success.
func falseSuccesses() []answer {
	bodies := []string{
		``,
		`null`,
		`"success"`,
		`{}`,
		`{"status":"success"}`,
		`{"status":"success","reference_id":null}`,
		`{"status":"success","reference_id":""}`,
		`{"status":"success","reference_id":true}`,
		`{"status":"success","reference_id":{"id":7}}`,
		`{"status":true,"reference_id":7}`,
		`{"status":"pending","reference_id":7}`,
		`{"reference_id":7}`,
		`{"status":"failure","status":"success","reference_id":7}`,
		`{"status":"success","reference_id":7,"reference_id":8}`,
		`[{"status":"success","reference_id":7}]`,
		`{"status":"success","reference_id":7}{"status":"success","reference_id":8}`,
	}
	page := pageAnswer(http.StatusOK)
	all := []answer{page}
	for _, body := range bodies {
		all = append(all, answer{status: http.StatusOK, contentType: jsonType, body: []byte(body)})
	}
	return all
}
