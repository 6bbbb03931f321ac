package controller_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"opscom-import/importer/controller"
)

// TestBlipAtTheStart: a Controller that is being restarted is waited for, for a while
// and out loud; what no waiting helps against is told at once.
func TestBlipAtTheStart(t *testing.T) {
	fails := func(err error) func() (*http.Response, error) {
		return func() (*http.Response, error) { return nil, err }
	}
	answers := func(status int) func() (*http.Response, error) {
		return func() (*http.Response, error) { return answered(status, "<html>") }
	}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	tests := []struct {
		name   string
		answer func() (*http.Response, error)
		waits  bool
	}{
		{"refused", fails(dial(syscall.ECONNREFUSED)), true},
		{"reset", fails(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}), true},
		{"closed", fails(io.EOF), true},
		{"502", answers(502), true},
		{"503", answers(503), true},
		{"504", answers(504), true},
		{"resolver away", fails(dial(&net.DNSError{Name: "controller.example", IsTemporary: true})), true},
		{"no such host", fails(dial(&net.DNSError{Name: "controller.example", IsNotFound: true})), false},
		{"certificate", fails(&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}), false},
		{"500", answers(500), false},
		{"404", answers(404), false},
		{"a page", answers(200), false},
	}
	for _, test := range tests {
		for _, lasts := range []time.Duration{5 * time.Second, time.Hour} {
			var start time.Time
			m := &inMemory{answer: func(int, *http.Request) (*http.Response, error) {
				if time.Since(start) < lasts {
					return test.answer()
				}
				return answered(200, `{"status":"success","user_types":[{"id":"1","type_name":"Student"}]}`)
			}}
			once := func(c *controller.Config) { c.MaxAttempts = 1 }
			virtual(t, m, once, func(t *testing.T, client *controller.Client) {
				start = time.Now()
				told := 0
				types, err := client.AwaitUserTypes(t.Context(), func(string) { told++ })
				took := time.Since(start)
				switch {
				case !test.waits && (err == nil || took != 0 || told != 0):
					t.Errorf("%s: %v, %v after %v, told %d times; want an error at once", test.name, types, err, took, told)
				case test.waits && told != 1:
					t.Errorf("%s: told %d times, want once", test.name, told)
				case test.waits && lasts == 5*time.Second && (err != nil || len(types) != 1 || took > 8*time.Second):
					t.Errorf("%s: %v, %v after %v", test.name, types, err, took)
				case test.waits && lasts == time.Hour && (err == nil || took < 10*time.Second || took > 20*time.Second):
					t.Errorf("%s: %v after %v, want an error after some 15 s", test.name, err, took)
				}
			})
		}
	}
}

func TestInterruptEndsTheWaitAtTheStart(t *testing.T) {
	m := &inMemory{answer: func(int, *http.Request) (*http.Response, error) { return answered(502, "") }}
	virtual(t, m, nil, func(t *testing.T, client *controller.Client) {
		ctx, stop := context.WithCancel(t.Context())
		start := time.Now()
		_, err := client.AwaitUserTypes(ctx, func(string) { time.AfterFunc(time.Second, stop) })
		if took := time.Since(start); err == nil || took > 5*time.Second {
			t.Errorf("error %v after %v, want one after a second", err, took)
		}
		stop()
	})
}
