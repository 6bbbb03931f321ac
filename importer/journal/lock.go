package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Lock makes the caller the only one, in this and any other process, to run
// anything against the target, until release is called or the process ends. When
// someone else is, the error is a *BusyError.
func (j *Journal) Lock(target string) (release func() error, err error) {
	lock := flock.New(j.lockFile(target), flock.SetPermissions(0o600))
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the runs to %s: %w", target, err)
	}
	if !got {
		return nil, &BusyError{Target: target}
	}
	return func() error {
		if err := lock.Unlock(); err != nil {
			return fmt.Errorf("unlock the runs to %s: %w", target, err)
		}
		return nil
	}, nil
}

// lockFile is the path of the lock of that name. The file stays behind: to remove
// it would let two processes hold the "same" lock.
func (j *Journal) lockFile(name string) string {
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(j.dir, locksName, hex.EncodeToString(sum[:12])+".lock")
}
