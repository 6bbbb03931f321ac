package inbox

import (
	"archive/zip"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
)

// isCutOff reports whether a file can be seen to lack its end: a zip archive, as each
// workbook is, without its directory, a gzip stream that stops, or space that was reserved
// and not written yet. Other formats show nothing, and a file that is damaged in another
// way is for its reader to refuse.
func isCutOff(path string, seen fs.FileInfo) bool {
	file, err := openFile(path)
	if err != nil {
		return false // said by isReadable
	}
	defer file.Close() // was only read
	info, err := file.Stat()
	if err != nil || !same(info, seen) {
		return true // the next look sees another file
	}
	var start [4]byte
	n, err := file.ReadAt(start[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return true
	}
	switch head := string(start[:n]); {
	case head == "PK\x03\x04", head == "PK\x05\x06":
		_, err := zip.NewReader(file, info.Size())
		return err != nil
	case len(head) >= 2 && head[:2] == "\x1f\x8b":
		return isGzipCutOff(file)
	default:
		return head == "\x00\x00\x00\x00"
	}
}

func isGzipCutOff(file *os.File) bool {
	const most = 8 << 30 // what is larger is for the reader to limit
	stream, err := gzip.NewReader(file)
	if err == nil {
		_, err = io.CopyN(io.Discard, stream, most)
		return errors.Is(err, io.ErrUnexpectedEOF) // io.EOF is the proper end
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}
