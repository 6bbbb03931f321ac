package format

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"opscom-import/importer"
)

const sumSize = 4

// Checksum returns the CRC-32C over the numbers that say where a record belongs,
// and the record.
func Checksum(body []byte, place ...int64) uint32 {
	var prefix []byte
	for _, n := range place {
		prefix = binary.LittleEndian.AppendUint64(prefix, uint64(n))
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(prefix, table), table, body)
}

// Seal appends the checksum to the record.
func Seal(body []byte, place ...int64) []byte {
	return binary.LittleEndian.AppendUint32(body, Checksum(body, place...))
}

// verify checks a record's checksum, and returns the record without it.
func verify(data []byte, place ...int64) ([]byte, error) {
	end := len(data) - sumSize
	if end < 0 || binary.LittleEndian.Uint32(data[end:]) != Checksum(data[:end], place...) {
		return nil, ErrDamaged
	}
	return data[:end], nil
}

// Unseal returns a reader of a sealed record. It copies the record once; all texts
// that it reads share that memory.
func Unseal(data []byte, place ...int64) (blobReader, error) {
	body, err := verify(data, place...)
	return blobReader{rest: string(body)}, err
}

func AppendTexts(dst []byte, texts ...string) []byte {
	for _, text := range texts {
		dst = append(binary.AppendUvarint(dst, uint64(len(text))), text...)
	}
	return dst
}

// blobReader reads a record from its start. After a read past its end every value
// is zero, and err returns an error.
type blobReader struct {
	rest string
	bad  bool
}

func (r *blobReader) take(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.rest, r.bad = "", true
		return ""
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *blobReader) byte() byte {
	if b := r.take(1); b != "" {
		return b[0]
	}
	return 0
}

func (r *blobReader) number() uint64 {
	value, width := binary.Uvarint([]byte(r.rest[:min(len(r.rest), binary.MaxVarintLen64)]))
	if width <= 0 {
		r.rest, r.bad = "", true
		return 0
	}
	r.rest = r.rest[width:]
	return value
}

func (r *blobReader) text() string { return r.take(r.number()) }

func (r *blobReader) digest() (d importer.Digest) {
	copy(d[:], r.take(uint64(len(d))))
	return d
}

// status returns the status with that code.
func (r *blobReader) status(code byte) importer.Status {
	if int(code) < len(StatusCodes) {
		return StatusCodes[code]
	}
	r.rest, r.bad = "", true
	return ""
}

// more reports whether anything is left to read.
func (r *blobReader) more() bool { return r.rest != "" }

func (r *blobReader) Err() error {
	if r.bad {
		return ErrDamaged
	}
	return nil
}

// StatusCodes gives each status its stored byte. New ones go to the end.
var StatusCodes = [...]importer.Status{
	importer.StatusPending, importer.StatusPushed, importer.StatusUnchanged, importer.StatusDuplicate, importer.StatusSkipped, importer.StatusInvalid,
	importer.StatusRejected, importer.StatusFailed, importer.StatusUnknown, importer.StatusNotSent, importer.StatusValid,
	importer.StatusLeaver,
}

// A status has to leave room for the bits beside it.
var _ [statusWithoutDigests - len(StatusCodes)]struct{}

func StatusCode(s importer.Status) (byte, error) {
	code := slices.Index(StatusCodes[:], s)
	if code < 0 {
		return 0, fmt.Errorf("there is no status %q", s)
	}
	return byte(code), nil
}

// ErrDamaged is the reason for damage that this package detected, and not the database.
var ErrDamaged = errors.New("a stored record is incomplete or was changed")

// MicroOf returns a time as it is stored: microseconds since 1970, 0 for no time.
func MicroOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func TimeOf(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}
