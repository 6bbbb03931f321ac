package excel

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"
)

// sharedStrings holds the texts that the cells of a workbook refer to by number.
// They lie in chunks, since a million small strings would cost far more. Where the
// chunks take too much memory they lie in a temporary file, of which some are kept:
// cells mostly refer to texts in the order in which these were written.
type sharedStrings struct {
	starts []uint32 // of each text: its chunk, and its place in it
	chunks []string // "" for those in the file
	file   *rows.TempFile
	sizes  []int // of the chunks in the file
	kept   [keptChunks]keptChunk
}

// keptChunk is a chunk of the file that was read.
type keptChunk struct {
	number int // counted from 1; 0 for none
	text   string
}

const (
	chunkBits  = 18 // the longest text that Excel can have, 32,767 characters, takes half a chunk
	chunkBytes = 1 << chunkBits
	keptChunks = 48

	// maxStringsMemory is how much memory the texts may take, in bytes, before they
	// go to a file.
	maxStringsMemory = 100 << 20
	maxStrings       = 32 << 20
)

var errStringLong = errors.New("a text is longer than a cell can hold")

// get returns the text at index.
func (s *sharedStrings) get(index int) (string, error) {
	if index < 0 || index >= len(s.starts) {
		return "", errStringIndex
	}
	start := s.starts[index]
	chunk := int(start >> chunkBits)
	text := s.chunks[chunk]
	if text == "" && s.file != nil {
		var err error
		if text, err = s.load(chunk); err != nil {
			return "", err
		}
	}
	end := len(text)
	if index+1 < len(s.starts) && int(s.starts[index+1]>>chunkBits) == chunk {
		end = int(s.starts[index+1] % chunkBytes)
	}
	return text[start%chunkBytes : end], nil
}

// load returns a chunk of the file.
func (s *sharedStrings) load(chunk int) (string, error) {
	kept := &s.kept[chunk%keptChunks]
	if kept.number == chunk+1 {
		return kept.text, nil
	}
	bytes := make([]byte, s.sizes[chunk])
	if _, err := s.file.ReadAt(bytes, int64(chunk)*chunkBytes); err != nil {
		return "", fmt.Errorf("the temporary file of its texts cannot be read: %w", err)
	}
	*kept = keptChunk{chunk + 1, string(bytes)}
	return kept.text, nil
}

func (s *sharedStrings) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// readSharedStrings reads the part as a stream; there may be none.
func readSharedStrings(pkg *officePackage, name string) (*sharedStrings, error) {
	part, err := pkg.open(name, maxStringsBytes)
	if part == nil || err != nil {
		return &sharedStrings{}, err
	}
	b := stringsBuilder{most: maxStringsMemory}
	s, err := b.read(newXMLScanner(part))
	if closeErr := part.Close(); err == nil && closeErr != nil {
		err = errors.Join(closeErr, s.close())
	}
	if err != nil {
		return nil, rows.NewError(0, fmt.Sprintf("The texts of the workbook (its shared strings) cannot be read: %v. Open the workbook in Excel, save it again as .xlsx, and use that copy.", err), err)
	}
	return s, nil
}

// stringsBuilder gathers shared strings.
type stringsBuilder struct {
	most    int // bytes of memory
	strings sharedStrings
	chunk   []byte // that is being filled
}

// read gathers every text of the part. After an error nothing stays open.
func (b *stringsBuilder) read(x *xmlScanner) (*sharedStrings, error) {
	err := b.scan(x)
	if err == nil {
		err = b.finishChunk()
	}
	if err != nil {
		return nil, errors.Join(err, b.strings.close())
	}
	return &b.strings, nil
}

func (b *stringsBuilder) scan(x *xmlScanner) error {
	if err := x.root("sst"); err != nil {
		return err
	}
	var item []byte
	for {
		kind, err := x.next()
		switch {
		case err != nil:
		case kind == xmlEOF:
			return nil
		case kind == xmlStart && string(x.name) == "si":
			if item, err = x.appendStringItem(item[:0]); err == nil {
				err = b.add(item)
			}
		case kind == xmlStart:
			err = x.skip()
		}
		if err != nil {
			return err
		}
	}
}

func (b *stringsBuilder) add(item []byte) error {
	switch {
	case !utf8.Valid(item):
		return errNotUTF8
	case len(item) >= chunkBytes:
		return errStringLong
	case len(b.strings.starts) == maxStrings:
		return archive.ErrTooLarge
	}
	if len(b.chunk)+len(item) >= chunkBytes {
		if err := b.finishChunk(); err != nil {
			return err
		}
	}
	b.strings.starts = append(b.strings.starts, uint32(len(b.strings.chunks))<<chunkBits|uint32(len(b.chunk)))
	b.chunk = append(b.chunk, item...)
	return nil
}

// finishChunk stores the chunk that is being filled, and begins another.
func (b *stringsBuilder) finishChunk() error {
	s := &b.strings
	if s.file == nil && (len(s.chunks)+1)*chunkBytes+4*len(s.starts) > b.most {
		if err := b.spill(); err != nil {
			return err
		}
	}
	if len(s.chunks) == 1<<(32-chunkBits)-1 {
		return archive.ErrTooLarge
	}
	var err error
	if s.file == nil {
		s.chunks = append(s.chunks, string(b.chunk))
	} else {
		s.chunks = append(s.chunks, "")
		err = b.store(len(s.chunks)-1, string(b.chunk))
	}
	b.chunk = b.chunk[:0]
	return err
}

// spill moves all chunks to a temporary file.
func (b *stringsBuilder) spill() error {
	var err error
	if b.strings.file, err = rows.NewTempFile(); err != nil {
		return err
	}
	for i, text := range b.strings.chunks {
		if err := b.store(i, text); err != nil {
			return err
		}
		b.strings.chunks[i] = ""
	}
	return nil
}

func (b *stringsBuilder) store(chunk int, text string) error {
	b.strings.sizes = append(b.strings.sizes, len(text))
	if _, err := b.strings.file.Seek(int64(chunk)*chunkBytes, io.SeekStart); err != nil {
		return fmt.Errorf("keep the texts of the workbook: %w", err)
	}
	if _, err := io.WriteString(b.strings.file, text); err != nil {
		return fmt.Errorf("keep the texts of the workbook: %w", err)
	}
	return nil
}
