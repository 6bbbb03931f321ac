package mapping

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// A column has ids of one length when it is at least usualDigits long, and of
	// ten ids that are all digits at least usualTenths have it, and usualLeast ids.
	usualDigits = 6
	usualTenths = 8
	usualLeast  = 10

	// maxShapeDigits is the most digits of an id that is looked at: as many as a
	// uint64 always holds.
	maxShapeDigits = 19

	// maxSuspects is how many ids of one length are remembered. When more are
	// suspect, that is a question about the column, not about rows.
	maxSuspects = 4096
)

// idShape gathers how long the ids of one column are, to find those that have
// lost zeros in front, or digits at the end.
type idShape struct {
	lengths [maxShapeDigits + 1]idLength // by the number of digits
	long    idLength                     // of more than 15 digits, those beyond all zeros
	exact   int                          // ids of more than 15 digits that have others than zeros there
}

// idLength is the ids of one length.
type idLength struct {
	count    int
	suspects []suspectID // the first of them
}

// suspectID is an id of digits, and the sequence of the row that has it.
type suspectID struct {
	digits   uint64
	sequence uint32
}

func (l *idLength) add(sequence int, value string) {
	l.count++
	if len(l.suspects) == maxSuspects {
		return
	}
	if number, err := strconv.ParseUint(value, 10, 64); err == nil {
		l.suspects = append(l.suspects, suspectID{number, uint32(sequence)})
	}
}

// add takes in the id of one row.
func (s *idShape) add(sequence int, value string) {
	if len(value) > maxShapeDigits || !isDigits(value) {
		return
	}
	s.lengths[len(value)].add(sequence, value)
	if len(value) > maxExactDigits {
		if strings.Trim(value[maxExactDigits:], "0") == "" {
			s.long.add(sequence, value)
		} else {
			s.exact++
		}
	}
}

// review adds a finding for every id that is likely damaged, or returns a
// question about the column when they are too many.
func (s *idShape) review(f *fieldMapper, review *Review) (question string) {
	label := f.check.spec.Label
	if s.exact == 0 {
		if s.long.count > len(s.long.suspects) {
			return tooManySuspects(s.long.count, "end in zeros after their 15th digit: a spreadsheet has cut them. Take them from the student system again, or add as_is: true if they are right")
		}
		for _, id := range s.long.suspects {
			value := strconv.FormatUint(id.digits, 10)
			f.find(review, id.sequence, value, refuse(RuleDamagedNumber, label+" "+quote(value)+" has more than 15 digits, and those beyond are zeros, as in every such id of the column: a spreadsheet has lost them. Take the id from the student system, or add as_is: true to the mapping if it is right."))
		}
	}
	usual := s.usual()
	for length := 1; length < usual; length++ {
		short := &s.lengths[length]
		if short.count > len(short.suspects) {
			return tooManySuspects(short.count, fmt.Sprintf("have %d digits where %d ids have %d: zeros in front may be lost. If they are, add apply: [pad:%d]; if the ids are right, add as_is: true", length, s.lengths[usual].count, usual, usual))
		}
		for _, id := range short.suspects {
			value := fmt.Sprintf("%0*d", length, id.digits)
			f.find(review, id.sequence, value, refuse(RuleLostZeros, fmt.Sprintf("%s %s has %d digits, and %d others have %d: a spreadsheet may have dropped zeros in front. Write %q if that is meant, or add apply: [pad:%d] to the mapping for the whole column; if all is right, add as_is: true.",
				label, quote(value), length, s.lengths[usual].count, usual, fmt.Sprintf("%0*d", usual, id.digits), usual)))
		}
	}
	return ""
}

func tooManySuspects(count int, what string) string {
	return fmt.Sprintf("%d ids %s", count, what)
}

// usual returns the number of digits that nearly all ids have, 0 for none.
func (s *idShape) usual() int {
	all, usual := 0, 0
	for length := range s.lengths {
		all += s.lengths[length].count
		if s.lengths[length].count > s.lengths[usual].count {
			usual = length
		}
	}
	most := s.lengths[usual].count
	if usual < usualDigits || most < usualLeast || 10*most < usualTenths*all {
		return 0
	}
	return usual
}

// find adds a finding about the field's value in one row.
func (f *fieldMapper) find(review *Review, sequence uint32, value string, flaw *fault) {
	review.Findings = append(review.Findings, Finding{Sequence: int(sequence), Problem: Problem{
		Rule: flaw.rule, Severity: flaw.severity, Attribute: f.check.spec.Attribute, Column: f.onlyColumn(), Value: value, Message: flaw.message,
	}})
}

// onlyColumn returns the column that gives the attribute, NoColumn when there are several.
func (f *fieldMapper) onlyColumn() int {
	if len(f.columns) != 1 {
		return NoColumn
	}
	return f.columns[0]
}
