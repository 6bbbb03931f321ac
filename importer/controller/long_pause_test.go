package controller_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/controller"
)

func patient(c *controller.Config) { c.MaxPause = 10 * time.Minute }

// TestLongPauseStopsTheRun: nobody waits for hours, nor asks before the time, and no
// row fails for it. Later the same plan is pushed.
func TestLongPauseStopsTheRun(t *testing.T) {
	const rows = 100
	answers := map[string][]string{
		"Retry-After":       {"Retry-After", "3600"},
		"a date":            {"Retry-After", "Sat, 01 Jan 2000 01:00:00 GMT"},
		"X-RateLimit-Reset": {"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "946688400"},
	}
	for name, header := range answers {
		for _, status := range []int{403, 429, 503} {
			m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
				time.Sleep(time.Millisecond)
				if n >= 20 && time.Now().Before(time.Unix(946688400, 0)) {
					return answered(status, "<html>", header...)
				}
				return success()
			}}
			virtual(t, m, patient, func(t *testing.T, client *controller.Client) {
				p := newPlan(rows)
				start := time.Now()
				err := pushPlan(t, client, p)
				var pause *importer.PauseError
				if !errors.As(err, &pause) || time.Since(start) > time.Second || pause.Until.Sub(start).Round(time.Second) != time.Hour {
					t.Fatalf("%d, %s: the run ended with %v after %v", status, name, err, time.Since(start))
				}
				if len(m.at) > 28 || p.counts[importer.StatusPushed] != 20 || p.counts[importer.StatusFailed] != 0 || p.counts[importer.StatusUnknown] > 8 {
					t.Errorf("%d, %s: %d requests, and %v", status, name, len(m.at), p.counts)
				}
				time.Sleep(time.Until(pause.Until))
				if err := pushPlan(t, client, p); err != nil || p.counts[importer.StatusPushed] != rows-20 {
					t.Errorf("%d, %s: later the run ended with %v and %v", status, name, err, p.counts)
				}
			})
		}
	}
}

// TestPauseWithinTheLimitIsWaitedFor to its end.
func TestPauseWithinTheLimitIsWaitedFor(t *testing.T) {
	m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
		if n == 0 {
			return answered(429, "", "Retry-After", "600")
		}
		return success()
	}}
	virtual(t, m, patient, func(t *testing.T, client *controller.Client) {
		answer, err := push(client)
		if err != nil || answer.Status != importer.StatusPushed || m.at[1].Sub(m.at[0]) < 10*time.Minute {
			t.Errorf("%+v, %v, requests at %v", answer, err, m.at)
		}
	})
}

// TestPausesWithoutEndStopTheRun: many pauses with no answer in between are one long one.
func TestPausesWithoutEndStopTheRun(t *testing.T) {
	for seconds, most := range map[int]int{240: 16 + 8, 600: 7 + 8, 2: 1000} {
		pause := strconv.Itoa(seconds)
		longest := time.Hour + time.Duration(seconds)*time.Second // the pause in which the hour ends is waited out
		m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
			if n < 20 {
				return success()
			}
			return answered(429, "", "Retry-After", pause)
		}}
		virtual(t, m, patient, func(t *testing.T, client *controller.Client) {
			p := newPlan(100)
			start := time.Now()
			err := pushPlan(t, client, p)
			stopped := errors.As(err, new(*importer.PauseError)) || errors.As(err, new(*importer.CircuitError))
			if took := time.Since(start); !stopped || took > longest || len(m.at) > 20+most {
				t.Errorf("%s: the run ended with %v after %v and %d requests: %v", pause, err, took, len(m.at), p.counts)
			}
			t.Logf("%s: %v after %v and %d requests: %v", pause, err, time.Since(start), len(m.at), p.counts)
		})
	}
}

// TestPausesBetweenAnswersAreNoLongPause: a limit that is reached again and again.
func TestPausesBetweenAnswersAreNoLongPause(t *testing.T) {
	m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
		if n%10 == 9 {
			return answered(429, "", "Retry-After", "300")
		}
		return success()
	}}
	virtual(t, m, patient, func(t *testing.T, client *controller.Client) {
		p := newPlan(300)
		start := time.Now()
		if err := pushPlan(t, client, p); err != nil || p.counts[importer.StatusPushed] != 300 || time.Since(start) < 2*time.Hour {
			t.Errorf("the run ended with %v after %v: %v", err, time.Since(start), p.counts)
		}
	})
}

// TestLongPauseBeforeTheRun: the list of user types is turned away.
func TestLongPauseBeforeTheRun(t *testing.T) {
	m := &inMemory{answer: func(int, *http.Request) (*http.Response, error) { return answered(429, "", "Retry-After", "3600.5") }}
	virtual(t, m, patient, func(t *testing.T, client *controller.Client) {
		_, err := client.UserTypes(t.Context())
		want := time.Date(2000, 1, 1, 1, 0, 1, 0, time.UTC).Local().Format("2006-01-02 15:04:05 MST")
		if !errors.As(err, new(*importer.PauseError)) || !strings.Contains(err.Error(), "asks to wait until "+want) || len(m.at) != 1 {
			t.Errorf("error %v after %d requests, want until %s", err, len(m.at), want)
		}
	})
}
