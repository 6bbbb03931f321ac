package controller_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"opscom-import/importer"
	"opscom-import/importer/controller"
	"opscom-import/mapping"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http writes there what a server sends unasked
	goleak.VerifyTestMain(m)
}

const (
	secret  = "canary-token-7f3a"
	profile = `{"unique_id":"900123456","login_source":"SSO","first_name":"Zoë"}`
)

// A makeClient returns a client with settings that most tests share; adjust may
// change them.
type makeClient func(t *testing.T, url string, adjust func(*controller.Config)) *controller.Client

// eachClient runs test for each client that there is, by the way it sends a request.
func eachClient(t *testing.T, test func(t *testing.T, newClient makeClient)) {
	t.Helper()
	controller.EachClient(t, func(t *testing.T, from func(controller.Config) (*controller.Client, error)) {
		test(t, func(t *testing.T, url string, adjust func(*controller.Config)) *controller.Client {
			t.Helper()
			cfg := controller.Config{
				BaseURL: url, Client: "OC_TEST", Token: controller.NewToken(secret),
				Workers: 4, MaxAttempts: 2, Timeout: 10 * time.Second,
				Jitter: func() float64 { return 0 },
			}
			if adjust != nil {
				adjust(&cfg)
			}
			client, err := from(cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			return client
		})
	})
}

// serve starts a server that is stopped with the test.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// push pushes the profile once, undisturbed.
func push(client *controller.Client) (importer.Answer, error) {
	return client.Push(context.Background(), context.Background(), []byte(profile), nil)
}

func TestRequestIsAsDocumented(t *testing.T) { eachClient(t, testRequestIsAsDocumented) }

func testRequestIsAsDocumented(t *testing.T, newClient makeClient) {
	var got *http.Request
	var body []byte
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"status":"success","reference_id":44}`)
	})
	client := newClient(t, server.URL+"/base/", func(c *controller.Config) {
		c.Client = "OC%TÖMA;1"
		c.Token = controller.NewToken(`quote " and é`)
		c.UserAgent = "opscom-import/test"
	})
	answer, err := push(client)
	if err != nil {
		t.Fatal(err)
	}
	if want := (importer.Answer{Status: importer.StatusPushed, ReferenceID: "44", Attempts: 1}); answer != want {
		t.Errorf("answer = %+v, want %+v", answer, want)
	}
	if want := "/base/api/OC%25T%C3%96MA%3B1/v1/profiles/push"; got.Method != http.MethodPost || got.URL.EscapedPath() != want {
		t.Errorf("request = %s %s, want POST %s", got.Method, got.URL.EscapedPath(), want)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Accept": "application/json", "Cache-Control": "no-cache",
		"User-Agent": "opscom-import/test", "Accept-Encoding": "",
	} {
		if have := got.Header.Get(name); have != want {
			t.Errorf("header %s = %q, want %q", name, have, want)
		}
	}
	if want := `{"apiToken":"quote \" and é",` + profile[1:]; string(body) != want {
		t.Errorf("body = %s\nwant   %s", body, want)
	}
}

