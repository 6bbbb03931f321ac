package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"opscom-import/importer/sandbox"
)

const (
	scriptClient = "OC_TEST"
	scriptToken  = "canary-4f1c" // searched for where no token may be
	renewedToken = "canary-b2a7"
)

// troubledController is a sandbox that gets into trouble after a number of pushes,
// and stays in it until it is fixed. So a script can stop a run at a place that
// depends on no clock.
type troubledController struct {
	box     *sandbox.Sandbox
	server  *httptest.Server
	trouble string // hold, refuse, down, pause, rotate, spoil or "" for none
	after   int64  // pushes that are answered before
	blocks  int    // HTTP status of the firewall before it; 0 for none

	tokenFile string // path
	renewed   sync.Once
	failed    error // of writing it

	denies int // ErrorCode or HTTP status of the answer to the call for user types; 0 for the list

	blips  atomic.Int64 // requests that are still answered with 502
	pushes atomic.Int64
	held   atomic.Int64 // answers that are being held back
	fixing sync.Once
	fixed  chan struct{}
}

// newTroubledController starts a controller. Each of what is
//
//	hold=N    from the Nth push on profiles are accepted and the answers held back
//	refuse=N  from the Nth push on the token is refused
//	down=N    from the Nth push on the answer is 503
//	rotate=N  at the Nth push another token is written to tokenFile, and only that is accepted from then on
//	spoil=N   at the Nth push tokenFile is emptied, and no token is accepted from then on
//	pause=N   from the Nth push on the answer is 429, with a pause of an hour
//	blip=N    the first N requests, whatever they are, are answered with 502
//	deny=E    the call for user types is answered with the ErrorCode or HTTP status E
//	block=S   a firewall answers with status S to every push that has an apostrophe
//
// counted from 0, or else a fault of the sandbox.
func newTroubledController(tokenFile string, what []string) (*troubledController, error) {
	c := &troubledController{tokenFile: tokenFile, fixed: make(chan struct{})}
	var faults []string
	for _, w := range what {
		name, number, _ := strings.Cut(w, "=")
		switch name {
		case "hold", "refuse", "down", "pause", "rotate", "spoil":
			var err error
			if c.after, err = strconv.ParseInt(number, 10, 64); err != nil {
				return nil, fmt.Errorf("%s: %w", w, err)
			}
			c.trouble = name
		case "blip":
			blips, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", w, err)
			}
			c.blips.Store(blips)
		case "deny":
			var err error
			if c.denies, err = strconv.Atoi(number); err != nil {
				return nil, fmt.Errorf("%s: %w", w, err)
			}
		case "block":
			var err error
			if c.blocks, err = strconv.Atoi(number); err != nil {
				return nil, fmt.Errorf("%s: %w", w, err)
			}
		default:
			faults = append(faults, w)
		}
	}
	parsed, err := sandbox.ParseFaults(strings.Join(faults, ","))
	if err != nil {
		return nil, err
	}
	c.box, err = sandbox.New(sandbox.Config{Client: scriptClient, Token: scriptToken, Faults: parsed, KeepRequests: true})
	if err != nil {
		return nil, err
	}
	c.server = httptest.NewServer(c)
	return c, nil
}

func (c *troubledController) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.blips.Add(-1) >= 0 {
		http.Error(w, "502", http.StatusBadGateway)
		return
	}
	if c.denies != 0 && strings.HasSuffix(r.URL.Path, "/list") {
		deny(w, c.denies)
		return
	}
	if c.blocks != 0 {
		body, err := io.ReadAll(r.Body)
		if err != nil || bytes.Contains(body, []byte("'")) {
			http.Error(w, "<html>Request blocked</html>", c.blocks)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if !strings.HasSuffix(r.URL.Path, "/push") || c.pushes.Add(1) <= c.after || c.isMended() {
		c.box.ServeHTTP(w, r)
		return
	}
	switch c.trouble {
	case "hold":
		answer := httptest.NewRecorder()
		c.box.ServeHTTP(answer, r)
		c.held.Add(1)
		select {
		case <-c.fixed:
		case <-r.Context().Done():
		}
		c.held.Add(-1)
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // the client may be gone
	case "refuse":
		deny(w, 9002)
	case "rotate", "spoil":
		c.renew(w, r)
	case "down":
		http.Error(w, "503", http.StatusServiceUnavailable)
	case "pause":
		w.Header().Set("Retry-After", "3600")
		http.Error(w, "429", http.StatusTooManyRequests)
	default:
		c.box.ServeHTTP(w, r)
	}
}

// renew has the file of the token changed before it answers: to the old token with a
// refusal, to the new one as the sandbox does.
func (c *troubledController) renew(w http.ResponseWriter, r *http.Request) {
	next := renewedToken
	if c.trouble == "spoil" {
		next = ""
	}
	c.renewed.Do(func() { c.failed = os.WriteFile(c.tokenFile, []byte(next), 0o600) })
	body, err := io.ReadAll(r.Body)
	if err != nil || next == "" || !bytes.Contains(body, []byte(next)) {
		deny(w, 9002)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte(next), []byte(scriptToken), 1)))
	c.box.ServeHTTP(w, r)
}

// deny answers with the Controller's ErrorCode, or as something before it with the HTTP
// status.
func deny(w http.ResponseWriter, code int) {
	if code < 1000 {
		http.Error(w, "<html>Denied</html>", code)
		return
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = fmt.Fprintf(w, `{"ErrorCode":%d,"ErrorMessage":"The API token may not make this call."}`, code)
}

// fix ends the trouble for good.
func (c *troubledController) fix() { c.fixing.Do(func() { close(c.fixed) }) }

func (c *troubledController) isMended() bool {
	select {
	case <-c.fixed:
		return true
	default:
		return false
	}
}

// applied returns every acceptance of every person, in the order in which they came.
func (c *troubledController) applied() map[sandbox.Key][]sandbox.Entry {
	applied := make(map[sandbox.Key][]sandbox.Entry)
	for _, entry := range c.box.Requests() {
		if entry.Applied {
			applied[entry.Key] = append(applied[entry.Key], entry)
		}
	}
	return applied
}

// sent returns how many pushes have come to the sandbox.
func (c *troubledController) sent() int {
	n := 0
	for _, entry := range c.box.Requests() {
		if entry.Call == sandbox.PushCall {
			n++
		}
	}
	return n
}

// vanish ends the server: from now on nothing listens at its address.
func (c *troubledController) vanish() {
	c.fix()
	c.server.CloseClientConnections()
	c.server.Close()
}

func (c *troubledController) close() error {
	c.vanish()
	return errors.Join(c.failed, c.box.Close())
}
