package app

import (
	"errors"
	"fmt"

	"github.com/gofrs/flock"

	"opscom-import/cmd/opscom-import/internal/draft"
)

// pageFolder is the folder of the page's drafts in the state folder. The names of its
// lock and other files beside it begin with it.
const pageFolder = "web"

// RemoveHalfUploads removes what arrived of uploads before a kill. It leaves those of
// a page that is open.
func RemoveHalfUploads(state string) (err error) {
	left, err := draft.Arriving(state)
	if err != nil || len(left) == 0 {
		return err
	}
	lock := flock.New(draft.Folder(state)+".lock", flock.SetPermissions(0o600))
	switch got, err := lock.TryLock(); {
	case err != nil:
		return fmt.Errorf("lock the folder of uploads: %w", err)
	case !got:
		return nil
	}
	return errors.Join(draft.RemoveArriving(state), lock.Unlock())
}
