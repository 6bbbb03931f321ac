package importer

// Status says how a row ended, or where it stands. Its text is what reports
// show; docs/reference/statuses.md explains each.
type Status string

// The statuses of a row.
const (
	Pushed    Status = "pushed"    // the Controller accepted it; it has a reference id
	Valid     Status = "valid"     // in a check: it would be pushed
	Unchanged Status = "unchanged" // the same as the Controller last accepted; not sent
	Duplicate Status = "duplicate" // an identical row stands above; not sent
	Skipped   Status = "skipped"   // the mapping's where leaves it out
	Invalid   Status = "invalid"   // broke a rule here; not sent
	Rejected  Status = "rejected"  // the Controller refused it
	Failed    Status = "failed"    // no answer after every attempt
	Unknown   Status = "unknown"   // may have been sent; its answer was not recorded
	NotSent   Status = "not_sent"  // certainly not sent
)

// Pending is the status of a planned row that waits to be pushed. No report
// shows it: a projection of the journal makes it NotSent, Unknown, or in a check
// Valid.
const Pending Status = "pending"

// Statuses returns the statuses that a report may show, in the order in which
// the receipt lists them.
func Statuses() []Status {
	return []Status{Pushed, Valid, Unchanged, Duplicate, Skipped, Invalid, Rejected, Failed, Unknown, NotSent}
}
