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

// Content is what a file contains, unpacked where it is packed.
type Content struct {
	Open func() (io.ReadCloser, error) // from its beginning
	Note string                        // what was unpacked; "" when nothing was
}

// Most bytes that a packed file may unpack to, so that a small file cannot keep the
// program busy for hours: the smaller of MaxSheetBytes and this many for each byte, and
// some more for a small file. Tables of people shrink to between a fifth and a thirtieth.
const (
	mostUnpacked  = 100
	slackUnpacked = 32 << 20
	MaxOnDisk     = 1 << 30 // of what cannot be read as it is unpacked
)

const unpackIt = "Unpack it, and use the file with the people."

// Plain returns the content of a file that is not packed.
func Plain(file io.ReaderAt, size int64) Content {
	return Content{Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(file, 0, size)), nil
	}}
}

// Gzip returns the content of a gzip file.
func Gzip(file io.ReaderAt, size int64) (Content, error) {
	return packed(size, "The file was unpacked (gzip).", func() (io.ReadCloser, error) {
		return gzip.NewReader(io.NewSectionReader(file, 0, size))
	}), nil
}

// Zip returns the content of the only file in a zip archive. What macOS and Windows add
// to it does not count.
func Zip(file io.ReaderAt, size int64) (Content, error) {
	archive, err := OpenZip(file, size)
	if err != nil {
		return Content{}, unpackError(err)
	}
	var files []*zip.File
	hint := ""
	for _, f := range archive.File {
		base := path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
		if f.FileInfo().IsDir() || strings.HasPrefix(f.Name, "__MACOSX/") || strings.HasPrefix(base, ".") || base == "Thumbs.db" || base == "desktop.ini" {
			continue
		}
		files = append(files, f)
		if strings.EqualFold(base, "users.csv") && hint == "" {
			hint = fmt.Sprintf(" In a OneRoster export that is %.80q.", f.Name)
		}
	}
	switch {
	case len(files) == 0:
		return Content{}, rows.Errorf("This is an empty zip archive.")
	case len(files) > 1:
		names := rows.List(files, 12, func(f *zip.File) string { return fmt.Sprintf("%.80q", f.Name) })
		return Content{}, rows.Errorf("This is a zip archive with %d files: %s. %s%s", len(files), names, unpackIt, hint)
	case files[0].Flags&1 != 0:
		return Content{}, rows.Errorf("This is a zip archive with a password. " + unpackIt)
	}
	f := files[0]
	return packed(int64(f.CompressedSize64), fmt.Sprintf("The file %.80q was read out of the zip archive.", f.Name), f.Open), nil
}

// packed returns the content that a file of the size unpacks to.
func packed(size int64, note string, open func() (io.ReadCloser, error)) Content {
	return Content{Note: note, Open: func() (io.ReadCloser, error) {
		r, err := open()
		if err != nil {
			return nil, unpackError(err)
		}
		return unpackedReader{Limit(r, min(MaxSheetBytes, slackUnpacked+mostUnpacked*size))}, nil
	}}
}

type unpackedReader struct{ io.ReadCloser }

func (u unpackedReader) Read(b []byte) (int, error) {
	n, err := u.ReadCloser.Read(b)
	if err != nil && err != io.EOF {
		err = unpackError(err)
	}
	return n, err
}

func unpackError(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return rows.ErrorAt(0, err, "The file unpacks to far more data than a table of people can have, so reading was stopped. "+unpackIt)
	}
	return rows.ErrorAt(0, err, "The packed file is damaged, or was not copied completely. Copy it again, or unpack it and use the file in it.")
}

// PackedTwice returns the error of a packed file in a packed file.
func PackedTwice() error {
	return rows.Errorf("The packed file contains another packed file. " + unpackIt)
}

// Head returns the first bytes, which tell what the content is.
func (c Content) Head() (head []byte, err error) {
	const size = 4096
	r, err := c.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return io.ReadAll(io.LimitReader(r, size))
}

// ToDisk unpacks the content to a temporary file of at most so many bytes.
func (c Content) ToDisk(most int64) (file *rows.TempFile, size int64, err error) {
	r, err := c.Open()
	if err != nil {
		return nil, 0, err
	}
	file, size, err = rows.WriteTempFile(io.LimitReader(r, most+1))
	if err = errors.Join(err, r.Close()); err == nil && size > most {
		err = unpackError(ErrTooLarge)
	}
	if err != nil && file != nil {
		file, err = nil, errors.Join(err, file.Close())
	}
	return file, size, err
}
