package controller

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"opscom-import/mapping"
)

// class says what an attempt means for the row and for the run.
type class int

const (
	again    class = iota // no usable answer, or turned away for now: try again
	accepted              // the documented success
	rejected              // the Controller refuses this row
	refused               // every row would fail alike: the run ends
)

// verdict is what one attempt came to.
type verdict struct {
	class    class
	code     string        // the Controller's ErrorCode, "" when it gave none
	said     string        // the Controller's ErrorMessage, as it came
	what     string        // what happened, as a clause: "the Controller answered …"
	rule     rule          // of a rejected row or a refused run
	refusal  string        // of a refused run: the ErrorCode, or what takes its place
	unseen   bool          // the Controller has certainly not taken the profile
	failure  ending        // of one to try again: failed, unavailable or turnedAway
	aborted  bool          // this program gave the attempt up: it was told to stop
	tryAfter time.Duration // the Controller asks to be left alone that long; 0 when it does not
}

// reply is an answer as it came off the wire.
type reply struct {
	status int
	header http.Header
	body   []byte
	flaw   string // why the body cannot be used, "" when it came whole
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

// classify judges an answer, its body before its status: the Controller's
// documentation names no statuses, and a 200 may carry an error. Accepted is
// only an answer whose status is 200 or 201 and whose body is an object that
// success takes; an ErrorCode decides by itself; everything else is up to the
// status.
func classify(r reply, success func(document) error) verdict {
	flaw := r.flaw
	if encoding := r.header.Get("Content-Encoding"); flaw == "" && encoding != "" && !strings.EqualFold(encoding, "identity") {
		flaw = "a compressed body that nobody asked for"
	}
	if flaw != "" {
		return judgeStatus(r, flaw)
	}
	if id, ok := shownSuccess(r.body); ok && r.status == http.StatusOK && success(document{ReferenceID: id}) == nil {
		return verdict{class: accepted}
	}
	documents, list, err := parse(r.body)
	if err != nil {
		return judgeStatus(r, err.Error())
	}
	if v, ok := judgeError(r.status, documents); ok {
		return v
	}
	if list {
		return judgeStatus(r, "a list")
	}
	if err := documents[0].check(success); err != nil {
		return judgeStatus(r, err.Error())
	}
	if r.status != http.StatusOK && r.status != http.StatusCreated { // 202 has not done it yet, 206 is a part
		return judgeStatus(r, "a success")
	}
	return verdict{class: accepted}
}

// shownSuccess returns the reference id of a body that is, byte by byte, the
// success that the Controller's documentation shows. It is there for speed alone:
// parse, which takes 4 % of the time of a request, reads the same from it.
func shownSuccess(body []byte) (id jsontext.Value, ok bool) {
	id, begins := bytes.CutPrefix(body, []byte(`{"status":"success","reference_id":`))
	id, ends := bytes.CutSuffix(id, []byte(`}`))
	digits := len(id) > 0 && id[0] != '0' && len(bytes.Trim(id, "0123456789")) == 0
	return id, begins && ends && digits
}

// parse reads a body that is one object or, then list is true, an array of
// objects. Names that occur twice, text that is not UTF-8 and anything after the
// end are errors.
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
		return nil, false, errors.New("a body that is not the Controller's") // the cause may quote the body
	}
	return documents, list, nil
}

// check returns nil when the object says success, names no error, and success
// takes it.
func (d document) check(success func(document) error) error {
	if text, ok := unquote(d.Status); !ok || text != "success" {
		return errors.New("a body that does not say success")
	}
	if d.deniesSuccess() {
		return errors.New("a body that says both success and error")
	}
	return success(d)
}

