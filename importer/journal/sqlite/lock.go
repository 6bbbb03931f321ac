package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"

	"opscom-import/importer"
	"opscom-import/importer/journal"
)

// Lock locks the target against every other run, in this and any other process,
// until release is called or the process ends. If it is locked already, the error is
// a *BusyError. It does not wait.
func (j *Journal) Lock(ctx context.Context, target string) (release func() error, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("lock the runs to %s: %w", target, err)
	}
	lock := flock.New(j.lockFile(importer.SameTarget(target)), flock.SetPermissions(0o600))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the runs to %s: %w", target, err)
	}
	if !got {
		return nil, j.busy(ctx, target)
	}
	return func() error {
		if err := lock.Unlock(); err != nil {
			return fmt.Errorf("unlock the runs to %s: %w", target, err)
		}
		return nil
	}, nil
}

// busy says which run to the target is in progress, as far as that is known.
func (j *Journal) busy(ctx context.Context, target string) *journal.BusyError {
	busy := &journal.BusyError{Target: target}
	runs, err := j.Runs(ctx)
	if err != nil {
		return busy
	}
	for _, r := range runs {
		if (r.State == importer.RunPlanning || r.State == importer.RunPushing) && importer.SameTarget(r.Target) == importer.SameTarget(target) {
			busy.Run, busy.Since = r.ID, r.StartedAt
			break
		}
	}
	return busy
}

// lockFile returns the path of the lock of that name. The file is never removed,
// because then two processes could hold the "same" lock.
func (j *Journal) lockFile(name string) string {
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(j.dir, locksName, hex.EncodeToString(sum[:12])+".lock")
}
