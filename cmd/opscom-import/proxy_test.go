package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/rogpeppe/go-internal/testscript"
)

// proxyCommand starts a proxy and sets PROXY to its host and port:
//
//	proxy [CODE]    hands http: requests to the Controller of the script, whatever host they name; with a code it answers every request so
//
// A password is not asked for. Requests for https: (CONNECT) are answered with the
// code, or held until the program gives up.
func proxyCommand(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	if len(args) > 0 {
		code = number(ts, args[0])
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case code != 0:
			w.WriteHeader(code)
		case r.Method == http.MethodConnect:
			<-r.Context().Done()
		default:
			w.Header().Set("Via", "1.1 proxy")
			controllerOf(ts).ServeHTTP(w, r)
		}
	}))
	ts.Defer(server.Close)
	address, err := url.Parse(server.URL)
	ts.Check(err)
	ts.Setenv("PROXY", address.Host)
}
