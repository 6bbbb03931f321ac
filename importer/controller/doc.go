// Package controller is the client of the OPS-COM Controller: it pushes one
// profile at a time, and lists the user types.
//
// In goes a profile as mapping.Profile.AppendJSON writes it, and out comes the
// Controller's answer, after as many attempts as it took:
//
//	{"unique_id":"900123456","login_source":"SSO","email":"zoe@example.edu"}
//
//	importer.Answer{Status: importer.StatusPushed, ReferenceID: "44", Attempts: 1}
//	importer.Answer{Status: importer.StatusRejected, ErrorCode: "9019", Field: "email", Message: "…", Attempts: 1}
//
// A push takes these steps:
//
//  1. The pacer decides when a request may start (pacer.go): not during a pause that
//     the Controller has asked for, nor while the circuit is open because it does not
//     answer, and never above the rate, which is at most the user's and otherwise what
//     the Controller accepts (limiter.go). Several processes may share that rate
//     (turns.go).
//  2. A request has the token and the profile in its body. It goes to the configured
//     host and to no other; redirects are not followed (request.go, call.go). It is
//     sent over a connection of the client's own (internal/connection), or, through a
//     proxy, by net/http (round_tripper.go).
//  3. The answer is read to its end, up to 128 KiB, and classified, by its body before
//     its status (answer.go, rules.go). Only the success in the documentation counts
//     as a success.
//  4. If there is no usable answer, the request is sent again after a random time that
//     grows (backoff.go), or at once if only a kept connection was closed (exchange.go).
//     A push is an upsert, so repeating a profile that did arrive changes nothing.
//
// A refusal that every other row would get too is a *importer.RefusedError, and a
// pause that is too long to wait for is a *importer.PauseError. A refusal of the token
// is neither if there is a new one by then (credential.go). The
// token never appears in a message, an error or anything that is printed.
package controller
