package sandbox

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opscom-import/mapping"
)

func TestErrorCodes(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) } // counted in characters, not in bytes
	valid := string(body(t, personWith(nil)))
	for _, tc := range []struct {
		name string
		path string
		body any
		want reply
	}{
		{"no client code", "/api//v1/profiles/push", personWith(nil), reply{HTTP: 401, ErrorCode: 9000}},
		{"another client code", "/api/OC_OTHER/v1/profiles/push", personWith(nil), reply{HTTP: 401, ErrorCode: 9000}},
		{"no token", pushPath, personWith(fields{"apiToken": nil}), reply{HTTP: 401, ErrorCode: 9001}},
		{"wrong token", pushPath, personWith(fields{"apiToken": "another"}), reply{HTTP: 401, ErrorCode: 9002}},
		{"wrong token, types", "/api/OC_TRIAL/v1/profiles/types/list", `{"apiToken":"another"}`, reply{HTTP: 401, ErrorCode: 9002}},
		{"no JSON", pushPath, `unique_id=900123456`, reply{HTTP: 400, ErrorCode: 9003}},
		{"empty body", pushPath, ``, reply{HTTP: 400, ErrorCode: 9003}},
		{"cut short", pushPath, valid[:len(valid)-1], reply{HTTP: 400, ErrorCode: 9003}},
		{"something behind", pushPath, valid + valid, reply{HTTP: 400, ErrorCode: 9003}},
		{"an array", pushPath, "[" + valid + "]", reply{HTTP: 400, ErrorCode: 9003}},
		{"a member twice", pushPath, `{"unique_id":"1","unique_id":"2"}`, reply{HTTP: 400, ErrorCode: 9003}},
		{"not UTF-8", pushPath, strings.Replace(valid, "SSO", "SS\xff", 1), reply{HTTP: 400, ErrorCode: 9003}},
		{"unknown attribute", pushPath, personWith(fields{"firstname": "Zoë"}), reply{HTTP: 400, ErrorCode: 9003}},
		{"too large", pushPath, personWith(fields{"street": long(maxBody / 2)}), reply{HTTP: 413, ErrorCode: 9003}},
		{"no unique id", pushPath, personWith(fields{"unique_id": nil}), reply{HTTP: 400, ErrorCode: 9013}},
		{"blank unique id", pushPath, personWith(fields{"unique_id": "  "}), reply{HTTP: 400, ErrorCode: 9013}},
		{"no login source", pushPath, personWith(fields{"login_source": nil}), reply{HTTP: 400, ErrorCode: 9014}},
		{"login source not accepted", pushPath, personWith(fields{"login_source": "SAML"}), reply{HTTP: 400, ErrorCode: 9015}},
		{"login source in another case", pushPath, personWith(fields{"login_source": "sso"}), reply{HTTP: 200, Status: "success", ReferenceID: 1001}},
		{"the administrator's e-mail address", pushPath, personWith(fields{"email": "Parking@example.edu"}), reply{HTTP: 400, ErrorCode: 9019}},
		{"the administrator's user name", pushPath, personWith(fields{"user_name": "Admin"}), reply{HTTP: 400, ErrorCode: 9020}},
		{"50 characters", pushPath, personWith(fields{"first_name": long(50)}), reply{HTTP: 200, Status: "success", ReferenceID: 1001}},
		{"51 characters", pushPath, personWith(fields{"first_name": long(51)}), reply{HTTP: 400, ErrorCode: 9030}},
		{"21 characters in the second street", pushPath, personWith(fields{"street2": long(21)}), reply{HTTP: 400, ErrorCode: 9030}},
		{"the first street has no limit", pushPath, personWith(fields{"street": long(5000)}), reply{HTTP: 200, Status: "success", ReferenceID: 1001}},
		{"province by its name", pushPath, personWith(fields{"province": "Quebec"}), reply{HTTP: 400, ErrorCode: 9030}},
		{"one letter for a province", pushPath, personWith(fields{"state2": "Q"}), reply{HTTP: 400, ErrorCode: 9032}},
		{"digits for a province", pushPath, personWith(fields{"driver_license_state": "24"}), reply{HTTP: 400, ErrorCode: 9033}},
		{"province in lower case", pushPath, personWith(fields{"state": "qc"}), reply{HTTP: 200, Status: "success", ReferenceID: 1001}},
		{"bad e-mail address", pushPath, personWith(fields{"email": "zoe.example.edu"}), reply{HTTP: 400, ErrorCode: 9033}},
		{"e-mail address with a name", pushPath, personWith(fields{"email": "Zoe <zoe@example.edu>"}), reply{HTTP: 400, ErrorCode: 9033}},
		{"not a valid date", pushPath, personWith(fields{"date_of_birth": "2004-02-31"}), reply{HTTP: 400, ErrorCode: 9033}},
		{"date in another form", pushPath, personWith(fields{"date_of_birth": "31/01/2004"}), reply{HTTP: 400, ErrorCode: 9033}},
		{"unknown user type", pushPath, personWith(fields{"user_type_id": "77"}), reply{HTTP: 400, ErrorCode: 9033}},
		{"user type by its name", pushPath, personWith(fields{"user_type_id": "Staff"}), reply{HTTP: 400, ErrorCode: 9033}},
		{"locker user type is not a number", pushPath, personWith(fields{"locker_user_type_id": "tall"}), reply{HTTP: 400, ErrorCode: 9033}},
		{"a number where text belongs", pushPath, personWith(fields{"user_type_id": 6}), reply{HTTP: 400, ErrorCode: 9033}},
		{"unknown path", "/api/OC_TRIAL/v1/profiles/pull", personWith(nil), reply{HTTP: 404}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			config := trialConfig()
			config.LoginSources = []string{"OPSCOM", "SSO"}
			s := newSandbox(t, config)
			if got := post(t, s, tc.path, tc.body); got != tc.want {
				t.Errorf("answer %+v, want %+v", got, tc.want)
			}
			accepted := 0
			if tc.want.Status == "success" {
				accepted = 1
			}
			if s.People() != accepted {
				t.Errorf("%d people, want %d", s.People(), accepted)
			}
			if entry := s.Requests()[0]; entry.ErrorCode != tc.want.ErrorCode || entry.Status != tc.want.HTTP || entry.Applied != (accepted == 1) {
				t.Errorf("entry %+v, want %+v", entry, tc.want)
			}
		})
	}
}

