package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer/controller"
)

// stepNames are the lines of Doctor by the step that they are about.
func stepNames() map[controller.Step]string {
	return map[controller.Step]string{
		controller.StepDNS: "DNS", controller.StepTCP: "TCP", controller.StepProxyTLS: "proxy TLS", controller.StepProxy: "proxy answer",
		controller.StepTLS: "TLS", controller.StepAnswer: "answer",
	}
}

// way is one request's way to the Controller, to be told a step at a time.
type way struct {
	controller.Path
	host         string // of the Controller, with its port
	proxy        controller.Proxy
	certificates config.Certificates
	unusable     bool // a client certificate is named in the settings, and cannot be used
	caFile       string
	limit        time.Duration // of each step
}

// examineWay asks the Controller's web server for the header of an answer, without a token,
// and says how that went a step at a time.
func (e Env) examineWay(ctx context.Context, certificates config.Certificates) ([]Finding, controller.Path) {
	settings := e.Settings
	proxy, err := settings.FindProxy(settings.URL)
	if err != nil {
		return []Finding{{What: "proxy", Err: err}}, controller.Path{Step: controller.StepDNS}
	}
	address, err := url.Parse(settings.URL)
	if err != nil {
		return []Finding{{What: "address", Err: err}}, controller.Path{Step: controller.StepDNS}
	}
	w := way{host: hostPort(address), proxy: proxy, certificates: certificates, caFile: settings.CAFile, limit: settings.Timeout}
	w.unusable = certificates.Client == nil && (settings.ClientCert != "" || settings.ClientKey != "")
	w.Path = controller.Trace(ctx, controller.Config{
		BaseURL: settings.URL, InsecureHTTP: settings.InsecureHTTP, Proxy: proxy, Roots: certificates.Roots, Certificate: certificates.Client,
		UserAgent: "opscom-import/" + e.Version, Timeout: settings.Timeout,
	})
	findings := []Finding{{What: "proxy", Detail: "none: " + settings.WhyNoProxy(settings.URL)}}
	if proxy.URL != nil {
		findings[0].Detail = proxy.String()
	}
	tellers := []struct {
		step controller.Step
		tell func() Finding
	}{
		{controller.StepDNS, w.tellDNS}, {controller.StepTCP, w.tellTCP}, {controller.StepProxyTLS, w.tellProxyTLS}, {controller.StepProxy, w.tellProxy},
		{controller.StepTLS, w.tellTLS}, {controller.StepAnswer, w.tellAnswer},
	}
	for _, teller := range tellers {
		_, done := w.Steps[teller.step]
		if done && teller.step != controller.StepAnswer || w.Step == teller.step {
			findings = append(findings, teller.tell())
		}
		if f, ok := w.tellCertificate(); ok && teller.step == controller.StepTLS {
			findings = append(findings, f)
		}
		if w.Step == teller.step {
			break
		}
	}
	return findings, w.Path
}

func hostPort(address *url.URL) string {
	port := address.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[address.Scheme]
	}
	return net.JoinHostPort(address.Hostname(), port)
}

// failed reports whether the request ended in that step.
func (w way) failed(step controller.Step) bool { return w.Step == step }

// late says what did not answer in time.
func (w way) late(what, advice string) error {
	return fmt.Errorf("%s within %v; %s", what, w.limit, advice)
}

// target names what is connected to.
func (w way) target() string {
	if w.proxy.URL != nil {
		return w.proxy.String()
	}
	return w.host
}

// where says what to check when the host is wrong or cannot be reached.
func (w way) where() string {
	if w.proxy.URL != nil {
		return "check the proxy's address in " + w.proxy.From
	}
	return "check the Controller's address (--url)"
}

func (w way) tellDNS() Finding {
	f := Finding{What: stepNames()[controller.StepDNS]}
	name := strings.Trim(w.Host[:max(strings.LastIndexByte(w.Host, ':'), 0)], "[]")
	if name == "" {
		name = w.Host
	}
	if w.failed(controller.StepDNS) {
		var dns *net.DNSError
		switch errors.As(w.Err, &dns); {
		case w.TimedOut:
			f.Err = w.late("no name server said where "+name+" is", "check this machine's name servers")
		case dns != nil && dns.IsNotFound:
			f.Err = fmt.Errorf("there is no host %s; %s, and this machine's name servers", name, w.where())
		default:
			f.Err = fmt.Errorf("%s could not be looked up: %w; check this machine's name servers", name, w.Err)
		}
		return f
	}
	var addresses []string
	v4, v6 := 0, 0
	for _, address := range w.Addresses {
		addresses = append(addresses, address.String())
		if address.Is4() {
			v4++
		} else {
			v6++
		}
	}
	const most = 6
	if len(addresses) > most {
		addresses = append(addresses[:most], "…")
	}
	f.Detail = fmt.Sprintf("%s is %s (%d IPv4, %d IPv6)", name, strings.Join(addresses, ", "), v4, v6)
	return f
}

