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

// mishap is what befalls one request.
type injectedFault struct {
	kind   Kind // "" for nothing but the delay
	delay  time.Duration
	over   time.Duration // of Drip: how long the answer takes to arrive
	answer answer        // what is said in the Controller's place
}

// reachesController reports whether the Controller gets to see the request.
func (m injectedFault) reachesController() bool {
	switch m.kind {
	case "", DropAfter, DropDuring, Truncate, Drip, Endless, Bomb:
		return true
	}
	return false
}

// answers reports whether a whole answer is meant to leave.
func (m injectedFault) answers() bool {
	switch m.kind {
	case DropBefore, DropAfter, DropDuring, Hang, Truncate, Endless, Bomb:
		return false
	}
	return true
}

// mishap returns what befalls the request with this number, counted from 1, that
// came so long after the first.
func (s *Sandbox) drawFault(number int64, age time.Duration, entry Entry) injectedFault {
	switch faults := &s.config.Faults; {
	case faults.Outage.contains(number, age):
		return injectedFault{kind: outage, answer: pageAnswer(outage.status())}
	case !s.allows(age):
		a := pageAnswer(rateExceeded.status())
		a.retryAfter = "1"
		return injectedFault{kind: rateExceeded, answer: a}
	case faults.Revoked.contains(number, age):
		return injectedFault{kind: revoked, answer: errorAnswer(http.StatusUnauthorized, apiError{9002, "The API token may not make this call."})}
	}
	return s.faults.next(entry)
}

// allows reports whether the limit has room for a request so long after the first.
func (s *Sandbox) allows(age time.Duration) bool {
	if s.limiter == nil {
		return true
	}
	if swing := s.config.Faults.Rate; swing != (MovingRate{}) {
		limit := swing.at(age)
		s.limiter.SetLimit(rate.Limit(limit))
		s.limiter.SetBurst(max(1, int(limit)))
	}
	return s.limiter.Allow()
}

// faultDraw draws the faults of the requests.
type faultSource struct {
	faults Faults
	seed   uint64

	mu    sync.Mutex
	sends map[Key]int // of each key so far
}

func newFaultSource(faults Faults, seed uint64) *faultSource {
	return &faultSource{faults: faults, seed: seed, sends: make(map[Key]int)}
}

// next draws what befalls one more request with the entry's key.
func (d *faultSource) next(entry Entry) injectedFault {
	if d.faults.Jitter == 0 && d.faults.Slow.Share == 0 && len(d.faults.Failures) == 0 {
		return injectedFault{delay: d.faults.Latency}
	}
	d.mu.Lock()
	d.sends[entry.Key]++
	send := d.sends[entry.Key]
	d.mu.Unlock()

	random := rand.New(rand.NewPCG(d.seed, hashSend(entry.Key, send)))
	m := injectedFault{delay: d.faults.Latency + time.Duration(random.Float64()*float64(d.faults.Jitter))}
	if random.Float64() < d.faults.Slow.Share {
		m.delay = d.faults.Slow.For
	}
	if entry.Call != PushCall {
		return m
	}
	if failure := d.failure(send, random.Float64()); failure != nil {
		m.kind, m.over = failure.Kind, failure.Over
		m.answer = failure.answer(random)
	}
	return m
}

// hashSend tells one send of one key from every other.
func hashSend(key Key, send int) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, key.LoginSource+"\x00"+key.UniqueID+"\x00"+strconv.Itoa(send)) // a hash never fails
	return h.Sum64()
}

// failure returns the failure that meets a key's send, counted from 1; nil for
// none. The draw is evenly spread over 0 to 1.
func (d *faultSource) failure(send int, draw float64) *Failure {
	for i := range d.faults.Failures {
		f := &d.faults.Failures[i]
		if send <= f.First {
			return f
		}
		send -= f.First
	}
	for i := range d.faults.Failures {
		f := &d.faults.Failures[i]
		if draw < f.Share {
			return f
		}
		draw -= f.Share
	}
	return nil
}

// answer returns what the failure says in the Controller's place; nothing for
// one that cuts the connection or the Controller's own answer.
func (f *Failure) answer(random *rand.Rand) answer {
	switch {
	case f.Kind == CodeIn200:
		return errorAnswer(http.StatusOK, apiError{f.Code, "The profile was not accepted."})
	case f.Kind == Lie:
		all := falseSuccesses()
		return all[random.IntN(len(all))]
	case f.Kind.status() == 0:
		return answer{}
	}
	a := pageAnswer(f.Kind.status())
	switch {
	case f.RetryAfter == 0:
	case f.Kind == TooManyUntil:
		a.retryAfter = time.Now().Add(f.RetryAfter).UTC().Format(http.TimeFormat)
	default:
		a.retryAfter = strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10)
	}
	return a
}

// pageAnswer is the page that a proxy in front of the Controller shows.
func pageAnswer(status int) answer {
	const page = "<!DOCTYPE html>\n<html><head><title>%[1]d %[2]s</title></head>\n<body><h1>%[1]d %[2]s</h1></body></html>\n"
	return answer{status: status, contentType: htmlType, body: fmt.Appendf(nil, page, status, http.StatusText(status))}
}

// lies returns answers with status 200 that are not the documented success.
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
