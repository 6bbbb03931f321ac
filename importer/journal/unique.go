package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
	"strings"

	"opscom-import/importer"
)

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

// addStored adds the unique values that are stored for those of the keys, which are sorted,
// whose profiles did not send them: they stay as they were.
func (c changes) addStored(ctx context.Context, tx *sql.Tx, target int64, keys []importer.Digest) error {
	var wanted []any
	for _, key := range keys {
		if change := c[key]; !change.isDeleted && slices.Contains(change.Unique[:], importer.ValueNotSent) {
			wanted = append(wanted, key[:])
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	var isAny bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM acceptance WHERE target = ?)", target).Scan(&isAny); err != nil || !isAny {
		return err
	}
	for len(wanted)%storeRows > 0 {
		wanted = append(wanted, wanted[len(wanted)-1])
	}
	statement, err := tx.PrepareContext(ctx, "SELECT key, data FROM acceptance WHERE target = ? AND key IN (?"+strings.Repeat(", ?", storeRows-1)+")")
	if err != nil {
		return err
	}
	for some := range slices.Chunk(wanted, storeRows) {
		rows, err := statement.QueryContext(ctx, append([]any{target}, some...)...)
		err = eachRow(rows, err, func() error {
			var key, data sql.RawBytes
			if err := rows.Scan(&key, &data); err != nil || len(key) != keySize {
				return errors.Join(err, errDamaged)
			}
			return c.addUnique(importer.Digest(key), data)
		})
		if err != nil {
			return err
		}
	}
	return statement.Close()
}

// addUnique adds the unique values of a stored acceptance.
func (c changes) addUnique(key importer.Digest, data []byte) error {
	if _, err := verify(data, keyPlace(key)...); err != nil {
		return err
	}
	stored, err := readAcceptance(data)
	changed := c[key]
	changed.Unique = changed.Unique.Over(stored.Unique)
	c[key] = changed
	return err
}

// ownerIndex finds the owners of unique values.
type ownerIndex struct {
	owners []importer.Owner
	of     map[importer.UniqueValue]uint32 // indexes of owners
}

// Owner returns who has the value, by what the Controller last accepted for each person.
func (a *Acceptances) Owner(ctx context.Context, target string, value importer.UniqueValue) (owner importer.Owner, ok bool, err error) {
	if err := a.hold(ctx, target); err != nil {
		return owner, false, err
	}
	if a.owners == nil {
		if a.owners, err = a.held.indexOwners(); err != nil {
			return owner, false, a.journal.wrap(lookUp, err)
		}
	}
	at, ok := a.owners.of[value]
	if !ok {
		return owner, false, nil
	}
	return a.owners.owners[at], true, nil
}

func (h *heldAcceptances) indexOwners() (*ownerIndex, error) {
	people := 0
	for _, p := range h.stored {
		for range p.all {
			people++
		}
	}
	x := &ownerIndex{make([]importer.Owner, 0, people), make(map[importer.UniqueValue]uint32, people)}
	for _, p := range h.stored {
		for key, data := range p.all {
			if _, changed := h.replayed[key]; !changed && len(h.stored) == 1 {
				x.addStored(key, data)
			} else if err := x.addFound(h, key); err != nil {
				return nil, err
			}
		}
	}
	for key := range h.replayed {
		if err := x.addFound(h, key); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// addStored adds the values of a stored acceptance, without unpacking the rest of it.
func (x *ownerIndex) addStored(key importer.Digest, data []byte) {
	at, size := binary.Uvarint(data[len(importer.Digest{}):])
	if at&uniqueFollows == 0 {
		return
	}
	rest := data[len(importer.Digest{})+size:]
	reference, size := binary.Uvarint(rest)
	r := blobReader{rest: string(rest[size+int(reference) : len(rest)-sumSize])}
	x.add(importer.Owner{Key: key, AcceptedAt: timeOf(int64(at &^ uniqueFollows))}, r.unique())
}

func (x *ownerIndex) addFound(h *heldAcceptances, key importer.Digest) error {
	a, ok, err := h.find(key)
	if ok {
		x.add(importer.Owner{Key: key, AcceptedAt: a.AcceptedAt}, a.Unique)
	}
	return err
}

// add adds the owner of some values. Where the Controller accepted one for two people, the
// first must have given it up in OPS-COM itself.
func (x *ownerIndex) add(owner importer.Owner, values importer.UniqueValues) {
	added := false
	for _, value := range values {
		if !value.IsDigest() {
			continue
		}
		if at, taken := x.of[value]; taken && !owner.AcceptedAt.After(x.owners[at].AcceptedAt) {
			continue
		}
		if !added {
			x.owners, added = append(x.owners, owner), true
		}
		x.of[value] = uint32(len(x.owners) - 1)
	}
}
