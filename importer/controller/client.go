package controller

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/controller/internal/connection"
	"opscom-import/mapping"
)

// Client talks to one client's Controller. Its methods may be called from many
// goroutines at once.
type Client struct {
	credentials credentials
	host        string
	proxy       Proxy
	certificate bool // there is one for a server that asks
	push, types *endpoint
	timeout     time.Duration
	maxAttempts int
	jitter      func() float64
	pacer       *pacer
	buffers     sync.Pool // of *[]byte, for the bodies of answers
	exchanger   exchanger
}

// New returns a client. It sends nothing.
func New(cfg Config) (*Client, error) {
	return newClient(cfg, newTransport(cfg), cfg.Proxy.URL != nil || cfg.Transport != nil)
}

// newClient returns a client whose connections have the transport's settings. It sends
// its requests by the transport itself if byTransport is true.
func newClient(cfg Config, transport *http.Transport, byTransport bool) (*Client, error) {
	base, err := cfg.check()
	if err != nil {
		return nil, err
	}
	c := &Client{
		credentials: credentials{reread: cfg.RereadToken, onRenewed: cfg.OnNewToken}, host: base.Host, proxy: cfg.Proxy,
		certificate: cfg.Certificate != nil, timeout: cfg.Timeout, maxAttempts: cfg.MaxAttempts, jitter: cfg.Jitter,
	}
	if err := c.credentials.use(cfg.Token); err != nil {
		return nil, err
	}
	if c.jitter == nil {
		c.jitter = rand.Float64
	}
	if byTransport {
		c.exchanger = newRoundTripper(cfg, transport, c.sentLate)
	} else {
		c.exchanger = direct{connection.NewPool(base, transport), cfg.Timeout, c.sentLate}
	}
	profiles := "api/" + url.PathEscape(cfg.Client) + "/v1/profiles/"
	if c.push, err = newEndpoint(base, profiles+"push", cfg, ","); err != nil {
		return nil, err
	}
	if c.types, err = newEndpoint(base, profiles+"types/list", cfg, "}"); err != nil {
		return nil, err
	}
	limiter := newLimiter(cfg.Rate, cfg.Burst)
	if cfg.Turns != nil { // they are the ceiling
		limiter = newLimiter(0, 1)
	}
	c.pacer = newPacer(cfg.Workers, limiter, c.jitter, cfg.OnWait)
	c.pacer.patience = cfg.MaxPause
	if cfg.Turns != nil {
		c.pacer.share(cfg.Turns, cfg.Rate)
	}
	c.buffers.New = func() any {
		buffer := make([]byte, 0, 1<<10)
		return &buffer
	}
	return c, nil
}

// sentLate makes up for a request that may have been sent after its turn.
func (c *Client) sentLate() { c.pacer.forgoTurn() }

// Rate returns how many requests a second may start at present, +Inf for any number.
func (c *Client) Rate() float64 { return c.pacer.rate() }

// Close closes idle connections, and reserves no more turns. No call may be in progress.
func (c *Client) Close() {
	c.pacer.close()
	c.exchanger.close()
}

