package controller

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
)

// Proxy is what requests to the Controller go through. The zero Proxy means none.
type Proxy struct {
	URL  *url.URL // may have a user name and password, which no message shows
	From string   // where it was named, for a person: "HTTPS_PROXY"
}

// String names the proxy for a person: "the proxy proxy.example.edu:3128 (from
// HTTPS_PROXY)"; "" for none.
func (p Proxy) String() string {
	if p.URL == nil {
		return ""
	}
	return fmt.Sprintf("the proxy %s (from %s)", p.URL.Host, p.From)
}

// tunnelError says that the proxy did not make a connection to the Controller.
type tunnelError struct{ status int }

func (e *tunnelError) Error() string { return "the proxy answered " + statusText(e.status) }

// checkTunnel is the OnProxyConnectResponse of the client's transport: without it an
// answer that is no success would be an error without its status.
func checkTunnel(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return &tunnelError{answer.StatusCode}
	}
	return nil
}

// classifyProxyError classifies an attempt that failed at the proxy, before there
// was a connection to the Controller; ok is false if it did not.
func (c *Client) classifyProxyError(x exchange) (a attemptResult, ok bool) {
	var (
		tunnel      *tunnelError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		dns         *net.DNSError
		op          *net.OpError
	)
	if c.proxy.URL == nil || x.connected {
		return attemptResult{}, false
	}
	err := x.err
	denial, isDenied := FindTLSRefusal(err)
	refuse := func(code, reason, advice string) (attemptResult, bool) {
		return attemptResult{class: refused, notReceived: true, atProxy: true, refusalCode: code, event: "there is no connection", rule: refusal(reason, advice)}, true
	}
	a = attemptResult{notReceived: true, atProxy: true}
	name, check := c.proxy.String(), "check the proxy's address in "+c.proxy.From
	switch atProxy := errors.As(err, &op) && op.Op == "proxyconnect"; {
	case errors.As(err, &tunnel) && tunnel.status == http.StatusProxyAuthRequired:
		return refuse(strconv.Itoa(tunnel.status), name+proxyLoginReason, c.proxyLoginAdvice())
	case errors.As(err, &tunnel) && tunnel.status/100 == 4 && !isTransient(tunnel.status):
		return refuse(strconv.Itoa(tunnel.status), fmt.Sprintf("%s does not connect to %s (it answered %s)", name, c.host, statusText(tunnel.status)),
			"ask the people who run your network to allow it, or put the host into NO_PROXY if it can be reached without the proxy")
	case errors.As(err, &tunnel):
		a.event = fmt.Sprintf("%s could not connect to %s (it answered %s)", name, c.host, statusText(tunnel.status))
		a.passing = tunnel.status >= http.StatusBadGateway && tunnel.status <= http.StatusGatewayTimeout // 502 to 504
	case x.timedOut:
		a.event = fmt.Sprintf("%s does not answer: there was no connection within %v", name, c.timeout)
	case !atProxy:
		return attemptResult{}, false
	case errors.As(err, &certificate):
		return refuse("TLS", "the certificate of "+name+" "+certificateProblem(certificate), check)
	case errors.As(err, &record):
		return refuse("TLS", name+" does not speak https", check+": most proxies are reached by http://, for https: addresses too")
	case isDenied:
		reason, advice := denial.Explain(name, c.certificate)
		return refuse("TLS", reason, advice)
	case errors.As(err, &dns):
		a.event, a.passing = name+" could not be found", !dns.IsNotFound
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, windowsRefused):
		a.event, a.passing = name+" does not answer: the connection was refused", true
	case isClosed(err):
		a.event, a.passing = name+" closed the connection", true
	case op.Timeout():
		a.event = fmt.Sprintf("%s does not answer: there was no connection within %v", name, c.timeout)
	default:
		a.event = name + " does not answer: " + op.Err.Error()
	}
	return a, true
}

const proxyLoginReason = " asks for a user name and password, or does not accept them"

// proxyLoginAdvice says what to do about a 407.
func (c *Client) proxyLoginAdvice() string {
	return "write them in " + c.proxy.From + ", as in http://USER:PASSWORD@" + c.proxy.URL.Host
}

// throughProxy names the proxy in an answer that may be its own: one to an http:
// request comes from there, be it the Controller's or not.
func (c *Client) throughProxy(a attemptResult, status int) attemptResult {
	switch {
	case c.proxy.URL == nil || c.push.request.URL.Scheme != "http" || a.errorCode != "":
	case status == http.StatusProxyAuthRequired:
		a.rule = refusal(c.proxy.String()+proxyLoginReason, c.proxyLoginAdvice())
	case status == http.StatusForbidden && a.class == refused:
		a.atProxy = true
		a.rule = refusalOfToken("access was denied, by the Controller or by "+c.proxy.String(),
			"check the API token and the client code (--client), and ask the people who run the proxy whether it may connect there")
	case status >= 500:
		a.event += ", or " + c.proxy.String() + " did"
	}
	return a
}

// statusText returns an HTTP status with its name, such as "502 Bad Gateway".
func statusText(status int) string {
	if name := http.StatusText(status); name != "" {
		return strconv.Itoa(status) + " " + name
	}
	return strconv.Itoa(status)
}
