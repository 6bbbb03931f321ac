package controller

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// fault judges an attempt that brought no answer at all.
func (c *Client) fault(err error, late bool) verdict {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		dns         *net.DNSError
	)
	unseen := neverConnected(err)
	switch {
	case late:
		return verdict{unseen: unseen, what: fmt.Sprintf("there was no answer within %v", c.timeout)}
	case errors.As(err, &certificate):
		return verdict{class: refused, unseen: true, refusal: "TLS", what: "there is no safe connection", rule: refusal(
			"the certificate of "+c.host+" "+flawOf(certificate),
			"check the Controller's address (--url), this machine's clock and its list of certificate authorities")}
	case errors.As(err, &record):
		return verdict{class: refused, unseen: true, refusal: "TLS", what: "there is no safe connection", rule: refusal(
			c.host+" does not speak https", "check the Controller's address (--url)")}
	case errors.As(err, &dns):
		return verdict{unseen: unseen, what: "the name " + dns.Name + " could not be found"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return verdict{unseen: unseen, what: "the connection was refused"}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return verdict{unseen: unseen, what: "the connection was cut"}
	}
	return verdict{unseen: unseen, what: "there was no answer: " + err.Error()}
}

// flawOf says what is wrong with a server's certificate, as the end of a clause
// that begins with it.
func flawOf(rejected *tls.CertificateVerificationError) string {
	var (
		invalid   x509.CertificateInvalidError
		host      x509.HostnameError
		authority x509.UnknownAuthorityError
	)
	const date = "2 January 2006"
	switch {
	case errors.As(rejected.Err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return "holds only from " + invalid.Cert.NotBefore.UTC().Format(date) + " on"
	case errors.As(rejected.Err, &invalid) && invalid.Reason == x509.Expired:
		return "ran out on " + invalid.Cert.NotAfter.UTC().Format(date)
	case errors.As(rejected.Err, &host):
		return "is for another host"
	case errors.As(rejected.Err, &authority):
		return "is not signed by an authority that this machine trusts"
	}
	return "cannot be trusted: " + rejected.Err.Error()
}

// neverConnected reports whether an attempt failed before there was a connection
// on which anything could be sent.
func neverConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}