// deniesSuccess reports whether the object speaks of an error, in the
// documentation's words or in those that other software uses, or has a member
// twice in different letters.
func (d document) deniesSuccess() bool {
	if d.ErrorCode != nil || !isNothing(d.ErrorMessage) {
		return true
	}
	for name, value := range d.Others {
		switch strings.ToLower(name) {
		case "status", "reference_id":
			return true
		case "errorcode", "errormessage", "error", "errors":
			if !isNothing(value) {
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

// isNothing reports whether a JSON value is absent, null, false or empty.
func isNothing(value jsontext.Value) bool {
	switch string(value) {
	case "", "null", "false", `""`, "[]", "{}":
		return true
	}
	return false
}

// judgeError judges a body that is an error, or a list of them: the first
// decides, the messages are joined. ok is false when the body is neither.
//
// A code that the Controller's documentation does not have says no more than
// that something is wrong: a status that means "not now" then still means it.
func judgeError(status int, documents []document) (v verdict, ok bool) {
	var messages []string
	for i, d := range documents {
		code := d.errorCode()
		if code == "" {
			return verdict{}, false
		}
		if i == 0 {
			v.code = code
		}
		if message, ok := unquote(d.ErrorMessage); ok && strings.TrimSpace(message) != "" {
			messages = append(messages, strings.TrimSpace(message))
		}
	}
	rule, known := ruleOfCode(v.code)
	if v.code == "" || !known && isTransient(status) {
		return verdict{}, false
	}
	v.class, v.rule, v.refusal = rule.class, rule, v.code
	v.said = strings.Join(messages, "; ")
	v.what = "the Controller answered with error " + v.code
	return v, true
}

// judgeStatus judges an answer whose body decides nothing, for the reason flaw.
func judgeStatus(r reply, flaw string) verdict {
	v := verdict{class: again, what: "the Controller answered " + statusText(r.status)}
	switch {
	case r.status/100 == 2:
		v.what += " with " + flaw
	case r.status/100 == 3:
		v.rule = redirected(r.header.Get("Location"))
	case r.status/100 == 4 && !isTransient(r.status):
		v.rule = ruleOfStatus(r.status)
	}
	v.class = v.rule.class
	v.refusal = strconv.Itoa(r.status)
	if v.class == again {
		v.tryAfter = retryAfter(r.header)
		v.failure = failureOf(r.status, v.tryAfter)
	}
	return v
}

// failureOf returns what an answer that is tried again means for the pace.
func failureOf(status int, tryAfter time.Duration) ending {
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && tryAfter > 0:
		return turnedAway
	case status == http.StatusServiceUnavailable:
		return unavailable
	}
	return failed
}

// isTransient reports whether the status says of a request that it may succeed
// at another time.
func isTransient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// maxReferenceID is the longest reference id in bytes that is believed; a GUID has 36.
const maxReferenceID = 255

// referenceID returns the id that the Controller gave the profile, just as it was
// written: a positive integer, or text like a GUID. What programs write where
// they have no id ("0", "null", a GUID of zeros) is none.
func (d document) referenceID() (string, error) {
	id, ok := unquote(d.ReferenceID)
	if !ok && isInteger(d.ReferenceID) {
		id, ok = string(d.ReferenceID), true
	}
	none := strings.HasPrefix(id, "-") || !strings.ContainsAny(id, "0123456789") || strings.Trim(id, "0-") == ""
	if !ok || none || len(id) > maxReferenceID || !isWord(id) {
		return "", errors.New("a success that lacks a usable reference_id")
	}
	return id, nil
}

// concerns returns an error when the object names another person than the
// profile: an answer to someone else's request.
func (d document) concerns(profile []byte) error {
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
		return errors.New("a success of another person")
	}
	return nil
}

// maxErrorCode is the longest ErrorCode in bytes that is taken for one.
const maxErrorCode = 16

// errorCode returns the ErrorCode, a whole number or a string, as text; "" when
// there is none, or nothing that names an error.
func (d document) errorCode() string {
	code, ok := unquote(d.ErrorCode)
	if !ok && isInteger(d.ErrorCode) {
		code = string(d.ErrorCode)
	}
	code = strings.TrimSpace(code)
	if code == "0" || len(code) > maxErrorCode || !isWord(code) {
		return ""
	}
	return code
}

// isWord reports whether text is made of letters, digits, - and _ alone.
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

// isInteger reports whether a JSON value is a number without fraction and exponent.
func isInteger(value jsontext.Value) bool {
	return value.Kind() == '0' && !bytes.ContainsAny(value, ".eE")
}

// statusText returns a status as in "503 Service Unavailable".
func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}
