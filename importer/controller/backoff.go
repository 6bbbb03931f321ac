package controller

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstBackoff  = 500 * time.Millisecond // upper end of the first wait before another attempt
	maxBackoff    = 30 * time.Second       // upper end of every later one
	maxPause      = time.Minute            // upper end of the waits between probes
	maxRetryAfter = 5 * time.Minute        // what a Retry-After may ask for
)

// backoff returns how long to wait after n failures (n from 1): a random time up
// to a limit that doubles with each, up to most ("full jitter"). jitter is in [0,1).
func backoff(n int, most time.Duration, jitter float64) time.Duration {
	limit := most
	if doublings := n - 1; doublings < 16 {
		limit = min(most, firstBackoff<<doublings)
	}
	return time.Duration(jitter * float64(limit))
}

// retryAfter returns what the header Retry-After asks for, as seconds or as a
// date, at most maxRetryAfter; 0 when there is none that makes sense. A date is
// held against the answer's own, so that a wrong clock on either side does no harm.
func retryAfter(header http.Header) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if isDigits(value) {
		seconds, err := strconv.Atoi(value)
		if err != nil || seconds > int(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
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

// isDigits reports whether text is made of the digits 0 to 9 alone.
func isDigits(text string) bool {
	return strings.Trim(text, "0123456789") == ""
}
