package app

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"opscom-import/importer/sandbox"
	"opscom-import/mapping"
)

func TestTypesCache(t *testing.T) {
	var none *TypesCache
	none.put("a", nil, time.Now())
	if _, ok := none.get("a", time.Now()); ok {
		t.Error("no cache remembers something")
	}
	var c TypesCache
	now := time.Now()
	c.put("a", []mapping.UserType{{ID: "1"}}, now)
	for _, tc := range []struct {
		target string
		at     time.Time
		want   bool
	}{{"a", now, true}, {"a", now.Add(typesLast - 1), true}, {"a", now.Add(typesLast), false}, {"b", now, false}} {
		if list, ok := c.get(tc.target, tc.at); ok != tc.want || ok && len(list) != 1 {
			t.Errorf("%s after %v: %v, %t", tc.target, tc.at.Sub(now), list, ok)
		}
	}
}

// One answer after the other on the page does not ask OPS-COM each time.
func TestInspectionsAskOnce(t *testing.T) {
	box, err := sandbox.New(sandbox.Config{Client: "TOMA", Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		box.ServeHTTP(w, r)
	}))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("t"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := newEnv(t, "--url", server.URL, "--client", "TOMA", "--token-file", token)
	file := sample(t, "with-faults.csv")
	env.Types = &TypesCache{}
	inspected(t, env, file)
	first := asked
	if inspected(t, env, file); first == 0 || asked != first {
		t.Errorf("asked %d times for the first inspection, %d for the second", first, asked-first)
	}
}
