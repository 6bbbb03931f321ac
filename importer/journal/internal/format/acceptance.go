package format

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"opscom-import/importer"
)

// Acceptances are the acceptances of a target, in memory.
type Acceptances struct {
	Stored      []*Packed // of each row of the target
	Replayed    Changes   // by outcomes that are not folded
	CertainFrom int64     // the first event since the journal was restored or failed over: what earlier ones say is in doubt; 0: nothing is
}

// Accepted is an acceptance, and the event that says so; 0 if a version of the program stored
// it that did not store the event.
type Accepted struct {
	importer.Acceptance
	Event int64
}

// Find returns the acceptance of a key: of those stored the latest, unless outcomes that
// are not folded say more.
func (h *Acceptances) Find(key importer.Digest) (found Accepted, ok bool, err error) {
	found, ok, err = h.find(key)
	found.IsDoubted = ok && found.Event < h.CertainFrom
	return found, ok, err
}

func (h *Acceptances) find(key importer.Digest) (found Accepted, ok bool, err error) {
	take := func(a Accepted) {
		if !ok || !found.AcceptedAt.After(a.AcceptedAt) {
			a.Unique = a.Unique.Over(found.Unique)
			found, ok = a, true
		} else {
			found.Unique = found.Unique.Over(a.Unique)
		}
	}
	for _, p := range h.Stored {
		if data := p.Find(key); data != nil {
			a, damaged := ReadAcceptance(data)
			err = errors.Join(err, damaged)
			take(a)
		}
	}
	replayed, changed := h.Replayed[key]
	switch {
	case !changed:
		return found, ok, err
	case replayed.IsDeleted:
		return Accepted{}, false, err
	case len(h.Stored) == 1: // what is stored of one row is older
		ok = false
	}
	take(replayed.Accepted)
	return found, ok, err
}

// These are added to the time of an acceptance that has unique values, and of one whose event
// is stored. No time before the year 3111 has these bits.
const (
	uniqueFollows = 1 << 55
	eventFollows  = 1 << 56
)

// AppendAcceptance returns an acceptance as it is stored:
//
//	hash, accepted at (microseconds since 1970) + uniqueFollows + eventFollows, reference id as a text;
//	then, if the time announces them, the event and the unique values (see appendUnique)
func AppendAcceptance(key importer.Digest, a Accepted) []byte {
	at := uint64(MicroOf(a.AcceptedAt))
	if a.Unique != (importer.UniqueValues{}) {
		at |= uniqueFollows
	}
	if a.Event > 0 {
		at |= eventFollows
	}
	data := AppendTexts(binary.AppendUvarint(a.Hash[:], at), a.ReferenceID)
	if at&eventFollows != 0 {
		data = binary.AppendUvarint(data, uint64(a.Event))
	}
	if at&uniqueFollows != 0 {
		data = appendUnique(data, a.Unique)
	}
	return Seal(data, KeyPlace(key)...)
}

// ReadAcceptance unpacks an acceptance that was verified.
func ReadAcceptance(data []byte) (a Accepted, err error) {
	r := blobReader{rest: string(data[:len(data)-sumSize])}
	return r.accepted(), r.Err()
}

func (r *blobReader) accepted() (a Accepted) {
	a.Hash = r.digest()
	at := r.number()
	a.AcceptedAt = TimeOf(int64(at &^ (uniqueFollows | eventFollows)))
	a.ReferenceID = r.text()
	if at&eventFollows != 0 {
		a.Event = int64(r.number())
	}
	if at&uniqueFollows != 0 {
		a.Unique = r.unique()
	}
	return a
}

// KeyPlace returns a key as the numbers that say where an acceptance belongs.
func KeyPlace(key importer.Digest) []int64 {
	return []int64{int64(binary.LittleEndian.Uint64(key[:8])), int64(binary.LittleEndian.Uint64(key[8:]))}
}

// Changes are acceptances to be stored, by key.
type Changes map[importer.Digest]Change

// Change is an acceptance to be stored, whose unique values are those that were sent; or it
// is to be deleted.
type Change struct {
	Accepted
	IsDeleted bool
}

