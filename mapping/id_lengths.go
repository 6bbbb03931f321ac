package mapping

import (
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
)

const (
	// A column has a usual length of ids when that is at least usualDigits, and at
	// least usualTenths in ten of the ids that are all digits have it, and at least
	// usualLeast ids.
	usualDigits = 4
	usualTenths = 8
	usualLeast  = 10

	// A column has two lengths when usualLeast ids or more have at least mixedDigits
	// or one digit less, and at least mixedTenths in ten have each.
	mixedDigits = 5
	mixedTenths = 2

	// maxIDs is how many ids are remembered to find two that are the same number.
	maxIDs  = 1 << 18
	idPiece = 1 << 12

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

	// Numbers of fewer digits than sparseDigits are given out one after another by many
	// who pad none: they are counted on as well if they are further apart, where the gap
	// before the longest is at most sparseGap times as far as those are apart. Ids of a
	// fixed length fill it up to its last numbers.
	sparseDigits = 6
	sparseGap    = 5
)

// idLengths collects how long the ids of one column are, to find those that lost
// leading zeros, or digits at the end.
type idLengths struct {
	lengths [maxIDDigits + 1]idLength // by the number of digits
	long    idLength                  // of more than 15 digits, those beyond all zeros
	exact   int                       // ids of more than 15 digits that have others than zeros there
	ids     [][]numberedID            // the first maxIDs, in pieces of idPiece, so that none is copied
	count   int                       // of these
	padded  bool                      // an id begins with a zero
}

// numberedID is an id as a number, how many digits it has, and the sequence of its row.
type numberedID struct {
	number   uint64
	sequence uint32
	digits   uint8
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

func (l *idLength) add(sequence int, number uint64) {
	l.count++
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
	number, ok := numberOf(value)
	if !ok {
		return
	}
	s.lengths[len(value)].add(sequence, number)
	s.padded = s.padded || value[0] == '0' && len(value) > 1
	if s.count < maxIDs {
		s.remember(numberedID{number, uint32(sequence), uint8(len(value))})
	}
	if len(value) > maxExactDigits {
		if strings.Trim(value[maxExactDigits:], "0") == "" {
			s.long.add(sequence, number)
		} else {
			s.exact++
		}
	}
}

func (s *idLengths) remember(id numberedID) {
	last := s.count / idPiece
	if last == len(s.ids) {
		s.ids = append(s.ids, nil)
		if last > 0 { // many tables are small
			s.ids[last] = make([]numberedID, 0, idPiece)
		}
	}
	s.ids[last] = append(s.ids[last], id)
	s.count++
}

// all returns the ids that are remembered.
func (s *idLengths) all() iter.Seq[numberedID] {
	return func(yield func(numberedID) bool) {
		for _, piece := range s.ids {
			for _, id := range piece {
				if !yield(id) {
					return
				}
			}
		}
	}
}

// numberOf returns the number that digits make, not ok for anything else, and for more
// than maxIDDigits.
func numberOf(digits string) (number uint64, ok bool) {
	if digits == "" || len(digits) > maxIDDigits {
		return 0, false
	}
	for i := range len(digits) {
		digit := digits[i] - '0'
		if digit > 9 {
			return 0, false
		}
		number = 10*number + uint64(digit)
	}
	return number, true
}

// review reports every id that is likely damaged, or returns a question about the
// column when there are too many.
func (s *idLengths) review(f *fieldMapper, row func(int) int, review *Review) (key, question string) {
	s.reviewEqual(f, row, review)
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
	switch {
	case usual == 0:
		return "", s.askMixed(f)
	case s.countsOn(usual):
		return "", ""
	}
	return "", s.reviewShort(f, usual, review)
}

// reviewShort reports the ids that have fewer digits than usual.
func (s *idLengths) reviewShort(f *fieldMapper, usual int, review *Review) (question string) {
	count := s.lengths[usual].count
	for length := 1; length < usual; length++ {
		short := &s.lengths[length]
		if short.count > len(short.suspects) {
			return fmt.Sprintf("%d ids have %d digits where %d ids have %d: leading zeros may be lost. If they are, add apply: [pad:%d]; if the ids are right, add as_is: true", short.count, length, count, usual, usual)
		}
		for _, id := range short.suspects {
			value := fmt.Sprintf("%0*d", length, id.digits)
			f.reportProposing(review, int(id.sequence), value, fmt.Sprintf("%0*d", usual, id.digits), RuleLostZeros,
				f.check.about(value)+fmt.Sprintf("has %d digits, and %d others have %d: a spreadsheet may have dropped leading zeros.", length, count, usual),
				fmt.Sprintf(`Write "%0*d" if that is what you mean, or add apply: [pad:%d] to the mapping for the whole column; if all is right, add as_is: true.`, usual, id.digits, usual))
		}
	}
	return ""
}

// reviewEqual reports each id that is the same number as one with more zeros before it.
func (s *idLengths) reviewEqual(f *fieldMapper, row func(int) int, review *Review) {
	if !s.padded {
		return
	}
	longest := map[uint64]numberedID{} // of those that begin with a zero
	for id := range s.all() {
		if isPadded := id.number == 0 || len(strconv.FormatUint(id.number, 10)) < int(id.digits); isPadded && id.digits > longest[id.number].digits {
			longest[id.number] = id
		}
	}
	for id := range s.all() {
		other := longest[id.number]
		if other.digits <= id.digits {
			continue
		}
		value := fmt.Sprintf("%0*d", id.digits, id.number)
		f.report(review, int(id.sequence), value, RuleLostZeros,
			f.check.about(value)+fmt.Sprintf(`is the same number as "%0*d" in row %d: one of the two has lost zeros, or got them.`, other.digits, other.number, row(int(other.sequence))),
			"If they are one person, delete the row that is wrong; if both ids are right, add as_is: true to the field.")
	}
}

// askMixed asks where many ids have one digit less than many others: who numbers people
// by the year, from 05 to 24, loses the zeros of some years.
func (s *idLengths) askMixed(f *fieldMapper) (question string) {
	all := 0
	for length := range s.lengths {
		all += s.lengths[length].count
	}
	for length := len(s.lengths) - 1; length >= mixedDigits; length-- {
		long, short := &s.lengths[length], &s.lengths[length-1]
		both := long.count + short.count
		switch {
		case both < usualLeast || 10*both < usualTenths*all:
			continue
		case 10*long.count < mixedTenths*both, 10*short.count < mixedTenths*both, s.padded, s.countsOn(length):
			return ""
		}
		return fmt.Sprintf("in %s %d ids have %d digits and %d have %d: leading zeros may be lost. If they are, add apply: [pad:%d]; if the ids are right, add as_is: true",
			f.source, short.count, length-1, long.count, length, length)
	}
	return ""
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
	if count == 0 {
		return false
	}
	return high-low <= countedStep*count && gap <= countedGap*max(1, (high-low)/count) || s.countsSparsely(digits)
}

// countsSparsely reports whether ids of a few digits go on from those with one digit
// less, as the numbers of the staff who are left from 412 to 2207.
func (s *idLengths) countsSparsely(digits int) bool {
	long, short := &s.lengths[digits], &s.lengths[digits-1]
	if digits >= sparseDigits || short.count == 0 || s.padded {
		return false
	}
	least := uint64(math.Pow10(digits - 1))
	apart := max(1, (long.high-long.low)/uint64(long.count))
	return long.high < 6*least && long.low-short.high <= sparseGap*apart
}
