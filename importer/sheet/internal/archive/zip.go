package archive

import (
	"archive/zip"
	"errors"
	"io"
	"path"
	"strings"
)

// openZip reads the directory of a zip archive.
func OpenZip(file io.ReaderAt, size int64) (*zip.Reader, error) {
	// Some 40,000 entries, each of which takes a few hundred bytes of memory. Workbooks
	// have a few dozen.
	const mostDirectory = 4 << 20
	directory := &directoryReader{ReaderAt: file, left: mostDirectory}
	archive, err := zip.NewReader(directory, size)
	directory.opened = true
	return archive, err
}

// partName reduces a name to what tells parts apart: case and a slash at the
// beginning don't count, and some programs write backslashes.
func PartName(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/"))
}

// cappedPart ends in an error where a part is larger than it may be.
type CappedReader struct {
	io.ReadCloser
	Left int64
}

var ErrTooLarge = errors.New("it unpacks to more data than a table of people can have")

func (c *CappedReader) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	if c.Left -= int64(n); c.Left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

// maxSheetBytes is the most bytes that a sheet may have once it is unpacked: a million
// rows of 60 columns.
const MaxSheetBytes = 4 << 30
