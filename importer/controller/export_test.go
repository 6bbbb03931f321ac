package controller

import (
	"strings"
	"testing"
)

// EachClient runs test for each client, for tests outside of the package.
func EachClient(t *testing.T, test func(t *testing.T, newClient func(Config) (*Client, error))) {
	t.Helper()
	eachClient(t, func(t *testing.T, client makeClient) {
		test(t, func(cfg Config) (*Client, error) { return client(cfg, nil) })
	})
}

// BenchEachClient is EachClient for benchmarks.
func BenchEachClient(b *testing.B, bench func(b *testing.B, newClient func(Config) (*Client, error))) {
	b.Helper()
	for _, client := range makeClients {
		b.Run(strings.ReplaceAll(client.name, " ", "-"), func(b *testing.B) {
			bench(b, func(cfg Config) (*Client, error) { return client.make(cfg, nil) })
		})
	}
}
