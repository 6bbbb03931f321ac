package controller

import (
	"net/http"
	"testing"
)

// A makeClient returns a client. adjustTransport may be nil.
type makeClient func(cfg Config, adjustTransport func(*http.Transport)) (*Client, error)

// makeClients are the clients that there are, by the way they send a request.
var makeClients = []struct {
	name string
	make makeClient
}{
	{"own connections", func(cfg Config, adjust func(*http.Transport)) (*Client, error) { return adjusted(cfg, adjust, false) }},
	{"net/http", func(cfg Config, adjust func(*http.Transport)) (*Client, error) { return adjusted(cfg, adjust, true) }},
}

func adjusted(cfg Config, adjust func(*http.Transport), byTransport bool) (*Client, error) {
	transport := newTransport(cfg)
	if adjust != nil {
		adjust(transport)
	}
	return newClient(cfg, transport, byTransport)
}

// eachClient runs test for each client.
func eachClient(t *testing.T, test func(*testing.T, makeClient)) {
	t.Helper()
	for _, client := range makeClients {
		t.Run(client.name, func(t *testing.T) { test(t, client.make) })
	}
}
