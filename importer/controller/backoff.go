package controller

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstBackoff  = 500 * time.Millisecond // upper limit of the wait before the second attempt
	maxBackoff    = 30 * time.Second       // upper limit of the wait before any attempt
	maxPause      = time.Minute            // upper limit of the wait before a probe
	maxRetryAfter = 5 * time.Minute        // longest Retry-After that is obeyed
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

// retryAfter returns the pause that the header Retry-After asks for, in seconds or
// by a date, at most maxRetryAfter; 0 if there is no valid one. A date is compared
// with the answer's own date, so that a wrong clock on either side does no harm.
func retryAfter(header http.Header) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789.") == "" { // some write 2.0
		seconds, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil && !errors.Is(err, strconv.ErrRange):
			return 0
		case seconds > maxRetryAfter.Seconds():
			return maxRetryAfter
		}
		return time.Duration(seconds * float64(time.Second))
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(until.Sub(now), 0), maxRetryAfter)
}
