package controller

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/encoding/charmap"

	"opscom-import/mapping"
)

// class says what an attempt means for the row and for the run.
type class int

const (
	retryable class = iota // no usable answer, or turned away for now: try again
	accepted               // the documented success
	rejected               // the Controller rejects this row
	refused                // every row would fail alike: the run ends
)

// attemptResult is the result of one attempt.
type attemptResult struct {
	class        class
	errorCode    string        // the Controller's ErrorCode, "" if it gave none
	errorMessage string        // the Controller's ErrorMessage, unchanged
	event        string        // what happened, as a clause: "the Controller answered …"
	rule         rule          // of a rejected row or a refused run
	refusalCode  string        // of a refused run: the ErrorCode, or the HTTP status or "TLS"
	status       int           // of a rejected row or a refused run without an ErrorCode: the HTTP status, else 0
	notReceived  bool          // the Controller certainly did not receive the request
	passing      bool          // what a restart of the Controller, or of what is before it, looks like
	atProxy      bool          // the proxy gave no connection to the Controller, or may have answered in its place
	feedback     feedback      // for the pacer
	retryAfter   time.Duration // the pause that the Controller asks for, 0 for none
}

// document is the object that the Controller answers with: the raw JSON of the
// members that its documentation names, nil for one that is absent, and the rest.
type document struct {
	Status       jsontext.Value `json:"status"`
	ReferenceID  jsontext.Value `json:"reference_id"`
	UserTypes    jsontext.Value `json:"user_types"`
	ErrorCode    jsontext.Value `json:"ErrorCode"`
	ErrorMessage jsontext.Value `json:"ErrorMessage"`

	Others map[string]jsontext.Value `json:",embed"`
}

// classify classifies an answer, by its body before its status: the Controller's
// documentation names no statuses, and a 200 may carry an error. An answer is
// accepted only if its status is 200 or 201 and its body is an object for which
// success returns nil. An ErrorCode is decisive by itself; for everything else the
// status is. problem says why the body cannot be used, "" if it can.
func classify(status int, header http.Header, body []byte, problem string, success func(document) error) attemptResult {
	if problem == "" {
		body, problem = decompress(header.Values("Content-Encoding"), body)
	}
	if problem != "" {
		return classifyStatus(status, header, problem)
	}
	body = bytes.TrimPrefix(body, []byte("\uFEFF")) // some servers send one, though JSON has none
	if id, ok := documentedSuccess(body); ok && status == http.StatusOK && success(document{ReferenceID: id}) == nil {
		return attemptResult{class: accepted}
	}
	documents, list, err := parse(body)
	if err != nil {
		if a, ok := classifyLatin1(status, body); ok {
			return a
		}
		return classifyStatus(status, header, err.Error())
	}
	if a, ok := classifyError(status, documents); ok {
		return a
	}
	if list {
		return classifyStatus(status, header, "a list")
	}
	if err := documents[0].check(success); err != nil {
		return classifyStatus(status, header, err.Error())
	}
	if status != http.StatusOK && status != http.StatusCreated { // 202 has not done it yet, 206 is a part
		return classifyStatus(status, header, "a success")
	}
	return attemptResult{class: accepted}
}

// documentedSuccess returns the reference id of a body that is, byte by byte, the
// success that the Controller's documentation shows. It exists only for speed:
// parse returns the same for such a body, but takes 4 % of a request's time.
func documentedSuccess(body []byte) (id jsontext.Value, ok bool) {
	id, begins := bytes.CutPrefix(body, []byte(`{"status":"success","reference_id":`))
	id, ends := bytes.CutSuffix(id, []byte(`}`))
	digits := len(id) > 0 && id[0] != '0' && len(bytes.Trim(id, "0123456789")) == 0
	return id, begins && ends && digits
}

// parse reads a body that is one object, or an array of objects (list is true).
// Duplicate names, text that is not UTF-8 and anything after the end are errors.
func parse(body []byte) (documents []document, list bool, err error) {
	start := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(start) == 0:
		return nil, false, errors.New("an empty body")
	case start[0] == '[':
		list = true
		err = json.Unmarshal(body, &documents)
	default:
		documents = make([]document, 1)
		err = json.Unmarshal(body, &documents[0])
	}
	if err != nil {
		return nil, false, errors.New("a body that is not in the Controller's format") // the cause may quote the body
	}
	return documents, list, nil
}

// check returns nil if the object says success, names no error, and success
// returns nil for it.
func (d document) check(success func(document) error) error {
	if text, ok := unquote(d.Status); !ok || text != "success" {
		return errors.New("a body that does not say success")
	}
	if d.mentionsError() {
		return errors.New("a body that says both success and error")
	}
	return success(d)
}

// mentionsError reports whether the object mentions an error, by a name that the
// documentation or other software uses, or repeats a member in different case.
func (d document) mentionsError() bool {
	if d.ErrorCode != nil || !isEmpty(d.ErrorMessage) {
		return true
	}
	for name, value := range d.Others {
		switch strings.ToLower(name) {
		case "status", "reference_id":
			return true
		case "errorcode", "errormessage", "error", "errors":
			if !isEmpty(value) {
				return true
			}
		case "success":
			if value.Kind() != 't' {
				return true
			}
		}
	}
	return false
}

