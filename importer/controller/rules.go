package controller

import (
	"net/url"
	"slices"

	"opscom-import/mapping"
)

// rule says what an ErrorCode, or the HTTP status of an answer without one, means.
// The zero rule is that of everything that is tried again.
type rule struct {
	class  class
	field  mapping.Attribute // at fault, where the code tells
	reason string            // of a refused run: what happened, as a clause
	advice string            // what to do next, as a sentence without its full stop

	ofToken bool // of a refused run: another token may not be refused
}

// codes are the ErrorCodes in the Controller's documentation.
var codes = []struct {
	codes []string
	rule  rule
}{
	{[]string{"9000"}, refusal("the client code is missing or unknown", "check the client code (--client)")},
	{[]string{"9001"}, refusalOfToken("the API token is missing or unknown", "check the API token")},
	{[]string{"9002"}, refusalOfToken("the API token lacks the permission", "ask OPS-COM to give the token the permission to push profiles")},
	{[]string{"9003"}, refusal("the request could not be parsed, which is not the file's fault", "report it, with the version of this program")},
	{[]string{"9013"}, rejection(mapping.UniqueID, "Give the row a unique id")},
	{[]string{"9014"}, rejection(mapping.LoginSource, "Give the row a login source")},
	{[]string{"9015"}, rejection(mapping.LoginSource, "Use a login source that your OPS-COM has")},
	{[]string{"9016"}, rejection(mapping.Email, "Your OPS-COM requires an e-mail address: add one to the row")},
	{[]string{"9017"}, rejection(mapping.FirstName, "Your OPS-COM requires a first name: add one to the row")},
	{[]string{"9018"}, rejection(mapping.LastName, "Your OPS-COM requires a last name: add one to the row")},
	{[]string{"9019"}, rejection(mapping.Email, "Another user in OPS-COM has this e-mail address: correct the row or that user")},
	{[]string{"9020"}, rejection(mapping.UserName, "Another user in OPS-COM has this user name: correct the row or that user")},
	{[]string{"9022"}, rejection(mapping.NoAttribute,
		"A record with these details already exists in OPS-COM: look for the person there, perhaps under another unique id or login source")},
	{[]string{"9030", "9031", "9032", "9033"}, rejection(mapping.NoAttribute,
		"The Controller does not name the field: look for one that is too long, missing, too short or not valid")},
	{[]string{"9004", "9005", "9006", "9007", "9008", "9009", "9010", "9011", "9012", "9021"}, rejection(mapping.NoAttribute,
		"The code belongs to permits and vehicles, which this program does not send: ask OPS-COM what it means here")},
}

// ruleOf returns the rule of an ErrorCode; known is false for a code that the
// Controller's documentation does not have.
func ruleOf(code string) (r rule, known bool) {
	for i := range codes {
		if slices.Contains(codes[i].codes, code) {
			return codes[i].rule, true
		}
	}
	return rejection(mapping.NoAttribute, "The Controller's documentation does not list this code: ask OPS-COM what it means"), false
}

// ruleOfStatus returns the rule of a status 4xx that came without an ErrorCode
// and does not mean "not now", before the Controller has accepted anything. Such an
// answer comes from something in front of the Controller.
//
// The statuses that may be caused by the content of a row (a filter that takes an
// apostrophe for an attack) reject only that row, so that one odd row does not stop
// all others; if every row gets one, the limit of failures in a row ends the run.
// The others concern method, path or headers, which are the same for every row; but
// see ruleAfterSuccess.
func ruleOfStatus(status int) rule {
	switch status {
	case 401, 403:
		return refusalOfToken("access was denied", "check the API token and the client code (--client)")
	case 404:
		return refusal("there is no such address", "check the client code (--client) and the Controller's address (--url)")
	case 407:
		return refusal("the proxy on the way to the Controller asks for a user name and password",
			"write them in HTTPS_PROXY, as in http://USER:PASSWORD@HOST:PORT")
	case 400, 406, 409, 413, 414, 421, 422, 431:
		return rejection(mapping.NoAttribute, "Look for unusual characters or very long text in the row; if there are none, ask OPS-COM")
	}
	return refusal("the request was turned away before the Controller saw it",
		"check the Controller's address (--url) and any proxy on the way to it")
}

// ruleAfterSuccess returns the rule of a status that would refuse the run, once the
// Controller has accepted a request of this client: token, client code and address
// are right, so it is this row that something on the way does not let through (a web
// firewall, for one). ok is false for a status that says otherwise: a 401 is about the
// token, which may have been revoked since, a 407 about a proxy, and a redirect about
// the address.
func ruleAfterSuccess(status int) (r rule, ok bool) {
	if status/100 != 4 || status == 401 || status == 407 {
		return rule{}, false
	}
	return rejection(mapping.NoAttribute, "Other requests were accepted, so something between this program and the Controller (a web firewall, a proxy) "+
		"may have refused this row: look for unusual characters in it; if there are none, ask OPS-COM"), true
}

// ruleOfRedirect returns the rule of an answer that redirects to location: it
// refuses the run, because the request holds the token, which is sent only to the
// configured host.
func ruleOfRedirect(location string) rule {
	target := "another address"
	if u, err := url.Parse(location); err == nil && u.Host != "" {
		target = u.Host
	}
	return refusal("the answer redirects to "+target+", where the API token is not sent", "check the Controller's address (--url)")
}

// rejection returns the rule of a code that rejects one row.
func rejection(field mapping.Attribute, advice string) rule {
	return rule{class: rejected, field: field, advice: advice}
}

// refusal returns the rule of a code that refuses the run.
func refusal(reason, advice string) rule {
	return rule{class: refused, reason: reason, advice: advice}
}

// refusalOfToken returns the rule of a code that refuses the run because of its token.
func refusalOfToken(reason, advice string) rule {
	r := refusal(reason, advice)
	r.ofToken = true
	return r
}
