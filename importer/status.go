package importer

import (
	"slices"
	"strings"
)

// Status is how a row ended, or how far it has come. Its text is what reports
// show; docs/reference/statuses.md explains each.
type Status string

// The statuses of a row.
const (
	StatusPushed    Status = "pushed"    // the Controller accepted it; it has a reference id
	StatusValid     Status = "valid"     // in a check: it would be pushed
	StatusUnchanged Status = "unchanged" // the same as the Controller last accepted; not sent
	StatusDuplicate Status = "duplicate" // identical to an earlier row; not sent
	StatusSkipped   Status = "skipped"   // excluded by the mapping's where, or left out by a person
	StatusLeaver    Status = "leaver"    // not in the file, but in the last complete run; only reported
	StatusInvalid   Status = "invalid"   // broke a rule here; not sent
	StatusRejected  Status = "rejected"  // the Controller refused it
	StatusFailed    Status = "failed"    // no usable answer after every attempt, or one that refused the whole run
	StatusUnknown   Status = "unknown"   // may have been sent; its answer was not recorded
	StatusNotSent   Status = "not_sent"  // certainly not sent
)

// StatusPending is the status of a planned row that waits to be pushed. No report
// shows it: a projection of the journal makes it StatusNotSent, StatusUnknown, or in
// a check StatusValid.
const StatusPending Status = "pending"

// StatusKind groups the statuses by what is left to do. Its text is a class of the
// HTML pages.
type StatusKind string

// The kinds of statuses.
const (
	KindDone   StatusKind = "done"   // accepted, or ready to be
	KindLeft   StatusKind = "left"   // left out on purpose
	KindToFix  StatusKind = "fix"    // a person has to fix the row: exit code 1
	KindFailed StatusKind = "failed" // the file has to be pushed again: exit code 1
	KindOpen   StatusKind = "open"   // the run is not complete: exit code 3
)

// StatusSpec describes a status.
type StatusSpec struct {
	Status
	Kind   StatusKind
	Note   string // what it means for the rows that have it
	Advice string // what to do about them, "" for nothing
}

// statusSpecs has a row for each status that a report may show, in the order in
// which the receipt lists them.
var statusSpecs = []StatusSpec{
	{StatusPushed, KindDone, "accepted by the Controller", ""},
	{StatusValid, KindDone, "ready to be pushed", ""},
	{StatusUnchanged, KindLeft, "already up to date in the Controller", ""},
	{StatusDuplicate, KindLeft, "identical to an earlier row", ""},
	{StatusSkipped, KindLeft, "excluded by the mapping's where", ""},
	{StatusLeaver, KindLeft, "in the last complete run, and not in this file; not sent", ""},
	{StatusInvalid, KindToFix, "not sent", "fix these rows in the file"},
	{StatusRejected, KindToFix, "refused by the Controller", "the results say why"},
	{StatusFailed, KindFailed, "no usable answer", "push the file again"},
	{StatusUnknown, KindOpen, "may have been sent", "resume the run to send them again"},
	{StatusNotSent, KindOpen, "the run ended early", "resume it to send them"},
}

// Statuses returns the statuses that a report may show, in the order in which
// the receipt lists them.
func Statuses() []Status {
	list := make([]Status, len(statusSpecs))
	for i, spec := range statusSpecs {
		list[i] = spec.Status
	}
	return list
}

// Spec returns the description of the status, the zero value for one that no report
// shows.
func (s Status) Spec() StatusSpec {
	i := slices.IndexFunc(statusSpecs, func(spec StatusSpec) bool { return spec.Status == s })
	if i < 0 {
		return StatusSpec{}
	}
	return statusSpecs[i]
}

// Retryable reports whether a row with the status is sent again when its run is resumed.
func (s Status) Retryable() bool {
	kind := s.Spec().Kind
	return kind == KindFailed || kind == KindOpen
}

// Label returns the status in words.
func (s Status) Label() string { return strings.ReplaceAll(string(s), "_", " ") }

// Of returns the number of rows whose status is of one of the kinds.
func (c Counts) Of(kinds ...StatusKind) int {
	n := 0
	for status, rows := range c {
		if slices.Contains(kinds, status.Spec().Kind) {
			n += rows
		}
	}
	return n
}
