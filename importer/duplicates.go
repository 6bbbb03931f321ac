package importer

import (
	"cmp"
	"encoding/binary"
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
// probability of 10^-17. It is the only part of a plan that grows with the rows: 56
// bytes a row.
type duplicateIndex struct {
	seeds  [2]maphash.Seed
	rows   chunked[indexedRow] // by sequence, the order in which they were added
	buffer []byte              // of what is hashed
}

// indexedRow is what the index keeps of a row. The order of the fields leaves few gaps.
type indexedRow struct {
	high    [uniqueTexts]uint64 // of the fingerprints, see fingerprint
	content uint64              // hash of all that is not the key
	low     [uniqueTexts]uint32 // of the fingerprints
	number  uint32              // that a spreadsheet shows
	person  uint32              // sequence of the first row of the same person
	status  planStatus
	sends   uint8 // a bit for each of uniqueAttributes
}

// uniqueText is a text that no two people may share.
type uniqueText int

const (
	uniqueKey   uniqueText = iota // login source and unique id
	uniqueEmail                   // from here on as uniqueAttributes
	uniqueUserName
	uniqueTexts = iota
)

// fingerprint is the hash of a text, zero where the row has none.
type fingerprint struct {
	high uint64
	low  uint32
}

func (r *indexedRow) fingerprint(u uniqueText) fingerprint { return fingerprint{r.high[u], r.low[u]} }

// member is a row of a group: its fingerprint and its sequence.
type member struct {
	high          uint64
	low, sequence uint32
}

func (m member) fingerprint() fingerprint { return fingerprint{m.high, m.low} }

// planStatus is a Status in one byte.
type planStatus uint8

var planStatuses = [...]Status{StatusPending, StatusUnchanged, StatusDuplicate, StatusSkipped, StatusInvalid, planDoubted: StatusPending}

// planDoubted is the status of a row that is pending because its acceptance is in doubt.
const planDoubted planStatus = 5

func planStatusOf(s Status) planStatus { return planStatus(slices.Index(planStatuses[:], s)) }

func newDuplicateIndex() *duplicateIndex {
	return &duplicateIndex{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// add adds a row. Its sequence is the number of rows before it. key is the digest of the
// person's key; zero if there are no digests in this plan.
func (x *duplicateIndex) add(number int, status Status, p *mapping.Profile, key Digest) {
	r := indexedRow{number: uint32(number), person: uint32(x.rows.size), status: planStatusOf(status)}
	uniqueID, _ := p.Get(mapping.UniqueID)
	loginSource, _ := p.Get(mapping.LoginSource)
	if status != StatusSkipped && uniqueID != "" && loginSource != "" { // else it is not known whom the row is about
		r.content = x.content(status, p)
		if key != (Digest{}) {
			r.high[uniqueKey], r.low[uniqueKey] = keyFingerprint(key)
		} else {
			x.buffer = appendFolded(append(appendFolded(x.buffer[:0], loginSource), 0), uniqueID)
			x.addFingerprint(&r, uniqueKey)
		}
		for i, attribute := range uniqueAttributes {
			x.addText(&r, uniqueEmail+uniqueText(i), p, attribute)
			if _, isSent := p.Get(attribute); isSent {
				r.sends |= 1 << i
			}
		}
	}
	x.rows.add(r)
}

// keyFingerprint returns the fingerprint of a key by its digest.
func keyFingerprint(key Digest) (high uint64, low uint32) {
	return binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint32(key[8:])
}

// addText adds the fingerprint of an attribute to the row, if it has a value.
func (x *duplicateIndex) addText(r *indexedRow, u uniqueText, p *mapping.Profile, a mapping.Attribute) {
	if text, _ := p.Get(a); text != "" {
		x.buffer = appendFolded(x.buffer[:0], text)
		x.addFingerprint(r, u)
	}
}

// addFingerprint adds the fingerprint of what is in the buffer to the row.
func (x *duplicateIndex) addFingerprint(r *indexedRow, u uniqueText) {
	r.high[u], r.low[u] = maphash.Bytes(x.seeds[0], x.buffer), uint32(maphash.Bytes(x.seeds[1], x.buffer))
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
// the statuses. Those about one unique text come in the file's order, because a store
// keeps neighbouring rows together. column returns the column of an attribute. It reports
// whether yield took them all.
func (x *duplicateIndex) amendments(column func(mapping.Attribute) int, yield func(Amendment) bool) bool {
	people := x.repeated(uniqueKey)
	for start, end := range groups(people) {
		for _, m := range people[start:end] {
			x.rows.at(int(m.sequence)).person = people[start].sequence
		}
	}
	hasOneContent := func(group []member) bool {
		return x.allSame(group, func(r *indexedRow) uint64 { return r.content })
	}
	isOnePerson := func(group []member) bool {
		return x.allSame(group, func(r *indexedRow) uint64 { return uint64(r.person) })
	}
	if !x.amendDuplicates(people, inFileOrder(people, hasOneContent), yield) {
		return false
	}
	for _, unique := range []struct {
		list    []member
		allowed func(group []member) bool
		problem mapping.Problem
	}{
		{people, hasOneContent, mapping.Problem{Rule: mapping.RuleDuplicateKey, Attribute: mapping.UniqueID,
			Message: "The same person has other values in %s.", Advice: "Keep the right row and delete the others."}},
		{x.repeated(uniqueEmail), isOnePerson, mapping.Problem{Rule: mapping.RuleDuplicateEmail, Attribute: mapping.Email,
			Message: "The e-mail address is used by someone else too (%s).", Advice: "Give each person their own."}},
		{x.repeated(uniqueUserName), isOnePerson, mapping.Problem{Rule: mapping.RuleDuplicateUser, Attribute: mapping.UserName,
			Message: "The user name is used by someone else too (%s).", Advice: "Give each person their own."}},
	} {
		unique.problem.Column = column(unique.problem.Attribute)
		refused := inFileOrder(unique.list, func(group []member) bool { return !unique.allowed(group) })
		if !x.refuseAll(unique.list, refused, unique.problem, yield) {
			return false
		}
	}
	return true
}

// amendDuplicates makes all rows duplicates but the first of each group, and those that
// are invalid.
func (x *duplicateIndex) amendDuplicates(list []member, rows []place, yield func(Amendment) bool) bool {
	for _, p := range rows {
		r, first := x.rows.at(int(p.sequence)), x.rows.at(int(list[p.start].sequence))
		if r == first || planStatuses[r.status] == StatusInvalid {
			continue
		}
		r.status = planStatusOf(StatusDuplicate)
		if !yield(Amendment{Row: int(r.number), DuplicateOf: int(first.number)}) {
			return false
		}
	}
	return true
}

// allSame reports whether of returns the same for all rows of the group.
func (x *duplicateIndex) allSame(group []member, of func(*indexedRow) uint64) bool {
	first := of(x.rows.at(int(group[0].sequence)))
	return !slices.ContainsFunc(group, func(m member) bool { return of(x.rows.at(int(m.sequence))) != first })
}

// refuseAll makes the rows invalid, because of the problem that its message tells of the
// others of their group.
func (x *duplicateIndex) refuseAll(list []member, rows []place, problem mapping.Problem, yield func(Amendment) bool) bool {
	message := problem.Message
	for _, p := range rows {
		group, number := list[p.start:p.end], int(x.rows.at(int(p.sequence)).number)
		problem.Message = fmt.Sprintf(message, others(x.numbersOf(group), len(group), number))
		if !yield(x.refuse(int(p.sequence), problem)) {
			return false
		}
	}
	return true
}

// refuse makes a row invalid, because of the problem.
func (x *duplicateIndex) refuse(sequence int, p mapping.Problem) Amendment {
	r := x.rows.at(sequence)
	r.status = planStatusOf(StatusInvalid)
	return Amendment{Row: int(r.number), Problem: &RowProblem{Problem: p}}
}

// numbersOf yields the numbers of the group's rows.
func (x *duplicateIndex) numbersOf(group []member) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, m := range group {
			if !yield(int(x.rows.at(int(m.sequence)).number)) {
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

// repeated returns, sorted, the rows whose text occurs more than once, and a few
// others. Hardly any row of a file has a duplicate, and sorting all of them to find that
// out takes ten times as long as marking the hashes seen in a bit table.
func (x *duplicateIndex) repeated(u uniqueText) []member {
	const bitsEach = 16 // one hash in 16 collides with another one's bit
	words := uint64(1) << bits.Len(uint(x.rows.size*bitsEach/64))
	once, again := make([]uint64, words), make([]uint64, words)
	for _, r := range x.rows.all() {
		if r.fingerprint(u) == (fingerprint{}) {
			continue
		}
		word, bit := r.high[u]/64%words, uint64(1)<<(r.high[u]%64)
		again[word] |= once[word] & bit
		once[word] |= bit
	}
	candidates := func(yield func(member) bool) {
		for i, r := range x.rows.all() {
			f := r.fingerprint(u)
			if f != (fingerprint{}) && again[f.high/64%words]&(1<<(f.high%64)) != 0 && !yield(member{f.high, f.low, uint32(i)}) {
				return
			}
		}
	}
	size := 0
	for range candidates {
		size++
	}
	list := slices.AppendSeq(make([]member, 0, size), candidates)
	slices.SortFunc(list, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.high, b.high), cmp.Compare(a.low, b.low), cmp.Compare(a.sequence, b.sequence))
	})
	return list
}

// groups yields where the runs of two and more equal fingerprints start and end in a
// sorted list.
func groups(sorted []member) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		for start, end := 0, 1; start < len(sorted); start, end = end, end+1 {
			for end < len(sorted) && sorted[end].fingerprint() == sorted[start].fingerprint() {
				end++
			}
			if end-start > 1 && !yield(start, end) {
				return
			}
		}
	}
}

// place is a row of a sorted list of members: its sequence, and where its group is in
// the list. There may be as many as rows, so it is small.
type place struct {
	sequence, start, end uint32
}

// inFileOrder returns the members of those groups of the list that are wanted.
func inFileOrder(sorted []member, wanted func(group []member) bool) []place {
	var rows []place
	for start, end := range groups(sorted) {
		if !wanted(sorted[start:end]) {
			continue
		}
		if rows == nil {
			rows = make([]place, 0, len(sorted)-start)
		}
		for _, m := range sorted[start:end] {
			rows = append(rows, place{m.sequence, uint32(start), uint32(end)})
		}
	}
	slices.SortFunc(rows, func(a, b place) int { return cmp.Compare(a.sequence, b.sequence) })
	return rows
}

// counts returns the number of rows by status, and of those that are pending because their
// acceptance is in doubt.
func (x *duplicateIndex) counts() (counts Counts, doubted int) {
	var byStatus [len(planStatuses)]int
	for _, r := range x.rows.all() {
		byStatus[r.status]++
	}
	counts = Counts{}
	for s, n := range byStatus {
		if n > 0 {
			counts[planStatuses[s]] += n
		}
	}
	return counts, byStatus[planDoubted]
}
