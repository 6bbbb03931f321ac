package excel

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"
)

// sharedStrings is the texts that the cells of a workbook refer to by number. They are
// kept in chunks, since a million small strings would cost far more. Where the chunks take
// too much memory they go to a temporary file, and a few of them stay in memory: cells
// mostly refer to texts in the order in which these were written.
type sharedStrings struct {
	starts []uint32 // of each text: its chunk, and its place in it
	chunks []string // "" for those in the file
	file   *rows.TempFile
	sizes  []int // of the chunks in the file
	cached [cachedChunks]cachedChunk

	unfinished []byte // the chunk that is being filled
}

// cachedChunk is a chunk of the file that is in memory.
type cachedChunk struct {
	number int // counted from 1; 0 for none
	text   string
}

const (
	chunkBits    = 18 // the longest text that Excel can have, 32,767 characters, takes half a chunk
	chunkBytes   = 1 << chunkBits
	cachedChunks = 48

	// maxStringsMemory is how much memory the texts may take, in bytes, before they
	// go to a file.
	maxStringsMemory = 100 << 20
	maxStrings       = 32 << 20
)

var (
	errStringIndex = errors.New("a cell refers to a text that the workbook does not have")
	errStringLong  = errors.New("a text is longer than a cell can hold")
)

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
	cached := &s.cached[chunk%cachedChunks]
	if cached.number == chunk+1 {
		return cached.text, nil
	}
	bytes := make([]byte, s.sizes[chunk])
	if _, err := s.file.ReadAt(bytes, int64(chunk)*chunkBytes); err != nil {
		return "", fmt.Errorf("the temporary file of its texts cannot be read: %w", err)
	}
	*cached = cachedChunk{chunk + 1, string(bytes)}
	return cached.text, nil
}

// close removes the temporary file.
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
	s, err := scanSharedStrings(newXMLScanner(part), maxStringsMemory)
	if closeErr := part.Close(); err == nil && closeErr != nil {
		err = errors.Join(closeErr, s.close())
	}
	if err != nil {
		return nil, rows.ErrorAt(0, err, "The texts of the workbook (its shared strings) cannot be read: %v. "+rows.SaveAgain, err)
	}
	return s, nil
}

// scanSharedStrings collects every text of the part, in so many bytes of memory. After an
// error nothing stays open.
func scanSharedStrings(x *xmlScanner, memory int) (*sharedStrings, error) {
	s := &sharedStrings{}
	err := x.root("sst")
	var item []byte
	for err == nil {
		var isPlain bool
		if item, isPlain = x.appendPlainItem(item[:0]); isPlain {
			err = s.add(item, memory)
			continue
		}
		var kind xmlKind
		kind, err = x.next()
		switch {
		case err != nil:
		case kind == xmlEOF:
			if err = s.finishChunk(memory); err == nil {
				return s, nil
			}
		case kind == xmlStart && string(x.name) == "si":
			if item, err = x.appendStringItem(item[:0]); err == nil {
				err = s.add(item, memory)
			}
		case kind == xmlStart:
			err = x.skip()
		}
	}
	return nil, errors.Join(err, s.close())
}

func (s *sharedStrings) add(item []byte, memory int) error {
	switch {
	case !utf8.Valid(item):
		return errNotUTF8
	case len(item) >= chunkBytes:
		return errStringLong
	case len(s.starts) == maxStrings:
		return archive.ErrTooLarge
	}
	if len(s.unfinished)+len(item) >= chunkBytes {
		if err := s.finishChunk(memory); err != nil {
			return err
		}
	}
	s.starts = append(s.starts, uint32(len(s.chunks))<<chunkBits|uint32(len(s.unfinished)))
	s.unfinished = append(s.unfinished, item...)
	return nil
}

// finishChunk stores the chunk that is being filled, and begins another. Beyond so many
// bytes of memory all chunks move to a temporary file.
func (s *sharedStrings) finishChunk(memory int) (err error) {
	if len(s.chunks) == 1<<(32-chunkBits)-1 {
		return archive.ErrTooLarge
	}
	s.chunks = append(s.chunks, string(s.unfinished))
	s.unfinished = s.unfinished[:0]
	if s.file == nil && len(s.chunks)*chunkBytes+4*len(s.starts) > memory {
		if s.file, err = rows.NewTempFile(); err != nil {
			return err
		}
	}
	for s.file != nil && len(s.sizes) < len(s.chunks) {
		i := len(s.sizes)
		if _, err := s.file.WriteAt([]byte(s.chunks[i]), int64(i)*chunkBytes); err != nil {
			return fmt.Errorf("keep the texts of the workbook: %w", err)
		}
		s.sizes = append(s.sizes, len(s.chunks[i]))
		s.chunks[i] = ""
	}
	return nil
}
