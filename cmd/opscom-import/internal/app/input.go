package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"opscom-import/importer/sheet"
)

// input is one FILE of the command line, on the disk.
type input struct {
	shown  string // as the person named it: for messages and the summary
	path   string // where its bytes are
	source string // what identifies it from run to run: the absolute path, or "-"
	base   string // path without extension: the reports' names begin with it
	opened time.Time
	found  os.FileInfo // size and time of the file when it was opened
	remove bool        // path is a temporary copy
}

// openInput finds the file. Standard input, and anything else that can be read only
// once, is first copied to a temporary file that only this user can read.
func openInput(ctx context.Context, name string, stdin io.Reader) (in *input, err error) {
	in = &input{shown: name, path: name, source: name, base: baseOf(name), opened: time.Now()}
	if name == "-" {
		in.shown = "standard input"
		err = in.spool(ctx, stdin)
	} else if in.source, err = filepath.Abs(name); err == nil {
		err = in.spoolPipe(ctx)
	}
	if err == nil {
		in.found, err = in.stat()
	}
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

// withInput calls f with a FILE. The errors name it as the person did.
func (e Env) withInput(ctx context.Context, name string, f func(*input) error) error {
	in, err := openInput(ctx, name, e.Stdin)
	if err != nil {
		return err
	}
	if e.Source != "" {
		in.source, in.shown = e.Source, e.Source
	}
	return errors.Join(in.named(f(in)), in.Close())
}

// baseOf is what the names of a file's reports begin with.
func baseOf(name string) string {
	if name == "-" {
		return "stdin"
	}
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// spoolPipe spools the file if it is a pipe, as a shell passes for <(command).
func (in *input) spoolPipe(ctx context.Context) error {
	info, err := os.Stat(in.path)
	if err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return nil // opening the file fails with what is wrong
	}
	f, err := os.Open(in.path)
	if err != nil {
		return in.unreadable(err)
	}
	defer f.Close() // only read
	return in.spool(ctx, f)
}

// spool copies r into a temporary file. An interrupt ends it even if a read blocks,
// as from a terminal: then the goroutine that copies is left behind and ends
// with the process.
func (in *input) spool(ctx context.Context, r io.Reader) error {
	f, err := os.CreateTemp("", "opscom-import-*")
	if err != nil {
		return fmt.Errorf("keep %s: %w", in.shown, err)
	}
	in.path, in.remove = f.Name(), true
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(f, r)
		copied <- err
	}()
	select {
	case err = <-copied:
	case <-ctx.Done():
		return errors.Join(errInterruptedEarly(), f.Close())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep %s: %w", in.shown, err)
	}
	return nil
}

// Close removes the copy, if there is one.
func (in *input) Close() error {
	if !in.remove {
		return nil
	}
	return os.Remove(in.path)
}

// named returns the error with the name that the person knows, not that of the copy.
func (in *input) named(err error) error {
	var fault *sheet.FileError
	if errors.As(err, &fault) && fault.File == in.path {
		fault.File = in.shown
	}
	return err
}

// elsewhere returns the absolute path of a file that does not lie where it arrived, else
// "".
func (in *input) elsewhere() string {
	path, err := filepath.Abs(in.path)
	if in.remove || in.source == "-" || err != nil || path == in.source {
		return ""
	}
	return path
}

// checkAge returns an error when the file was changed less than that long ago. A time
// in the future, further than that, is of a wrong clock and says nothing.
func (in *input) checkAge(now time.Time, least time.Duration) error {
	age := now.Sub(in.found.ModTime())
	if in.remove || age.Abs() >= least {
		return nil
	}
	return &incompleteError{fmt.Errorf("%s was changed less than %v ago (min-age) and may still be written: nothing was sent; run the command again later", in.shown, least)}
}

// checkUnchanged returns an error when someone saved the file while it was read.
func (in *input) checkUnchanged() error {
	now, err := in.stat()
	if err != nil {
		return err
	}
	if now.Size() != in.found.Size() || !now.ModTime().Equal(in.found.ModTime()) {
		return fmt.Errorf("%s changed while it was read; nothing was sent; run the command again when it is saved", in.shown)
	}
	return nil
}

// hash returns the SHA-256 of the file's bytes in hexadecimal, by which a run
// recognises its file.
func (in *input) hash() (string, error) {
	hash, err := HashOf(in.path)
	if err != nil {
		return "", in.unreadable(err)
	}
	return hash, nil
}

// HashOf returns the SHA-256 of a file's bytes in hexadecimal, as runs have it.
func HashOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() // only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (in *input) stat() (os.FileInfo, error) {
	info, err := os.Stat(in.path)
	if err != nil {
		return nil, in.unreadable(err)
	}
	return info, nil
}

func (in *input) unreadable(err error) error {
	return fmt.Errorf("%s cannot be read: %w", in.shown, errors.Unwrap(err))
}
