package mapping

import (
	"cmp"
	"slices"
	"strings"

	"opscom-import/mapping/internal/chars"
)

// Severity says whether a problem keeps the row from being sent.
type Severity uint8

// The severities.
const (
	SeverityError   Severity = iota // the row is not sent
	SeverityWarning                 // the row is sent, and the report says what to check
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == SeverityWarning {
		return "warning"
	}
	return "error"
}

// NoColumn is the column of a problem that is not about a single cell.
const NoColumn = -1

// Problem is one thing in a row that is wrong, or worth checking.
type Problem struct {
	Rule      Rule
	Severity  Severity
	Attribute Attribute // NoAttribute when the problem is about the whole row
	Column    int       // index in the sheet, column A is 0; NoColumn when it is not about a single cell
	Value     string    // the cell as read; personal data: for the row's own reports only
	Message   string    // what is wrong, with the value: a sentence for the person who fixes the row
	Advice    string    // what to do about it, in sentences; "" when the message says it all
	Proposal  string    // what may stand in the cell instead, "" when that is not known; no stored run keeps it
}

// Text returns what a person reads: what is wrong and what to do.
func (p Problem) Text() string {
	if p.Advice == "" {
		return p.Message
	}
	return p.Message + " " + p.Advice
}

// IsOfShape reports whether, because of the problem, the row's values may be in other columns
// than the header's. Then nothing that they seem to say can be relied on.
func (p *Problem) IsOfShape() bool {
	return p.Severity == SeverityError && slices.Contains([]Rule{RuleRaggedRow, RuleBadQuotes, RuleSecondTable}, p.Rule)
}

// about begins a sentence about a value.
func about(label, value string) string { return label + " " + chars.Quote(value) + " " }

// refuse returns an error about a value; its place is added later. Where advice is "",
// the rule's own is enough.
func refuse(rule Rule, message, advice string) *Problem {
	return &Problem{Rule: rule, Message: message, Advice: cmp.Or(advice, rule.Spec().Advice)}
}

// warn returns a warning about a value; its place is added later.
func warn(rule Rule, message, advice string) *Problem {
	return &Problem{Rule: rule, Severity: SeverityWarning, Message: message, Advice: advice}
}

// proposing adds what may stand in the cell instead.
func (p *Problem) proposing(text string) *Problem {
	p.Proposal = text
	return p
}

// Corrected returns the warning that a person has corrected a cell, which was old in the
// file.
func Corrected(column int, old string) Problem {
	what := "The cell was corrected on the page: it was blank."
	if old != "" {
		what = "The cell was corrected on the page: it was " + chars.Quote(old) + "."
	}
	return Problem{Rule: RuleCorrected, Severity: SeverityWarning, Column: column, Value: old, Message: what}
}

// LeftOut returns the warning that a person has left a row out.
func LeftOut() Problem {
	return Problem{Rule: RuleCorrected, Severity: SeverityWarning, Column: NoColumn, Message: "The row was left out on the page."}
}

// isError reports whether there is a problem that keeps the value from being sent.
func (p *Problem) isError() bool { return p != nil && p.Severity == SeverityError }

// clause returns a problem's text without its full stop, for a mistake in the
// mapping file.
func (p *Problem) clause() string { return strings.TrimSuffix(p.Text(), ".") }
