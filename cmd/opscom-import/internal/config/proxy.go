package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"opscom-import/importer/controller"
)

// FindProxy returns the proxy through which requests to the address go, as the
// customary variables name it: HTTPS_PROXY for https:, HTTP_PROXY for http:, except
// for hosts in NO_PROXY and for this machine; each may be in lower case, which
// comes first. The zero Proxy means none. No error holds any of a variable's value,
// which may have a password; a proxy that would not be used is not checked.
func (s Settings) FindProxy(target string) (controller.Proxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return controller.Proxy{}, errors.New("the Controller's address (--url) cannot be read")
	}
	name, value := s.firstVariable(strings.ToLower(to.Scheme) + "_proxy")
	if value == "" {
		return controller.Proxy{}, nil
	}
	_, exceptions := s.firstVariable("no_proxy")
	const anyProxy = "http://proxy" // only to ask whether one is used
	used, err := (&httpproxy.Config{HTTPProxy: anyProxy, HTTPSProxy: anyProxy, NoProxy: exceptions}).ProxyFunc()(to)
	if err != nil || used == nil {
		return controller.Proxy{}, err
	}
	address, err := parseProxy(value)
	if err != nil {
		return controller.Proxy{}, fmt.Errorf("%s: %w", name, err)
	}
	return controller.Proxy{URL: address, From: name}, nil
}

// firstVariable returns the variable with that name in lower case, else in capitals,
// and its value; an empty one counts as unset.
func (s Settings) firstVariable(lower string) (name, value string) {
	for _, name := range []string{lower, strings.ToUpper(lower)} {
		if value := strings.TrimSpace(s.getenv(name)); value != "" {
			return name, value
		}
	}
	return "", ""
}

// proxySchemes are the ways in which net/http speaks to a proxy.
var proxySchemes = []string{"http", "https", "socks5", "socks5h"}

// parseProxy reads the address of a proxy; without a scheme it is http://. A
// password ends at the last @, so that one with a / or # in it is noticed and not
// taken for a host.
func parseProxy(text string) (*url.URL, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "http", text
	}
	scheme = strings.ToLower(scheme)
	if !slices.Contains(proxySchemes, scheme) {
		return nil, errors.New("the proxy's address must begin with http://, https://, socks5:// or socks5h://, then a host and a port, such as http://proxy.example.edu:3128")
	}
	login, host := "", rest
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		login, host = rest[:at+1], rest[at+1:]
	}
	address, err := url.Parse(scheme + "://" + host)
	if err != nil || address.Hostname() == "" || !isPort(address.Port()) {
		return nil, errors.New("the proxy's address does not end in a host and a port, such as http://proxy.example.edu:3128 (it is not shown, because it may hold a password)")
	}
	withLogin, err := url.Parse(scheme + "://" + login + address.Host)
	if err != nil || strings.ContainsAny(login, "/?#") {
		return nil, errors.New("the user name or password in the proxy's address has a character that must be written as its code: " +
			`%25 for %, %23 for #, %2F for /, %3F for ?, %40 for @, %3A for :, %5C for \, %20 for a space`)
	}
	return withLogin, nil
}

// isPort reports whether the text is a port, or none.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}
