package sandbox

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"opscom-import/mapping"
)

func TestRequestLog(t *testing.T) {
	config := trialConfig()
	config.RequestLogFile = filepath.Join(t.TempDir(), "requests.jsonl")
	s := newSandbox(t, config)
	post(t, s, "/api/OC_TRIAL/v1/profiles/types/list", `{"apiToken":"trial-token"}`)
	push(t, s, `{"first_name":"Zo\u00eb","login_source":"SSO","unique_id":"A-1","apiToken":"trial-token"}`)
	push(t, s, personWith(fields{"unique_id": nil}))
	post(t, s, "/favicon.ico", "")

	var profile mapping.Profile
	profile.Set(mapping.UniqueID, "A-1")
	profile.Set(mapping.LoginSource, "SSO")
	profile.Set(mapping.FirstName, "Zoë")
	payload, err := profile.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Requests()
	for i := range got {
		if time.Since(got[i].Time).Abs() > time.Minute {
			t.Errorf("entry %d came at %s", i, got[i].Time)
		}
		if got[i].ErrorCode != 0 {
			got[i].Body = Hash{}
		}
	}
	want := []Entry{
		{Sequence: 1, Call: TypesCall, Status: 200, Delivered: true},
		{Sequence: 2, Call: PushCall, Key: Key{"sso", "a-1"}, Body: sha256.Sum256(payload), Status: 200, ReferenceID: 1001, Applied: true, Delivered: true},
		{Sequence: 3, Call: PushCall, Key: Key{LoginSource: "sso"}, Status: 400, ErrorCode: 9013, Delivered: true},
		{Sequence: 4, Status: 404, Delivered: true},
	}
	ignoreTime := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Time" }, cmp.Ignore())
	if diff := cmp.Diff(want, got, ignoreTime); diff != "" {
		t.Errorf("request log differs (-want +got):\n%s", diff)
	}

	if diff := cmp.Diff(s.Requests(), readRequestLog(t, config.RequestLogFile)); diff != "" {
		t.Errorf("the file differs (-memory +file):\n%s", diff)
	}
	text := read(t, config.RequestLogFile)
	for _, secret := range []string{config.Token, "Zo"} {
		if strings.Contains(text, secret) {
			t.Errorf("the file holds %q", secret)
		}
	}
}

func TestRequestLogFileIsContinued(t *testing.T) {
	config := trialConfig()
	config.RequestLogFile = filepath.Join(t.TempDir(), "requests.jsonl")
	for range 2 {
		s, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		push(t, s, personWith(nil))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		half := read(t, config.RequestLogFile) + `{"sequence":9,"ti` // as a killed process leaves it
		if err := os.WriteFile(config.RequestLogFile, []byte(half), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	entries := readRequestLog(t, config.RequestLogFile)
	if len(entries) != 2 || entries[0].Sequence != 1 || entries[1].Sequence != 2 {
		t.Errorf("entries %+v; want sequences 1 and 2", entries)
	}
}

func TestLastEntryCounts(t *testing.T) {
	got := latestEntries([]Entry{{Sequence: 2, Delivered: true}, {Sequence: 1, Delivered: true}, {Sequence: 2}})
	if diff := cmp.Diff([]Entry{{Sequence: 1, Delivered: true}, {Sequence: 2}}, got); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
}

func TestDamagedRequestLogIsNotContinued(t *testing.T) {
	for _, damaged := range []string{"no JSON\n", `{"body":"abc"}` + "\n", `{"body":"` + strings.Repeat("z", 64) + `"}` + "\n"} {
		config := trialConfig()
		config.RequestLogFile = filepath.Join(t.TempDir(), "requests.jsonl")
		text := `{"sequence":1}` + "\n" + damaged
		if err := os.WriteFile(config.RequestLogFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: error %v, want one that names line 2", damaged, err)
		}
		if got := read(t, config.RequestLogFile); got != text {
			t.Errorf("%q: the file was changed", damaged)
		}
	}
}

func TestRequestLogThatCannotBeWritten(t *testing.T) {
	config := trialConfig()
	config.RequestLogFile = filepath.Join(t.TempDir(), "requests.jsonl")
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.log.file.file.Close(); err != nil { // as a full disk would: every write fails
		t.Fatal(err)
	}
	if got := push(t, s, personWith(nil)); got.HTTP != 500 {
		t.Errorf("answer %+v, want 500", got)
	}
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "1 line could not be written") {
		t.Errorf("Close says %v of the entry that could not be kept", err)
	}
}
