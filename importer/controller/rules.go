package controller

import (
	"net/http"
	"net/url"

	"opscom-import/mapping"
)

// rule says what an ErrorCode, or a status in its place, means. Its zero value
// is the rule of whatever is tried again.
type rule struct {
	class  class
	field  mapping.Attribute // at fault, where the code tells
	reason string            // of a refused run: what happened, as a clause
	advice string            // what to do next, as a sentence without its full stop
}

// ruleOfCode returns the rule of an ErrorCode, as the Controller's documentation
// describes it; known is false for a code that it does not have.
func ruleOfCode(code string) (r rule, known bool) {
	switch code {
	case "9000":
		return refusal("the client code is missing or not known", "check the client code (--client)"), true
	case "9001":
		return refusal("the API token is missing or not known", "check the API token"), true
	case "9002":
		return refusal("the API token lacks the permission", "ask OPS-COM to give the token the permission to push profiles"), true
	case "9003":
		return refusal("the request could not be understood, which is not a fault of the file",
			"report it, with the version of this program"), true
	case "9013":
		return rejection(mapping.UniqueID, "Give the row a unique id"), true
	case "9014":
		return rejection(mapping.LoginSource, "Give the row a login source"), true
	case "9015":
		return rejection(mapping.LoginSource, "Use a login source that your OPS-COM has"), true
	case "9016":
		return rejection(mapping.Email, "Your OPS-COM asks for an e-mail address: give the row one"), true
	case "9017":
		return rejection(mapping.FirstName, "Your OPS-COM asks for a first name: give the row one"), true
	case "9018":
		return rejection(mapping.LastName, "Your OPS-COM asks for a last name: give the row one"), true
	case "9019":
		return rejection(mapping.Email, "Another user in OPS-COM has this e-mail address: correct the row or that user"), true
	case "9020":
		return rejection(mapping.UserName, "Another user in OPS-COM has this user name: correct the row or that user"), true
	case "9022":
		return rejection(mapping.NoAttribute,
			"A record with these details already exists in OPS-COM: look for the person there, perhaps under another unique id or login source"), true
	case "9030", "9031", "9032", "9033":
		return rejection(mapping.NoAttribute, "The Controller does not name the field: look for one that is too long, missing, too short or not valid"), true
	case "9004", "9005", "9006", "9007", "9008", "9009", "9010", "9011", "9012", "9021":
		return rejection(mapping.NoAttribute, "The code is one of permits and vehicles, which this program does not send: ask OPS-COM what it means here"), true
	}
	return rejection(mapping.NoAttribute, "The Controller's documentation does not have this code: ask OPS-COM what it means"), false
}

// ruleOfStatus returns the rule of a status 4xx that came without an ErrorCode
// and means more than "not now". Such an answer is not the Controller's own but
// of what stands before it.
//
// Those statuses that can be about what is in a row (a filter that takes an
// apostrophe for an attack) refuse that row alone, so that one odd row does not
// dam up all others; should every row get one, the run's limit of failures in a
// row ends it. The others are about method, path or headers, which are the same
// for every row.
func ruleOfStatus(status int) rule {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return refusal("access was denied", "check the API token and the client code (--client)")
	case http.StatusNotFound:
		return refusal("there is no such address", "check the client code (--client) and the Controller's address (--url)")
	case http.StatusBadRequest, http.StatusNotAcceptable, http.StatusConflict,
		http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return rejection(mapping.NoAttribute, "Look for unusual characters or very long text in the row, else ask OPS-COM")
	}
	return refusal("the request was turned away before the Controller looked at it",
		"check the Controller's address (--url) and any proxy on the way to it")
}

// redirected returns the rule of an answer that points to location: it refuses
// the run, because the token is in the request and stays with the host that was
// set.
func redirected(location string) rule {
	target := "another address"
	if u, err := url.Parse(location); err == nil && u.Host != "" {
		target = u.Host
	}
	return refusal("the answer points to "+target+", and the API token is not sent on",
		"check the Controller's address (--url)")
}

// rejection returns the rule of a code that refuses one row.
func rejection(field mapping.Attribute, advice string) rule {
	return rule{class: rejected, field: field, advice: advice}
}

// refusal returns the rule of a code that refuses the run.
func refusal(reason, advice string) rule {
	return rule{class: refused, reason: reason, advice: advice}
}
