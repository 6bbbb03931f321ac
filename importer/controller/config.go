package controller

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says which Controller a client talks to, and how.
type Config struct {
	BaseURL string // such as https://controller.operationscommander.io; may have a path
	Client  string // client code, taken as given
	Token   Token

	Workers     int           // requests in flight at most, 1 or more: sizes the pool of connections
	Rate        float64       // requests a second, retries included; 0: no limit
	Burst       int           // requests that may start at once under Rate, 1 or more
	MaxAttempts int           // requests a profile at most, 1 or more
	Timeout     time.Duration // for one request, from connecting to the last byte of the answer

	InsecureHTTP bool              // allow http: to hosts other than this machine: the token travels in the open
	UserAgent    string            // "" for Go's own
	Transport    http.RoundTripper // nil for the client's own; must not follow redirects
	Jitter       func() float64    // random number in [0,1), called by many goroutines; nil for math/rand/v2
	OnWait       func(Wait)        // told when every worker waits; must not block; may be nil
}

// check returns the base URL, or what is wrong with the settings.
func (c Config) check() (*url.URL, error) {
	switch {
	case c.Client == "":
		return nil, errors.New("no client code is set (--client)")
	case c.Client == "." || c.Client == "..":
		return nil, fmt.Errorf("%q is not a client code (--client)", c.Client)
	case c.Token.IsZero():
		return nil, errors.New("no API token is set")
	case c.Workers < 1:
		return nil, fmt.Errorf("workers must be 1 or more, not %d", c.Workers)
	case c.MaxAttempts < 1:
		return nil, fmt.Errorf("attempts must be 1 or more, not %d", c.MaxAttempts)
	case c.Timeout <= 0:
		return nil, fmt.Errorf("the timeout must be longer than %v", c.Timeout)
	case !(c.Rate >= 0):
		return nil, fmt.Errorf("the rate must be 0 or more, not %v", c.Rate)
	case c.Rate > 0 && c.Burst < 1:
		return nil, fmt.Errorf("the burst must be 1 or more, not %d", c.Burst)
	}
	return c.checkURL()
}

// checkURL returns the base URL, or why the token must not be sent there. Its
// errors do not quote the URL, which may hold a password.
func (c Config) checkURL() (*url.URL, error) {
	base, err := url.Parse(c.BaseURL)
	switch {
	case err != nil || base.Host == "":
		return nil, errors.New("the Controller's address (--url) is not an address such as https://controller.operationscommander.io")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("the Controller's address (--url) must end after host and path, without a user, ? or #: %s", base.Host)
	case base.Scheme == "https":
		return base, nil
	case base.Scheme != "http":
		return nil, fmt.Errorf("the Controller's address (--url) must begin with https://, not with %s://", base.Scheme)
	case !c.InsecureHTTP && !isLoopback(base.Hostname()):
		return nil, fmt.Errorf("http://%s would send the API token in the open: use https:// (or allow it with --insecure-http)", base.Host)
	}
	return base, nil
}

// isLoopback reports whether the host is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
