package importer

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Limits are the safety limits of a run, judged on its plan before anything is
// sent.
type Limits struct {
	MaxBad     Limit // rows that may be invalid
	MaxChanged Limit // rows that may be new or changed, doubted ones not counted; only when rows are compared with what was last accepted
	MinRows    Limit // rows that the file must have; a percentage is of the last run's
	MaxLeavers Limit // leavers who may be sent; a percentage is of the people of the run that was compared with
}

// Judge returns why the limits, or a file that was cut short, hold a run with this plan,
// a sentence each; none when they do not. last is the last run of the same source, zero
// when there was none.
func (l Limits) Judge(p Plan, last RunInfo) []string {
	var reasons []string
	switch {
	case p.CutRow > 0:
		reasons = append(reasons, fmt.Sprintf("%s %d; was the export cut short?", cutShort, p.CutRow))
	case p.LastLine.Row > 0 && !p.LastLine.IsEnded && last.LineEnded:
		reasons = append(reasons, fmt.Sprintf("%s %d, has no line end, and the file of run %d had one; was the export cut short?", unended, p.LastLine.Row, last.ID))
	}
	if bad := p.Counts[StatusInvalid]; l.MaxBad.Exceeded(bad, p.Rows) {
		reasons = append(reasons, fmt.Sprintf("%d of %d rows are invalid; the limit (max-bad) is %s", bad, p.Rows, l.MaxBad))
	}
	if changed := p.Counts[StatusPending] - p.Doubted; l.MaxChanged.Exceeded(changed, p.Rows) {
		reasons = append(reasons, fmt.Sprintf("%d of %d rows are new or changed; the limit (max-changed) is %s", changed, p.Rows, l.MaxChanged))
	}
	if l.MinRows.Below(p.Rows, last.Rows) {
		reason := fmt.Sprintf("the file has %d rows; at least %s are expected (min-rows)", p.Rows, l.MinRows)
		if l.MinRows.Percent > 0 {
			reason += fmt.Sprintf(" of the %d in the last run", last.Rows)
		}
		reasons = append(reasons, reason+"; was the export cut short?")
	}
	return append(reasons, p.Leavers.reasons(l.MaxLeavers, p.Rows)...)
}

const (
	cutShort = "the file ends in the middle of row"
	unended  = "the last line, row"
)

// IsCutShort reports whether a reason of Judge is that the file was cut short in its
// last line, which is so whatever the limits are.
func IsCutShort(reason string) bool {
	return strings.HasPrefix(reason, cutShort) || strings.HasPrefix(reason, unended)
}

// MayBeCut reports whether Judge takes the file for one that was cut short in its last
// line.
func MayBeCut(cutRow int, line LastLine, last RunInfo) bool {
	return cutRow > 0 || line.Row > 0 && !line.IsEnded && last.LineEnded
}

// leastPercentRows is the number of rows that a percentage always allows: in a short
// file one bad row is a large share and yet not a reason to hold the run.
const leastPercentRows = 10

// Limit is a safety limit: a number of rows, or a percentage of them. Its zero value
// is off.
type Limit struct {
	Set     bool
	Count   int     // rows, when Percent is 0
	Percent float64 // over 0, at most 100
}

// ParseLimit reads a limit as a person writes it: "25" is 25 rows, "2.5%" a
// percentage, "off" or nothing is no limit.
func ParseLimit(text string) (Limit, error) {
	text = strings.TrimSpace(text)
	if text == "" || strings.EqualFold(text, "off") {
		return Limit{}, nil
	}
	if share, isPercent := strings.CutSuffix(text, "%"); isPercent {
		percent, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil || math.IsNaN(percent) || percent <= 0 || percent > 100 {
			return Limit{}, fmt.Errorf("%q is not a percentage over 0 and at most 100", text)
		}
		return Limit{Set: true, Percent: percent}, nil
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 0 {
		return Limit{}, fmt.Errorf("%q is neither a number of rows such as 25, nor a percentage such as 10%%, nor off", text)
	}
	return Limit{Set: true, Count: count}, nil
}

// String returns the limit in the form that ParseLimit reads.
func (l Limit) String() string {
	switch {
	case !l.Set:
		return "off"
	case l.Percent > 0:
		return strconv.FormatFloat(l.Percent, 'f', -1, 64) + "%"
	default:
		return strconv.Itoa(l.Count)
	}
}

// Exceeded reports whether n rows are more than the limit allows in a file of that
// many rows. A percentage always allows 10 rows.
func (l Limit) Exceeded(n, of int) bool {
	return l.Set && float64(n)*100 > l.hundredfold(of) && (l.Percent == 0 || n > leastPercentRows)
}

// ExceededBy does so for people of whom a percentage allows no more than that.
func (l Limit) ExceededBy(n, of int) bool {
	return l.Set && float64(n)*100 > l.hundredfold(of)
}

// Below reports whether n rows are fewer than the limit requires; a percentage is
// taken of that many rows.
func (l Limit) Below(n, of int) bool {
	return l.Set && float64(n)*100 < l.hundredfold(of)
}

// hundredfold returns a hundred times the limit in rows, which spares a division.
func (l Limit) hundredfold(of int) float64 {
	if l.Percent > 0 {
		return l.Percent * float64(of)
	}
	return 100 * float64(l.Count)
}
