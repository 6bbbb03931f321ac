// Package sandbox is a mock Controller: an http.Handler with the two calls that the
// importer makes, the published limits and error codes, and faults on request. It is
// for trials without a real Controller, and for tests that compare what a run reports
// with what was really accepted.
//
// In goes a profile:
//
//	POST /api/OC_TRIAL/v1/profiles/push
//	Content-Type: application/json
//
//	{"apiToken":"trial-token","unique_id":"900123456","login_source":"SSO","city":"Gatineau"}
//
// Out comes the person's reference id, or the error code of the first rule that
// the profile breaks:
//
//	200 {"status":"success","reference_id":1001}
//	400 {"ErrorCode":9030,"ErrorMessage":"A value is longer than its limit."}
//
// The second call, POST /api/OC_TRIAL/v1/profiles/types/list with
// {"apiToken":"trial-token"}, lists the user types:
//
//	200 {"status":"success","user_types":[{"id":"1","type_name":"Full Time Student","ext_info":"Student"}]}
//
// A push is an upsert by login source and unique id, in any case. Attributes that are
// left out keep their value, blank ones are cleared, and an e-mail address or user
// name can belong to one person only. As in every Controller there is an
// administrator from the start: the user name "admin" and the e-mail address
// "parking@example.edu" are taken.
//
// Where the Controller's behaviour is not published, this package makes its own
// choice: the HTTP status of an error (400 for a profile, 401 for the token and
// client code), and that a request with an unknown attribute cannot be parsed (9003),
// so that a misspelled name is found at once.
package sandbox