// answerCases holds what a Controller may answer, and what is to be made of it.
var answerCases = []struct {
	name   string
	status int
	body   string
	want   importer.Status
	id     string // reference id of a pushed profile
	code   string // ErrorCode of a rejected one, or what the RefusedError is of
	field  string
	ends   bool // a RefusedError
}{
	// The documented success, and nothing else, is a success.
	{name: "number", status: 200, body: `{"status":"success","reference_id":44}`, want: importer.StatusPushed, id: "44"},
	{name: "as on the page", status: 200, body: "{\n\"status\": \"success\",\n\"reference_id\": 44\n}\n", want: importer.StatusPushed, id: "44"},
	{name: "created", status: 201, body: `{"reference_id":7,"status":"success"}`, want: importer.StatusPushed, id: "7"},
	{name: "text", status: 200, body: `{"status":"success","reference_id":"00-af"}`, want: importer.StatusPushed, id: "00-af"},
	{name: "large number", status: 200, body: `{"status":"success","reference_id":123456789012345678901}`, want: importer.StatusPushed, id: "123456789012345678901"},
	{name: "further members", status: 200, body: `{"status":"success","reference_id":44,"took":[1,{"a":null}]}`, want: importer.StatusPushed, id: "44"},

	// Lies and accidents.
	{name: "empty", status: 200, want: importer.StatusFailed},
	{name: "no content", status: 204, want: importer.StatusFailed},
	{name: "html", status: 200, body: "<html><body>success</body></html>", want: importer.StatusFailed},
	{name: "text success", status: 200, body: `success`, want: importer.StatusFailed},
	{name: "null", status: 200, body: `null`, want: importer.StatusFailed},
	{name: "empty object", status: 200, body: `{}`, want: importer.StatusFailed},
	{name: "no reference id", status: 200, body: `{"status":"success"}`, want: importer.StatusFailed},
	{name: "null reference id", status: 200, body: `{"status":"success","reference_id":null}`, want: importer.StatusFailed},
	{name: "false reference id", status: 200, body: `{"status":"success","reference_id":false}`, want: importer.StatusFailed},
	{name: "true reference id", status: 200, body: `{"status":"success","reference_id":true}`, want: importer.StatusFailed},
	{name: "empty reference id", status: 200, body: `{"status":"success","reference_id":""}`, want: importer.StatusFailed},
	{name: "blank reference id", status: 200, body: `{"status":"success","reference_id":"  "}`, want: importer.StatusFailed},
	{name: "reference id with line break", status: 200, body: `{"status":"success","reference_id":"4\n4"}`, want: importer.StatusFailed},
	{name: "endless reference id", status: 200, body: `{"status":"success","reference_id":"` + strings.Repeat("4", 300) + `"}`, want: importer.StatusFailed},
	{name: "fraction", status: 200, body: `{"status":"success","reference_id":44.0}`, want: importer.StatusFailed},
	{name: "exponent", status: 200, body: `{"status":"success","reference_id":4e1}`, want: importer.StatusFailed},
	{name: "leading zero", status: 200, body: `{"status":"success","reference_id":044}`, want: importer.StatusFailed},
	{name: "object as reference id", status: 200, body: `{"status":"success","reference_id":{"id":44}}`, want: importer.StatusFailed},
	{name: "list as reference id", status: 200, body: `{"status":"success","reference_id":[44]}`, want: importer.StatusFailed},
	{name: "other status", status: 200, body: `{"status":"error","reference_id":44}`, want: importer.StatusFailed},
	{name: "other case", status: 200, body: `{"status":"Success","reference_id":44}`, want: importer.StatusFailed},
	{name: "status of another type", status: 200, body: `{"status":true,"reference_id":44}`, want: importer.StatusFailed},
	{name: "other names", status: 200, body: `{"Status":"success","Reference_ID":44}`, want: importer.StatusFailed},
	{name: "list of a success", status: 200, body: `[{"status":"success","reference_id":44}]`, want: importer.StatusFailed},
	{name: "empty list", status: 200, body: `[]`, want: importer.StatusFailed},
	{name: "list of null", status: 200, body: `[null]`, want: importer.StatusFailed},
	{name: "nested success", status: 200, body: `{"data":{"status":"success","reference_id":44}}`, want: importer.StatusFailed},
	{name: "name twice", status: 200, body: `{"status":"success","reference_id":44,"reference_id":45}`, want: importer.StatusFailed},
	{name: "name twice, once escaped", status: 200, body: `{"status":"success","reference_id":44,"reference\u005fid":45}`, want: importer.StatusFailed},
	{name: "two objects", status: 200, body: `{"status":"success","reference_id":44}{"status":"success","reference_id":44}`, want: importer.StatusFailed},
	{name: "trailing text", status: 200, body: `{"status":"success","reference_id":44} ok`, want: importer.StatusFailed},
	{name: "truncated", status: 200, body: `{"status":"success","reference_id":44`, want: importer.StatusFailed},
	{name: "broken UTF-8", status: 200, body: "{\"status\":\"success\",\"reference_id\":44,\"note\":\"\xff\"}", want: importer.StatusFailed},
	{name: "two byte order marks", status: 200, body: "\ufeff\ufeff{\"status\":\"success\",\"reference_id\":44}", want: importer.StatusFailed},
	{name: "success in Latin-1", status: 200, body: "{\"status\":\"success\",\"reference_id\":44,\"name\":\"Zo\xeb\"}", want: importer.StatusFailed},
	{name: "comment", status: 200, body: `{"status":"success","reference_id":44/*ok*/}`, want: importer.StatusFailed},
	{name: "deep", status: 200, body: strings.Repeat("[", 100_000), want: importer.StatusFailed},
	{name: "success with a status 500", status: 500, body: `{"status":"success","reference_id":44}`, want: importer.StatusFailed},
	{name: "success with a status 401", status: 401, body: `{"status":"success","reference_id":44}`, want: importer.StatusFailed, code: "401", ends: true},
	{name: "success and null error", status: 200, body: `{"status":"success","reference_id":44,"ErrorCode":null}`, want: importer.StatusFailed},
	{name: "success and error 0", status: 200, body: `{"status":"success","reference_id":44,"ErrorCode":0}`, want: importer.StatusFailed},
	{name: "success and error", status: 200, body: `{"status":"success","reference_id":44,"ErrorCode":9019}`, want: importer.StatusRejected, code: "9019", field: "email"},

	// Errors of the run.
	{name: "9000", status: 200, body: `{"ErrorCode":9000,"ErrorMessage":"Client"}`, want: importer.StatusFailed, code: "9000", ends: true},
	{name: "9001", status: 400, body: `{"ErrorCode":9001,"ErrorMessage":"API Token is missing from the request."}`, want: importer.StatusFailed, code: "9001", ends: true},
	{name: "9002", status: 403, body: `{"ErrorCode":"9002"}`, want: importer.StatusFailed, code: "9002", ends: true},
	{name: "9003", status: 503, body: `{"ErrorCode":9003}`, want: importer.StatusFailed, code: "9003", ends: true},
	{name: "401", status: 401, want: importer.StatusFailed, code: "401", ends: true},
	{name: "403", status: 403, body: "<html>", want: importer.StatusFailed, code: "403", ends: true},
	{name: "404", status: 404, body: `{"message":"Not found"}`, want: importer.StatusFailed, code: "404", ends: true},
	{name: "405", status: 405, want: importer.StatusFailed, code: "405", ends: true},
	{name: "407", status: 407, want: importer.StatusFailed, code: "407", ends: true},
	{name: "415", status: 415, want: importer.StatusFailed, code: "415", ends: true},
	{name: "300", status: 300, want: importer.StatusFailed, code: "300", ends: true},
	{name: "304", status: 304, want: importer.StatusFailed, code: "304", ends: true},

	// Errors of a row, whatever the status.
	{name: "9013", status: 200, body: `{"ErrorCode":9013}`, want: importer.StatusRejected, code: "9013", field: "unique_id"},
	{name: "9014", status: 200, body: `{"ErrorCode":"9014"}`, want: importer.StatusRejected, code: "9014", field: "login_source"},
	{name: "9015", status: 400, body: `{"ErrorCode":9015}`, want: importer.StatusRejected, code: "9015", field: "login_source"},
	{name: "9016", status: 422, body: `{"ErrorCode":9016}`, want: importer.StatusRejected, code: "9016", field: "email"},
	{name: "9017", status: 401, body: `{"ErrorCode":9017}`, want: importer.StatusRejected, code: "9017", field: "first_name"},
	{name: "9018", status: 500, body: `{"ErrorCode":9018}`, want: importer.StatusRejected, code: "9018", field: "last_name"},
	{name: "9019", status: 503, body: `{"ErrorCode":9019}`, want: importer.StatusRejected, code: "9019", field: "email"},
	{name: "9020", status: 302, body: `{"ErrorCode":9020}`, want: importer.StatusRejected, code: "9020", field: "user_name"},
	{name: "9022", status: 409, body: `{"ErrorCode":9022}`, want: importer.StatusRejected, code: "9022"},
	{name: "9030", status: 200, body: `{"ErrorCode":9030}`, want: importer.StatusRejected, code: "9030"},
	{name: "9033", status: 200, body: `{"ErrorCode":9033}`, want: importer.StatusRejected, code: "9033"},
	{name: "9004", status: 200, body: `{"ErrorCode":9004}`, want: importer.StatusRejected, code: "9004"},
	{name: "9021", status: 200, body: `{"ErrorCode":9021}`, want: importer.StatusRejected, code: "9021"},
	{name: "message in Latin-1", status: 400, body: "{\"ErrorCode\":9019,\"ErrorMessage\":\"Adresse d\xe9j\xe0 utilis\xe9e\"}", want: importer.StatusRejected, code: "9019", field: "email"},
	{name: "message in Latin-1, of the run", status: 401, body: "{\"ErrorCode\":9002,\"ErrorMessage\":\"refus\xe9\"}", want: importer.StatusFailed, code: "9002", ends: true},
	{name: "byte order mark and a code", status: 200, body: "\ufeff{\"ErrorCode\":9020}", want: importer.StatusRejected, code: "9020", field: "user_name"},
	{name: "unknown code", status: 401, body: `{"ErrorCode":"E-77"}`, want: importer.StatusRejected, code: "E-77"},
	{name: "list of errors", status: 200, body: `[{"ErrorCode":9016},{"ErrorCode":9001}]`, want: importer.StatusRejected, code: "9016", field: "email"},
	{name: "400 without a code", status: 400, body: "<html>", want: importer.StatusRejected},
	{name: "413 without a code", status: 413, want: importer.StatusRejected},
	{name: "414 without a code", status: 414, want: importer.StatusRejected},
	{name: "421 without a code", status: 421, want: importer.StatusRejected},
	{name: "431 without a code", status: 431, want: importer.StatusRejected},
	{name: "422 without a code", status: 422, body: `{"errors":["email"]}`, want: importer.StatusRejected},

	// Not now, or nothing that says anything.
	{name: "unknown code, but not now", status: 429, body: `{"ErrorCode":9999}`, want: importer.StatusFailed},
	{name: "unusable code", status: 200, body: `{"ErrorCode":{"a":1}}`, want: importer.StatusFailed},
	{name: "code with an exponent", status: 200, body: `{"ErrorCode":9e3}`, want: importer.StatusFailed},
	{name: "endless code", status: 200, body: `{"ErrorCode":"` + strings.Repeat("9", 40) + `"}`, want: importer.StatusFailed},
	{name: "list with another thing", status: 200, body: `[{"ErrorCode":9016},{"status":"success"}]`, want: importer.StatusFailed},
	{name: "408", status: 408, want: importer.StatusFailed},
	{name: "425", status: 425, want: importer.StatusFailed},
	{name: "429", status: 429, body: "<html>", want: importer.StatusFailed},
	{name: "500", status: 500, body: "<html>", want: importer.StatusFailed},
	{name: "502", status: 502, want: importer.StatusFailed},
	{name: "503", status: 503, want: importer.StatusFailed},
	{name: "504", status: 504, want: importer.StatusFailed},
	{name: "520", status: 520, want: importer.StatusFailed},
}

