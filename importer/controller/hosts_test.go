package controller

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"time"

	"opscom-import/importer"
)

// recorded is a server that keeps whatever reaches it, and answers with handler.
type recorded struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
}

// newRecorded returns a server; with a certificate it speaks TLS, and in it one of these
// protocols.
func newRecorded(t *testing.T, certificate *tls.Certificate, handler http.HandlerFunc, protocols ...string) *recorded {
	t.Helper()
	r := &recorded{}
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		dump, err := httputil.DumpRequest(request, true)
		r.mu.Lock()
		r.requests = append(r.requests, fmt.Sprint(string(dump), err))
		r.mu.Unlock()
		handler(w, request)
	}))
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if certificate == nil {
		r.Start()
	} else {
		r.TLS = &tls.Config{Certificates: []tls.Certificate{*certificate}, NextProtos: protocols}
		r.EnableHTTP2 = len(protocols) > 0
		r.StartTLS()
	}
	t.Cleanup(r.Close)
	return r
}

func (r *recorded) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// pushTo pushes one person to a server, with a new client.
func pushTo(t *testing.T, newClient makeClient, url string, roots *x509.CertPool) (importer.Answer, error) {
	t.Helper()
	client, err := newClient(Config{
		BaseURL: url, Client: "OC_TEST", Token: NewToken("canary-token-7f3a"),
		Workers: 1, MaxAttempts: 2, Timeout: 10 * time.Second, Jitter: func() float64 { return 0 },
	}, func(t *http.Transport) { t.TLSClientConfig.RootCAs = roots })
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
}

func success(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"status":"success","reference_id":44}`)
}

func TestTokenStaysWithItsHost(t *testing.T) { eachClient(t, testTokenStaysWithItsHost) }

func testTokenStaysWithItsHost(t *testing.T, newClient makeClient) {
	other := newRecorded(t, nil, success)
	otherHost := other.Listener.Addr().String()
	tests := []struct {
		name   string
		target string // of the Location, %s is the server itself
		names  string // what the error says of it
	}{
		{"another host", other.URL + "/api/OC_TEST/v1/profiles/push", otherHost},
		{"another host without a scheme", "//" + otherHost + "/", otherHost},
		{"another host with a password", "http://user:secret@" + otherHost + "/", otherHost},
		{"the same host", "%s/elsewhere", "%s"},
		{"the same address", "%s/api/OC_TEST/v1/profiles/push", "%s"},
		{"a path", "/login", "another address"},
		{"the token itself", other.URL + "/?canary-token-7f3a", otherHost},
		{"no target", "", "another address"},
		{"no address", "http://[::1", "another address"},
		{"other scheme", "file:///etc/passwd", "another address"},
	}
	for _, test := range tests {
		for _, status := range []int{301, 302, 303, 307, 308} {
			var self string
			server := newRecorded(t, nil, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", strings.ReplaceAll(test.target, "%s", "http://"+self))
				w.Header().Set("Refresh", "0; url="+other.URL)
				w.Header().Set("Alt-Svc", `h2="`+otherHost+`"`)
				w.WriteHeader(status)
				success(w, nil)
			})
			self = server.Listener.Addr().String()
			answer, err := pushTo(t, newClient, server.URL, nil)
			want := fmt.Sprintf("the Controller refused the run (%d): the answer redirects to %s, where the API token is not sent; "+
				"check the Controller's address (--url)", status, strings.ReplaceAll(test.names, "%s", self))
			if err == nil || err.Error() != want {
				t.Errorf("%s, %d: error = %v\nwant %s", test.name, status, err, want)
			}
			if answer.Status != importer.StatusFailed || answer.ReferenceID != "" || answer.Attempts != 1 {
				t.Errorf("%s, %d: %+v, want one attempt and no success", test.name, status, answer)
			}
			if n := len(server.seen()); n != 1 {
				t.Errorf("%s, %d: %d requests, want 1", test.name, status, n)
			}
		}
	}
	if seen := other.seen(); len(seen) > 0 {
		t.Errorf("the other host has seen %q", seen)
	}
}

// authority signs certificates for servers.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	return namedAuthority(t, "Invented Authority")
}

func namedAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-100 * 24 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	signed := a.sign(t, template)
	a.certificate, a.key = signed.Leaf, signed.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// sign returns a certificate with a key of its own, signed by the authority, or
// by itself when that has none yet.
func (a *authority) sign(t *testing.T, template *x509.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// certificateFor returns the template of a certificate for these addresses that is
// valid now.
func certificateFor(addresses ...net.IP) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "controller.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: addresses,
	}
}

func TestBadCertificatesEndTheRun(t *testing.T) { eachClient(t, testBadCertificatesEndTheRun) }

func testBadCertificatesEndTheRun(t *testing.T, newClient makeClient) {
	known, unknown := newAuthority(t), newAuthority(t)
	roots := x509.NewCertPool()
	roots.AddCert(known.certificate)
	now := time.Now()
	loopback := func(from, until time.Duration) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "controller.example"},
			NotBefore: now.Add(from), NotAfter: now.Add(until), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		}
	}
	day := 24 * time.Hour
	elsewhere := loopback(-day, day)
	elsewhere.IPAddresses, elsewhere.DNSNames = nil, []string{"elsewhere.example"}
	good := known.sign(t, loopback(-day, day))

	if answer, err := pushTo(t, newClient, newRecorded(t, good, success).URL, roots); err != nil || answer.Status != importer.StatusPushed {
		t.Fatalf("with a good certificate: %+v, %v", answer, err)
	}
	tests := []struct {
		name        string
		certificate *tls.Certificate
		reason      string
	}{
		{"self-signed", (&authority{}).sign(t, loopback(-day, day)), "is not signed by a certificate authority that this machine trusts"},
		{"unknown authority", unknown.sign(t, loopback(-day, day)), "is not signed by a certificate authority that this machine trusts"},
		{"expired", known.sign(t, loopback(-90*day, -day)), "expired on " + now.Add(-day).UTC().Format("2 January 2006")},
		{"not yet valid", known.sign(t, loopback(day, 2*day)), "is not valid before " + now.Add(day).UTC().Format("2 January 2006")},
		{"wrong host", known.sign(t, elsewhere), "is for another host"},
	}
	for _, test := range tests {
		server := newRecorded(t, test.certificate, success)
		answer, err := pushTo(t, newClient, server.URL, roots)
		var refused *importer.RefusedError
		if !errors.As(err, &refused) || refused.Code != "TLS" {
			t.Fatalf("%s: error = %v", test.name, err)
		}
		if want := "the certificate of " + server.Listener.Addr().String() + " " + test.reason; refused.Reason != want {
			t.Errorf("%s: reason = %s\nwant %s", test.name, refused.Reason, want)
		}
		if answer.Status != importer.StatusNotSent || answer.Attempts != 1 || len(server.seen()) > 0 {
			t.Errorf("%s: %+v, and the server has seen %q", test.name, answer, server.seen())
		}
	}
}