// newTransport returns a transport that keeps a connection alive for each
// worker. HTTP/2 would put all workers on one.
func newTransport(cfg Config) *http.Transport {
	t := &http.Transport{
		Proxy:                  http.ProxyURL(cfg.Proxy.URL),
		OnProxyConnectResponse: checkTunnel,
		DialContext:            (&net.Dialer{Timeout: cfg.Timeout}).DialContext,
		TLSClientConfig:        tlsConfig(cfg.Roots, cfg.Certificate),
		TLSHandshakeTimeout:    cfg.Timeout,
		MaxIdleConns:           cfg.Workers,
		MaxIdleConnsPerHost:    cfg.Workers,
		MaxConnsPerHost:        cfg.Workers,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return t
}

// Push implements importer.Controller. The payload is a JSON object as
// mapping.Profile writes it.
func (c *Client) Push(fetchCtx, workCtx context.Context, payload []byte, onRetry func()) (importer.Answer, error) {
	if !isObject(payload) {
		return importer.Answer{Status: importer.StatusNotSent}, errors.New("push a profile: the stored profile is not a JSON object with members")
	}
	var id string
	r := c.callWithRetries(fetchCtx, workCtx, c.push, payload[1:], c.maxAttempts, func(d document) (err error) {
		if err = d.checkPerson(payload); err == nil {
			id, err = d.referenceID()
		}
		return err
	}, func() {
		payload = bytes.Clone(payload) // it is part of something larger, which must not be kept while this row waits
		if onRetry != nil {
			onRetry()
		}
	})
	answer := importer.Answer{Attempts: r.attempts, Message: c.message(r)}
	switch {
	case r.last.class == accepted:
		answer.Status, answer.ReferenceID = importer.StatusPushed, id
	case r.last.class == rejected:
		answer.Status, answer.ErrorCode = importer.StatusRejected, c.sanitize(r.last.errorCode)
		answer.Field, answer.HTTPStatus = r.last.rule.field.String(), r.last.status
	case r.last.class == refused && !r.last.notReceived: // the run's fault, not the row's: nobody has to fix the row
		answer.Status, answer.ErrorCode = importer.StatusFailed, c.sanitize(r.last.errorCode)
	default:
		answer.Status = r.status()
	}
	if r.noTurns != nil {
		return answer, r.noTurns
	}
	if !r.pausedUntil.IsZero() {
		return answer, &importer.PauseError{Until: r.pausedUntil}
	}
	return answer, c.refusal(r.last)
}

// isObject reports whether the payload looks like a JSON object with members, as
// mapping.Profile writes it.
func isObject(payload []byte) bool {
	return len(payload) > 2 && payload[0] == '{' && payload[1] == '"' && payload[len(payload)-1] == '}'
}

// maxTypeAttempts is low, because a person waits for the list of user types.
const maxTypeAttempts = 3

// UserTypes returns the Controller's list of user types. The error is a
// *ListDeniedError if this token does not get it, a *importer.RefusedError if every
// other request would be refused too, and a *importer.PauseError if the Controller asks
// for too long a pause.
func (c *Client) UserTypes(ctx context.Context) ([]mapping.UserType, error) {
	var types []mapping.UserType
	r := c.callWithRetries(ctx, ctx, c.types, nil, min(maxTypeAttempts, c.maxAttempts), func(d document) (err error) {
		types, err = d.userTypes()
		return err
	}, func() {})
	switch {
	case r.last.class == accepted:
		return types, nil
	case r.last.class == refused && !r.last.atProxy && slices.Contains(listDenials, r.last.refusalCode):
		return nil, &ListDeniedError{Host: c.host, Code: r.last.refusalCode}
	case r.last.class == refused:
		return nil, c.refusal(r.last)
	case r.last.class == rejected:
		return nil, fmt.Errorf("%s did not list its user types: %s", c.host, c.quote(r.last))
	case !r.pausedUntil.IsZero():
		return nil, &importer.PauseError{Until: r.pausedUntil}
	case r.noTurns != nil:
		return nil, r.noTurns
	case r.canceled:
		return nil, fmt.Errorf("list the user types: %w", ctx.Err())
	}
	advice := "check the network and the Controller's address (--url)"
	if r.last.atProxy {
		advice = "check the proxy, its address in " + c.proxy.From + ", and the network"
	}
	return nil, &noListError{
		message: fmt.Sprintf("%s gave %s; %s", c.host, c.noAnswer(r), advice),
		why:     c.sanitize(r.last.event), passing: r.last.passing,
	}
}

// listDenials are the refusals of the list, by ErrorCode or HTTP status, that leave
// open whether the token may push: those of a token that lacks a permission. A token
// that is wrong may get the same.
var listDenials = []string{"9002", "401", "403"}

// ListDeniedError says that the Controller does not list its user types for this
// token, which may be wrong, or may push all the same.
type ListDeniedError struct {
	Host string
	Code string // the Controller's ErrorCode, or the HTTP status where it gave none
}

func (e *ListDeniedError) Error() string {
	return fmt.Sprintf("%s does not list its user types (%s): the API token lacks the permission to list them, or is wrong", e.Host, e.Code)
}

// noListError says that there was no usable answer to the request for the user types.
type noListError struct {
	message string
	why     string // as a clause
	passing bool   // it may be over in some seconds
}

func (e *noListError) Error() string { return e.message }

// A run should not be lost to a Controller that is being restarted when it begins.
const (
	startPatience = 15 * time.Second // time for which the list of user types is asked for again
	startInterval = 2 * time.Second  // between such requests
)

// AwaitUserTypes is UserTypes for the start of a run: it asks again for a while if
// nobody listens, the connection is closed or the answer is 502, 503 or 504, which
// may be over in some seconds. Before the first wait it calls onTrouble with what
// happened, as a clause. Any other trouble, such as a host that does not exist, is
// returned at once.
func (c *Client) AwaitUserTypes(ctx context.Context, onTrouble func(why string)) ([]mapping.UserType, error) {
	for began, told := time.Now(), false; ; told = true {
		types, err := c.UserTypes(ctx)
		var failed *noListError
		if !errors.As(err, &failed) || !failed.passing || time.Since(began)+startInterval > startPatience {
			return types, err
		}
		if !told {
			onTrouble(failed.why)
		}
		if !sleep(ctx, ctx, startInterval, nil) {
			return nil, fmt.Errorf("list the user types: %w", ctx.Err())
		}
	}
}
