package sandbox

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"opscom-import/mapping"
)

func TestUpsert(t *testing.T) {
	s := newSandbox(t, trialConfig())
	steps := []struct {
		name string
		sent fields
		want int // reference id
	}{
		{"created", fields{"first_name": "Zoë", "city": "Gatineau", "phone_cell": "819-555-0101"}, 1001},
		{"updated: one left out, one cleared, one new", fields{"city": "Ottawa", "phone_cell": "", "email": "zoe@example.edu"}, 1001},
		{"another person", fields{"unique_id": "900123457"}, 1002},
		{"another login source", fields{"login_source": "LDAP"}, 1003},
		{"the same in another case and with spaces", fields{"login_source": " sso", "unique_id": "900123456 "}, 1001},
		{"one more", fields{"unique_id": "900123458"}, 1004},
	}
	for _, step := range steps {
		if got := push(t, s, personWith(step.sent)); got.ReferenceID != step.want {
			t.Fatalf("%s: %+v, want reference id %d", step.name, got, step.want)
		}
	}
	if s.People() != 4 {
		t.Errorf("%d people, want 4", s.People())
	}
	profile, _, _ := personOf(s, KeyOf("SSO", "900123456"))
	for attribute, want := range map[mapping.Attribute]string{
		mapping.FirstName: "Zoë", mapping.City: "Ottawa", mapping.CellPhone: "", mapping.Email: "zoe@example.edu",
	} {
		if got, _ := profile.Get(attribute); got != want {
			t.Errorf("%s is %q, want %q", attribute, got, want)
		}
	}
	if _, _, known := personOf(s, KeyOf("SSO", "nobody")); known {
		t.Error("somebody has the unique id of nobody")
	}
}

func TestUniqueness(t *testing.T) {
	const first, second = "900000001", "900000002"
	s := newSandbox(t, trialConfig())
	steps := []struct {
		name, id string
		sent     fields
		want     int // error code
	}{
		{"first has it", first, fields{"email": "zoe@example.edu", "user_name": "zoe"}, 0},
		{"first sends it again, in another case", first, fields{"email": "ZOE@example.edu", "user_name": "Zoe"}, 0},
		{"second wants the e-mail address", second, fields{"email": "Zoe@Example.edu"}, 9019},
		{"second wants the user name", second, fields{"user_name": "ZOE"}, 9020},
		{"second takes others", second, fields{"email": "max@example.edu", "user_name": "max"}, 0},
		{"first wants the second's", first, fields{"email": "max@example.edu"}, 9019},
		{"first leaves both out", first, fields{}, 0},
		{"which keeps them", second, fields{"email": "zoe@example.edu"}, 9019},
		{"first clears both", first, fields{"email": "", "user_name": ""}, 0},
		{"which frees them", second, fields{"email": "zoe@example.edu", "user_name": "zoe"}, 0},
		{"and the second's former ones", first, fields{"email": "max@example.edu", "user_name": "max"}, 0},
		{"two blanks don't clash", second, fields{"email": "", "user_name": ""}, 0},
		{"nor do three", first, fields{"email": "", "user_name": ""}, 0},
	}
	for _, step := range steps {
		step.sent["unique_id"] = step.id
		if got := push(t, s, personWith(step.sent)); got.ErrorCode != step.want {
			t.Fatalf("%s: %+v, want error code %d", step.name, got, step.want)
		}
	}
}