func (w way) tellTCP() Finding {
	f := Finding{What: stepNames()[controller.StepTCP]}
	if !w.failed(controller.StepTCP) {
		f.Detail = fmt.Sprintf("%s took the connection", w.Connected)
		for _, err := range w.Failed {
			if !errors.Is(err, context.Canceled) {
				f.Note += "; but not another address: " + briefly(err)
			}
		}
		return f
	}
	ask := "ask the people who run your network whether a firewall stops it"
	if w.proxy.URL == nil {
		ask += ", or a proxy is needed (HTTPS_PROXY)"
	}
	switch {
	case w.TimedOut:
		f.Err = w.late(w.target()+" did not take the connection", ask)
	default:
		f.Err = fmt.Errorf("%s did not take the connection: %s; %s, and %s", w.target(), briefly(w.Err), w.where(), ask)
	}
	return f
}

// briefly returns the address and the innermost words of a network error.
func briefly(err error) string {
	address := ""
	for op := new(net.OpError); errors.As(err, &op); err = op.Err {
		if op.Addr != nil {
			address = op.Addr.String() + ": "
		}
	}
	if call := new(os.SyscallError); errors.As(err, &call) {
		err = call.Err
	}
	return address + err.Error()
}

func (w way) tellProxyTLS() Finding {
	f := Finding{What: stepNames()[controller.StepProxyTLS], Detail: "the connection to the proxy is secure"}
	if w.failed(controller.StepProxyTLS) {
		f.Err = w.tlsError(w.target(), "check the proxy's address in "+w.proxy.From+": most proxies are reached by http://, for https: addresses too")
	}
	return f
}

func (w way) tellProxy() Finding {
	f := Finding{What: stepNames()[controller.StepProxy], Detail: "it connects to " + w.host}
	if !w.failed(controller.StepProxy) {
		return f
	}
	answered := fmt.Sprintf("%s answers %d to the request to connect to %s", w.proxy, w.ProxyStatus, w.host)
	switch {
	case w.ProxyStatus == 407:
		f.Err = fmt.Errorf("%s: it asks for a user name and password, or does not accept them; write them in %s, as in http://USER:PASSWORD@%s", answered, w.proxy.From, w.proxy.URL.Host)
	case w.ProxyStatus >= 500:
		f.Err = fmt.Errorf("%s: it cannot reach it; %s, and ask the people who run the proxy", answered, "check the Controller's address (--url)")
	case w.ProxyStatus > 0:
		f.Err = fmt.Errorf("%s; ask the people who run it to allow that, or put the host into NO_PROXY if it can be reached without", answered)
	case w.TimedOut:
		f.Err = w.late(w.proxy.String()+" did not connect to "+w.host, "ask the people who run the proxy whether it may connect there")
	default:
		f.Err = fmt.Errorf("%s did not connect to %s: %w; is it a proxy? %s", w.proxy, w.host, w.Err, w.where())
	}
	return f
}

