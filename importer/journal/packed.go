package journal

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"slices"

	"opscom-import/importer"
)

// packed holds the acceptances that are stored for a row of a target by the first byte
// of their key, without a pointer for each. Keys are digests, so that every prefix is
// about as common as any other.
type packed [256]segment

// segment holds records one after the other, in the order of their keys: the key, and
// the sealed acceptance.
type segment struct {
	records []byte
	starts  [256]uint32 // where those start whose key has this second byte, or a higher one
}

const keySize = len(importer.Digest{})

// A segment is read as one BLOB: a row for each acceptance takes half as long again.
const selectSegment = `SELECT CAST(group_concat(key || data, '') AS BLOB)
	FROM acceptance WHERE target = ? AND key BETWEEN ? AND ?`

// readPacked reads the acceptances that are stored for a row of a target, and verifies
// them.
func readPacked(ctx context.Context, tx *sql.Tx, target int64) (*packed, error) {
	statement, err := tx.PrepareContext(ctx, selectSegment)
	if err != nil {
		return nil, err
	}
	p := new(packed)
	last := bytes.Repeat([]byte{0xFF}, keySize)
	for first := range p {
		last[0] = byte(first)
		if err := statement.QueryRowContext(ctx, target, last[:1], last).Scan(&p[first].records); err != nil {
			return nil, err
		}
		if err := p[first].index(byte(first)); err != nil {
			return nil, err
		}
	}
	return p, statement.Close()
}

// index verifies the records, whose keys have that first byte, and notes where they
// start.
func (s *segment) index(first byte) error {
	s.records = slices.Clip(s.records)
	second := 0
	var last []byte
	for rest := s.records; len(rest) > 0; {
		at := len(s.records) - len(rest)
		key, data, behind, ok := cutRecord(rest)
		if !ok || key[0] != first || bytes.Compare(key, last) <= 0 {
			return errDamaged
		}
		if _, err := verify(data, keyPlace(importer.Digest(key))...); err != nil {
			return err
		}
		for ; second <= int(key[1]); second++ {
			s.starts[second] = uint32(at)
		}
		last, rest = key, behind
	}
	for ; second < len(s.starts); second++ {
		s.starts[second] = uint32(len(s.records))
	}
	return nil
}

// cutRecord returns the key and the sealed acceptance of the first record, and the
// records behind it.
func cutRecord(records []byte) (key, data, rest []byte, ok bool) {
	const hashEnd = keySize + len(importer.Digest{})
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
	if micro&uniqueFollows != 0 && end < len(records) {
		end += uniqueSize(records[end])
	}
	if end += sumSize; end > len(records) {
		return nil, nil, nil, false
	}
	return records[:keySize], records[keySize:end], records[end:], true
}

// find returns the sealed acceptance of a key, nil when there is none.
func (p *packed) find(key importer.Digest) []byte {
	s := &p[key[0]]
	for rest := s.records[s.starts[key[1]]:]; len(rest) > 0; {
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

// all yields all keys, in their order, and their sealed acceptances.
func (p *packed) all(yield func(importer.Digest, []byte) bool) {
	for i := range p {
		for rest := p[i].records; len(rest) > 0; {
			var key, data []byte
			key, data, rest, _ = cutRecord(rest)
			if !yield(importer.Digest(key), data) {
				return
			}
		}
	}
}
