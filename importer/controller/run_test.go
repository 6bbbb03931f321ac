package controller_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/controller"
)

// plan is a stored plan, in memory.
type plan struct {
	mu      sync.Mutex
	waiting []importer.Job
	counts  importer.Counts
}

func newPlan(rows int) *plan {
	p := &plan{counts: importer.Counts{}}
	for row := range rows {
		p.waiting = append(p.waiting, jobOf(row))
	}
	return p
}

func jobOf(row int) importer.Job {
	return importer.Job{Row: row, Payload: fmt.Appendf(nil, `{"unique_id":"%d","login_source":"SSO"}`, row)}
}

func (p *plan) Claim(_ context.Context, most int) ([]importer.Job, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(most, len(p.waiting))
	jobs := p.waiting[:n]
	p.waiting = p.waiting[n:]
	return jobs, nil
}

func (p *plan) Record(_ context.Context, outcomes []importer.Outcome) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range outcomes {
		p.counts[o.Status]++
		if o.Retry {
			p.waiting = append(p.waiting, jobOf(o.Row))
		}
	}
	return nil
}

func (*plan) NextRound() bool { return false }

// pushPlan pushes what waits, with the settings that the program has by itself.
func pushPlan(t *testing.T, client *controller.Client, p *plan) error {
	p.counts = importer.Counts{}
	pusher := importer.Pusher{Queue: p, Controller: client, Workers: 8, MaxFailures: 20}
	return pusher.Push(t.Context(), t.Context())
}

func usual(c *controller.Config) { c.Rate, c.Burst = 10, 1 }

// outages returns the ways in which a Controller can be away.
func outages() map[string]func(*http.Request) (*http.Response, error) {
	return map[string]func(*http.Request) (*http.Response, error){
		"502":        func(*http.Request) (*http.Response, error) { return answered(502, "<html>") },
		"503":        func(*http.Request) (*http.Response, error) { return answered(503, "<html>") },
		"503, pause": func(*http.Request) (*http.Response, error) { return answered(503, "", "Retry-After", "120") },
		"429":        func(*http.Request) (*http.Response, error) { return answered(429, "") },
		"a page":     func(*http.Request) (*http.Response, error) { return answered(200, "<html>Maintenance</html>") },
		"cut":        func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"nobody there": func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		},
		"no such name": func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: "controller.example"}}
		},
		"hangs": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
	}
}

// TestNothingIsLostInAnOutage has the Controller away for an hour, and gives the
// same command again whenever the run has stopped, until every row is pushed.
func TestNothingIsLostInAnOutage(t *testing.T) {
	const rows = 3000 // five minutes
	for name, outage := range outages() {
		t.Run(name, func(t *testing.T) {
			var start time.Time
			m := &inMemory{}
			m.answer = func(_ int, r *http.Request) (*http.Response, error) {
				time.Sleep(20 * time.Millisecond)
				if since := time.Since(start); since > time.Minute && since < time.Minute+time.Hour {
					return outage(r)
				}
				return success()
			}
			virtual(t, m, usual, func(t *testing.T, client *controller.Client) {
				start = time.Now()
				p := newPlan(rows)
				pushed, commands := 0, 0
				for len(p.waiting) > 0 && commands < 20 {
					err := pushPlan(t, client, p)
					commands++
					pushed += p.counts[importer.StatusPushed]
					stopped := errors.As(err, new(*importer.CircuitError))
					if err != nil && !stopped || stopped != (len(p.waiting) > 0) {
						t.Fatalf("the run ended with %v, %d rows wait", err, len(p.waiting))
					}
					if stopped {
						time.Sleep(10 * time.Minute)
					}
				}
				if pushed != rows {
					t.Errorf("%d of %d rows are pushed after %d commands", pushed, rows, commands)
				}
				if share := float64(len(m.at)) / rows; share > 1.1 {
					t.Errorf("%.3f requests a row, want at most 1.1", share)
				}
				t.Logf("%.3f requests a row, %d commands, %v", float64(len(m.at))/rows, commands, time.Since(start).Round(time.Second))
			})
		})
	}
}

// TestWaitsAreToldForWhatTheyAre has a Controller that is away in one way, and
// reads what a person is told of the wait.
func TestWaitsAreToldForWhatTheyAre(t *testing.T) {
	for name, want := range map[string]string{
		"502": "The Controller does not answer", "cut": "The Controller does not answer",
		"503": "The Controller is turning requests away", "429": "The Controller is turning requests away",
		"503, pause": "The Controller asks for a pause",
	} {
		var mu sync.Mutex
		told := map[string]int{}
		m := &inMemory{answer: func(_ int, r *http.Request) (*http.Response, error) { return outages()[name](r) }}
		listen := func(c *controller.Config) {
			usual(c)
			c.OnWait = func(w controller.Wait) {
				mu.Lock()
				defer mu.Unlock()
				told[w.Reason]++
			}
		}
		virtual(t, m, listen, func(t *testing.T, client *controller.Client) {
			if err := pushPlan(t, client, newPlan(50)); !errors.As(err, new(*importer.CircuitError)) {
				t.Errorf("%s: the run ended with %v", name, err)
			}
			if len(told) != 1 || told[want] == 0 {
				t.Errorf("%s: told of %v, want %q alone", name, told, want)
			}
		})
	}
}

