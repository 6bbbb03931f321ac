package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// secureHost is the name by which a proxy of a script knows the Controller.
const secureHost = "controller.example"

// secureCommands returns the commands about TLS and what is on the way:
//
//	secure [WHAT...]   lets the Controller of the script be reached by TLS, and sets OPSCOM_URL
//	tunnel [WHAT]      starts a proxy before that which answers CONNECT, and sets HTTPS_PROXY and OPSCOM_URL
//
// secure writes ca.pem (the authority), client.pem and client.key (for a client), ending.pem
// and ending.key (likewise, expires in ten days), foreign.pem
// and foreign.key (for a client, from an authority that nobody knows), and
// inspection.pem (of the proxy that inspects), and notify.yaml with a healthcheck there. Each WHAT is old (TLS 1.0 alone), expired,
// soon (expires in ten days), elsewhere (for another host), asks (for a certificate of the
// client) or silent (never answers). The tunnel's is an HTTP status, hangs (answers
// nothing), mute (connects to nothing) or inspects (reads what is sent).
func secureCommands() map[string]scriptCommand {
	return map[string]scriptCommand{"secure": secureCommand, "tunnel": tunnelCommand}
}

// scriptAuthority signs the certificates of a script.
type scriptAuthority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newScriptAuthority(ts *testscript.TestScript, name string) scriptAuthority {
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a := scriptAuthority{template, nil}
	signed := a.sign(ts, template, 365*24*time.Hour)
	return scriptAuthority{signed.Leaf, signed.PrivateKey.(*ecdsa.PrivateKey)}
}

// sign returns a certificate that is valid for so long, with a key of its own.
func (a scriptAuthority) sign(ts *testscript.TestScript, template *x509.Certificate, valid time.Duration) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(1), time.Now().Add(-24*time.Hour), time.Now().Add(valid)
	signer := a.key
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, signer)
	ts.Check(err)
	leaf, err := x509.ParseCertificate(der)
	ts.Check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func serverTemplate(names ...string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: names[0]}, DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
}

// writePair writes a certificate and its key.
func writePair(ts *testscript.TestScript, name string, c tls.Certificate) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

func secureCommand(ts *testscript.TestScript, _ bool, what []string) {
	has := func(word string) bool { return slices.Contains(what, word) }
	authority, foreign := newScriptAuthority(ts, "Example Authority"), newScriptAuthority(ts, "Foreign Authority")
	run := runOf(ts)
	run.inspection = newScriptAuthority(ts, "Example Inspection CA")
	writePair(ts, "ca", tls.Certificate{Certificate: [][]byte{authority.certificate.Raw}, PrivateKey: authority.key})
	writePair(ts, "inspection", tls.Certificate{Certificate: [][]byte{run.inspection.certificate.Raw}, PrivateKey: run.inspection.key})
	client := func() *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: "jobs.example.edu"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	}
	writePair(ts, "client", authority.sign(ts, client(), 300*24*time.Hour))
	writePair(ts, "ending", authority.sign(ts, client(), 10*24*time.Hour+time.Hour))
	writePair(ts, "foreign", foreign.sign(ts, client(), 300*24*time.Hour))
	template, valid := serverTemplate(secureHost), 300*24*time.Hour
	switch {
	case has("elsewhere"):
		template.DNSNames, template.IPAddresses = []string{"elsewhere.example"}, nil
	case has("expired"):
		valid = -time.Hour
	case has("soon"):
		valid = 10*24*time.Hour + time.Hour
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if has("silent") {
			_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice the client's end
			<-r.Context().Done()
			return
		}
		controllerOf(ts).ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.sign(ts, template, valid)}, MinVersion: tls.VersionTLS10}
	if has("old") {
		server.TLS.MaxVersion = tls.VersionTLS10
	}
	if has("asks") {
		clients := x509.NewCertPool()
		clients.AddCert(authority.certificate)
		server.TLS.ClientAuth, server.TLS.ClientCAs = tls.RequireAndVerifyClientCert, clients
	}
	server.StartTLS()
	ts.Defer(server.Close)
	run.secure.Store(server.Listener.Addr().String())
	ts.Check(os.WriteFile(ts.MkAbs("notify.yaml"), []byte("notify:\n  - healthcheck: {url: "+server.URL+"/check}\n"), 0o600))
	ts.Setenv("OPSCOM_URL", server.URL)
}

func tunnelCommand(ts *testscript.TestScript, _ bool, args []string) {
	what := ""
	if len(args) > 0 {
		what = args[0]
	}
	run := runOf(ts)
	inspector := run.inspection.sign(ts, serverTemplate(secureHost), 300*24*time.Hour)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code, err := strconv.Atoi(what)
		switch {
		case err == nil:
			w.WriteHeader(code)
			return
		case what == "hangs":
			<-r.Context().Done()
			return
		}
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer near.Close()
		_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
		switch what {
		case "mute":
			_, _ = io.Copy(io.Discard, near)
		case "inspects":
			inspect(ts, tls.Server(near, &tls.Config{Certificates: []tls.Certificate{inspector}}))
		default:
			far, err := net.Dial("tcp", run.secure.Load().(string))
			if err != nil {
				return
			}
			defer far.Close()
			go func() { _, _ = io.Copy(far, near) }()
			_, _ = io.Copy(near, far)
		}
	}))
	ts.Defer(server.Close)
	_, port, err := net.SplitHostPort(run.secure.Load().(string))
	ts.Check(err)
	ts.Setenv("HTTPS_PROXY", server.URL)
	ts.Setenv("OPSCOM_URL", "https://"+secureHost+":"+port)
}

// inspect reads requests and hands them to the Controller.
func inspect(ts *testscript.TestScript, conn net.Conn) {
	for reader := bufio.NewReader(conn); ; {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		answer := httptest.NewRecorder()
		controllerOf(ts).ServeHTTP(answer, request)
		result := answer.Result()
		result.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		result.ContentLength = int64(answer.Body.Len())
		if result.Write(conn) != nil {
			return
		}
	}
}
