// Package controller is the client of the OPS-COM Controller: it pushes one
// profile at a time, and lists the user types.
//
// In goes a profile as mapping.Profile.AppendJSON writes it, and out comes what
// the Controller made of it, after as many attempts as it took:
//
//	{"unique_id":"900123456","login_source":"SSO","email":"zoe@example.edu"}
//
//	importer.Answer{Status: importer.Pushed, ReferenceID: "44", Attempts: 1}
//	importer.Answer{Status: importer.Rejected, ErrorCode: "9019", Field: "email", Message: "…", Attempts: 1}
//
// One push goes through these steps:
//
//  1. The pacer says when a request may start (pacer.go): not while the Controller
//     has asked for a pause or gives no answers, and not above the rate, which is
//     the user's at most and what the Controller takes (limiter.go).
//  2. A request carries the token and the profile in its body, to the host that
//     was set and to no other; redirects are not followed (request.go, exchange.go).
//  3. The answer is read to its end, up to 128 KiB, and judged: its body first, then
//     its status (answer.go, rules.go). Only the success that the documentation
//     shows is a success.
//  4. Where there is no usable answer, the request is sent again after a random
//     time that grows (backoff.go). The push is an upsert, so a repeat of a profile
//     that did arrive changes nothing.
//
// A refusal that every other row would get too is a *importer.RefusedError. The
// token is never in a message, an error or anything that is printed.
package controller
