package connection

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/idna"
)

// Pool keeps connections to one server. It may be used by many goroutines at once.
type Pool struct {
	address    string          // host:port
	serverName string          // that the certificate is for; "" for http
	transport  *http.Transport // whose settings the connections have

	mu     sync.Mutex
	idle   []*conn // the one that was used last is the last
	open   int     // connections, idle or not
	closed bool
	sweep  *time.Timer // closes old idle connections; nil while there are none
}

// NewPool returns a pool of connections to the base URL's host. They are made as the
// transport would without a proxy: its DialContext, TLSClientConfig,
// MaxResponseHeaderBytes and IdleConnTimeout count when they are needed. At most
// MaxConnsPerHost connections are open if no more requests are made at a time.
func NewPool(base *url.URL, transport *http.Transport) *Pool {
	host := base.Hostname()
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	p := &Pool{transport: transport}
	port := "80"
	if base.Scheme == "https" {
		p.serverName, port = host, "443"
	}
	if base.Port() != "" {
		port = base.Port()
	}
	p.address = net.JoinHostPort(host, port)
	return p
}

// Close closes the idle connections. No request may be in progress.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.closeIdle(func(*conn) bool { return true })
}

// closeIdle closes the idle connections for which over is true. The caller holds mu.
func (p *Pool) closeIdle(over func(*conn) bool) {
	p.idle = slices.DeleteFunc(p.idle, func(c *conn) bool {
		if !over(c) {
			return false
		}
		c.close()
		p.open--
		return true
	})
	if len(p.idle) == 0 && p.sweep != nil {
		p.sweep.Stop()
		p.sweep = nil
	}
}

// closeOld closes the connections that have been idle for too long.
func (p *Pool) closeOld() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.closeIdle(func(c *conn) bool { return p.isOld(c, now) })
	if p.sweep != nil { // some are left, and the first of them has been idle for longest
		p.sweep.Reset(p.transport.IdleConnTimeout - now.Sub(p.idle[0].idleSince))
	}
}

// isOld reports whether an idle connection has been so for too long, by either clock:
// a computer's sleep passes by the wall clock alone, which in turn may be set back.
func (p *Pool) isOld(c *conn, now time.Time) bool {
	return max(now.Sub(c.idleSince), now.Round(0).Sub(c.idleSince.Round(0))) >= p.transport.IdleConnTimeout
}

// take returns an idle connection that is ready for a request in ctx, nil if there
// is none. If fresh is true, it has had no request.
func (p *Pool) take(ctx context.Context, deadline time.Time, fresh bool) *conn {
	for {
		p.mu.Lock()
		last := len(p.idle) - 1
		for fresh && last >= 0 && p.idle[last].used {
			last--
		}
		if last < 0 {
			p.mu.Unlock()
			return nil
		}
		c := p.idle[last]
		p.idle = slices.Delete(p.idle, last, last+1)
		p.mu.Unlock()
		if !p.isOld(c, time.Now()) && c.isQuiet() && c.prepare(ctx, deadline) {
			return c
		}
		p.discard(c)
	}
}

// put keeps a connection for another request.
func (p *Pool) put(c *conn) {
	c.idleSince = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, c)
	switch {
	case p.closed:
		p.closeIdle(func(*conn) bool { return true })
	case p.sweep == nil:
		p.sweep = time.AfterFunc(p.transport.IdleConnTimeout, p.closeOld)
	}
}

// discard closes a connection that is not idle.
func (p *Pool) discard(c *conn) {
	c.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open--
}

// dial returns a new connection that is ready for a request in ctx.
func (p *Pool) dial(ctx context.Context, deadline time.Time) (*conn, error) {
	p.mu.Lock()
	p.open++
	if p.open > p.transport.MaxConnsPerHost && len(p.idle) > 0 {
		oldest := p.idle[0]
		p.closeIdle(func(c *conn) bool { return c == oldest })
	}
	p.mu.Unlock()
	c, err := p.connect(ctx, deadline)
	if err != nil {
		p.mu.Lock()
		p.open--
		p.mu.Unlock()
		return nil, err
	}
	c.prepare(ctx, deadline)
	return c, nil
}

func (p *Pool) connect(ctx context.Context, deadline time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	raw, err := p.transport.DialContext(ctx, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	if p.serverName == "" {
		return newConn(raw, nil), nil
	}
	config := p.transport.TLSClientConfig.Clone()
	if config.ServerName == "" {
		config.ServerName = p.serverName
	}
	secure := tls.Client(raw, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // the handshake's error says more
		return nil, err
	}
	return newConn(raw, secure), nil
}
