package app

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"text/tabwriter"
	"time"
)

// SupportFile is a file of a support bundle.
type SupportFile struct {
	Name  string
	About string // what is in it, a clause
	Text  []byte
}

// SupportBundle is what somebody who helps may see of how the program is used and what it
// made of a file. Nothing in it is a value of a row, a token, an address of notify or the name of
// a file.
type SupportBundle struct {
	Files   []SupportFile
	Headers []string // the names of columns that are in it as they are, for a person to look at
}

// CollectSupport collects a bundle about the settings, the journal, a run and a FILE. Run 0 is
// the last one of the FILE, else the last one of all; FILE "" is none. It asks nobody on the
// network, and changes nothing.
func CollectSupport(ctx context.Context, env Env, file string, run int64) (*SupportBundle, error) {
	env.Notify = func(string) {}
	b := &SupportBundle{}
	b.add("version.txt", "the program and this system", env.supportVersion)
	b.add("settings.txt", "the settings and where each was given, without the token", env.supportSettings)
	if err := env.supportJournal(ctx, b, file, run); err != nil {
		return nil, err
	}
	if file != "" {
		if err := env.supportFile(ctx, b, file); err != nil {
			return nil, err
		}
	}
	b.Files = slices.Insert(b.Files, 0, SupportFile{Name: "README.txt", About: "what each file is", Text: b.readme()})
	return b, nil
}

// add writes a file of the bundle.
func (b *SupportBundle) add(name, about string, write func(w *supportText)) {
	t := &supportText{}
	write(t)
	b.Files = append(b.Files, SupportFile{name, about, t.text()})
}

// readme says what the files are.
func (b *SupportBundle) readme() []byte {
	var text bytes.Buffer
	fmt.Fprintln(&text, "Made by \"opscom-import support\" for somebody who helps.")
	fmt.Fprintln(&text)
	for _, f := range b.Files {
		fmt.Fprintf(&text, "%-14s %s\n", f.Name, f.About)
	}
	fmt.Fprint(&text, `
No file has a value of a row, an id, a token, a password, an address of notify, a message
of the Controller, or the name of a file, a folder, a sheet or a user.

In a shape every letter is A and every digit 9; other characters that are not ASCII are ?.
A shape is listed only if at least 10 values of its column have it, and none is longer than
40 characters. In a path the home folder is ~, and names are shapes but for usual ones.
`)
	return text.Bytes()
}

// Write writes the bundle to a new file that only this user can read.
func (b *SupportBundle) Write(path string) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already and was not changed; give another --output, or remove it first", path)
	}
	if err != nil {
		return fmt.Errorf("write the support bundle: %w", err)
	}
	if err = errors.Join(b.writeTo(file), file.Sync(), file.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the support bundle %s: %w", path, err), os.Remove(path))
	}
	return nil
}

func (b *SupportBundle) writeTo(file *os.File) error {
	archive := zip.NewWriter(file)
	for _, f := range b.Files {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: time.Now()})
		if err != nil {
			return err
		}
		if _, err := w.Write(f.Text); err != nil {
			return err
		}
	}
	return archive.Close()
}

func (e Env) supportVersion(t *supportText) {
	t.line("opscom-import", e.Version)
	t.line("go", runtime.Version())
	t.line("system", runtime.GOOS+"/"+runtime.GOARCH)
	t.line("processors", runtime.NumCPU())
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if slices.Contains([]string{"vcs.revision", "vcs.time", "vcs.modified", "CGO_ENABLED"}, setting.Key) {
				t.line(setting.Key, setting.Value)
			}
		}
		for _, module := range info.Deps {
			t.line(module.Path, module.Version)
		}
	}
}

// supportText is text in columns, and lines between them.
type supportText struct{ buffer bytes.Buffer }

func (t *supportText) line(cells ...any) {
	for i, cell := range cells {
		if i > 0 {
			fmt.Fprint(&t.buffer, "\t")
		}
		fmt.Fprint(&t.buffer, cell)
	}
	fmt.Fprintln(&t.buffer)
}

func (t *supportText) say(format string, args ...any) { fmt.Fprintf(&t.buffer, format+"\n", args...) }

func (t *supportText) text() []byte {
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = w.Write(t.buffer.Bytes()) // to memory
	_ = w.Flush()
	return text.Bytes()
}
