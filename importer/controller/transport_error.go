package controller

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"time"
)

// classifyTransportError classifies an attempt that got no answer at all.
func (c *Client) classifyTransportError(x exchange) attemptResult {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		dns         *net.DNSError
	)
	a, err := attemptResult{notReceived: x.unsent}, x.err
	denial, isDenied := FindTLSRefusal(err)
	unsafe := func(reason, advice string) attemptResult {
		return attemptResult{class: refused, notReceived: true, refusalCode: "TLS", event: "there is no secure connection", rule: refusal(reason, advice)}
	}
	switch {
	case x.timedOut:
		a.event = fmt.Sprintf("there was no answer within %v", c.timeout)
	case errors.As(err, &certificate):
		return unsafe("the certificate of "+c.host+" "+certificateProblem(certificate),
			"check the Controller's address (--url), this machine's clock and its certificate authorities (--ca-file adds some)")
	case errors.As(err, &record):
		return unsafe(c.host+" does not speak https", "check the Controller's address (--url)")
	case isDenied:
		a := unsafe(denial.Explain(c.host, c.certificate))
		a.notReceived = x.unsent || !x.reused && !x.spoken // no handshake, no request
		return a
	case errors.As(err, &dns):
		a.event, a.passing = "the host "+dns.Name+" could not be found", !dns.IsNotFound
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, windowsRefused):
		a.event, a.passing = "the connection was refused", true
	case isClosed(err):
		a.event, a.passing = "the connection was closed", true
	default:
		a.event = "there was no answer: " + err.Error()
	}
	return a
}

// Windows has numbers of its own for these errors; no other system has them.
const (
	windowsAborted = syscall.Errno(10053)
	windowsReset   = syscall.Errno(10054)
	windowsRefused = syscall.Errno(10061)
)

// isClosed reports whether the error says that the connection was closed.
func isClosed(err error) bool {
	return slices.ContainsFunc([]error{
		io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, windowsAborted, windowsReset,
	}, func(closed error) bool { return errors.Is(err, closed) })
}

// certificateProblem says what is wrong with a server's certificate, as the
// predicate of a clause.
func certificateProblem(rejected *tls.CertificateVerificationError) string {
	var (
		invalid   x509.CertificateInvalidError
		host      x509.HostnameError
		authority x509.UnknownAuthorityError
	)
	const date = "2 January 2006"
	switch {
	case errors.As(rejected.Err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return "is not valid before " + invalid.Cert.NotBefore.UTC().Format(date)
	case errors.As(rejected.Err, &invalid) && invalid.Reason == x509.Expired:
		return "expired on " + invalid.Cert.NotAfter.UTC().Format(date)
	case errors.As(rejected.Err, &host):
		return "is for another host"
	case errors.As(rejected.Err, &authority):
		return "is not signed by a certificate authority that this machine trusts"
	}
	return "cannot be trusted: " + rejected.Err.Error()
}

// neverConnected reports whether an attempt failed before there was a connection,
// so that nothing was sent.
func neverConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}
