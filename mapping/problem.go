package mapping

// Severity reports whether a problem keeps the row from being sent.
type Severity uint8

// The severities.
const (
	SeverityError   Severity = iota // the row is not sent
	SeverityWarning                 // the row is sent, and the report says what to look at
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == SeverityWarning {
		return "warning"
	}
	return "error"
}

// NoColumn is the column of a problem that concerns no single cell.
const NoColumn = -1

// Problem is one thing that is wrong, or worth a look, in one row.
type Problem struct {
	Rule      Rule
	Severity  Severity
	Attribute Attribute // NoAttribute when the row as a whole is meant
	Column    int       // index in the sheet, column A is 0; NoColumn when no single cell is meant
	Value     string    // the cell as read; personal data: for the row's own reports only
	Message   string    // what is wrong, with the value: a sentence for the person who fixes the row
	Advice    string    // what to do about it, in sentences; "" when the message says all
}

// Text returns what a person reads: what is wrong and what to do.
func (p Problem) Text() string {
	if p.Advice == "" {
		return p.Message
	}
	return p.Message + " " + p.Advice
}
