package sandbox

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

// BenchmarkHandler measures what one push costs besides the network: with
// people in memory, with a request log, and with all of it in files.
func BenchmarkHandler(b *testing.B) {
	for _, bc := range []struct {
		name   string
		change func(b *testing.B, c *Config)
	}{
		{"memory", func(*testing.B, *Config) {}},
		{"request log", func(_ *testing.B, c *Config) { c.KeepRequests = true }},
		{"faults", func(_ *testing.B, c *Config) { c.Faults.Failures = []Failure{{Kind: ServiceUnavailable, Share: 0.01}} }},
		{"files", func(b *testing.B, c *Config) {
			c.PeopleFile = filepath.Join(b.TempDir(), "people.jsonl")
			c.RequestLogFile = filepath.Join(b.TempDir(), "requests.jsonl")
		}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			config := trialConfig()
			config.KeepRequests = false
			bc.change(b, &config)
			benchmarkPushes(b, newSandbox(b, config))
		})
	}
}

func benchmarkPushes(b *testing.B, s *Sandbox) {
	request := httptest.NewRequest(http.MethodPost, pushPath, nil)
	request.Header.Set("Content-Type", "application/json")
	w := &discard{header: make(http.Header)}
	var content []byte
	body := bytes.NewReader(nil)
	request.Body = io.NopCloser(body)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		content = fmt.Appendf(content[:0], `{"apiToken":"trial-token","unique_id":"9%08d","login_source":"SSO",`+
			`"first_name":"Zoë","last_name":"Okafor-Tremblay","user_name":"zokafor%d","email":"zoe.okafor%d@example.edu",`+
			`"street":"12 Rue de l'Église, Apt. 4","city":"Gatineau","province":"QC","postal_code":"J8X 1A1",`+
			`"phone_cell":"819-555-0101","user_type_id":"1","student_no":"9%08d","date_of_birth":"2004-02-29"}`, i, i, i, i)
		body.Reset(content)
		s.ServeHTTP(w, request)
		if w.status != http.StatusOK && w.status != http.StatusServiceUnavailable {
			b.Fatalf("status %d", w.status)
		}
	}
}

// discard is a ResponseWriter that keeps nothing but the status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) Flush()                      {}
