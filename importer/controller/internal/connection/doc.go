// Package connection sends requests to one server over HTTP/1.1. Each goes over a
// connection of its own, in the goroutine that sends it; connections are kept for
// later requests. It is net/http without a proxy and without a goroutine for reading
// and one for writing on each connection, which cost as much as the request itself:
// net/http renders the request and reads the answer here too.
//
// In go the head of a request, which is rendered once, and a body; out comes an answer
// whose body is still to be read:
//
//	POST /api/OC_TEST/v1/profiles/push HTTP/1.1 … Content-Length: 68 … {"apiToken":"…",…}
//
//	HTTP/1.1 200 OK … {"status":"success","reference_id":44}
package connection
