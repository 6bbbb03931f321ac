package journal

import (
	"context"
	"errors"
)

// targets is what locks targets: a Journal, whose methods say more.
type targets interface {
	Lock(ctx context.Context, target string) (release func() error, err error)
	Recover(ctx context.Context, target string) error
}

// LockAndRecover locks a target until release is called, and cleans up after runs to it whose
// process died. While another run to it is in progress it returns a *BusyError.
func LockAndRecover(ctx context.Context, j targets, target string) (release func() error, err error) {
	release, err = j.Lock(ctx, target)
	if err != nil {
		return nil, err
	}
	if err := j.Recover(ctx, target); err != nil {
		return nil, errors.Join(err, release())
	}
	return release, nil
}

// Alone calls do while a target is locked, after LockAndRecover.
func Alone(ctx context.Context, j targets, target string, do func() error) (err error) {
	release, err := LockAndRecover(ctx, j, target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return do()
}
