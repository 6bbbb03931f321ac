// Package archive opens the files that contain other files: gzip, zip, and the compound
// files of old Microsoft Office. It limits what they may list and what they may unpack to,
// as any of them may be malicious.
//
// In goes people.csv.gz, and out comes a [Content] that can be opened again and again,
// with a note for the user:
//
//	Content{Open: func() (io.ReadCloser, error), Note: "The file was unpacked (gzip)."}
package archive

import (
	"archive/zip"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/richardlehane/mscfb"
)

// MaxSheetBytes is the most bytes that a sheet may have once it is unpacked: a million
// rows of 60 columns.
const MaxSheetBytes = 4 << 30

// What is wrong with a file that exceeds a limit, as the end of a sentence.
var (
	ErrTooLarge       = errors.New("it unpacks to more data than a table of people can have")
	ErrDirectoryLarge = errors.New("it has more parts than a workbook can have")
)

// OpenZip reads the directory of a zip archive.
func OpenZip(file io.ReaderAt, size int64) (*zip.Reader, error) {
	// Some 40,000 entries, each of which takes a few hundred bytes of memory. Workbooks
	// have a few dozen.
	directory := &directoryReader{ReaderAt: file, left: 4 << 20}
	archive, err := zip.NewReader(directory, size)
	directory.opened = true
	return archive, err
}

// OpenCompound opens an OLE2 compound file, which is what old Office files are, and new
// ones that have a password.
func OpenCompound(file io.ReaderAt) (*mscfb.Reader, error) {
	// mscfb keeps the path of each entry: with entries in entries it takes memory that
	// grows with the square of their number. Excel writes a few dozen.
	directory := &directoryReader{ReaderAt: file, left: 256 << 10}
	compound, err := mscfb.New(directory)
	directory.opened = true
	return compound, err
}

// directoryReader limits how many bytes a library reads until the file is opened: its
// directory, as opposed to its parts.
type directoryReader struct {
	io.ReaderAt
	left   int
	opened bool
}

func (d *directoryReader) ReadAt(b []byte, offset int64) (int, error) {
	if !d.opened {
		if d.left -= len(b); d.left < 0 {
			return 0, ErrDirectoryLarge
		}
	}
	return d.ReaderAt.ReadAt(b, offset)
}

// PartName reduces a name to what identifies a part: neither case nor a slash at the
// beginning counts, and some programs write backslashes.
func PartName(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/"))
}

// Limit returns a reader that fails with [ErrTooLarge] after the number of bytes.
func Limit(r io.ReadCloser, size int64) io.ReadCloser { return &limitedReader{r, size} }

type limitedReader struct {
	io.ReadCloser
	left int64
}

func (l *limitedReader) Read(b []byte) (int, error) {
	n, err := l.ReadCloser.Read(b)
	if l.left -= int64(n); l.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}
