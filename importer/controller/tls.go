package controller

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
)

// tlsConfig returns the settings of secure connections, to the Controller and to a proxy
// that is reached by https:.
func tlsConfig(roots *x509.CertPool, certificate *tls.Certificate) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	if certificate != nil {
		// Certificates would keep it back, without a word, from a server whose list of
		// authorities does not have its issuer.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil }
	}
	return config
}

// TLSRefusal says that a server ended a secure connection before there was one. It may
// come in place of an answer: with TLS 1.3 a server judges the client's certificate while
// the request is on its way.
type TLSRefusal struct {
	Alert       string // what the server says: "certificate required"
	Certificate bool   // it is about the client's certificate, or that there is none
	Old         bool   // it speaks no version of TLS that is still safe
}

// certificateAlerts are the alerts about a client's certificate, as crypto/tls words them.
func certificateAlerts() []string {
	return []string{
		"bad certificate", "unsupported certificate", "revoked certificate", "expired certificate", "unknown certificate",
		"unknown certificate authority", "access denied", "certificate required",
	}
}

// FindTLSRefusal returns why the server does not make a secure connection; ok is false if
// the error is another one.
func FindTLSRefusal(err error) (r TLSRefusal, ok bool) {
	var op *net.OpError
	for chain := err; errors.As(chain, &op); chain = op.Err {
		if op.Op != "remote error" {
			continue
		}
		r.Alert = strings.TrimPrefix(op.Err.Error(), "tls: ")
		r.Certificate, r.Old = slices.Contains(certificateAlerts(), r.Alert), r.Alert == "protocol version not supported"
		return r, r.Certificate || r.Old || r.Alert == "handshake failure"
	}
	const unsupported = "tls: server selected unsupported protocol version" // crypto/tls has no type for it
	if err != nil && strings.Contains(err.Error(), unsupported) {
		return TLSRefusal{Old: true}, true
	}
	return r, false
}

// Explain returns what is wrong, and what to do; who names the server, and hasCertificate
// says whether this side has a certificate.
func (r TLSRefusal) Explain(who string, hasCertificate bool) (problem, advice string) {
	switch {
	case r.Old:
		return who + " speaks only an old version of TLS, which is not safe", "ask the people who run it for TLS 1.2 or newer"
	case r.Certificate && hasCertificate:
		return who + " does not accept the client certificate (" + r.Alert + ")", "check --client-cert, and ask the people who run it which certificate they expect"
	case r.Certificate:
		return who + " asks for a client certificate, and none is set", "name it with --client-cert, and its key with --client-key"
	}
	return who + " ends the secure connection (" + r.Alert + ")", "\"opscom-import doctor\" says whether it asks for a client certificate (--client-cert)"
}