func TestMethodAndContentType(t *testing.T) {
	s := newSandbox(t, trialConfig())
	for _, tc := range []struct {
		method, contentType string
		want                int
	}{
		{http.MethodPost, "application/json; charset=utf-8", 200},
		{http.MethodPost, "application/x-www-form-urlencoded", 415},
		{http.MethodPost, "", 415},
		{http.MethodPut, "application/json", 405},
	} {
		request := httptest.NewRequest(tc.method, pushPath, strings.NewReader(string(body(t, personWith(nil)))))
		request.Header.Set("Content-Type", tc.contentType)
		recorder := httptest.NewRecorder()
		s.ServeHTTP(recorder, request)
		if recorder.Code != tc.want {
			t.Errorf("%s as %q: status %d, want %d", tc.method, tc.contentType, recorder.Code, tc.want)
		}
	}
}

func TestEveryAttributeIsTaken(t *testing.T) {
	s := newSandbox(t, trialConfig())
	sent := personWith(nil)
	var want mapping.Profile
	for _, spec := range mapping.Attributes() {
		value := strings.Repeat("x", 10)
		switch spec.Kind {
		case mapping.EmailKind:
			value = "zoe.okafor@example.edu"
		case mapping.RegionKind:
			value = "QC"
		case mapping.DateKind:
			value = "2004-02-29"
		case mapping.UserTypeKind, mapping.LockerUserTypeKind:
			value = "6"
		}
		sent[spec.Names[len(spec.Names)-1]] = value // by its other name, where it has one
		want.Set(spec.Attribute, value)
	}
	if got := push(t, s, sent); got.Status != "success" {
		t.Fatalf("answer %+v", got)
	}
	got, id, known := personOf(s, KeyOf("XXXXXXXXXX", "xxxxxxxxxx"))
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(mapping.Profile{})); diff != "" || id != 1001 || !known {
		t.Errorf("person %d, %t, differs (-want +got):\n%s", id, known, diff)
	}
}

