// Package web is the page for people who don't use a terminal: it does in a
// browser, on this computer only, what the commands check, push, approve and runs
// do, by the same functions of package app.
//
// What goes in are an uploaded spreadsheet, perhaps with its mapping file, and a
// person's clicks. What comes out are pages: the result of every row, the
// progress of the push, and the results to download.
//
//	POST /files            a file arrives     → task: check
//	GET  /files/1          the result         → POST /files/1/push → task: push
//	GET  /progress         the task in progress, live
//	GET  /runs/17          how the run ended  → GET /runs/17/results
//
// One task is in progress at a time: Server.Serve works on it, and the handlers only
// leave it there and look at it (task.go). All that changes an uploaded file
// happens in a task too, so that no file changes while it is read (upload.go).
//
// A request is authenticated first (auth.go): it must be meant for this address, carry
// the secret of this launch, and come from a page of this server.
package web
