package importer

// Status says how a row ended, or where it stands. Its text is what reports
// show; docs/reference/statuses.md explains each.
type Status string

// The statuses of a row.
const (
	StatusPushed    Status = "pushed"    // the Controller accepted it; it has a reference id
	StatusValid     Status = "valid"     // in a check: it would be pushed
	StatusUnchanged Status = "unchanged" // the same as the Controller last accepted; not sent
	StatusDuplicate Status = "duplicate" // an identical row stands above; not sent
	StatusSkipped   Status = "skipped"   // the mapping's where leaves it out
	StatusInvalid   Status = "invalid"   // broke a rule here; not sent
	StatusRejected  Status = "rejected"  // the Controller refused it
	StatusFailed    Status = "failed"    // no answer after every attempt
	StatusUnknown   Status = "unknown"   // may have been sent; its answer was not recorded
	StatusNotSent   Status = "not_sent"  // certainly not sent
)

// Pending is the status of a planned row that waits to be pushed. No report
// shows it: a projection of the journal makes it NotSent, Unknown, or in a check
// Valid.
const StatusPending Status = "pending"

// Statuses returns the statuses that a report may show, in the order in which
// the receipt lists them.
func Statuses() []Status {
	return []Status{StatusPushed, StatusValid, StatusUnchanged, StatusDuplicate, StatusSkipped, StatusInvalid, StatusRejected, StatusFailed, StatusUnknown, StatusNotSent}
}
