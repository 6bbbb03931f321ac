package mapping

import (
	"fmt"
	"strconv"
	"strings"

	"opscom-import/mapping/internal/chars"
)

const (
	// A column has a usual length of ids when that is at least usualDigits, and at
	// least usualTenths in ten of the ids that are all digits have it, and at least
	// usualLeast ids.
	usualDigits = 6
	usualTenths = 8
	usualLeast  = 10

	// maxIDDigits is the most digits of an id that is checked: as many as a uint64
	// always holds.
	maxIDDigits = 19

	// maxSuspects is how many ids of one length are remembered. When there are more,
	// that is a question about the column, not about rows.
	maxSuspects = 4096

	// Numbers are counted on if they are this far apart, on average, and nowhere that
	// a digit is added more than countedGap times as far.
	countedStep = 10
	countedGap  = 10
)

// idLengths collects how long the ids of one column are, to find those that lost
// leading zeros, or digits at the end.
type idLengths struct {
	lengths [maxIDDigits + 1]idLength // by the number of digits
	long    idLength                  // of more than 15 digits, those beyond all zeros
	exact   int                       // ids of more than 15 digits that have others than zeros there
}

// idLength is the ids of one length.
type idLength struct {
	count     int
	low, high uint64      // the smallest and the largest
	suspects  []suspectID // the first of them
}

// suspectID is an id of digits, and the sequence of the row that has it.
type suspectID struct {
	digits   uint64
	sequence uint32
}

func (l *idLength) add(sequence int, value string) {
	number, err := strconv.ParseUint(value, 10, 64)
	if l.count++; err != nil {
		return
	}
	if l.count == 1 || number < l.low {
		l.low = number
	}
	l.high = max(l.high, number)
	if len(l.suspects) < maxSuspects {
		l.suspects = append(l.suspects, suspectID{number, uint32(sequence)})
	}
}

// add takes the id of one row.
func (s *idLengths) add(sequence int, _ Cell, value string) {
	if len(value) > maxIDDigits || !chars.IsDigits(value) {
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

// review reports every id that is likely damaged, or returns a question about the
// column when there are too many.
func (s *idLengths) review(f *fieldMapper, _ func(int) int, review *Review) (key, question string) {
	if s.exact == 0 {
		if s.long.count > len(s.long.suspects) {
			return "", fmt.Sprintf("%d ids end in zeros after their 15th digit: a spreadsheet has cut them. Take them from the student system again, or add as_is: true if they are right", s.long.count)
		}
		for _, id := range s.long.suspects {
			value := strconv.FormatUint(id.digits, 10)
			f.report(review, int(id.sequence), value, RuleDamagedNumber,
				f.check.about(value)+"has more than 15 digits, and those after the 15th are zeros, as in every such id of the column: a spreadsheet lost them.",
				"Take the id from the student system, or add as_is: true to the mapping if it is right.")
		}
	}
	usual := s.usual()
	if s.countsOn(usual) {
		return "", ""
	}
	count := s.lengths[usual].count
	for length := 1; length < usual; length++ {
		short := &s.lengths[length]
		if short.count > len(short.suspects) {
			return "", fmt.Sprintf("%d ids have %d digits where %d ids have %d: leading zeros may be lost. If they are, add apply: [pad:%d]; if the ids are right, add as_is: true", short.count, length, count, usual, usual)
		}
		for _, id := range short.suspects {
			value := fmt.Sprintf("%0*d", length, id.digits)
			f.report(review, int(id.sequence), value, RuleLostZeros,
				f.check.about(value)+fmt.Sprintf("has %d digits, and %d others have %d: a spreadsheet may have dropped leading zeros.", length, count, usual),
				fmt.Sprintf(`Write "%0*d" if that is what you mean, or add apply: [pad:%d] to the mapping for the whole column; if all is right, add as_is: true.`, usual, id.digits, usual))
		}
	}
	return "", ""
}

// usual returns the number of digits that nearly all ids have, 0 for none.
func (s *idLengths) usual() int {
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

// countsOn reports whether the ids of at most so many digits are numbers that were
// counted, as from 99,990 to 101,200: the short ones have lost nothing.
func (s *idLengths) countsOn(digits int) bool {
	var low, high, gap, count uint64
	least := uint64(1) // with so many digits
	for length := 1; length <= digits; length, least = length+1, least*10 {
		l := &s.lengths[length]
		switch {
		case l.count == 0:
			continue
		case l.low < least && length > 1: // it begins with a zero
			return false
		case count == 0:
			low = l.low
		default:
			gap = max(gap, l.low-high)
		}
		high, count = l.high, count+uint64(l.count)
	}
	return count > 0 && high-low <= countedStep*count && gap <= countedGap*max(1, (high-low)/count)
}
