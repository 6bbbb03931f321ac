package controller

import (
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTrace follows a request to servers and proxies that end it at one step each.
func TestTrace(t *testing.T) {
	known := newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(known.certificate)
	secure, _ := newSecure(t, &tls.Config{Certificates: []tls.Certificate{*known.sign(t, certificateFor(net.IPv4(127, 0, 0, 1)))}, ClientAuth: tls.RequestClientCert})
	mute := newMute(t, *known.sign(t, certificateFor(net.IPv4(127, 0, 0, 1))))
	plain := newRecorded(t, nil, success)
	closed := unusedAddress(t)
	silent := silentAddress(t)
	proxyAt := func(scheme, address string) Proxy {
		return Proxy{URL: &url.URL{Scheme: scheme, Host: address}, From: "HTTPS_PROXY"}
	}
	for name, test := range map[string]struct {
		url      string
		proxy    Proxy
		roots    *x509.CertPool
		failed   Step
		timedOut bool
		steps    string // that are done, in any order
	}{
		"TLS":                    {secure.URL, Proxy{}, roots, "", false, "TCP TLS"},
		"TLS by name":            {strings.Replace(secure.URL, "127.0.0.1", "localhost", 1), Proxy{}, roots, StepTLS, false, "DNS TCP"},
		"TLS through a proxy":    {secure.URL, tunnel(t), roots, "", false, "TCP proxy TLS"},
		"http":                   {plain.URL, Proxy{}, nil, "", false, "TCP"},
		"http through a proxy":   {"http://controller.invalid", proxyAt("http", plain.Listener.Addr().String()), nil, "", false, "TCP"},
		"unknown authority":      {secure.URL, Proxy{}, nil, StepTLS, false, "TCP"},
		"nobody listens":         {"https://" + closed, Proxy{}, nil, StepTCP, false, ""},
		"no host":                {"https://controller.invalid", Proxy{}, nil, StepDNS, false, ""},
		"no proxy":               {secure.URL, proxyAt("http", closed), nil, StepTCP, false, ""},
		"silent":                 {"https://" + silent, Proxy{}, nil, StepTLS, true, "TCP"},
		"silent http":            {"http://" + silent, Proxy{}, nil, StepAnswer, true, "TCP"},
		"a silent proxy":         {secure.URL, proxyAt("http", silent), nil, StepProxy, true, "TCP"},
		"a silent secure proxy":  {secure.URL, proxyAt("https", silent), nil, StepProxyTLS, true, "TCP"},
		"a silent SOCKS proxy":   {secure.URL, proxyAt("socks5", silent), nil, StepProxy, true, "TCP"},
		"TLS, then nothing":      {mute.URL, Proxy{}, roots, StepAnswer, true, "TCP TLS"},
		"a web server, no proxy": {secure.URL, proxyAt("http", plain.Listener.Addr().String()), roots, StepTLS, false, "TCP proxy"},
		"not an address":         {"ftp://controller.invalid", Proxy{}, nil, StepDNS, false, ""},
	} {
		timeout := time.Minute
		if test.timedOut {
			timeout = time.Second // in which the steps before are done
		}
		p := Trace(t.Context(), Config{BaseURL: test.url, InsecureHTTP: true, Proxy: test.proxy, Roots: test.roots, Timeout: timeout})
		var steps []string
		for step := range maps.Keys(p.Steps) {
			steps = append(steps, string(step))
		}
		slices.Sort(steps)
		wanted := strings.Fields(test.steps)
		slices.Sort(wanted)
		if p.Step != test.failed || p.TimedOut != test.timedOut || !slices.Equal(steps, wanted) || (p.Err == nil) != (test.failed == "") {
			t.Errorf("%s: ended at %q (%v, timed out: %t) after %q, want %q after %q", name, p.Step, p.Err, p.TimedOut, steps, test.failed, wanted)
		}
		if (test.failed == StepAnswer || test.failed == "") && (p.TLS != nil) != strings.HasPrefix(test.url, "https") {
			t.Errorf("%s: %+v", name, p.TLS)
		}
		if test.failed == "" && (p.Date.IsZero() || p.At.IsZero() || (p.TLS != nil) != strings.HasPrefix(test.url, "https") || p.Asked != (p.TLS != nil)) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// newMute returns a server that never answers.
func newMute(t *testing.T, certificate tls.Certificate) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// unusedAddress returns an address at which nobody listens.
func unusedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// silentAddress returns an address at which connections are taken, and nothing is said.
func silentAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}