// Packed holds the acceptances that are stored for a row of a target by the first byte
// of their key, without a pointer for each. Keys are digests, so that every prefix is
// about as common as any other.
type Packed [256]segment

// segment holds records one after the other, in the order of their keys: the key, and
// the sealed acceptance.
type segment struct {
	Records []byte
	starts  [256]uint32 // where those start whose key has this second byte, or a higher one
}

const KeySize = len(importer.Digest{})

// Index verifies the records, whose keys have that first byte, and notes where they
// start.
func (s *segment) Index(first byte) error {
	s.Records = slices.Clip(s.Records)
	second := 0
	var last []byte
	for rest := s.Records; len(rest) > 0; {
		at := len(s.Records) - len(rest)
		key, data, behind, ok := cutRecord(rest)
		if !ok || key[0] != first || bytes.Compare(key, last) <= 0 {
			return ErrDamaged
		}
		if _, err := verify(data, KeyPlace(importer.Digest(key))...); err != nil {
			return err
		}
		for ; second <= int(key[1]); second++ {
			s.starts[second] = uint32(at)
		}
		last, rest = key, behind
	}
	for ; second < len(s.starts); second++ {
		s.starts[second] = uint32(len(s.Records))
	}
	return nil
}

// cutRecord returns the key and the sealed acceptance of the first record, and the
// records behind it.
func cutRecord(records []byte) (key, data, rest []byte, ok bool) {
	const hashEnd = KeySize + len(importer.Digest{})
	if len(records) < hashEnd {
		return nil, nil, nil, false
	}
	micro, timeSize := binary.Uvarint(records[hashEnd:])
	if timeSize <= 0 {
		return nil, nil, nil, false
	}
	at := hashEnd + timeSize
	size, width := binary.Uvarint(records[at:])
	if width <= 0 || size > uint64(len(records)-at-width) {
		return nil, nil, nil, false
	}
	end := at + width + int(size)
	if micro&eventFollows != 0 {
		_, eventSize := binary.Uvarint(records[end:])
		if eventSize <= 0 {
			return nil, nil, nil, false
		}
		end += eventSize
	}
	if micro&uniqueFollows != 0 && end < len(records) {
		end += uniqueSize(records[end])
	}
	if end += sumSize; end > len(records) {
		return nil, nil, nil, false
	}
	return records[:KeySize], records[KeySize:end], records[end:], true
}

// Find returns the sealed acceptance of a key, nil when there is none.
func (p *Packed) Find(key importer.Digest) []byte {
	s := &p[key[0]]
	for rest := s.Records[s.starts[key[1]]:]; len(rest) > 0; {
		var found, data []byte
		found, data, rest, _ = cutRecord(rest)
		switch bytes.Compare(found, key[:]) {
		case 0:
			return data
		case 1:
			return nil
		}
	}
	return nil
}

// All yields all keys, in their order, and their sealed acceptances.
func (p *Packed) All(yield func(importer.Digest, []byte) bool) {
	for i := range p {
		for rest := p[i].Records; len(rest) > 0; {
			var key, data []byte
			key, data, rest, _ = cutRecord(rest)
			if !yield(importer.Digest(key), data) {
				return
			}
		}
	}
}

// appendUnique appends the unique values that are sent, after a byte that tells which.
func appendUnique(dst []byte, values importer.UniqueValues) []byte {
	at := len(dst)
	dst = append(dst, 0)
	for i, value := range values {
		if value != importer.ValueNotSent {
			dst[at] |= 1 << i
			dst = binary.LittleEndian.AppendUint64(dst, uint64(value))
		}
	}
	return dst
}

func (r *blobReader) unique() (values importer.UniqueValues) {
	sent := r.byte()
	for i := range values {
		if sent&(1<<i) != 0 {
			var value [8]byte
			copy(value[:], r.take(uint64(len(value))))
			values[i] = importer.UniqueValue(binary.LittleEndian.Uint64(value[:]))
		}
	}
	return values
}

