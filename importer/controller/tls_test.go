package controller

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"opscom-import/importer"
)

// clientCertificate is the template of a client's certificate that is valid now.
func clientCertificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

// newSecure returns a server with these settings of TLS, and how often it was asked.
func newSecure(t *testing.T, config *tls.Config) (server *httptest.Server, seen *atomic.Int64) {
	t.Helper()
	seen = &atomic.Int64{}
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		success(w, r)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, seen
}

// tunnel returns a proxy that connects to wherever it is asked.
func tunnel(t *testing.T) Proxy {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		far, err := net.Dial("tcp", r.Host)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer far.Close()
		near, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer near.Close()
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(far, buffered) }()
		_, _ = io.Copy(near, far)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return Proxy{URL: address, From: "HTTPS_PROXY"}
}

// TestClientCertificates has a server that asks for a certificate, over the client's own
// connections and through a proxy. A refusal ends the run at once: nothing was received.
func TestClientCertificates(t *testing.T) {
	known, unknown := newAuthority(t), namedAuthority(t, "Another Authority") // the server names those that it knows
	roots, clients := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(known.certificate)
	clients.AddCert(known.certificate)
	serves := []tls.Certificate{*known.sign(t, certificateFor(net.IPv4(127, 0, 0, 1)))}
	good, foreign := known.sign(t, clientCertificate("opscom-import")), unknown.sign(t, clientCertificate("opscom-import"))
	old := clientCertificate("opscom-import")
	old.NotAfter = time.Now().Add(-time.Minute)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		asks := &tls.Config{Certificates: serves, MinVersion: version, MaxVersion: version, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
		for name, test := range map[string]struct {
			server      *tls.Config
			certificate *tls.Certificate
			reason      string // "" for success
		}{
			"none":      {asks, nil, map[uint16]string{tls.VersionTLS12: "ends the secure connection (handshake failure)", tls.VersionTLS13: "asks for a client certificate, and none is set"}[version]},
			"good":      {asks, good, ""},
			"unknown":   {asks, foreign, "does not accept the client certificate (unknown certificate authority)"},
			"expired":   {asks, known.sign(t, old), "does not accept the client certificate (expired certificate)"},
			"not asked": {&tls.Config{Certificates: serves, MinVersion: version, MaxVersion: version}, good, ""},
		} {
			server, seen := newSecure(t, test.server)
			for _, proxy := range []Proxy{{}, tunnel(t)} {
				client, err := New(Config{
					BaseURL: server.URL, Client: "OC_TEST", Token: NewToken("canary-token-7f3a"), Workers: 1, MaxAttempts: 3, Timeout: 10 * time.Second,
					Proxy: proxy, Roots: roots, Certificate: test.certificate,
				})
				if err != nil {
					t.Fatal(err)
				}
				before := seen.Load()
				answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
				client.Close()
				if test.reason == "" {
					if err != nil || answer.Status != importer.StatusPushed || seen.Load() != before+1 {
						t.Errorf("%s, TLS %x, %s: %+v, %v", name, version, proxy, answer, err)
					}
					continue
				}
				if answer.Status != importer.StatusNotSent || answer.Attempts != 1 || err == nil || !strings.Contains(err.Error(), server.Listener.Addr().String()+" "+test.reason) {
					t.Errorf("%s, TLS %x, %s: %+v, %v", name, version, proxy, answer, err)
				}
				if seen.Load() != before {
					t.Errorf("%s, TLS %x: the server has seen a request", name, version)
				}
			}
		}
	}
}

// TestOldVersionsOfTLS has a server that speaks no version that is still safe.
func TestOldVersionsOfTLS(t *testing.T) {
	known := newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(known.certificate)
	server, seen := newSecure(t, &tls.Config{
		Certificates: []tls.Certificate{*known.sign(t, certificateFor(net.IPv4(127, 0, 0, 1)))}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
	})
	for _, proxy := range []Proxy{{}, tunnel(t)} {
		client, err := New(Config{
			BaseURL: server.URL, Client: "OC_TEST", Token: NewToken("canary-token-7f3a"), Workers: 1, MaxAttempts: 3, Timeout: 10 * time.Second, Proxy: proxy, Roots: roots,
		})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
		client.Close()
		if answer.Status != importer.StatusNotSent || answer.Attempts != 1 || err == nil || !strings.Contains(err.Error(), "speaks only an old version of TLS") || seen.Load() > 0 {
			t.Errorf("%s: %+v, %v", proxy, answer, err)
		}
	}
}
