//go:build unix && !linux && !darwin

package inbox

// renameNew renames a file or folder; the error is fs.ErrExist if there is something of
// the new name.
func renameNew(from, to string) error { return renameChecked(from, to) }