func TestEveryAnswerHasItsClass(t *testing.T) { eachClient(t, testEveryAnswerHasItsClass) }

func testEveryAnswerHasItsClass(t *testing.T, newClient makeClient) {
	for _, test := range answerCases {
		t.Run(test.name, func(t *testing.T) {
			if testing.Short() && test.status == http.StatusTooManyRequests {
				t.Skip("waits for a second: not with -short")
			}
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			answer, err := push(newClient(t, server.URL, nil))

			var refused *importer.RefusedError
			if errors.As(err, &refused) != test.ends || !test.ends && err != nil {
				t.Fatalf("error = %v, want one that ends the run: %v", err, test.ends)
			}
			if test.ends && (refused.Code != test.code || refused.Reason == "" || refused.Hint == "") {
				t.Errorf("refused = %+v, want code %s, a reason and a hint", refused, test.code)
			}
			want := importer.Answer{Status: test.want, ReferenceID: test.id, Field: test.field, Attempts: 1}
			if test.want == importer.StatusFailed && !test.ends {
				want.Attempts = 2
			}
			if len(test.code) > 3 {
				want.ErrorCode = test.code
			} else if test.want == importer.StatusRejected {
				want.HTTPStatus = test.status
			}
			if (answer.Message == "") != (test.want == importer.StatusPushed) {
				t.Errorf("message = %q", answer.Message)
			}
			answer.Message = ""
			if diff := cmp.Diff(want, answer); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMessagesAreInPlainWords(t *testing.T) { eachClient(t, testMessagesAreInPlainWords) }

func testMessagesAreInPlainWords(t *testing.T, newClient makeClient) {
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"what the Controller says", `{"ErrorCode":9019,"ErrorMessage":" Email must\nbe\u0007 unique. "}`, 200,
			`The Controller says "Email must be unique". Another user in OPS-COM has this e-mail address: correct the row or that user.`},
		{"in Latin-1", "{\"ErrorCode\":9020,\"ErrorMessage\":\"Nom d\xe9j\xe0 pris\"}", 200,
			`The Controller says "Nom déjà pris". Another user in OPS-COM has this user name: correct the row or that user.`},
		{"several", `[{"ErrorCode":9016,"ErrorMessage":"Email required."},{"ErrorCode":9017,"ErrorMessage":"First name required."}]`, 200,
			`The Controller says "Email required.; First name required". Your OPS-COM requires an e-mail address: add one to the row.`},
		{"nothing said", `{"ErrorCode":9020}`, 200,
			`The Controller answered with error 9020. Another user in OPS-COM has this user name: correct the row or that user.`},
		{"token echoed", `{"ErrorCode":9001,"ErrorMessage":"No such token: canary-\u0074oken-7f3a"}`, 200,
			`The Controller says "No such token: [token]": the API token is missing or unknown. Check the API token.`},
		{"too much said", `{"ErrorCode":9022,"ErrorMessage":"` + strings.Repeat("é", 400) + `"}`, 200,
			`The Controller says "` + strings.Repeat("é", 299) + `…". A record with these details already exists in OPS-COM: ` +
				`look for the person there, perhaps under another unique id or login source.`},
		{"no answer", `<html>`, 503,
			`No usable answer in 2 attempts: each time the Controller answered 503 Service Unavailable. ` +
				`Push the row again later: if it did arrive, it is only updated.`},
		{"no success", `{"status":"success"}`, 200,
			`No usable answer in 2 attempts: each time the Controller answered 200 OK with a success without a valid reference_id. ` +
				`Push the row again later: if it did arrive, it is only updated.`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			answer, err := push(newClient(t, server.URL, nil))
			if answer.Message != test.want {
				t.Errorf("message = %s\nwant      %s", answer.Message, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "No such") {
				t.Errorf("the error repeats what the Controller said: %v", err)
			}
		})
	}
}

// countedTransport counts the bytes that are read of bodies.
type countedTransport struct {
	*http.Transport
	read atomic.Int64
}

type countedBody struct {
	io.ReadCloser
	read *atomic.Int64
}

func (c *countedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.Transport.RoundTrip(r)
	if err == nil {
		response.Body = countedBody{response.Body, &c.read}
	}
	return response, err
}

func (c countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func TestBodiesAreReadUpToALimit(t *testing.T) { eachClient(t, testBodiesAreReadUpToALimit) }

func testBodiesAreReadUpToALimit(t *testing.T, newClient makeClient) {
	const limit = 128 << 10
	success := `{"status":"success","reference_id":44}`
	var bomb bytes.Buffer
	compressor := gzip.NewWriter(&bomb)
	_, _ = compressor.Write(append(bytes.Repeat([]byte(" "), 4<<20), success...))
	_ = compressor.Close()
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    importer.Status
	}{
		{"just small enough", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(" ", limit-1-len(success))+success)
		}, importer.StatusPushed},
		{"too large", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, success+strings.Repeat(" ", limit))
		}, importer.StatusFailed},
		{"endless", func(w http.ResponseWriter, r *http.Request) {
			for spaces := bytes.Repeat([]byte(" "), 64<<10); ; {
				if _, err := w.Write(spaces); err != nil {
					return
				}
			}
		}, importer.StatusFailed},
		{"compressed bomb", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, importer.StatusFailed},
		{"said to be compressed", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, success)
		}, importer.StatusFailed},
		{"endless header", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
			_, _ = io.WriteString(w, success)
		}, importer.StatusFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, test.handler)
			transport := &countedTransport{Transport: &http.Transport{DisableCompression: true, MaxResponseHeaderBytes: 64 << 10}}
			defer transport.CloseIdleConnections()
			client := newClient(t, server.URL, func(c *controller.Config) {
				c.Transport = transport
				c.MaxAttempts = 1
			})
			answer, err := push(client)
			if err != nil || answer.Status != test.want {
				t.Errorf("answer = %+v, %v, want %s", answer, err, test.want)
			}
			if n := transport.read.Load(); n > limit {
				t.Errorf("%d bytes were read, want at most %d", n, limit)
			}
		})
	}
}

