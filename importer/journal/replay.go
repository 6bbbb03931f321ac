package journal

import (
	"context"
	"sync"

	"opscom-import/importer"
)

// replay holds the outcomes that a journal which is only read cannot fold.
type replay struct {
	mu      sync.Mutex
	targets map[int64]*replayed // by id
}

type replayed struct {
	changes
	upTo int64 // event up to which they are
}

// addReplayed brings what was found for the keys up to date with the outcomes that
// were recorded since the target was last folded, as fold would.
func (j *Journal) addReplayed(ctx context.Context, t target, keys []importer.Digest, found map[importer.Digest]importer.Acceptance) error {
	j.replayed.mu.Lock()
	defer j.replayed.mu.Unlock()
	r := j.replayed.targets[t.id]
	if r == nil {
		r = &replayed{changes{}, t.folded}
		if j.replayed.targets == nil {
			j.replayed.targets = make(map[int64]*replayed)
		}
		j.replayed.targets[t.id] = r
	}
	c := new(chunk)
	outcomes, err := j.reader.QueryContext(ctx, selectOutcomes, r.upTo, t.id)
	err = eachRow(outcomes, err, func() (err error) {
		r.upTo, err = r.add(outcomes, c)
		return err
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		data, changed := r.changes[key]
		switch {
		case !changed:
		case data == nil:
			delete(found, key)
		default:
			if found[key], err = readAcceptance(key, data); err != nil {
				return err
			}
		}
	}
	return nil
}
