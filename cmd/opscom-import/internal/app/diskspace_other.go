//go:build !linux && !darwin && !windows

package app

import "errors"

func freeSpace(string) (uint64, error) { return 0, errors.New("not on this system") }
