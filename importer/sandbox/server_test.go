package sandbox

import (
	"net/http"
	"strings"
	"testing"
)

func TestListen(t *testing.T) {
	s := newSandbox(t, trialConfig())
	server, err := s.Listen("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, text, err := send(t.Context(), t, http.DefaultClient, server.URL, personWith(nil)); err != nil || !strings.Contains(text, "1001") {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := s.Listen(strings.TrimPrefix(server.URL, "http://")); err == nil {
		t.Error("two servers listen on one port")
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := send(t.Context(), t, http.DefaultClient, server.URL, personWith(nil)); err == nil {
		t.Error("a closed server answers")
	}
}

func TestListenOnLoopbackOnly(t *testing.T) {
	s := newSandbox(t, trialConfig())
	for _, address := range []string{":8080", "0.0.0.0:8080", "192.0.2.1:8080", "[::]:8080", "example.edu:8080", "8080"} {
		if _, err := s.Listen(address); err == nil || !strings.Contains(err.Error(), "127.0.0.1:8080") {
			t.Errorf("Listen(%q): %v; want an error that shows an address to use", address, err)
		}
	}
}
