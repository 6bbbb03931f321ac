package config

import (
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// WhyNoProxy says for a person why requests to the address go through no proxy.
func (s Settings) WhyNoProxy(target string) string {
	to, err := url.Parse(target)
	if err != nil {
		return "the address cannot be read"
	}
	variable := strings.ToLower(to.Scheme) + "_proxy"
	name, value := s.firstVariable(variable)
	if value == "" {
		return strings.ToUpper(variable) + " is not set"
	}
	if isThisMachine(to.Hostname()) {
		return name + " is set, but this machine is reached without it"
	}
	exceptions, list := s.firstVariable("no_proxy")
	for entry := range strings.SplitSeq(list, ",") {
		used, err := (&httpproxy.Config{HTTPProxy: "proxy", HTTPSProxy: "proxy", NoProxy: entry}).ProxyFunc()(to)
		if err == nil && used == nil && strings.TrimSpace(entry) != "" {
			return fmt.Sprintf("%s is set, but %s has %q", name, exceptions, strings.TrimSpace(entry))
		}
	}
	return name + " is set, but does not count for this address"
}
