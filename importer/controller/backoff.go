package controller

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstBackoff = 500 * time.Millisecond // upper limit of the wait before the second attempt
	maxBackoff   = 30 * time.Second       // upper limit of the wait before any attempt
	maxPause     = time.Minute            // upper limit of the wait before a probe
	maxAskedFor  = 365 * 24 * time.Hour   // longest pause that the Controller can ask for

	longestOwnPause = time.Minute // longest pause that can be for one row alone
)

// backoff returns how long to wait after n failures (n from 1): a random time below
// a limit that doubles with each failure, up to most ("full jitter"). jitter is in
// [0,1).
func backoff(n int, most time.Duration, jitter float64) time.Duration {
	limit := most
	if doublings := n - 1; doublings < 16 {
		limit = min(most, firstBackoff<<doublings)
	}
	return time.Duration(jitter * float64(limit))
}

// pauseAskedFor returns the pause that an answer asks for, up to maxAskedFor; 0 for
// none. Retry-After has one in seconds or by a date. An answer without it that says
// that a limit is used up may have the end of it in X-RateLimit-Reset, as GitHub does,
// or RateLimit-Reset, as in the IETF's draft.
func pauseAskedFor(status int, header http.Header) time.Duration {
	if pause, ok := parsePause(header, header.Get("Retry-After")); ok {
		return pause
	}
	remaining := strings.TrimSpace(cmp.Or(header.Get("X-RateLimit-Remaining"), header.Get("RateLimit-Remaining")))
	switch {
	case remaining == "0" && (status == http.StatusForbidden || status == http.StatusServiceUnavailable):
	case (remaining == "0" || remaining == "") && status == http.StatusTooManyRequests:
	default: // many send these headers with every answer
		return 0
	}
	pause, _ := parsePause(header, cmp.Or(header.Get("X-RateLimit-Reset"), header.Get("RateLimit-Reset")))
	return pause
}

// Numbers from here on are not a number of seconds to wait, but a time since 1970.
const (
	leastUnix      = 5e8  // in seconds: 1985
	leastUnixMilli = 1e12 // in milliseconds
)

// parsePause returns the pause that a header's value asks for: a number of seconds, or
// the time when it ends. A time is compared with the answer's own, so that a wrong
// clock on either side does no harm.
func parsePause(header http.Header, value string) (pause time.Duration, ok bool) {
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	value = strings.TrimSpace(value)
	if value == "" || strings.Trim(value, "0123456789.") != "" { // some write 2.0
		until, err := http.ParseTime(value)
		return min(max(until.Sub(now), 0), maxAskedFor), err == nil
	}
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	if seconds >= leastUnixMilli {
		seconds /= 1000
	}
	if seconds >= leastUnix {
		seconds -= float64(now.UnixMilli()) / 1000
	}
	seconds = min(max(seconds, 0), maxAskedFor.Seconds())
	return time.Duration(seconds * float64(time.Second)), true
}
