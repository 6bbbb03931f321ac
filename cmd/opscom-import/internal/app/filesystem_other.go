//go:build !linux

package app

// fileSystemOf returns "": it is only known on Linux.
func fileSystemOf(string) string { return "" }
