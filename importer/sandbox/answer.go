package sandbox

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"opscom-import/mapping"
)

const (
	jsonType = "application/json"
	htmlType = "text/html; charset=utf-8"
	textType = "text/plain; charset=utf-8"
)

// answer is the answer to a request; the zero answer is none.
type answer struct {
	status      int
	contentType string
	retryAfter  string // the header of that name, "" for none
	body        []byte
	errorCode   int // of an error
	referenceID int // of an accepted profile
}

func successAnswer(referenceID int) answer {
	body := make([]byte, 0, 48)
	body = append(body, `{"status":"success","reference_id":`...)
	body = strconv.AppendInt(body, int64(referenceID), 10)
	body = append(body, '}')
	return answer{status: 200, contentType: jsonType, body: body, referenceID: referenceID}
}

// errorAnswer returns an error in the Controller's form. The messages are constants
// of this package, in ASCII without quotes.
func errorAnswer(status, code int, message string) answer {
	body := fmt.Appendf(nil, `{"ErrorCode":%d,"ErrorMessage":"%s"}`, code, message)
	return answer{status: status, contentType: jsonType, body: body, errorCode: code}
}

// rejection returns the error for a profile or request that is not valid.
func rejection(code int, message string) answer {
	return errorAnswer(http.StatusBadRequest, code, message)
}

// notPermitted returns the error for a token that is wrong or revoked.
func notPermitted() answer {
	return errorAnswer(http.StatusUnauthorized, 9002, "The API token may not make this call.")
}

func textAnswer(status int, text string) answer {
	return answer{status: status, contentType: textType, body: []byte(text + "\n")}
}

// typesBody returns the list of user types in the Controller's form.
func typesBody(types []mapping.UserType) ([]byte, error) {
	type entry struct {
		ID   string `json:"id"`
		Name string `json:"type_name"`
		Info string `json:"ext_info"`
	}
	list := struct {
		Status string  `json:"status"`
		Types  []entry `json:"user_types"`
	}{Status: "success", Types: make([]entry, len(types))}
	for i, t := range types {
		list.Types[i] = entry(t)
	}
	return json.Marshal(list, jsontext.AllowInvalidUTF8(false))
}

// defaultUserTypes returns the list of a sandbox that is not given one.
func defaultUserTypes() []mapping.UserType {
	return []mapping.UserType{
		{ID: "1", Name: "Full Time Student", Info: "Student"},
		{ID: "2", Name: "Part Time Student", Info: "Student"},
		{ID: "3", Name: "Faculty", Info: "Employee"},
		{ID: "4", Name: "Staff", Info: "Employee"},
		{ID: "5", Name: "Contractor", Info: "Other"},
		{ID: "6", Name: "Visitor", Info: "Other"},
		{ID: "7", Name: "Alumni", Info: "Other"},
		{ID: "8", Name: "Retiree", Info: "Other"},
		{ID: "9", Name: "Resident Student", Info: "Student"},
	}
}
