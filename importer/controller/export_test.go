package controller

import "testing"

// EachClient runs test for each client, for tests outside of the package.
func EachClient(t *testing.T, test func(t *testing.T, newClient func(Config) (*Client, error))) {
	t.Helper()
	eachClient(t, func(t *testing.T, client makeClient) {
		test(t, func(cfg Config) (*Client, error) { return client(cfg, nil) })
	})
}
