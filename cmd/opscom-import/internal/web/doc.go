// Package web is the page for people who don't use a terminal: it does in a
// browser, on this computer only, what the commands check, push, approve and runs
// do, by the same functions of package app.
//
// What goes in are a spreadsheet and a person's clicks. What comes out are pages: a
// question for each thing that is not certain, the verdict on each row, the progress
// of the push, and OPS-COM's answer to each row.
//
//	POST /files               a file arrives → a draft
//	GET  /files/1/columns     a step of it; POST to the same address answers a question
//	GET  /files/1/rows        the rows, as the check of the draft's revision found them
//	POST /files/1/push        → a task
//	GET  /progress            the task in progress
//	GET  /runs/17             how the run ended
//
// All these paths are below a secret prefix (address.go). A request is authenticated
// first (auth.go). Each step has a file of its own, and a template of the same name.
//
// A draft (package draft) is all that is remembered: each answer changes it on the
// disk, and a GET shows it, so that reload, Back and the end of the program lose
// nothing. The check of a draft is made once for each of its revisions, when it is
// asked for, beside any push (check.go). Pushes are tasks, one at a time: Server.Serve works
// on them, and the handlers only leave them there and look at them (task.go).
//
// Every answer is a whole page. With JavaScript, htmx puts it into the place of the one
// before; without, the browser does.
package web
