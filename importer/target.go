package importer

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// TargetOf names what runs are pushed to: a client code at a Controller's base URL.
// One Controller has one name, however its URL is written, because runs to one target
// exclude each other and share what was accepted. The path keeps its case.
//
//	OC_TEST, HTTPS://OPS.Example:443/Api/ → "OC_TEST at https://ops.example/Api"
func TargetOf(client, base string) string { return SameTarget(client + between + base) }

// between stands between client code, which has no spaces, and URL.
const between = " at "

// SameTarget returns the name that TargetOf gives to a target, whose stored name may
// be older than that rule. A name without a URL, as the sandbox's, is returned as it is.
func SameTarget(name string) string {
	client, base, found := strings.Cut(name, between)
	u, err := url.Parse(base)
	if !found || err != nil || u.Host == "" {
		return name
	}
	u.Host = sameHost(u)
	return client + between + strings.TrimRight(u.JoinPath().String(), "/")
}

// ClientOf returns the client code of a target as TargetOf names it; "" for one that has none, as the
// sandbox's.
func ClientOf(target string) string {
	client, _, found := strings.Cut(target, between)
	if !found {
		return ""
	}
	return client
}

// ControllerOf returns the URL of a target as TargetOf names it; "" for one that has none, as the sandbox's.
func ControllerOf(target string) string {
	_, base, _ := strings.Cut(SameTarget(target), between)
	return base
}

// sameHost returns the URL's host, and its port unless that is the scheme's own, as
// every spelling of them is written.
func sameHost(u *url.URL) string {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.String()
	} else if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii
	}
	port := strings.TrimLeft(u.Port(), "0")
	if port == map[string]string{"https": "443", "http": "80"}[u.Scheme] {
		port = ""
	}
	if port == "" && strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	if port == "" {
		return host
	}
	return net.JoinHostPort(host, port)
}
