package controller

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"testing"
	"unicode/utf8"
)

// FuzzAnswer compares classify with strictSuccess, which shares no code
// with it: what is accepted must be a success by both, and every body of the
// documented form must be accepted.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"status":"success","reference_id":44}`,
		`{"status":"success","reference_id":"0a-ff"}`,
		`{"status":"success","reference_id":0}`,
		`{"status":"success","reference_id":-1}`,
		`{"status":"success","reference_id":044}`,
		`{"status":"success","reference_id":44.0}`,
		`{"status":"success","reference_id":}`,
		` { "reference_id" : 4e1, "status" : "success" } `,
		`{"status":"success","reference_id":44,"status":"success"}`,
		`{"status":"success","reference_id":44}{}`,
		`{"status":"success","reference_id":44,"ErrorCode":"9001"}`,
		`{"ErrorCode":9001,"ErrorMessage":"API Token is missing from the request."}`,
		`[{"ErrorCode":9016},{"ErrorCode":9017,"ErrorMessage":null}]`,
		`[{"status":"success","reference_id":44}]`,
		"\ufeff{}", "null", "", "[", "<html>",
	} {
		for _, status := range []int{200, 204, 302, 401, 422, 429, 500} {
			f.Add(status, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		var id string
		v := classify(status, http.Header{}, body, "", func(d document) (err error) {
			id, err = d.referenceID()
			return err
		})
		want, ok := strictSuccess(body)
		ok = ok && (status == 200 || status == 201)
		if accepts := v.class == accepted; accepts && (!ok || id != want) {
			t.Errorf("%d %q was accepted with the reference id %q; strictly it is %q, %v", status, body, id, want, ok)
		}
		if ok && shown.Match(body) && v.class != accepted {
			t.Errorf("%d %q was not accepted: %s", status, body, v.event)
		}
		if v.class != accepted && v.event == "" {
			t.Errorf("%d %q: the result does not say what happened", status, body)
		}
		if v.class == refused && (v.refusalCode == "" || v.rule.reason == "" || v.rule.advice == "") {
			t.Errorf("%d %q: refused without code, reason or advice: %+v", status, body, v)
		}
	})
}

// shown matches the success as the documentation shows it, and with a GUID.
var shown = regexp.MustCompile(`^\{[ \t\r\n]*"status": ?"success",[ \t\r\n]*"reference_id": ?([1-9][0-9]{0,18}|"[0-9a-f-]{36}")[ \t\r\n]*\}[ \t\r\n]*$`)

// strictSuccess reads a success by the tokens of encoding/json.
func strictSuccess(body []byte) (id string, ok bool) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(body) {
		return "", false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return "", false
	}
	values := map[string]any{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return "", false
		}
		if _, twice := values[name.(string)]; twice {
			return "", false
		}
		var value any
		if decoder.Decode(&value) != nil {
			return "", false
		}
		values[name.(string)] = value
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return "", false
	}
	if _, err := decoder.Token(); err != io.EOF {
		return "", false
	}
	if _, wrong := values["ErrorCode"]; wrong || values["status"] != "success" {
		return "", false
	}
	switch value := values["reference_id"].(type) {
	case string:
		return value, regexp.MustCompile(`^[\pL\p{Nd}_][\pL\p{Nd}_-]*$`).MatchString(value) &&
			regexp.MustCompile(`[0-9]`).MatchString(value) && regexp.MustCompile(`[^0-]`).MatchString(value)
	case json.Number:
		return value.String(), regexp.MustCompile(`^[1-9][0-9]*$`).MatchString(value.String())
	}
	return "", false
}
