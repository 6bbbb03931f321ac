package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"opscom-import/cmd/opscom-import/internal/config"
)

// FileName is the file in the state folder that remembers which sources have failed. The
// names of its lock and of what a kill leaves begin with it.
const FileName = "notify.json"

const (
	lockWait = 5 * time.Second

	// most is how many sources are remembered: a name with a number in it may never
	// come again.
	most = 1000
)

// memory is what the state folder remembers of sources whose last result was a failure.
type memory struct{ folder string }

// lastResult is the last result of a source.
type lastResult struct {
	Event config.NotifyEvent `json:"event"`
	Run   int64              `json:"run,omitempty"`
	Since time.Time          `json:"since"` // the first failure since the last success
	At    time.Time          `json:"at"`
	Told  map[string]telling `json:"told,omitempty"` // by target
}

// telling is what a target was told last.
type telling struct {
	Event   config.NotifyEvent `json:"event"`
	Subject string             `json:"subject"`
	At      time.Time          `json:"at"`
}

// note remembers the outcome, and returns the last result before it. Of several sources
// that is the result of the first that failed.
func (m memory) note(o Outcome, now time.Time) (earlier lastResult, err error) {
	if len(o.Sources) == 0 || !isFailure(o.Event) && !m.exists() { // nothing to remember, or to forget
		return lastResult{}, nil
	}
	err = m.change(func(results map[string]lastResult) {
		for _, source := range o.Sources {
			last := results[source]
			if earlier.Event == "" {
				earlier = last
			}
			if !isFailure(o.Event) {
				delete(results, source)
				continue
			}
			if last.Event == "" {
				last.Since = now
			}
			last.Event, last.Run, last.At = o.Event, o.Run, now
			results[source] = last
		}
	})
	return earlier, err
}

// told remembers what a target was told of a failure.
func (m memory) told(o Outcome, key string, event config.NotifyEvent, now time.Time) error {
	if len(o.Sources) == 0 || !isFailure(event) {
		return nil
	}
	return m.change(func(results map[string]lastResult) {
		for _, source := range o.Sources {
			last, ok := results[source]
			if !ok {
				continue // another command has succeeded since
			}
			if last.Told == nil {
				last.Told = make(map[string]telling)
			}
			last.Told[key] = telling{event, o.subject(), now}
			results[source] = last
		}
	})
}

func (m memory) path() string { return filepath.Join(m.folder, FileName) }

func (m memory) exists() bool {
	_, err := os.Stat(m.path())
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// change changes what is remembered, while no other process does.
func (m memory) change(f func(map[string]lastResult)) (err error) {
	if err := os.MkdirAll(m.folder, 0o700); err != nil {
		return err
	}
	lock := flock.New(m.path()+".lock", flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("lock %s: %w", m.path(), err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	before, results, err := m.read()
	if err != nil {
		return err
	}
	f(results)
	dropOldest(results)
	after, err := json.MarshalIndent(results, "", "  ")
	if err != nil || bytes.Equal(before, after) {
		return err
	}
	return m.write(after)
}

// read returns what is remembered, as text too. A file that is damaged is as good as none:
// it only says what was told.
func (m memory) read() (text []byte, results map[string]lastResult, err error) {
	text, err = os.ReadFile(m.path())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	if json.Unmarshal(text, &results) != nil || results == nil {
		results = make(map[string]lastResult)
	}
	return text, results, nil
}

// write replaces the file in one step.
func (m memory) write(text []byte) error {
	f, err := os.CreateTemp(m.folder, FileName+".new-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), m.path())
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func dropOldest(results map[string]lastResult) {
	if len(results) <= most {
		return
	}
	var sources []string
	for source := range results {
		sources = append(sources, source)
	}
	slices.SortFunc(sources, func(a, b string) int { return results[a].At.Compare(results[b].At) })
	for _, source := range sources[:len(sources)-most] {
		delete(results, source)
	}
}
