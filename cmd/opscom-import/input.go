package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"opscom-import/importer/sheet"
)

// input is one FILE of the command line, on the disk.
type input struct {
	shown  string // as the person named it: for messages and the summary
	path   string // where its bytes are
	source string // what identifies it from run to run: the absolute path, or "-"
	base   string // path without extension: the reports' names begin with it
	hash   string // SHA-256 of the bytes, in hexadecimal
	remove bool   // path is a temporary copy of standard input
}

// openInput finds the file, or copies standard input into a temporary one that
// only this user can read, and hashes it.
func openInput(name string, s streams) (in *input, err error) {
	in = &input{shown: name, path: name}
	if name == "-" {
		if err := in.spool(s.stdin); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, in.Close())
			}
		}()
		in.source, in.base, in.shown = "-", "stdin", "standard input"
	} else {
		if in.source, err = filepath.Abs(name); err != nil {
			return nil, fmt.Errorf("find %s: %w", name, err)
		}
		in.base = strings.TrimSuffix(name, filepath.Ext(name))
	}
	in.hash, err = hashFile(in.path)
	return in, err
}

func (in *input) spool(r io.Reader) error {
	f, err := os.CreateTemp("", "opscom-import-*")
	if err != nil {
		return fmt.Errorf("keep standard input: %w", err)
	}
	in.path, in.remove = f.Name(), true
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("keep standard input: %w", err), in.Close())
	}
	return nil
}

// Close removes the copy of standard input.
func (in *input) Close() error {
	if !in.remove {
		return nil
	}
	return os.Remove(in.path)
}

// named returns the error with the file under the name that the person knows, not
// that of the copy.
func (in *input) named(err error) error {
	var fault *sheet.FileError
	if errors.As(err, &fault) && fault.File == in.path {
		fault.File = in.shown
	}
	return err
}

// unchanged returns an error when the file is not what it was when it was opened:
// someone saved it while it was read.
func (in *input) unchanged() error {
	hash, err := hashFile(in.path)
	if err != nil {
		return err
	}
	if hash != in.hash {
		return fmt.Errorf("%s changed while it was read; nothing was sent; run the command again when it is saved", in.shown)
	}
	return nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s cannot be read: %w", path, errors.Unwrap(err))
	}
	defer f.Close() // only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("%s cannot be read: %w", path, errors.Unwrap(err))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
