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

	"opscom-import/mapping"
)

// duplicateIndex finds rows that concern one person, and people who share what
// the Controller wants unique. It keeps no text: 96 bits of a hash with a random
// seed stand for it, so that two of a million different texts are taken for one
// with a probability of 10^-17. It is all of a plan that grows with the rows: 65
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

// add takes in a row; its sequence is the number of rows before it.
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
		return // nobody knows whom the row concerns
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

// appendFolded appends what fold makes of a text, without a text of its own for
// ASCII.
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

// amendments calls yield with every verdict that the whole file changes, and
// updates the statuses. The rows of a group come in the file's order, the groups
// in any. column says which column gives an attribute.
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
				others := x.others(group, f.sequence)
				message := fmt.Sprintf("The %s is used by someone else too (%s). Give each person their own.", unique.what, others)
				problem := mapping.Problem{Rule: unique.rule, Attribute: unique.attr, Column: column(unique.attr), Message: message}
				if err := yield(x.refuse(f.sequence, problem, message)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// amendPerson judges the rows of one person, whose unique ids stand in the column.
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
			message := fmt.Sprintf("The same person has other values in %s. Keep the right row and delete the others.", x.others(group, f.sequence))
			problem := mapping.Problem{Rule: mapping.RuleDuplicateKey, Attribute: mapping.UniqueID, Column: column, Message: message}
			err = yield(x.refuse(f.sequence, problem, message))
		case i > 0 && planStatuses[x.statuses[f.sequence]] != StatusInvalid:
			x.statuses[f.sequence] = planStatusOf(StatusDuplicate)
			message := fmt.Sprintf("The same as row %d.", x.rows[first.sequence])
			err = yield(Amendment{Row: int(x.rows[f.sequence]), Status: StatusDuplicate, Message: message})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// refuse makes a row invalid; message tells the problem with its place.
func (x *duplicateIndex) refuse(sequence uint32, problem mapping.Problem, message string) Amendment {
	x.statuses[sequence] = planStatusOf(StatusInvalid)
	row := int(x.rows[sequence])
	return Amendment{Row: row, Status: StatusInvalid, Message: message, Problem: &RowProblem{Row: row, Problem: problem}}
}

// others names the rows of the group but the one at sequence, five at most.
func (x *duplicateIndex) others(group []fingerprint, sequence uint32) string {
	const most = 5
	var names []string
	for _, f := range group {
		if f.sequence != sequence && len(names) < most {
			names = append(names, strconv.Itoa(int(x.rows[f.sequence])))
		}
	}
	switch more := len(group) - 1 - len(names); {
	case more > 0:
		return fmt.Sprintf("rows %s and %d more", strings.Join(names, ", "), more)
	case len(names) == 1:
		return "row " + names[0]
	default:
		return "rows " + strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
	}
}

// repeated returns, sorted, the fingerprints that stand in the list more than once,
// and a few others. It uses the list's memory. Hardly any of a file's rows have a
// double, and sorting all of them to find that out takes ten times as long as
// noting in a table of bits which hashes have been there.
func repeated(list []fingerprint) []fingerprint {
	const bitsEach = 16 // one hash in 16 meets another one's bit by chance
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