func TestTypesList(t *testing.T) {
	for _, tc := range []struct {
		name  string
		types []mapping.UserType
		want  string
	}{
		{"given", []mapping.UserType{{ID: "12", Name: `Visiting "B"`, Info: "Other"}},
			`{"status":"success","user_types":[{"id":"12","type_name":"Visiting \"B\"","ext_info":"Other"}]}`},
		{"none", []mapping.UserType{}, `{"status":"success","user_types":[]}`},
	} {
		config := trialConfig()
		config.UserTypes = tc.types
		s := newSandbox(t, config)
		request := httptest.NewRequest(http.MethodPost, "/api/OC_TRIAL/v1/profiles/types/list", strings.NewReader(`{"apiToken":"trial-token"}`))
		request.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		s.ServeHTTP(recorder, request)
		if got := recorder.Body.String(); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	config := trialConfig()
	s := newSandbox(t, config)
	if got := push(t, s, personWith(fields{"user_type_id": "9"})); got.Status != "success" {
		t.Errorf("user type 9 of the usual list: %+v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"no client", func(c *Config) { c.Client = "" }, "needs a client code"},
		{"no token", func(c *Config) { c.Token = "" }, "a token"},
		{"faults over 100 %", func(c *Config) { c.Faults.Failures = []Failure{{Kind: Lie, Share: 0.6}, {Kind: Hang, Share: 0.5}} }, "110 %"},
		{"no such kind", func(c *Config) { c.Faults.Failures = []Failure{{Kind: "hangs", Share: 0.6}} }, `nearest is "hang"`},
		{"no folder for people", func(c *Config) { c.PeopleFile = t.TempDir() + "/none/people.jsonl" }, "none/people.jsonl"},
		{"no folder for the request log", func(c *Config) { c.RequestLogFile = t.TempDir() + "/none/requests.jsonl" }, "none/requests.jsonl"},
	} {
		config := trialConfig()
		tc.change(&config)
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.want)
		}
	}
}

func TestClosedSandboxAnswers503(t *testing.T) {
	s := newSandbox(t, trialConfig())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := push(t, s, personWith(nil)); got.HTTP != http.StatusServiceUnavailable {
		t.Errorf("answer %+v", got)
	}
}

func FuzzPush(f *testing.F) {
	f.Add(body(f, personWith(nil)))
	f.Add(body(f, personWith(fields{"first_name": "Zo\u00eb", "state": "qc", "province": "ON"})))
	f.Add([]byte(`{"apiToken":"trial-token","unique\u005fid":"1","login_source":null}`))
	f.Add([]byte(`{"a":{"b":[1,2]}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		s := newSandbox(t, trialConfig())
		request := httptest.NewRequest(http.MethodPost, pushPath, strings.NewReader(string(content)))
		request.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		s.ServeHTTP(recorder, request)
		if _, err := io.ReadAll(recorder.Result().Body); err != nil || recorder.Code >= 500 {
			t.Fatalf("status %d, %v", recorder.Code, err)
		}
		entry := s.Requests()[0]
		if entry.Applied != (recorder.Code == 200) || entry.Applied != (s.People() == 1) {
			t.Fatalf("status %d, %d people, entry %+v", recorder.Code, s.People(), entry)
		}
		if _, id, known := personOf(s, entry.Key); known != entry.Applied || id != entry.ReferenceID {
			t.Fatalf("person %d, %t; entry %+v", id, known, entry)
		}
	})
}