func TestOwnTransportLimitsHeaderAndAsksForNoCompression(t *testing.T) {
	eachClient(t, testOwnTransportLimitsHeaderAndAsksForNoCompression)
}

func testOwnTransportLimitsHeaderAndAsksForNoCompression(t *testing.T, newClient makeClient) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("Accept-Encoding = %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		_, _ = io.WriteString(w, `{"status":"success","reference_id":44}`)
	})
	answer, err := push(newClient(t, server.URL, nil))
	if err != nil || answer.Status != importer.StatusFailed {
		t.Errorf("answer = %+v, %v, want failed", answer, err)
	}
}

// brokenServer accepts connections, reads one request off each, writes answer
// and cuts the connection.
func brokenServer(t *testing.T, answer string) (url string) {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, answer)
		_ = conn.Close()
	}).URL
}

func TestBrokenConnectionsAreTriedAgain(t *testing.T) {
	eachClient(t, testBrokenConnectionsAreTriedAgain)
}

func testBrokenConnectionsAreTriedAgain(t *testing.T, newClient makeClient) {
	whole := "HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\n{\"status\":\"success\",\"reference_id\":44} "
	for _, answer := range []string{
		"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Le", whole[:len(whole)-1], whole[:len(whole)-5],
		"nonsense " + secret + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n26\r\n{\"status\":\"success\",\"reference_id\":44}\r\n",
	} {
		got, err := push(newClient(t, brokenServer(t, answer), nil))
		if err != nil || got.Status != importer.StatusFailed || got.Attempts != 2 {
			t.Errorf("after %q: %+v, %v, want failed after 2 attempts", answer, got, err)
		}
		if strings.Contains(got.Message, secret) {
			t.Errorf("the message shows the token: %s", got.Message)
		}
	}
	got, err := push(newClient(t, brokenServer(t, whole), nil))
	if err != nil || got.Status != importer.StatusPushed {
		t.Errorf("after a whole answer: %+v, %v, want pushed", got, err)
	}
}

func TestOtherProtocolIsNotSpoken(t *testing.T) { eachClient(t, testOtherProtocolIsNotSpoken) }

func testOtherProtocolIsNotSpoken(t *testing.T, newClient makeClient) {
	done := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"+
			`{"status":"success","reference_id":44}`)
		<-done // the connection stays open, and nothing more comes
	})
	defer close(done)
	got, err := push(newClient(t, server.URL, nil))
	if err != nil || got.Status != importer.StatusFailed {
		t.Errorf("answer = %+v, %v, want failed", got, err)
	}
}