// uniqueSize returns the size of unique values that begin with that byte.
func uniqueSize(sent byte) int { return 1 + 8*bits.OnesCount8(sent) }

// AddUnique adds the unique values of a stored acceptance.
func (c Changes) AddUnique(key importer.Digest, data []byte) error {
	if _, err := verify(data, KeyPlace(key)...); err != nil {
		return err
	}
	stored, err := ReadAcceptance(data)
	changed := c[key]
	changed.Unique = changed.Unique.Over(stored.Unique)
	c[key] = changed
	return err
}

// OwnerIndex finds the owners of unique values.
type OwnerIndex struct {
	Owners []importer.Owner
	Of     map[importer.UniqueValue]uint32 // indexes of owners
}

func (h *Acceptances) IndexOwners() (*OwnerIndex, error) {
	people := 0
	for _, p := range h.Stored {
		for range p.All {
			people++
		}
	}
	x := &OwnerIndex{make([]importer.Owner, 0, people), make(map[importer.UniqueValue]uint32, people)}
	for _, p := range h.Stored {
		for key, data := range p.All {
			if _, changed := h.Replayed[key]; !changed && len(h.Stored) == 1 {
				x.addStored(key, data)
			} else if err := x.addFound(h, key); err != nil {
				return nil, err
			}
		}
	}
	for key := range h.Replayed {
		if err := x.addFound(h, key); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// addStored adds the values of a stored acceptance, without unpacking the rest of it.
func (x *OwnerIndex) addStored(key importer.Digest, data []byte) {
	at, size := binary.Uvarint(data[len(importer.Digest{}):])
	if at&uniqueFollows == 0 {
		return
	}
	rest := data[len(importer.Digest{})+size:]
	reference, size := binary.Uvarint(rest)
	r := blobReader{rest: string(rest[size+int(reference) : len(rest)-sumSize])}
	if at&eventFollows != 0 {
		r.number()
	}
	x.add(importer.Owner{Key: key, AcceptedAt: TimeOf(int64(at &^ (uniqueFollows | eventFollows)))}, r.unique())
}

func (x *OwnerIndex) addFound(h *Acceptances, key importer.Digest) error {
	a, ok, err := h.Find(key)
	if ok {
		x.add(importer.Owner{Key: key, AcceptedAt: a.AcceptedAt}, a.Unique)
	}
	return err
}

// add adds the owner of some values. Where the Controller accepted one for two people, the
// first must have given it up in OPS-COM itself.
func (x *OwnerIndex) add(owner importer.Owner, values importer.UniqueValues) {
	added := false
	for _, value := range values {
		if !value.IsDigest() {
			continue
		}
		if at, taken := x.Of[value]; taken && !owner.AcceptedAt.After(x.Owners[at].AcceptedAt) {
			continue
		}
		if !added {
			x.Owners, added = append(x.Owners, owner), true
		}
		x.Of[value] = uint32(len(x.Owners) - 1)
	}
}

// AddEvents adds what a record of events on a chunk of a run says, in the order in which
// they were recorded. id orders it among those of all runs.
func (p Changes) AddEvents(id int64, c *Chunk, run, seq int64, data []byte) error {
	return ReadEvents(run, c.Number, seq, data, func(e *Event) error {
		row := c.Row(e.Row)
		if row == nil {
			return ErrDamaged
		}
		switch e.Status {
		case importer.StatusPushed:
			p[row.Plan.Key] = Change{Accepted: Accepted{Event: id, Acceptance: importer.Acceptance{
				Hash: row.Plan.Hash, ReferenceID: e.ReferenceID, AcceptedAt: e.FinishedAt,
				Unique: row.Plan.Unique.Over(p[row.Plan.Key].Unique),
			}}}
		case importer.StatusFailed, importer.StatusUnknown:
			p[row.Plan.Key] = Change{IsDeleted: true}
		case importer.StatusRejected:
			if e.Attempts > 1 { // an attempt without an answer may have been accepted
				p[row.Plan.Key] = Change{IsDeleted: true}
			}
		}
		return nil
	})
}
