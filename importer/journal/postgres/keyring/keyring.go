// Package keyring encrypts what a journal in a database that others may read holds of
// people.
//
// A key ring is a text with one key a line: a name of your choice, and 64 hexadecimal
// digits. The first key encrypts, all decrypt.
//
//	2026-11 5f0c…e1
//	2026-01 99a4…07
//
//	plain → zstd, if that is shorter → AES-256-GCM → record
//
// A record names its key and its place, which are authenticated with the rest: one that was
// changed, or moved to another place, cannot be opened.
//
//	version, 1 byte | flags, 1 byte | length and name of the key | number of integers and
//	integers of the place, as varints | nonce, 12 bytes | ciphertext | tag, 16 bytes
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// MaxBytes is the most that the text of a key ring may have: hundreds of keys.
const MaxBytes = 64 << 10

const (
	version      = 1
	isCompressed = 1 << 0

	leastCompressed = 64        // bytes; shorter texts hardly get shorter
	mostPlain       = 256 << 20 // bytes of one record; a chunk has far less
)

// keyName is what a key may be called. Names are stored with every record, in the clear.
var keyName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// key is one key of a ring.
type key struct {
	name string
	aead cipher.AEAD // draws a random nonce, and puts it before the ciphertext
}

// Ring is a key ring. Any number of goroutines may use it.
//
// AES-256-GCM with random nonces of 96 bits is good for 2³² records a key (NIST SP 800-38D,
// 8.3): two of n records have the same nonce with a probability of about n²/2⁹⁷, which is
// 2⁻³³ then. A night of 10,000,000 rows writes 40,000 chunks of a plan, and at most a record a
// row for what becomes of them, so that it takes over 400 such nights to get there: add a
// key once a year.
type Ring struct {
	keys    []key // at least one; the first encrypts
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

// Parse reads the text of a key ring. Empty lines and those that begin with # do not count; a
// comma may stand for the end of a line. No error holds any of it.
func Parse(text string) (*Ring, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("it has more than %d bytes", MaxBytes)
	}
	r := new(Ring)
	var seen []string // the digits of the keys
	lines := strings.FieldsFunc(strings.TrimPrefix(text, "\uFEFF"), func(c rune) bool { return c == '\n' || c == '\r' || c == ',' })
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, digits, _ := strings.Cut(line, " ")
		digits = strings.ToLower(strings.TrimSpace(digits))
		secret, err := hex.DecodeString(digits)
		switch {
		case !keyName.MatchString(name) || err != nil || len(secret) != 32:
			return nil, fmt.Errorf("key %d is not a name (letters, digits, \".\", \"_\" and \"-\", at most 32 of them), a space, and 64 hexadecimal digits", i+1)
		case slices.ContainsFunc(r.keys, func(k key) bool { return k.name == name }):
			return nil, fmt.Errorf("key %d has the name of an earlier one; give every key a name of its own", i+1)
		case slices.Contains(seen, digits):
			return nil, fmt.Errorf("key %d is an earlier one with another name; remove one of the two", i+1)
		}
		seen = append(seen, digits)
		aead, err := newAEAD(secret)
		if err != nil {
			return nil, err
		}
		r.keys = append(r.keys, key{name, aead})
	}
	if len(r.keys) == 0 {
		return nil, errors.New("it has no key")
	}
	return r, r.prepareCompression()
}

func newAEAD(secret []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// prepareCompression makes what compresses. Its checksum is left out: GCM has a better one.
func (r *Ring) prepareCompression() (err error) {
	r.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
	if err != nil {
		return err
	}
	r.decoder, err = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(mostPlain))
	return err
}

// Names returns the names of the keys, that of the one that encrypts first.
func (r *Ring) Names() []string {
	names := make([]string, len(r.keys))
	for i, k := range r.keys {
		names[i] = k.name
	}
	return names
}

// Format prints the names of the keys, whatever the verb.
func (r *Ring) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "keys "+strings.Join(r.Names(), ", "))
}

// Seal appends the record of plain to dst, and returns it. The place says where the record
// lies, such as the numbers of its run and chunk.
func (r *Ring) Seal(dst, plain []byte, place ...int64) []byte {
	flags := byte(0)
	if len(plain) >= leastCompressed {
		if compressed := r.encoder.EncodeAll(plain, make([]byte, 0, len(plain)/2)); len(compressed) < len(plain) {
			plain, flags = compressed, isCompressed
		}
	}
	first := r.keys[0]
	header := make([]byte, 0, 3+len(first.name)+binary.MaxVarintLen64*(1+len(place)))
	header = append(header, version, flags, byte(len(first.name)))
	header = append(header, first.name...)
	header = binary.AppendUvarint(header, uint64(len(place)))
	for _, n := range place {
		header = binary.AppendVarint(header, n)
	}
	dst = slices.Grow(dst, len(header)+len(plain)+first.aead.Overhead())
	return first.aead.Seal(append(dst, header...), nil, plain, header)
}

// IsFirst reports whether the first key encrypted a record, of which the first 64 bytes are enough.
func (r *Ring) IsFirst(record []byte) bool {
	first := r.keys[0].name
	return len(record) > 2 && record[2] == byte(len(first)) && strings.HasPrefix(string(record[3:min(len(record), 64)]), first)
}

// ErrDamaged says that a record is not as it was written, or that the key with its name is
// not the one that encrypted it.
var ErrDamaged = errors.New("it is damaged")

// ErrMoved says that a record is as it was written, but for another place.
var ErrMoved = errors.New("it belongs to another place of the journal")

// UnknownKeyError says that the key of a record is not on the ring.
type UnknownKeyError struct{ Name string }

func (e *UnknownKeyError) Error() string {
	return fmt.Sprintf("it is encrypted with the key %q, which the key ring does not have; add that key as its last line", e.Name)
}

// Open returns what was sealed as the record, for the same place. The error is [ErrDamaged],
// [ErrMoved] or an [*UnknownKeyError].
func (r *Ring) Open(record []byte, place ...int64) ([]byte, error) {
	h, ok := readHeader(record)
	if !ok {
		return nil, ErrDamaged
	}
	i := slices.IndexFunc(r.keys, func(k key) bool { return k.name == h.name })
	if i < 0 {
		return nil, &UnknownKeyError{h.name}
	}
	plain, err := r.keys[i].aead.Open(nil, nil, record[h.size:], record[:h.size])
	if err != nil {
		return nil, fmt.Errorf("%w, or the key %q here is another one than on the machine that wrote it: compare the keys of the machines", ErrDamaged, h.name)
	}
	if !slices.Equal(h.place, place) {
		return nil, ErrMoved
	}
	if h.flags&isCompressed == 0 {
		return plain, nil
	}
	plain, err = r.decoder.DecodeAll(plain, nil)
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

// header is what stands before a record's nonce.
type header struct {
	flags byte
	name  string
	place []int64
	size  int // bytes
}

// readHeader returns the header of a record, and whether there can be one.
func readHeader(record []byte) (h header, ok bool) {
	if len(record) < 3 || record[0] != version || record[1]&^isCompressed != 0 {
		return h, false
	}
	h.flags, h.size = record[1], 3+int(record[2])
	if len(record) < h.size || !keyName.Match(record[3:h.size]) {
		return h, false
	}
	h.name = string(record[3:h.size])
	count, n := binary.Uvarint(record[h.size:])
	if n <= 0 || count > uint64(len(record)) {
		return h, false
	}
	h.size += n
	for range count {
		number, n := binary.Varint(record[h.size:])
		if n <= 0 {
			return h, false
		}
		h.place = append(h.place, number)
		h.size += n
	}
	return h, true
}