func TestNobodyListens(t *testing.T) { eachClient(t, testNobodyListens) }

func testNobodyListens(t *testing.T, newClient makeClient) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	got, err := push(newClient(t, server.URL, nil))
	want := importer.Answer{Status: importer.StatusFailed, Attempts: 2, Message: "No usable answer in 2 attempts: each time the connection was refused. " +
		"Push the row again later: if it did arrive, it is only updated."}
	if err != nil || got != want {
		t.Errorf("answer = %+v, %v, want %+v", got, err, want)
	}
}

func TestUnsafeConnectionsEndTheRun(t *testing.T) { eachClient(t, testUnsafeConnectionsEndTheRun) }

func testUnsafeConnectionsEndTheRun(t *testing.T, newClient makeClient) {
	unknown := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request arrived over a connection that is not safe")
	}))
	unknown.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	unknown.StartTLS()
	defer unknown.Close()
	clear := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	for _, url := range []string{unknown.URL, strings.Replace(clear.URL, "http:", "https:", 1)} {
		answer, err := push(newClient(t, url, nil))
		var refused *importer.RefusedError
		if !errors.As(err, &refused) || refused.Code != "TLS" || refused.Hint == "" {
			t.Errorf("error = %v, want a refusal for TLS", err)
		}
		if answer.Status != importer.StatusNotSent || answer.Attempts != 1 {
			t.Errorf("answer = %+v, want not sent", answer)
		}
	}
}

