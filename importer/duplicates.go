package importer

import (
	"cmp"
	"fmt"
	"hash/maphash"
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

// fold makes texts equal that differ only in case and surrounding space.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

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
	if email, _ := p.Get(mapping.Email); email != "" {
		x.buffer = appendFolded(x.buffer[:0], email)
		x.emails = append(x.emails, x.fingerprint(sequence))
	}
	if name, _ := p.Get(mapping.UserName); name != "" {
		x.buffer = appendFolded(x.buffer[:0], name)
		x.userNames = append(x.userNames, x.fingerprint(sequence))
	}
}

// appendFolded appends the folded text. It allocates nothing for ASCII.
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

// amendments calls yield with an amendment for every duplicate and contradiction,
// and updates the statuses. The rows of a group come in the file's order, the groups
// in any order. column returns the column of an attribute.
func (x *duplicateIndex) amendments(column func(mapping.Attribute) int, yield func(Amendment) error) error {
	person := make([]uint32, len(x.rows)) // by sequence: the first row of the same person
	for i := range person {
		person[i] = uint32(i)
	}
	for group := range groups(repeated(x.keys)) {
		for _, f := range group {
			person[f.sequence] = group[0].sequence
		}
		if err := x.amendPerson(group, column(mapping.UniqueID), yield); err != nil {
			return err
		}
	}
	for _, unique := range []struct {
		list []fingerprint
		attr mapping.Attribute
		rule mapping.Rule
		what string
	}{
		{x.emails, mapping.Email, mapping.RuleDuplicateEmail, "e-mail address"},
		{x.userNames, mapping.UserName, mapping.RuleDuplicateUser, "user name"},
	} {
		for group := range groups(repeated(unique.list)) {
			if samePerson(group, person) {
				continue
			}
			for _, f := range group {
				err := yield(x.refuse(f.sequence, mapping.Problem{
					Rule: unique.rule, Attribute: unique.attr, Column: column(unique.attr),
					Message: fmt.Sprintf("The %s is used by someone else too (%s).", unique.what, x.others(group, f.sequence)),
					Advice:  "Give each person their own.",
				}))
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// amendPerson amends the rows of one person; column has the unique ids.
func (x *duplicateIndex) amendPerson(group []fingerprint, column int, yield func(Amendment) error) error {
	if len(group) < 2 {
		return nil
	}
	first := group[0]
	identical := !slices.ContainsFunc(group, func(f fingerprint) bool { return x.contents[f.sequence] != x.contents[first.sequence] })
	for i, f := range group {
		var err error
		switch {
		case !identical:
			err = yield(x.refuse(f.sequence, mapping.Problem{
				Rule: mapping.RuleDuplicateKey, Attribute: mapping.UniqueID, Column: column,
				Message: fmt.Sprintf("The same person has other values in %s.", x.others(group, f.sequence)),
				Advice:  "Keep the right row and delete the others.",
			}))
		case i > 0 && planStatuses[x.statuses[f.sequence]] != StatusInvalid:
			x.statuses[f.sequence] = planStatusOf(StatusDuplicate)
			err = yield(Amendment{Row: int(x.rows[f.sequence]), DuplicateOf: int(x.rows[first.sequence])})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// refuse makes a row invalid, because of the problem.
func (x *duplicateIndex) refuse(sequence uint32, p mapping.Problem) Amendment {
	x.statuses[sequence] = planStatusOf(StatusInvalid)
	return Amendment{Row: int(x.rows[sequence]), Error: &RowProblem{Problem: p}}
}

// others names the rows of the group except the one at sequence, at most five.
func (x *duplicateIndex) others(group []fingerprint, sequence uint32) string {
	const most = 5
	var names []string
	for _, f := range group {
		if f.sequence != sequence && len(names) < most {
			names = append(names, strconv.Itoa(int(x.rows[f.sequence])))
		}
	}
	if more := len(group) - 1 - len(names); more > 0 {
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

// groups yields the runs of equal hashes in a sorted list.
func groups(sorted []fingerprint) func(yield func([]fingerprint) bool) {
	return func(yield func([]fingerprint) bool) {
		for start := 0; start < len(sorted); {
			end := start + 1
			for end < len(sorted) && sorted[end].high == sorted[start].high && sorted[end].low == sorted[start].low {
				end++
			}
			if !yield(sorted[start:end]) {
				return
			}
			start = end
		}
	}
}

func samePerson(group []fingerprint, person []uint32) bool {
	return !slices.ContainsFunc(group, func(f fingerprint) bool { return person[f.sequence] != person[group[0].sequence] })
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
