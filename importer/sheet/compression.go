package sheet

import (
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
)

// content is what a file holds, unpacked where it is packed. It can be opened
// again to be looked through.
type content struct {
	open func() (io.ReadCloser, error)
	size int64  // of the file, packed as it may be
	note string // what was unpacked; "" when nothing was
}

// Most bytes that a packed file may unpack to, so that a small file cannot keep
// the program busy for hours: the smaller of maxSheetBytes and this many for each
// byte, and some more for a small file. Tables of people pack 5 to 30 to 1.
const (
	mostUnpacked  = 100
	slackUnpacked = 32 << 20
)

const unpackIt = "Unpack it, and use the file with the people."

// newContent returns what a file of the format holds.
func newContent(file io.ReaderAt, size int64, format Format) (c content, err error) {
	switch format {
	case gzipped:
		c = gzipContent(file, size)
	case zipped:
		c, err = zipContent(file, size)
	default:
		return plainContent(file, size), nil
	}
	if err != nil {
		return c, err
	}
	head, err := c.begins()
	if err == nil {
		err = refuseNested(head)
	}
	return c, err
}

func plainContent(file io.ReaderAt, size int64) content {
	return content{size: size, open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(file, 0, size)), nil
	}}
}

func gzipContent(file io.ReaderAt, size int64) content {
	return content{size: size, note: "The file was unpacked (gzip).", open: func() (io.ReadCloser, error) {
		r, err := gzip.NewReader(io.NewSectionReader(file, 0, size))
		if err != nil {
			return nil, damagedArchive(err)
		}
		return unpacked(r, size), nil
	}}
}

// zipContent returns the one file that a zip archive holds. What macOS and
// Windows put beside it does not count.
func zipContent(file io.ReaderAt, size int64) (content, error) {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return content{}, damagedArchive(err)
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
		return content{}, fault(0, "This is a zip archive with nothing in it.", nil)
	case len(files) > 1:
		return content{}, fault(0, fmt.Sprintf("This is a zip archive with %d files in it: %s. %s", len(files), fileNames(files), unpackIt), nil)
	case files[0].Flags&1 != 0:
		return content{}, fault(0, "This is a zip archive with a password. "+unpackIt, nil)
	}
	f := files[0]
	c := content{size: int64(f.CompressedSize64), note: fmt.Sprintf("The file %q was read out of the zip archive.", f.Name)}
	c.open = func() (io.ReadCloser, error) {
		r, err := f.Open()
		if err != nil {
			return nil, damagedArchive(err)
		}
		return unpacked(r, c.size), nil
	}
	return c, nil
}

// fileNames names the first few files.
func fileNames(files []*zip.File) string {
	const shown = 8
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
	if errors.Is(err, errPartTooLarge) {
		return fault(0, "The file unpacks to far more data than a table of people can have, so it was given up. "+unpackIt, err)
	}
	return fault(0, "The packed file is damaged, or was not copied whole. Copy it again, or unpack it and use the file in it.", err)
}

// unpackedReader reads what is unpacked, no more of it than is allowed.
type unpackedReader struct{ *cappedPart }

// unpacked caps a reader of what is packed in size bytes.
func unpacked(r io.ReadCloser, size int64) io.ReadCloser {
	return unpackedReader{&cappedPart{ReadCloser: r, left: min(maxSheetBytes, slackUnpacked+mostUnpacked*size)}}
}

func (u unpackedReader) Read(b []byte) (int, error) {
	n, err := u.cappedPart.Read(b)
	if err != nil && err != io.EOF {
		err = damagedArchive(err)
	}
	return n, err
}

// begins returns the first bytes of a packed file.
func (c content) begins() (head []byte, err error) {
	r, err := c.open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	head = make([]byte, sniffed)
	n, err := io.ReadFull(r, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return head[:n], err
}

// refuseNested refuses a packed file that is no text, and one that is packed twice.
func refuseNested(head []byte) error {
	if len(head) == 0 {
		return fault(0, "The packed file is empty (0 bytes). Export it again.", nil)
	}
	if isZip(head) || isCompound(head) || isCompressed(head) {
		return fault(0, "The packed file is a workbook, or packed once more. "+unpackIt, nil)
	}
	format, err := binaryFormat(nil, 0, head)
	if err == nil && format == CSV {
		format, err = markupFormat(head)
	}
	if err == nil && format != CSV {
		err = fault(0, "The packed file is no text, or packed once more. "+unpackIt, nil)
	}
	return err
}

// deadlineReader gives up where looking through a file takes too long. The time
// grows with the file, so that only a file that is hard to look through is given
// up, or a drive that hardly gives it.
type deadlineReader struct {
	r     io.Reader
	until time.Time
}

const (
	leastTime      = 4 * time.Second
	slowestReading = 30 << 20 // bytes a second
)

func newDeadlineReader(r io.Reader, size int64) *deadlineReader {
	return &deadlineReader{r: r, until: time.Now().Add(leastTime + time.Duration(size/slowestReading)*time.Second)}
}

func (d *deadlineReader) Read(b []byte) (int, error) {
	if time.Now().After(d.until) {
		return 0, fault(0, "Looking through the file takes too long, so it was given up. Copy it to this computer, unpack it if it is packed, and use the copy.", nil)
	}
	return d.r.Read(b)
}