func TestConnectionsAreKept(t *testing.T) { eachClient(t, testConnectionsAreKept) }

func testConnectionsAreKept(t *testing.T, newClient makeClient) {
	const workers, requests = 8, 400
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(time.Millisecond) // so that all workers have a request in progress
		_, _ = io.WriteString(w, `{"status":"success","reference_id":44}`)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := newClient(t, server.URL, func(c *controller.Config) { c.Workers = workers })
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range requests / workers {
				if answer, err := push(client); err != nil || answer.Status != importer.StatusPushed {
					t.Errorf("answer = %+v, %v", answer, err)
				}
			}
		})
	}
	group.Wait()
	if n := connections.Load(); n > workers {
		t.Errorf("%d connections for %d workers", n, workers)
	}
}

func TestDamagedPayloadIsNotSent(t *testing.T) { eachClient(t, testDamagedPayloadIsNotSent) }

func testDamagedPayloadIsNotSent(t *testing.T, newClient makeClient) {
	server := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	client := newClient(t, server.URL, nil)
	for _, payload := range []string{"", "{", "{}", "null", `["a"]`, `{"a":1`} {
		answer, err := client.Push(t.Context(), t.Context(), []byte(payload), nil)
		if err == nil || answer.Status != importer.StatusNotSent || answer.Attempts != 0 {
			t.Errorf("push of %q = %+v, %v, want an error and not sent", payload, answer, err)
		}
	}
}

