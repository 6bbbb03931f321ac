package sandbox

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// Entry is one request in the account: what came, what became of it and what was
// answered. It holds no personal data but the key.
type Entry struct {
	Sequence    int64     `json:"sequence"` // 1 for the first request, in the order in which they came
	Time        time.Time `json:"time"`     // when it came
	Call        Call      `json:"call"`
	Key         Key       `json:"key"`          // of a push that could be read
	Body        Hash      `json:"body"`         // of a push: hash of the profile
	Status      int       `json:"status"`       // HTTP status of the answer, 0 when there was none
	ErrorCode   int       `json:"error_code"`   // of the answer, 0 for none
	ReferenceID int       `json:"reference_id"` // of the person, 0 unless the profile was accepted
	Fault       Kind      `json:"fault"`        // what befell it: "" for nothing
	Applied     bool      `json:"applied"`      // the profile was accepted
	Delivered   bool      `json:"delivered"`    // false: certainly no whole answer reached the client
}

// Hash is the SHA-256 of a profile without its token, in the form that
// mapping.Profile.AppendJSON gives it. Its text is in hexadecimal.
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

// account keeps the entries in memory, in a file, in both or nowhere.
type requestLog struct {
	inMemory bool
	before   int64 // sequence of the last entry that an earlier sandbox left in the file

	mu      sync.Mutex
	kept    []Entry
	file    *os.File // nil for none
	broken  error    // of the first write that failed: nothing is appended after half a line
	missing int      // entries that could not be written
}

func openRequestLog(inMemory bool, path string) (*requestLog, error) {
	a := &requestLog{inMemory: inMemory}
	if path == "" {
		return a, nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the sandbox's account: %w", err)
	}
	if a.before, err = resumeRequestLog(file); err != nil {
		return nil, errors.Join(fmt.Errorf("open the sandbox's account: %s: %w", path, err), file.Close())
	}
	a.file = file
	return a, nil
}

// resumeAccount makes the file ready for further entries: it cuts off a last
// line without its end, and returns the greatest sequence.
func resumeRequestLog(file *os.File) (last int64, err error) {
	var whole int64
	err = eachEntry(file, func(entry Entry, line []byte) {
		last = max(last, entry.Sequence)
		whole += int64(len(line))
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

// wanted reports whether there is an account at all.
func (a *requestLog) wanted() bool { return a.inMemory || a.file != nil }

// add puts the entry in the account.
func (a *requestLog) add(entry Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.inMemory {
		a.kept = append(a.kept, entry)
	}
	if a.file == nil {
		return nil
	}
	line, err := json.Marshal(entry)
	if err == nil && a.broken == nil {
		_, err = a.file.Write(append(line, '\n'))
	}
	a.broken = cmp.Or(a.broken, err)
	if a.broken != nil {
		a.missing++
		return fmt.Errorf("write the sandbox's account: %w", a.broken)
	}
	return nil
}

// undelivered amends the entry: its answer could not be written.
func (a *requestLog) undelivered(entry Entry) {
	if !entry.Delivered || !a.wanted() {
		return
	}
	entry.Delivered = false
	// An error stays with the account, which gives it again when it is closed.
	_ = a.add(entry)
}

// all returns the entries in memory, the last word on each.
func (a *requestLog) all() []Entry {
	a.mu.Lock()
	entries := slices.Clone(a.kept)
	a.mu.Unlock()
	return latestEntries(entries)
}

// lastWords sorts the entries by sequence and keeps the last of each.
func latestEntries(entries []Entry) []Entry {
	slices.Reverse(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Sequence, b.Sequence) })
	return slices.CompactFunc(entries, func(a, b Entry) bool { return a.Sequence == b.Sequence })
}

func (a *requestLog) close() error {
	if a.file == nil {
		return nil
	}
	if err := a.file.Close(); err != nil || a.broken != nil {
		return fmt.Errorf("close the sandbox's account, which lacks %d entries: %w", a.missing, errors.Join(a.broken, err))
	}
	return nil
}

// ReadAccount reads an account file, in the order in which the requests came. A
// sandbox that goes on with the file of an earlier one goes on with its sequence.
// A last line without its end, as a killed process may leave it, does not count.
func ReadRequestLog(r io.Reader) ([]Entry, error) {
	var entries []Entry
	if err := eachEntry(r, func(entry Entry, _ []byte) { entries = append(entries, entry) }); err != nil {
		return nil, fmt.Errorf("read the sandbox's account: %w", err)
	}
	return latestEntries(entries), nil
}

func eachEntry(r io.Reader, do func(entry Entry, line []byte)) error {
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		var entry Entry
		if err == nil {
			err = json.Unmarshal(line, &entry)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		do(entry, line)
	}
}