// isEmpty reports whether a JSON value is absent, null, false or empty.
func isEmpty(value jsontext.Value) bool {
	switch string(value) {
	case "", "null", "false", `""`, "[]", "{}":
		return true
	}
	return false
}

// classifyError classifies a body that is an error, or a list of errors: the first
// one is decisive, the messages are joined. ok is false if the body is neither.
//
// A code that the Controller's documentation does not have only says that
// something is wrong: a status that means "not now" keeps its meaning.
func classifyError(status int, documents []document) (a attemptResult, ok bool) {
	var messages []string
	for i, d := range documents {
		code := d.errorCode()
		if code == "" {
			return attemptResult{}, false
		}
		if i == 0 {
			a.errorCode = code
		}
		if message, ok := unquote(d.ErrorMessage); ok && strings.TrimSpace(message) != "" {
			messages = append(messages, strings.TrimSpace(message))
		}
	}
	rule, known := ruleOf(a.errorCode)
	if a.errorCode == "" || !known && isTransient(status) {
		return attemptResult{}, false
	}
	a.class, a.rule, a.refusalCode = rule.class, rule, a.errorCode
	a.errorMessage = strings.Join(messages, "; ")
	a.event = "the Controller answered with error " + a.errorCode
	return a, true
}

// classifyLatin1 classifies an error whose message is not in UTF-8 but in Windows-1252,
// as older servers write an accent: its code is decisive all the same. ok is false if
// the body is no such error; a success has to be in UTF-8.
func classifyLatin1(status int, body []byte) (a attemptResult, ok bool) {
	if utf8.Valid(body) {
		return attemptResult{}, false
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(body)
	if err != nil {
		return attemptResult{}, false
	}
	documents, _, err := parse(text)
	if err != nil {
		return attemptResult{}, false
	}
	return classifyError(status, documents)
}

// classifyStatus classifies an answer by its status, because of a problem with its
// body.
func classifyStatus(status int, header http.Header, problem string) attemptResult {
	code := strconv.Itoa(status)
	a := attemptResult{event: strings.TrimSpace("the Controller answered " + code + " " + http.StatusText(status)), refusalCode: code}
	switch {
	case status/100 == 2:
		a.event += " with " + problem
	case status/100 == 3:
		a.rule = ruleOfRedirect(header.Get("Location"))
	case status == http.StatusForbidden && pauseAskedFor(status, header) > 0: // too many requests, in the words of some firewalls
	case status/100 == 4 && !isTransient(status):
		a.rule = ruleOfStatus(status)
	}
	a.class = a.rule.class
	if a.class != retryable {
		a.status = status
		return a
	}
	a.passing = status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
	a.retryAfter = pauseAskedFor(status, header)
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusForbidden, status == http.StatusServiceUnavailable && a.retryAfter > 0:
		a.feedback = throttled
	case status == http.StatusServiceUnavailable:
		a.feedback = unavailable
	}
	return a
}

// isTransient reports whether the status says that the request may succeed later.
func isTransient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// maxReferenceID is the length of the longest valid reference id, in bytes; a GUID has 36.
const maxReferenceID = 255

// referenceID returns the id that the Controller gave the profile, unchanged: a
// positive integer, or text like a GUID. What programs write in place of a missing
// id ("0", "null", a GUID of zeros) is an error.
func (d document) referenceID() (string, error) {
	id, ok := textOf(d.ReferenceID)
	none := strings.HasPrefix(id, "-") || !strings.ContainsAny(id, "0123456789") || strings.Trim(id, "0-") == ""
	if !ok || none || len(id) > maxReferenceID || !isWord(id) {
		return "", errors.New("a success without a valid reference_id")
	}
	return id, nil
}

// checkPerson returns an error if the object names a person other than the
// profile's: it answers another request.
func (d document) checkPerson(profile []byte) error {
	echo, echoed := d.Others[mapping.UniqueID.String()]
	if !echoed {
		return nil
	}
	var sent struct {
		UniqueID string `json:"unique_id"`
	}
	got, ok := unquote(echo)
	if !ok {
		got = string(echo)
	}
	if err := json.Unmarshal(profile, &sent); err != nil || got != sent.UniqueID {
		return errors.New("a success for another person")
	}
	return nil
}

// maxErrorCode is the length of the longest valid ErrorCode, in bytes.
const maxErrorCode = 16

// errorCode returns the ErrorCode, a whole number or a string, as text; "" if
// there is none or it is not valid.
func (d document) errorCode() string {
	code, _ := textOf(d.ErrorCode)
	code = strings.TrimSpace(code)
	if code == "0" || len(code) > maxErrorCode || !isWord(code) {
		return ""
	}
	return code
}

// isWord reports whether text consists of letters, digits, - and _ only.
func isWord(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_'
	})
}

// unquote returns the text of a JSON string; ok is false for any other value.
func unquote(value jsontext.Value) (text string, ok bool) {
	if value.Kind() != '"' {
		return "", false
	}
	unquoted, err := jsontext.AppendUnquote(nil, value)
	return string(unquoted), err == nil
}

// textOf returns the text of a JSON string or of a number without a fraction or
// exponent; ok is false for any other value.
func textOf(value jsontext.Value) (text string, ok bool) {
	if value.Kind() == '0' && !bytes.ContainsAny(value, ".eE") {
		return string(value), true
	}
	return unquote(value)
}