func (w way) tellTLS() Finding {
	f := Finding{What: stepNames()[controller.StepTLS]}
	if w.failed(controller.StepTLS) {
		f.Err = w.tlsError(w.host, "check the Controller's address (--url)")
		return f
	}
	if w.TLS == nil || len(w.TLS.PeerCertificates) == 0 {
		f.Detail = "the connection is secure"
		return f
	}
	leaf := w.TLS.PeerCertificates[0]
	f.Detail = fmt.Sprintf("%s; the certificate is for %s, issued by %s, valid until %s; %s", tls.VersionName(w.TLS.Version),
		namesOf(leaf), config.NameOf(leaf.Issuer), onDay(leaf.NotAfter), w.trusted())
	ends := leaf
	if len(w.TLS.VerifiedChains) > 0 {
		ends = slices.MinFunc(w.TLS.VerifiedChains[0], func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	}
	if time.Until(ends.NotAfter) < config.ExpiresSoon {
		f.Note = fmt.Sprintf("; %s expires in %s: tell the people who run %s", config.NameOf(ends.Subject), daysUntil(ends.NotAfter), w.host)
	}
	return f
}

func daysUntil(end time.Time) string {
	return english.Plural(int(time.Until(end).Hours()/24), "day", "")
}

// trusted says which authority vouches for the server, and where it is from.
func (w way) trusted() string {
	if len(w.TLS.VerifiedChains) == 0 || len(w.TLS.VerifiedChains[0]) == 0 {
		return "trusted"
	}
	chain := w.TLS.VerifiedChains[0]
	root := chain[len(chain)-1]
	from := "this machine's authorities"
	if slices.ContainsFunc(w.certificates.Authorities, root.Equal) {
		from = w.caFile
	}
	return fmt.Sprintf("trusted by %s, from %s", config.NameOf(root.Subject), from)
}

// namesOf returns the hosts that a certificate is for.
func namesOf(c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, address := range c.IPAddresses {
		names = append(names, address.String())
	}
	const most = 4
	switch {
	case len(names) == 0:
		return "no host"
	case len(names) > most:
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// tlsError says why there is no secure connection to a server, and what to do.
func (w way) tlsError(who, advice string) error {
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		host        x509.HostnameError
		authority   x509.UnknownAuthorityError
		invalid     x509.CertificateInvalidError
	)
	if denial, ok := controller.FindTLSRefusal(w.Err); ok {
		problem, what := denial.Explain(who, w.certificates.Client != nil)
		if w.Asked && w.certificates.Client == nil && !denial.Old {
			denial = controller.TLSRefusal{Certificate: true}
			problem, what = denial.Explain(who, false)
		}
		if denial.Certificate && w.unusable {
			return fmt.Errorf("%s asks for a client certificate; correct yours first: see certificates above", who)
		}
		return fmt.Errorf("%s; %s", problem, what)
	}
	switch {
	case w.TimedOut:
		return w.late(who+" did not agree on a secure connection", "ask the people who run your network whether a firewall stops it")
	case errors.As(w.Err, &record):
		return fmt.Errorf("%s does not speak https; %s", who, advice)
	case !errors.As(w.Err, &certificate) || len(certificate.UnverifiedCertificates) == 0:
		return fmt.Errorf("%s ended the secure connection: %w; %s", who, w.Err, advice)
	}
	leaf := certificate.UnverifiedCertificates[0]
	issuer := config.NameOf(leaf.Issuer)
	switch {
	case errors.As(certificate.Err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return fmt.Errorf("the certificate of %s (%s, issued by %s) is not valid before %s; check this machine's clock", who, config.NameOf(invalid.Cert.Subject), issuer, onDay(invalid.Cert.NotBefore))
	case errors.As(certificate.Err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("the certificate of %s (%s, issued by %s) expired on %s; check this machine's clock, and tell the people who run it", who, config.NameOf(invalid.Cert.Subject), issuer, onDay(invalid.Cert.NotAfter))
	case errors.As(certificate.Err, &host):
		return fmt.Errorf("the certificate of %s is for another host: %s (issued by %s); %s", who, namesOf(leaf), issuer, advice)
	case errors.As(certificate.Err, &authority):
		return fmt.Errorf("the certificate of %s is issued by %s, which this machine does not trust; if a proxy or firewall of yours inspects what is sent, name the file with its authority with --ca-file; otherwise %s", who, issuer, advice)
	}
	return fmt.Errorf("the certificate of %s (issued by %s) cannot be trusted: %w; %s", who, issuer, certificate.Err, advice)
}

// tellCertificate says whether the server asked for a client certificate; ok is false if
// nobody has to know.
func (w way) tellCertificate() (f Finding, ok bool) {
	f.What = "TLS client"
	switch {
	case w.Asked && w.certificates.Client != nil:
		f.Detail = w.host + " asked for one, and it was sent"
	case w.Asked && w.unusable && !w.failed(controller.StepTLS):
		f.Detail, f.Note = w.host+" asks for one, and goes on without", "; correct yours: see certificates above"
	case w.Asked && !w.failed(controller.StepTLS):
		f.Detail, f.Note = w.host+" asks for one, and goes on without", "; if it refuses requests, name one with --client-cert"
	case w.certificates.Client != nil && w.TLS != nil && !w.failed(controller.StepTLS):
		f.Detail, f.Note = w.host+" does not ask for one", "; if it should, check the Controller's address (--url)"
	default:
		return f, false
	}
	return f, true
}

func (w way) tellAnswer() Finding {
	f := Finding{What: stepNames()[controller.StepAnswer]}
	switch {
	case w.TimedOut:
		f.Err = w.late(w.host+" did not answer", "try again later, and ask the people who run it")
	default:
		f.Err = fmt.Errorf("%s did not answer: %w; check the Controller's address (--url)", w.host, w.Err)
	}
	return f
}
