package archive

import (
	"errors"
	"io"

	"github.com/richardlehane/mscfb"
)

// openCompound opens an OLE2 compound file, the container of old Office files, and of
// new ones that have a password.
func OpenCompound(file io.ReaderAt) (*mscfb.Reader, error) {
	// mscfb keeps the path of each entry: of entries in entries it takes memory that
	// grows with the square of their number. Excel writes a few dozen.
	const mostDirectory = 256 << 10
	directory := &directoryReader{ReaderAt: file, left: mostDirectory}
	compound, err := mscfb.New(directory)
	directory.opened = true
	return compound, err
}

// directoryReader lets a library read what a file says of its parts, which may be so
// many bytes, and then the parts.
type directoryReader struct {
	io.ReaderAt
	left   int
	opened bool
}

var ErrDirectoryLarge = errors.New("it has more parts than a workbook can have")

// ReadAt fails where the directory is larger than it may be.
func (d *directoryReader) ReadAt(b []byte, offset int64) (int, error) {
	if !d.opened {
		if d.left -= len(b); d.left < 0 {
			return 0, ErrDirectoryLarge
		}
	}
	return d.ReaderAt.ReadAt(b, offset)
}
