//go:build !unix

package config

import "os"

// isExposed reports whether others on this machine can read a file, which its mode does not
// say here.
func isExposed(os.FileInfo) bool { return false }
