// Package archive opens the files that hold other files: gzip, zip, and the compound
// files of old Microsoft Office. All of them are hostile until read: what they list and
// what they unpack to is limited.
//
// In goes people.csv.gz, and out comes a [Content] that can be opened again and again,
// with a note for the user:
//
//	Content{Open: func() (io.ReadCloser, error), Note: "The file was unpacked (gzip)."}
package archive

import (
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"opscom-import/importer/sheet/internal/rows"
)

// content is what a file holds, unpacked where it is packed. It can be opened
// again to be looked through.
type Content struct {
	Open func() (io.ReadCloser, error)
	Note string // what was unpacked; "" when nothing was
}

// Most bytes that a packed file may unpack to, so that a small file cannot keep
// the program busy for hours: the smaller of maxSheetBytes and this many for each
// byte, and some more for a small file. Tables of people pack 5 to 30 to 1.
const (
	mostUnpacked  = 100
	slackUnpacked = 32 << 20
	MaxOnDisk     = 1 << 30 // of what cannot be read as it is unpacked
)

const unpackIt = "Unpack it, and use the file with the people."

func Plain(file io.ReaderAt, size int64) Content {
	return Content{Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(file, 0, size)), nil
	}}
}

func Gzip(file io.ReaderAt, size int64) Content {
	return Content{Note: "The file was unpacked (gzip).", Open: func() (io.ReadCloser, error) {
		r, err := gzip.NewReader(io.NewSectionReader(file, 0, size))
		if err != nil {
			return nil, damagedArchive(err)
		}
		return unpacked(r, size), nil
	}}
}

// zipContent returns the one file that a zip archive holds. What macOS and
// Windows put beside it does not count.
func Zip(file io.ReaderAt, size int64) (Content, error) {
	archive, err := OpenZip(file, size)
	if err != nil {
		return Content{}, damagedArchive(err)
	}
	var files []*zip.File
	for _, f := range archive.File {
		base := path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
		if !f.FileInfo().IsDir() && !strings.HasPrefix(f.Name, "__MACOSX/") && !strings.HasPrefix(base, ".") && base != "Thumbs.db" && base != "desktop.ini" {
			files = append(files, f)
		}
	}
	switch {
	case len(files) == 0:
		return Content{}, rows.NewError(0, "This is a zip archive with nothing in it.", nil)
	case len(files) > 1:
		return Content{}, rows.NewError(0, fmt.Sprintf("This is a zip archive with %d files in it: %s. %s%s", len(files), fileNames(files), unpackIt, oneRosterHint(files)), nil)
	case files[0].Flags&1 != 0:
		return Content{}, rows.NewError(0, "This is a zip archive with a password. "+unpackIt, nil)
	}
	f := files[0]
	return Content{Note: fmt.Sprintf("The file %.80q was read out of the zip archive.", f.Name), Open: func() (io.ReadCloser, error) {
		r, err := f.Open()
		if err != nil {
			return nil, damagedArchive(err)
		}
		return unpacked(r, int64(f.CompressedSize64)), nil
	}}, nil
}

// oneRosterHint says which file of a OneRoster export has the people.
func oneRosterHint(files []*zip.File) string {
	for _, f := range files {
		if strings.EqualFold(path.Base(f.Name), "users.csv") {
			return fmt.Sprintf(" In a OneRoster export that is %.80q.", f.Name)
		}
	}
	return ""
}

// fileNames names the first few files.
func fileNames(files []*zip.File) string {
	const shown = 12
	var names []string
	for _, f := range files[:min(len(files), shown)] {
		names = append(names, fmt.Sprintf("%.80q", f.Name))
	}
	if more := len(files) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

func damagedArchive(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return rows.NewError(0, "The file unpacks to far more data than a table of people can have, so it was given up. "+unpackIt, err)
	}
	return rows.NewError(0, "The packed file is damaged, or was not copied whole. Copy it again, or unpack it and use the file in it.", err)
}

// unpackedReader reads what is unpacked, no more of it than is allowed.
type unpackedReader struct{ *CappedReader }

// unpacked caps a reader of what is packed in size bytes.
func unpacked(r io.ReadCloser, size int64) io.ReadCloser {
	return unpackedReader{&CappedReader{ReadCloser: r, Left: min(MaxSheetBytes, slackUnpacked+mostUnpacked*size)}}
}

func (u unpackedReader) Read(b []byte) (int, error) {
	n, err := u.CappedReader.Read(b)
	if err != nil && err != io.EOF {
		err = damagedArchive(err)
	}
	return n, err
}

// begins returns the first bytes of a packed file.
func (c Content) Head() (head []byte, err error) {
	r, err := c.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	head = make([]byte, HeadSize)
	n, err := io.ReadFull(r, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return head[:n], err
}

// toDisk unpacks a file to a temporary one, which may have so many bytes.
func (c Content) ToDisk(most int64) (file *rows.TempFile, size int64, err error) {
	r, err := c.Open()
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err = errors.Join(err, r.Close()); err != nil && file != nil {
			file, err = nil, errors.Join(err, file.Close())
		}
	}()
	if file, err = rows.NewTempFile(); err != nil {
		return nil, 0, err
	}
	if size, err = io.Copy(file, io.LimitReader(r, most+1)); err != nil {
		err = fmt.Errorf("unpack to a temporary file: %w", err)
	} else if size > most {
		err = damagedArchive(ErrTooLarge)
	}
	return file, size, err
}

func PackedTwice() error {
	return rows.NewError(0, "The packed file is packed once more. "+unpackIt, nil)
}

// sniffed is how much of a file's beginning is looked at to tell what it is.
const HeadSize = 4096
