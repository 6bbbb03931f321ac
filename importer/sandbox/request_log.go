package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// Entry is one request in the request log: what was requested, what happened and
// what was answered. It contains no personal data except the key.
type Entry struct {
	Sequence    int64     `json:"sequence"` // 1 for the first request; in the order of arrival
	Time        time.Time `json:"time"`     // when it arrived
	Call        Call      `json:"call"`
	Key         Key       `json:"key"`          // of a push that could be parsed
	Body        Hash      `json:"body"`         // hash of a push's profile
	Status      int       `json:"status"`       // HTTP status of the answer, 0 if there was none
	ErrorCode   int       `json:"error_code"`   // of the answer, 0 if it has none
	ReferenceID int       `json:"reference_id"` // of the person, 0 unless the profile was accepted
	Fault       Kind      `json:"fault"`        // the injected fault, "" for none
	Applied     bool      `json:"applied"`      // the profile was accepted
	Delivered   bool      `json:"delivered"`    // false: certainly no complete answer reached the client
}

// Hash is the SHA-256 of a profile without its token, in the form
// that mapping.Profile.AppendJSON returns. Its text is hexadecimal.
type Hash [sha256.Size]byte

// MarshalText returns the hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("read a hash: it has %d characters, not %d", len(text), hex.EncodedLen(len(h)))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return fmt.Errorf("read a hash: %w", err)
	}
	return nil
}

// requestLog keeps the entries in memory, in a file, in both or nowhere.
type requestLog struct {
	inMemory bool
	before   int64 // sequence of the last entry that an earlier sandbox left in the file

	mu      sync.Mutex
	entries []Entry
	file    *lineFile // nil for none
}

// openRequestLog opens the file at path, "" for none. A sandbox that continues the
// file of an earlier one continues its sequence.
func openRequestLog(inMemory bool, path string) (*requestLog, error) {
	l := &requestLog{inMemory: inMemory}
	if path == "" {
		return l, nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the sandbox's request log: %w", err)
	}
	if l.before, err = resumeRequestLog(file); err != nil {
		return nil, errors.Join(fmt.Errorf("open the sandbox's request log: %s: %w", path, err), file.Close())
	}
	l.file = &lineFile{file: file}
	return l, nil
}

// resumeRequestLog prepares the file for more entries: it cuts off an incomplete
// last line, and returns the greatest sequence.
func resumeRequestLog(file *os.File) (last int64, err error) {
	var whole int64
	err = eachLine(file, func(line []byte) error {
		var entry Entry
		err := json.Unmarshal(line, &entry)
		last = max(last, entry.Sequence)
		whole += int64(len(line))
		return err
	})
	if err != nil {
		return 0, err
	}
	info, err := file.Stat()
	if err != nil || info.Size() <= whole { // a device has no size
		return last, err
	}
	return last, file.Truncate(whole)
}

// enabled reports whether entries are kept at all.
func (l *requestLog) enabled() bool { return l.inMemory || l.file != nil }

func (l *requestLog) add(entry Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inMemory {
		l.entries = append(l.entries, entry)
	}
	if l.file == nil {
		return nil
	}
	line, err := json.Marshal(entry)
	if err == nil {
		err = l.file.append(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the sandbox's request log: %w", err)
	}
	return nil
}

// undelivered amends the entry: its answer could not be written.
func (l *requestLog) undelivered(entry Entry) {
	if entry.Delivered && l.enabled() {
		entry.Delivered = false
		_ = l.add(entry) // close returns the error too
	}
}

// all returns the latest entry of each request in memory.
func (l *requestLog) all() []Entry {
	l.mu.Lock()
	entries := slices.Clone(l.entries)
	l.mu.Unlock()
	return latestEntries(entries)
}

// latestEntries sorts the entries by sequence and keeps the last one of each.
func latestEntries(entries []Entry) []Entry {
	slices.Reverse(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return slices.CompactFunc(entries, func(a, b Entry) bool { return a.Sequence == b.Sequence })
}

func (l *requestLog) close() error {
	if l.file == nil {
		return nil
	}
	if err := l.file.close(); err != nil {
		return fmt.Errorf("close the sandbox's request log: %w", err)
	}
	return nil
}
