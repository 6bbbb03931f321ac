package importer

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dustin/go-humanize/english"

	"opscom-import/mapping"
)

// duplicateIndex finds rows about the same person, and people who share what must
// be unique to the Controller. It keeps no text but 96 bits of a hash with a random
// seed: among a million different texts, two are taken for the same with a
// probability of 10^-17. It is the only part of a plan that grows with the rows: 65
// bytes a row.
type duplicateIndex struct {
	seeds     [2]maphash.Seed
	rows      []uint32 // row number by sequence, the order in which rows were added
	statuses  []planStatus
	contents  []uint64 // hash of all that is not the key, by sequence
	keys      []fingerprint
	emails    []fingerprint
	userNames []fingerprint
	buffer    []byte // of what is hashed
}

// fingerprint is the hash of one text, and the sequence of the row that has it.
type fingerprint struct {
	high     uint64
	low      uint32
	sequence uint32
}

// planStatus is a Status in one byte.
type planStatus uint8

var planStatuses = [...]Status{StatusPending, StatusUnchanged, StatusDuplicate, StatusSkipped, StatusInvalid}

func planStatusOf(s Status) planStatus { return planStatus(slices.Index(planStatuses[:], s)) }

func newDuplicateIndex() *duplicateIndex {
	return &duplicateIndex{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// add adds a row. Its sequence is the number of rows before it.
func (x *duplicateIndex) add(row int, status Status, p *mapping.Profile) {
	sequence := len(x.rows)
	x.rows = append(x.rows, uint32(row))
	x.statuses = append(x.statuses, planStatusOf(status))
	x.contents = append(x.contents, 0)
	if status == StatusSkipped {
		return
	}
	uniqueID, _ := p.Get(mapping.UniqueID)
	loginSource, _ := p.Get(mapping.LoginSource)
	if uniqueID == "" || loginSource == "" {
		return // it is not known whom the row is about
	}
	x.contents[sequence] = x.content(status, p)
	x.buffer = appendFolded(append(appendFolded(x.buffer[:0], loginSource), 0), uniqueID)
	x.keys = append(x.keys, x.fingerprint(sequence))
	x.emails = x.addText(x.emails, sequence, p, mapping.Email)
	x.userNames = x.addText(x.userNames, sequence, p, mapping.UserName)
}

// addText adds the fingerprint of an attribute to the list, if it has a value.
func (x *duplicateIndex) addText(list []fingerprint, sequence int, p *mapping.Profile, a mapping.Attribute) []fingerprint {
	text, _ := p.Get(a)
	if text == "" {
		return list
	}
	x.buffer = appendFolded(x.buffer[:0], text)
	return append(list, x.fingerprint(sequence))
}

// appendFolded appends a text so that those are equal that differ only in case and
// surrounding space. It allocates nothing for ASCII.
func appendFolded(dst []byte, text string) []byte {
	start := len(dst)
	text = strings.TrimSpace(text)
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= utf8.RuneSelf {
			return append(dst[:start], strings.ToLower(text)...)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// fingerprint hashes what is in the buffer.
func (x *duplicateIndex) fingerprint(sequence int) fingerprint {
	return fingerprint{maphash.Bytes(x.seeds[0], x.buffer), uint32(maphash.Bytes(x.seeds[1], x.buffer)), uint32(sequence)}
}

// content hashes all of a profile but its key, and whether the row is invalid.
func (x *duplicateIndex) content(status Status, p *mapping.Profile) uint64 {
	x.buffer = x.buffer[:0]
	if status == StatusInvalid {
		x.buffer = append(x.buffer, 0xFF)
	}
	for a := mapping.FirstName; a <= mapping.LockerUserTypeID; a++ {
		if value, sent := p.Get(a); sent {
			x.buffer = append(append(x.buffer, value...), byte(a))
		}
		x.buffer = append(x.buffer, 0)
	}
	return maphash.Bytes(x.seeds[0], x.buffer)
}

// amendments yields an amendment for every duplicate and contradiction, and updates
// the statuses. The rows of a group come in the file's order, the groups in any
// order. column returns the column of an attribute.
func (x *duplicateIndex) amendments(column func(mapping.Attribute) int, yield func(Amendment) bool) {
	refuseAll := func(group []fingerprint, p mapping.Problem) bool {
		message := p.Message
		p.Column = column(p.Attribute)
		for _, f := range group {
			p.Message = fmt.Sprintf(message, others(x.rowsOf(group), len(group), int(x.rows[f.sequence])))
			if !yield(x.refuse(f.sequence, p)) {
				return false
			}
		}
		return true
	}
	person := make([]uint32, len(x.rows)) // by sequence: the first row of the same person
	for i := range person {
		person[i] = uint32(i)
	}
	for group := range groups(repeated(x.keys)) {
		for _, f := range group {
			person[f.sequence] = group[0].sequence
		}
		if !x.amendPerson(group, refuseAll, yield) {
			return
		}
	}
	for _, unique := range []struct {
		list    []fingerprint
		problem mapping.Problem
	}{
		{x.emails, mapping.Problem{Rule: mapping.RuleDuplicateEmail, Attribute: mapping.Email, Message: "The e-mail address is used by someone else too (%s)."}},
		{x.userNames, mapping.Problem{Rule: mapping.RuleDuplicateUser, Attribute: mapping.UserName, Message: "The user name is used by someone else too (%s)."}},
	} {
		unique.problem.Advice = "Give each person their own."
		for group := range groups(repeated(unique.list)) {
			onePerson := allSame(group, func(f fingerprint) uint32 { return person[f.sequence] })
			if !onePerson && !refuseAll(group, unique.problem) {
				return
			}
		}
	}
}

// amendPerson amends the rows of one person.
func (x *duplicateIndex) amendPerson(group []fingerprint, refuseAll func([]fingerprint, mapping.Problem) bool, yield func(Amendment) bool) bool {
	if !allSame(group, func(f fingerprint) uint64 { return x.contents[f.sequence] }) {
		return refuseAll(group, mapping.Problem{
			Rule: mapping.RuleDuplicateKey, Attribute: mapping.UniqueID,
			Message: "The same person has other values in %s.", Advice: "Keep the right row and delete the others.",
		})
	}
	for _, f := range group[1:] {
		if planStatuses[x.statuses[f.sequence]] == StatusInvalid {
			continue
		}
		x.statuses[f.sequence] = planStatusOf(StatusDuplicate)
		if !yield(Amendment{Row: int(x.rows[f.sequence]), DuplicateOf: int(x.rows[group[0].sequence])}) {
			return false
		}
	}
	return true
}

func allSame[T comparable](group []fingerprint, of func(fingerprint) T) bool {
	return !slices.ContainsFunc(group, func(f fingerprint) bool { return of(f) != of(group[0]) })
}

// refuse makes a row invalid, because of the problem.
func (x *duplicateIndex) refuse(sequence uint32, p mapping.Problem) Amendment {
	x.statuses[sequence] = planStatusOf(StatusInvalid)
	return Amendment{Row: int(x.rows[sequence]), Error: &RowProblem{Problem: p}}
}

// rowsOf yields the numbers of the group's rows.
func (x *duplicateIndex) rowsOf(group []fingerprint) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, f := range group {
			if !yield(int(x.rows[f.sequence])) {
				return
			}
		}
	}
}

// others names the rows of a group of that size except row, at most five. It does not
// walk through the rest: it is called for every row, and the group may be the file.
func others(rows iter.Seq[int], size, row int) string {
	const most = 5
	names := make([]string, 0, most+1)
	for other := range rows {
		if other != row {
			names = append(names, strconv.Itoa(other))
		}
		if len(names) == most {
			break
		}
	}
	if more := size - 1 - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return english.PluralWord(len(names), "row", "") + " " + english.WordSeries(names, "and")
}

// repeated returns, sorted, the fingerprints that occur in the list more than once,
// and a few others. It reuses the list's memory. Hardly any row of a file has a
// duplicate, and sorting all of them to find that out takes ten times as long as
// marking the hashes seen in a bit table.
func repeated(list []fingerprint) []fingerprint {
	const bitsEach = 16 // one hash in 16 collides with another one's bit
	words := 1 << bits.Len(uint(len(list)*bitsEach/64))
	once, again := make([]uint64, words), make([]uint64, words)
	for _, f := range list {
		word, bit := f.high/64%uint64(words), uint64(1)<<(f.high%64)
		again[word] |= once[word] & bit
		once[word] |= bit
	}
	list = slices.DeleteFunc(list, func(f fingerprint) bool {
		return again[f.high/64%uint64(words)]&(1<<(f.high%64)) == 0
	})
	slices.SortFunc(list, func(a, b fingerprint) int {
		return cmp.Or(cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low), cmp.Compare(a.sequence, b.sequence))
	})
	return list
}

// groups yields the runs of two and more equal hashes in a sorted list.
func groups(sorted []fingerprint) iter.Seq[[]fingerprint] {
	return func(yield func([]fingerprint) bool) {
		for start, end := 0, 1; start < len(sorted); start, end = end, end+1 {
			for end < len(sorted) && sorted[end].high == sorted[start].high && sorted[end].low == sorted[start].low {
				end++
			}
			if end-start > 1 && !yield(sorted[start:end]) {
				return
			}
		}
	}
}

// counts returns the number of rows by status.
func (x *duplicateIndex) counts() Counts {
	var byStatus [len(planStatuses)]int
	for _, s := range x.statuses {
		byStatus[s]++
	}
	counts := Counts{}
	for s, n := range byStatus {
		if n > 0 {
			counts[planStatuses[s]] = n
		}
	}
	return counts
}