func TestPeopleFileOutlivesTheSandbox(t *testing.T) {
	config := trialConfig()
	config.PeopleFile = filepath.Join(t.TempDir(), "people.jsonl")
	open := func() *Sandbox { t.Helper(); return newSandbox(t, config) }

	s := open()
	push(t, s, personWith(fields{"first_name": "Zoë", "email": "zoe@example.edu"}))
	push(t, s, personWith(fields{"unique_id": "900123457", "email": "max@example.edu"}))
	push(t, s, personWith(fields{"email": "zoe.okafor@example.edu"}))
	push(t, s, personWith(fields{"unique_id": "900123457", "email": "zoe@example.edu"}))
	push(t, s, personWith(fields{"unique_id": "900123457", "email": "zoe@example.edu"}))
	before := read(t, config.PeopleFile)
	if lines := strings.Count(before, "\n"); lines != 4 {
		t.Errorf("%d lines, want one for each change, 4:\n%s", lines, before)
	}
	if strings.Contains(before, config.Token) {
		t.Error("the file holds the token")
	}
	if info, err := os.Stat(config.PeopleFile); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if _, err := New(config); err == nil || !strings.Contains(err.Error(), "another sandbox") {
		t.Errorf("a second sandbox on the same file: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	// A killed process leaves half a line.
	if err := os.WriteFile(config.PeopleFile, []byte(before+`{"reference_id":1003,"prof`), 0o600); err != nil {
		t.Fatal(err)
	}
	s = open()
	if s.People() != 2 {
		t.Errorf("%d people, want 2", s.People())
	}
	profile, id, _ := personOf(s, KeyOf("SSO", "900123456"))
	if name, _ := profile.Get(mapping.FirstName); id != 1001 || name != "Zoë" {
		t.Errorf("person %d is called %q, want 1001, Zoë", id, name)
	}
	if got := push(t, s, personWith(fields{"unique_id": "3", "email": "ZOE@example.edu"})); got.ErrorCode != 9019 {
		t.Errorf("an e-mail address that is taken: %+v", got)
	}
	if got := push(t, s, personWith(fields{"unique_id": "3", "email": "max@example.edu"})); got.ReferenceID != 1003 {
		t.Errorf("an e-mail address that was given up: %+v, want reference id 1003", got)
	}
	compacted := read(t, config.PeopleFile)
	if lines := strings.Count(compacted, "\n"); lines != 3 {
		t.Errorf("%d lines, want one a person, 3:\n%s", lines, compacted)
	}
}

// A file that is as it would be rewritten stays: to replace it costs a sync at every start.
func TestPeopleFileIsRewrittenWhenItMust(t *testing.T) {
	config := trialConfig()
	config.PeopleFile = filepath.Join(t.TempDir(), "people.jsonl")
	stat := func() os.FileInfo {
		t.Helper()
		info, err := os.Stat(config.PeopleFile)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	visit := func(change func(s *Sandbox)) (before, after os.FileInfo) {
		t.Helper()
		before = stat()
		s := newSandbox(t, config)
		after = stat()
		change(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return before, after
	}
	if err := newSandbox(t, config).Close(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name     string
		rewrites bool // at the start
		change   func(s *Sandbox)
	}{
		{"nobody", false, func(s *Sandbox) {
			push(t, s, personWith(nil))
			push(t, s, personWith(fields{"unique_id": "2", "email": "b@example.edu"}))
		}},
		{"two people", false, func(s *Sandbox) { push(t, s, personWith(fields{"first_name": "Max"})) }},
		{"a person who changed", true, func(*Sandbox) {
			text := read(t, config.PeopleFile) + `{"reference_id":1003,"prof`
			if err := os.WriteFile(config.PeopleFile, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"half a line", true, func(s *Sandbox) {
			if s.People() != 2 {
				t.Errorf("%d people, want 2", s.People())
			}
		}},
	} {
		if before, after := visit(step.change); os.SameFile(before, after) == step.rewrites {
			t.Errorf("%s: the file was replaced: %v, want %v", step.name, !step.rewrites, step.rewrites)
		}
	}
}

func TestDamagedPeopleFile(t *testing.T) {
	const good = `{"reference_id":1001,"profile":{"unique_id":"1","login_source":"SSO"}}` + "\n"
	for _, damaged := range []string{"no JSON\n", `{"reference_id":7,"profile":{}}` + "\n", `{"reference_id":1001,"profile":[]}` + "\n"} {
		config := trialConfig()
		config.PeopleFile = filepath.Join(t.TempDir(), "people.jsonl")
		if err := os.WriteFile(config.PeopleFile, []byte(good+damaged+good), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: error %v, want one that names line 2", damaged, err)
		}
		if got := read(t, config.PeopleFile); got != good+damaged+good {
			t.Errorf("%q: the file was changed", damaged)
		}
	}
}

func TestPeopleThatCannotBeKeptAreNotAccepted(t *testing.T) {
	config := trialConfig()
	config.PeopleFile = filepath.Join(t.TempDir(), "people.jsonl")
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.people.file.file.Close(); err != nil { // as a full disk would: every write fails
		t.Fatal(err)
	}
	if got := push(t, s, personWith(nil)); got.HTTP != 500 || s.People() != 0 {
		t.Errorf("answer %+v, %d people; want 500 and nobody", got, s.People())
	}
	if err := s.Close(); err == nil {
		t.Error("Close says nothing of the people that could not be kept")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