func TestTokenIsNeverShown(t *testing.T) {
	token := controller.NewToken(secret)
	config := controller.Config{BaseURL: "https://controller.example", Client: "OC_TEST", Token: token, Workers: 1, MaxAttempts: 1, Timeout: time.Second}
	client, err := controller.New(config)
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	for _, value := range []any{token, &token, config, &config, client, []controller.Token{token}, struct{ hidden any }{token}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&shown, verb+"\n", value)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(verb, token); text != "[token]" {
			t.Errorf("%s prints %s, want [token]", verb, text)
		}
	}
	if text, err := json.Marshal(token); err != nil || string(text) != `"[token]"` {
		t.Errorf("JSON is %s, %v, want \"[token]\"", text, err)
	}
	slog.New(slog.NewTextHandler(&shown, nil)).Info("text", "token", token, "list", []controller.Token{token})
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("json", "token", token, "list", []controller.Token{token})
	if text := shown.String(); strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
		t.Errorf("the token is shown in:\n%s", text)
	}
	if n := strings.Count(shown.String(), "[token]"); n < 4 {
		t.Errorf("the logs show [token] %d times, want 4 in:\n%s", n, shown.String())
	}
}

func TestSettingsAreChecked(t *testing.T) {
	tests := []struct {
		name   string
		adjust func(*controller.Config)
		want   string // a part of the error, "" for none
	}{
		{"as they should be", func(*controller.Config) {}, ""},
		{"http to this machine", func(c *controller.Config) { c.BaseURL = "http://127.0.0.2:8080" }, ""},
		{"http to localhost", func(c *controller.Config) { c.BaseURL = "http://localhost:8080/x" }, ""},
		{"http to ::1", func(c *controller.Config) { c.BaseURL = "http://[::1]:8080" }, ""},
		{"http elsewhere, allowed", func(c *controller.Config) { c.BaseURL, c.InsecureHTTP = "http://controller.example", true }, ""},
		{"http elsewhere", func(c *controller.Config) { c.BaseURL = "http://controller.example" }, "can read it"},
		{"http to a name like localhost", func(c *controller.Config) { c.BaseURL = "http://localhost.example" }, "can read it"},
		{"other scheme", func(c *controller.Config) { c.BaseURL = "ftp://controller.example" }, "https://"},
		{"no scheme", func(c *controller.Config) { c.BaseURL = "controller.example" }, "--url"},
		{"no address", func(c *controller.Config) { c.BaseURL = "" }, "--url"},
		{"not an address", func(c *controller.Config) { c.BaseURL = "https://a b:c\n" }, "--url"},
		{"password", func(c *controller.Config) { c.BaseURL = "https://me:" + secret + "@controller.example" }, "holds a user name or password"},
		{"query", func(c *controller.Config) { c.BaseURL = "https://controller.example/?a=b" }, "after ? or #"},
		{"no client", func(c *controller.Config) { c.Client = "" }, "--client"},
		{"a path", func(c *controller.Config) { c.Client = "OC/TOMA" }, "not a client code"},
		{"dots", func(c *controller.Config) { c.Client = ".." }, "--client"},
		{"no token", func(c *controller.Config) { c.Token = controller.NewToken("") }, "token"},
		{"broken token", func(c *controller.Config) { c.Token = controller.NewToken("\xff") }, "UTF-8"},
		{"no workers", func(c *controller.Config) { c.Workers = 0 }, "workers"},
		{"no attempts", func(c *controller.Config) { c.MaxAttempts = 0 }, "attempts"},
		{"no time", func(c *controller.Config) { c.Timeout = 0 }, "timeout"},
		{"negative rate", func(c *controller.Config) { c.Rate = -1 }, "rate"},
		{"no burst", func(c *controller.Config) { c.Rate = 1 }, "burst"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := controller.Config{
				BaseURL: "https://controller.example", Client: "OC_TEST", Token: controller.NewToken(secret),
				Workers: 1, MaxAttempts: 1, Timeout: time.Second,
			}
			test.adjust(&config)
			client, err := controller.New(config)
			switch {
			case err == nil && test.want != "":
				t.Errorf("no error, want one with %q", test.want)
			case err == nil:
				client.Close()
			case test.want == "" || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secret):
				t.Errorf("error = %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestUserTypes(t *testing.T) { eachClient(t, testUserTypes) }

func testUserTypes(t *testing.T, newClient makeClient) {
	tests := []struct {
		name   string
		status int
		body   string
		want   []mapping.UserType
		err    string // a part of the error
		ends   bool   // a RefusedError
	}{
		{name: "as documented", status: 200, body: `{"status":"success","user_types":[
			{"id":"1","type_name":"Full Time Student","ext_info":"Student"},{"id":12,"type_name":" Staff ","ext_info":null},{"id":"3","type_name":"Visitor"}]}`,
			want: []mapping.UserType{{ID: "1", Name: "Full Time Student", Info: "Student"}, {ID: "12", Name: " Staff "}, {ID: "3", Name: "Visitor"}}},
		{name: "none", status: 200, body: `{"status":"success","user_types":[]}`, want: []mapping.UserType{}},
		{name: "no list", status: 200, body: `{"status":"success"}`, err: "without a valid list"},
		{name: "null", status: 200, body: `{"status":"success","user_types":null}`, err: "without a valid list"},
		{name: "name of another type", status: 200, body: `{"status":"success","user_types":[{"id":"1","type_name":7}]}`, err: "without a valid list"},
		{name: "no id", status: 200, body: `{"status":"success","user_types":[{"type_name":"Staff"}]}`, err: "without an id or name"},
		{name: "no name", status: 200, body: `{"status":"success","user_types":[{"id":"1","type_name":" "}]}`, err: "without an id or name"},
		{name: "a push's success", status: 200, body: `{"status":"success","reference_id":44}`, err: "without a valid list"},
		{name: "wrong token", status: 200, body: `{"ErrorCode":9001}`, err: "9001", ends: true},
		{name: "wrong address", status: 404, err: "404", ends: true},
		{name: "other error", status: 200, body: `{"ErrorCode":9030,"ErrorMessage":"Too long"}`, err: "Too long"},
		{name: "no answer", status: 503, err: "503 Service Unavailable"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if want := `{"apiToken":"` + secret + `"}`; string(body) != want || r.URL.Path != "/api/OC_TEST/v1/profiles/types/list" {
					t.Errorf("request = %s %s", r.URL.Path, body)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			types, err := newClient(t, server.URL, nil).UserTypes(t.Context())
			if diff := cmp.Diff(test.want, types); diff != "" {
				t.Errorf("types (-want +got):\n%s", diff)
			}
			if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("error = %v, want one with %q", err, test.err)
			}
			var refused *importer.RefusedError
			if errors.As(err, &refused) != test.ends {
				t.Errorf("error = %v, want one that ends the run: %v", err, test.ends)
			}
		})
	}
}
