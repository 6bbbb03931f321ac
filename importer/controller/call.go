package controller

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"strings"
	"time"

	"opscom-import/importer"
)

const (
	maxBody   = 128 << 10 // most bytes that are read of an answer's body; up to 1 MiB on the wire, in chunks of a byte
	keptBody  = 16 << 10  // largest buffer for bodies, in bytes, that is kept for another answer
	maxHeader = 64 << 10  // most bytes of an answer's header
)

// callResult is the result of a call, after as many attempts as it took.
type callResult struct {
	last          attemptResult
	attempts      int
	sameEachTime  bool // every attempt ended like the last
	maybeReceived bool // the Controller may have received an attempt that it did not answer
	canceled      bool // a context was done, or the Controller asked for too long a pause, before there was an answer

	pausedUntil time.Time // the end of that pause; zero if there is none
	noTurns     error     // why there was no turn for an attempt, and will be none; nil otherwise
}

// status returns the status of a profile that has no answer.
func (r callResult) status() importer.Status {
	switch {
	case !r.canceled && r.last.class != refused:
		return importer.StatusFailed
	case r.maybeReceived:
		return importer.StatusUnknown
	}
	return importer.StatusNotSent
}

// callWithRetries sends a request until there is a usable answer, maxAttempts are
// made, or it is canceled: fetchCtx prevents another attempt, workCtx also aborts
// the one in flight. An attempt on a connection that turns out to be closed is
// followed by one on a new connection, and one with a token that was replaced by one
// with the new token; these come on top of maxAttempts. An attempt that could not be
// sent in its turn waits for another one, and fails after mostTurnsLost. tail follows the
// token in the body. onRetry is called once, before the wait for the attempt after the first failure.
func (c *Client) callWithRetries(fetchCtx, workCtx context.Context, e *endpoint, tail []byte, maxAttempts int, success func(document) error, onRetry func()) callResult {
	r := callResult{sameEachTime: true}
	var token *credential
	var body []byte
	atOnce := false // the attempt costs neither a pause nor one of the attempts
	turnsLost := 0  // by the attempt that is to be made
	for failures := 0; ; {
		permit, ok := c.pacer.acquire(fetchCtx, workCtx, failures > 0 && !atOnce && turnsLost == 0)
		if !ok {
			r.canceled, r.noTurns = true, c.pacer.refusal()
			return r
		}
		if now := c.credentials.current.Load(); now != token {
			token, body = now, e.body(now, tail)
			tail = body[len(body)-len(tail):] // not the caller's, which may be part of something larger
		}
		a := c.attempt(workCtx, e, token, body, r.last.feedback == stale, permit.notAfter, success)
		var ownPause time.Duration
		ownPause, r.pausedUntil = c.pacer.release(permit, a.feedback, a.retryAfter)
		if a.feedback == late {
			if turnsLost++; turnsLost < mostTurnsLost {
				continue
			}
		}
		turnsLost = 0
		r.sameEachTime = r.sameEachTime && (r.attempts == 0 || a.event == r.last.event)
		r.attempts++
		renewed := a.class == refused && a.rule.ofToken && c.credentials.renew(token)
		if renewed {
			a.class = retryable
		}
		r.last = a
		if a.class != retryable {
			return r
		}
		r.maybeReceived = r.maybeReceived || !a.notReceived
		r.canceled = a.feedback == canceled || !r.pausedUntil.IsZero()
		if atOnce = renewed || a.feedback == stale; atOnce {
			continue
		}
		failures++
		if r.canceled || failures == maxAttempts {
			return r
		}
		if failures == 1 {
			onRetry()
		}
		if !sleep(fetchCtx, workCtx, max(ownPause, backoff(failures, maxBackoff, c.jitter())), nil) {
			r.canceled = true
			return r
		}
	}
}

// mostTurnsLost is how many turns an attempt loses, because it could not be sent in time, until
// it has failed: nobody would learn otherwise of a Controller that takes long to connect to and
// ends each connection before the next turn. It says nothing of the Controller to the pacer: this
// machine may be too busy.
const mostTurnsLost = 5

const missedTurns = "the request missed its turns of the shared rate limit, because connections end too soon or this machine is too busy"

// attempt sends one request, on a new connection if fresh is true, and classifies
// the answer. It is sent no later than notAfter, if that is not zero.
func (c *Client) attempt(workCtx context.Context, e *endpoint, token *credential, body []byte, fresh bool, notAfter time.Time, success func(document) error) attemptResult {
	a := c.roundTrip(workCtx, e, body, fresh, notAfter, success)
	if a.class == accepted {
		token.accepted.Store(true)
	} else if a.class == refused && token.accepted.Load() {
		if rule, ok := ruleAfterSuccess(a.status); ok {
			a.class, a.rule = rejected, rule
		}
	}
	switch {
	case a.class == accepted && e == c.push:
		a.feedback = pushed
	case a.class != retryable:
		a.feedback = answered
	case a.feedback != late && workCtx.Err() != nil:
		a.feedback = canceled
	}
	return a
}

// roundTrip sends one request and classifies what comes of it.
func (c *Client) roundTrip(workCtx context.Context, e *endpoint, body []byte, fresh bool, notAfter time.Time, success func(document) error) attemptResult {
	buffer := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(buffer)
	x := c.exchanger.exchange(workCtx, e, body, fresh, notAfter, (*buffer)[:0])
	if x.late {
		return attemptResult{class: retryable, notReceived: true, feedback: late, event: missedTurns}
	}
	if x.err != nil {
		a, atProxy := c.classifyProxyError(x)
		if !atProxy {
			a = c.classifyTransportError(x)
		}
		if x.isStale() {
			a.feedback = stale
		}
		return a
	}
	if cap(x.body) <= keptBody {
		*buffer = x.body
	}
	return c.throughProxy(classify(x.status, x.header, x.body, x.problem, success), x.status)
}

// decompress returns the content of a body with these values of Content-Encoding;
// problem says why it cannot be used. No compression is asked for, but some servers
// and proxies use gzip regardless. The content may be as large as any body.
func decompress(encodings []string, body []byte) (content []byte, problem string) {
	compressed := false
	for encoding := range strings.SplitSeq(strings.ToLower(strings.Join(encodings, ",")), ",") {
		switch encoding = strings.TrimSpace(encoding); {
		case encoding == "" || encoding == "identity":
		case (encoding == "gzip" || encoding == "x-gzip") && !compressed:
			compressed = true
		default:
			return nil, "a body that is compressed as " + encoding + ", which was not requested"
		}
	}
	if !compressed || len(body) == 0 {
		return body, ""
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(body))
	if err == nil {
		content, err = io.ReadAll(io.LimitReader(unpacked, maxBody))
	}
	switch {
	case len(content) == maxBody:
		return nil, "a body that is too large"
	case err != nil:
		return nil, "a body that is not the gzip that it is said to be"
	}
	return content, ""
}