// TestRevokedTokenEndsTheRun takes the token away in the middle of a run.
func TestRevokedTokenEndsTheRun(t *testing.T) {
	const rows, good, workers = 500, 50, 8
	for name, refusal := range map[string]func() (*http.Response, error){
		"401": func() (*http.Response, error) { return answered(401, "") },
		"407": func() (*http.Response, error) { return answered(407, "<html>Proxy</html>") },
		"302": func() (*http.Response, error) { return answered(302, "", "Location", "https://elsewhere.example/") },
		"9000": func() (*http.Response, error) {
			return answered(200, `{"ErrorCode":9000,"ErrorMessage":"Client code is missing."}`)
		},
		"9001":          func() (*http.Response, error) { return answered(401, `{"ErrorCode":"9001"}`) },
		"9002 in a 200": func() (*http.Response, error) { return answered(200, `{"ErrorCode":9002}`) },
		"9002 in a 503": func() (*http.Response, error) { return answered(503, `{"ErrorCode":9002}`, "Retry-After", "60") },
	} {
		t.Run(name, func(t *testing.T) {
			m := &inMemory{}
			m.answer = func(n int, _ *http.Request) (*http.Response, error) {
				time.Sleep(time.Duration(20+n%7) * time.Millisecond)
				if n >= good {
					return refusal()
				}
				return success()
			}
			virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
				p := newPlan(rows)
				err := pushPlan(t, client, p)
				if refused := new(importer.RefusedError); !errors.As(err, &refused) || refused.Code != name[:len(refused.Code)] {
					t.Errorf("the run ended with %v", err)
				}
				if more := len(m.at) - good; more > workers {
					t.Errorf("%d requests after the token was revoked, want at most %d", more, workers)
				}
				if p.counts[importer.StatusPushed] != good || p.counts[importer.StatusFailed] > workers || len(p.waiting) != rows-good {
					t.Errorf("outcomes %v, and %d of %d rows wait", p.counts, len(p.waiting), rows)
				}
				if others := p.counts.Sum() - p.counts[importer.StatusPushed] - p.counts[importer.StatusFailed]; p.counts[importer.StatusNotSent] != others {
					t.Errorf("outcomes %v, want every other row not sent", p.counts)
				}
				synctest.Wait()
			})
		})
	}
}

// TestFirewallRejectsRowsAlone has something before the Controller refuse one row in
// fifty, with every status that it may use. Only those rows are rejected, and the
// run goes on.
func TestFirewallRejectsRowsAlone(t *testing.T) {
	const rows, each = 500, 50
	for status := 400; status < 500; status++ {
		switch status {
		case 401, 407, 408, 425, 429:
			continue // about the token, a proxy, or not now
		}
		m := &inMemory{answer: func(_ int, r *http.Request) (*http.Response, error) {
			time.Sleep(20 * time.Millisecond)
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			text, err := io.ReadAll(body)
			if err != nil {
				return nil, err
			}
			if strings.Contains(string(text), `49"`) || strings.Contains(string(text), `99"`) {
				return answered(status, "<html>Request blocked</html>")
			}
			return success()
		}}
		virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
			p := newPlan(rows)
			if err := pushPlan(t, client, p); err != nil {
				t.Errorf("%d: the run ended with %v", status, err)
			}
			if p.counts[importer.StatusRejected] != rows/each || p.counts[importer.StatusPushed] != rows-rows/each {
				t.Errorf("%d: outcomes %v, want %d rejected and the others pushed", status, p.counts, rows/each)
			}
			if len(m.at) != rows {
				t.Errorf("%d: %d requests for %d rows", status, len(m.at), rows)
			}
		})
	}
}

// TestFirewallThatRefusesEverythingStopsTheRun lists the user types, and then nothing
// gets through any more.
func TestFirewallThatRefusesEverythingStopsTheRun(t *testing.T) {
	m := &inMemory{answer: func(n int, _ *http.Request) (*http.Response, error) {
		if n == 0 {
			return answered(200, `{"status":"success","user_types":[]}`)
		}
		return answered(403, "<html>Forbidden</html>")
	}}
	virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
		if _, err := client.UserTypes(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := pushPlan(t, client, newPlan(500))
		var opened *importer.CircuitError
		if !errors.As(err, &opened) || opened.HTTP != 403 || !strings.Contains(err.Error(), "HTTP status 403") {
			t.Errorf("the run ended with %v, want a streak of 403", err)
		}
		if len(m.at) > 1+20+8 {
			t.Errorf("%d requests, want the limit of 20 rows and what was in flight", len(m.at))
		}
	})
}

// TestOnlyATokenIsBlamedForTheToken has nothing accepted before: the run stops at
// once, and names the token for the statuses alone that a token can cause.
func TestOnlyATokenIsBlamedForTheToken(t *testing.T) {
	for status, blamed := range map[int]bool{401: true, 403: true, 402: false, 404: false, 405: false, 407: false, 410: false, 418: false, 451: false, 499: false} {
		m := &inMemory{answer: func(int, *http.Request) (*http.Response, error) { return answered(status, "<html>") }}
		virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
			_, err := push(client)
			if !errors.As(err, new(*importer.RefusedError)) || strings.Contains(err.Error(), "API token") != blamed {
				t.Errorf("%d: %v; the token is to be blamed: %v", status, err, blamed)
			}
		})
	}
}
