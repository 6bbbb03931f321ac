package sandbox

import (
	"bytes"
	stdjson "encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"

	"opscom-import/mapping"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const pushPath = "/api/OC_TRIAL/v1/profiles/push"

// fields are the members of a request's body.
type fields map[string]any

// person returns the fields of a valid push, with changes on top: a nil one
// leaves the field out.
func personWith(changes fields) fields {
	f := fields{"apiToken": "trial-token", "unique_id": "900123456", "login_source": "SSO"}
	maps.Copy(f, changes)
	maps.DeleteFunc(f, func(_ string, value any) bool { return value == nil })
	return f
}

func trialConfig() Config {
	return Config{Client: "OC_TRIAL", Token: "trial-token", KeepRequests: true}
}

func newSandbox(t testing.TB, config Config) *Sandbox {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// body encodes a request's body; text stays as it is.
func body(t testing.TB, content any) []byte {
	t.Helper()
	if text, ok := content.(string); ok {
		return []byte(text)
	}
	encoded, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// reply is an answer of the Controller, as a client reads it.
type reply struct {
	HTTP        int    `json:"-"`
	Status      string `json:"status"`
	ReferenceID int    `json:"reference_id"`
	ErrorCode   int
}

// push hands one push to the sandbox without a network.
func push(t testing.TB, s http.Handler, content any) reply {
	t.Helper()
	return post(t, s, pushPath, content)
}

func post(t testing.TB, s http.Handler, path string, content any) reply {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body(t, content)))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	return readReply(t, recorder.Result())
}

func readReply(t testing.TB, response *http.Response) reply {
	t.Helper()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{HTTP: response.StatusCode}
	if response.Header.Get("Content-Type") == jsonType && json.Unmarshal(content, &r) != nil {
		t.Fatalf("the answer %q is not a JSON object", content)
	}
	return r
}

// personOf returns a person's attributes (cleared ones are blank) and reference id.
func personOf(s *Sandbox, key Key) (profile mapping.Profile, referenceID int, known bool) {
	s.people.mu.Lock()
	defer s.people.mu.Unlock()
	found, err := s.people.get(key, &profile)
	return profile, found.id, found.id != 0 && err == nil
}

// readRequestLog reads the file of a request log.
func readRequestLog(t *testing.T, path string) []Entry {
	t.Helper()
	var entries []Entry
	for line := range strings.Lines(read(t, path)) {
		if !strings.HasSuffix(line, "\n") {
			break // as a killed process leaves it
		}
		var entry Entry
		if err := stdjson.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry)
	}
	return latestEntries(entries)
}
