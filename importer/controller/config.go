package controller

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// Config says which Controller a client talks to, and how.
type Config struct {
	BaseURL string // such as https://controller.operationscommander.io; a path may follow
	Client  string // client code, used unchanged
	Token   Token

	RereadToken func() Token // called by one goroutine at a time after the Controller refused the token: returns what it is now, zero for none; nil for a token that cannot change
	OnNewToken  func()       // called when the run goes on with another token; may be nil

	Workers     int           // most requests in flight, 1 or more: the size of the connection pool
	Rate        float64       // requests a second, including retries; 0: no limit
	Burst       int           // requests that may start at once, 1 or more
	Turns       Turns         // of a rate that is shared with other processes, which is the limit in place of Rate and Burst; nil if it is not shared
	MaxAttempts int           // most requests for a profile, 1 or more
	Timeout     time.Duration // for one request, from connecting to the last byte of the answer
	MaxPause    time.Duration // longest pause that the Controller may ask for; after a longer one the run ends; 0: any

	Proxy        Proxy             // for every request of the client's own transport
	Roots        *x509.CertPool    // the authorities that a server's certificate may be signed by; nil for the system's
	Certificate  *tls.Certificate  // for a server that asks for one; nil for none
	InsecureHTTP bool              // allow http: to other hosts: the token is sent unencrypted
	UserAgent    string            // "" for Go's own
	Transport    http.RoundTripper // nil for the client's own; must not follow redirects
	Jitter       func() float64    // random number in [0,1), called by many goroutines; nil for math/rand/v2
	OnWait       func(Wait)        // called when every worker waits; must not block; may be nil
}

// check returns the base URL, or what is wrong with the settings.
func (c Config) check() (*url.URL, error) {
	if err := CheckClient(c.Client); err != nil {
		return nil, fmt.Errorf("check the client code (--client): %w", err)
	}
	switch {
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
	base, err := ParseURL(c.BaseURL, c.InsecureHTTP)
	if err != nil {
		return nil, fmt.Errorf("check the Controller's address (--url): %w", err)
	}
	return base, nil
}

// CheckClient returns what is wrong with a client code, nil for nothing.
func CheckClient(code string) error {
	switch {
	case code == "":
		return errors.New("no client code is set")
	case code == ".", code == "..", strings.ContainsFunc(code, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`/\?#`, r)
	}):
		return fmt.Errorf("%q is not a client code; give the code alone, such as OC_TOMA", code)
	}
	return nil
}

// ParseURL returns the Controller's base URL, or why the token must not be sent
// there: http: is for this machine only, unless insecureHTTP allows it. No error
// quotes the address whole, which may hold a password.
func ParseURL(text string, insecureHTTP bool) (*url.URL, error) {
	base, err := url.Parse(text)
	switch {
	case err != nil, base.Hostname() == "", base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("the address does not begin with https:// and a host; give one such as https://controller.operationscommander.io")
	case base.User != nil:
		return nil, errors.New("the address holds a user name or password; remove it")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("the address has a part after ? or #; remove it")
	case base.Scheme == "http" && !insecureHTTP && !isLoopback(base.Hostname()):
		return nil, fmt.Errorf("http://%s would send the token where others can read it; use https://, or --insecure-http if you are sure", base.Host)
	}
	return base, nil
}

// isLoopback reports whether the host is this machine.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
