package journal

import (
	"context"
	"sync"

	"opscom-import/importer"
)

// replay holds outcomes that are not folded: of a journal that is only read, and of a
// target with several rows, whose outcomes are in an order only together.
type replay struct {
	mu      sync.Mutex
	targets map[string]*replayed // by ids
}

type replayed struct {
	changes
	upTo int64 // event up to which they are
}

// addReplayed brings what was found for the keys up to date with the outcomes that
// were recorded since the target was last folded, as fold would. Of several rows it
// takes every outcome that is not forgotten, in the order of recording.
func (j *Journal) addReplayed(ctx context.Context, same targets, keys []importer.Digest, found map[importer.Digest]importer.Acceptance) error {
	j.replayed.mu.Lock()
	defer j.replayed.mu.Unlock()
	r := j.replayed.targets[same.ids()]
	if r == nil {
		r = &replayed{changes: changes{}}
		if len(same) == 1 {
			r.upTo = same[0].folded
		}
		if j.replayed.targets == nil {
			j.replayed.targets = make(map[string]*replayed)
		}
		j.replayed.targets[same.ids()] = r
	}
	c := new(chunk)
	outcomes, err := j.reader.QueryContext(ctx, selectOutcomes, r.upTo, same.ids())
	err = eachRow(outcomes, err, func() (err error) {
		r.upTo, err = r.add(outcomes, c)
		return err
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		data, changed := r.changes[key]
		if !changed {
			continue
		}
		if data == nil || len(same) == 1 { // what is stored of one row is older
			delete(found, key)
		}
		if data != nil {
			if err := addLater(found, key, data); err != nil {
				return err
			}
		}
	}
	return nil
}
