package controller

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

// Step is a step on the way to the Controller.
type Step string

// The steps, in their order. Not every way has all of them.
const (
	StepDNS      Step = "DNS"       // the host's addresses: the Controller's, or the proxy's
	StepTCP      Step = "TCP"       // a connection to one of them
	StepProxyTLS Step = "proxy TLS" // a secure connection to the proxy
	StepProxy    Step = "proxy"     // the proxy's connection to the Controller
	StepTLS      Step = "TLS"       // a secure connection to the Controller
	StepAnswer   Step = "answer"    // the header of an answer
)

// Path is the way of one request to the Controller, as far as it came. What it did not come
// to is the zero value.
type Path struct {
	Host      string       // that is connected to, the Controller's or the proxy's, with its port
	Addresses []netip.Addr // of the host, if it is a name
	Failed    []error      // connections to some of them
	Connected string       // the address that took one, such as 192.0.2.7:443

	ProxyStatus int                  // of the proxy's answer to CONNECT
	Asked       bool                 // the Controller's server asked for a client certificate
	TLS         *tls.ConnectionState // to the Controller's server, which may have ended it afterwards

	Date  time.Time              // of the answer, by the clock there
	At    time.Time              // when it came, by the clock here
	Steps map[Step]time.Duration // how long each step took that is done

	Step     Step  // the one that failed; "" when there was an answer
	Err      error // why
	TimedOut bool  // it did not end in time
}

// Trace asks for nothing but the header of an answer (HEAD), without a token, the way that
// requests of cfg would go, and returns how far that came. Each step may take cfg.Timeout. Of
// cfg only that, BaseURL, InsecureHTTP, Proxy, Roots, Certificate and UserAgent count.
func Trace(ctx context.Context, cfg Config) Path {
	base, err := ParseURL(cfg.BaseURL, cfg.InsecureHTTP)
	if err != nil {
		return Path{Step: StepDNS, Err: err}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := newTracer(cfg, base, cancel)
	transport := newTransport(cfg)
	transport.DisableKeepAlives = true
	transport.OnProxyConnectResponse = func(ctx context.Context, address *url.URL, request *http.Request, answer *http.Response) error {
		t.tunnel(answer.StatusCode)
		return checkTunnel(ctx, address, request, answer)
	}
	transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		t.askedForCertificate()
		if cfg.Certificate == nil {
			return new(tls.Certificate), nil // none is sent
		}
		return cfg.Certificate, nil
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, t.hooks()), http.MethodHead, base.String(), nil)
	if err != nil {
		return Path{Step: StepDNS, Err: err}
	}
	request.Header.Set("User-Agent", cfg.UserAgent)
	answer, err := transport.RoundTrip(request)
	if err == nil {
		err = answer.Body.Close()
	}
	return t.end(answer, err)
}

// tracer follows a request. Its hooks may still be called after the request has ended.
type tracer struct {
	mu      sync.Mutex
	path    Path
	began   time.Time // of path.Step
	limit   time.Duration
	timer   *time.Timer
	afterIP Step // what comes after TCP
	over    bool // the request has ended
}

func newTracer(cfg Config, base *url.URL, cancel func()) *tracer {
	t := &tracer{limit: cfg.Timeout, began: time.Now(), path: Path{Step: StepDNS, Steps: make(map[Step]time.Duration)}}
	to := base
	if cfg.Proxy.URL != nil {
		to = cfg.Proxy.URL
	}
	switch {
	case cfg.Proxy.URL != nil && to.Scheme == "https":
		t.afterIP = StepProxyTLS
	case cfg.Proxy.URL != nil && (base.Scheme == "https" || to.Scheme != "http"):
		t.afterIP = StepProxy
	case base.Scheme == "https":
		t.afterIP = StepTLS
	default:
		t.afterIP = StepAnswer
	}
	t.path.Host = to.Host
	if _, err := netip.ParseAddr(to.Hostname()); err == nil {
		t.path.Step = StepTCP
	}
	t.timer = time.AfterFunc(cfg.Timeout, func() {
		t.mu.Lock()
		t.path.TimedOut = true
		t.mu.Unlock()
		cancel()
	})
	return t
}

// reach ends a step and begins the next. The caller holds mu.
func (t *tracer) reach(next Step) {
	t.path.Steps[t.path.Step] = time.Since(t.began)
	t.path.Step, t.began = next, time.Now()
	if !t.path.TimedOut {
		t.timer.Reset(t.limit)
	}
}

func (t *tracer) hooks() *httptrace.ClientTrace {
	locked := func(f func()) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.over {
			f()
		}
	}
	return &httptrace.ClientTrace{
		DNSDone: func(info httptrace.DNSDoneInfo) {
			locked(func() {
				if info.Err != nil || t.path.Step != StepDNS {
					return
				}
				for _, found := range info.Addrs {
					if address, ok := netip.AddrFromSlice(found.IP); ok {
						t.path.Addresses = append(t.path.Addresses, address.Unmap())
					}
				}
				t.reach(StepTCP)
			})
		},
		ConnectDone: func(_, address string, err error) {
			locked(func() {
				switch {
				case err != nil:
					t.path.Failed = append(t.path.Failed, err)
				case t.path.Step == StepTCP: // another address may have been tried at the same time
					t.path.Connected = address
					t.reach(t.afterIP)
				}
			})
		},
		TLSHandshakeStart: func() {
			locked(func() {
				if t.path.Step == StepProxy { // a proxy by SOCKS has no answer of its own
					t.reach(StepTLS)
				}
			})
		},
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			locked(func() {
				switch {
				case err != nil:
				case t.path.Step == StepProxyTLS:
					t.reach(StepProxy)
				default:
					t.path.TLS = &state
					t.reach(StepAnswer)
				}
			})
		},
		GotConn: func(httptrace.GotConnInfo) {
			locked(func() {
				if t.path.Step != StepAnswer { // plain http through a proxy
					t.reach(StepAnswer)
				}
			})
		},
	}
}

func (t *tracer) tunnel(status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.path.ProxyStatus = status; status == http.StatusOK && !t.over {
		t.reach(StepTLS)
	}
}

func (t *tracer) askedForCertificate() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.path.Asked = t.path.Asked || t.path.Step == StepTLS
}

// end returns the path of a request that ended so.
func (t *tracer) end(answer *http.Response, err error) Path {
	t.timer.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	p := t.path
	p.Err = err
	if err == nil {
		p.Step, p.TimedOut, p.At = "", false, time.Now()
		p.Date, _ = http.ParseTime(answer.Header.Get("Date")) // zero if there is none
		return p
	}
	var late net.Error
	p.TimedOut = p.TimedOut || errors.As(err, &late) && late.Timeout()
	// With TLS 1.3 the server judges the client's certificate after the handshake.
	if denial, ok := FindTLSRefusal(err); ok && denial.Certificate && p.Step == StepAnswer {
		p.Step = StepTLS
	}
	return p
}
