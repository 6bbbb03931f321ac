package excel

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"
)

// sharedStrings is the texts that the cells of a workbook refer to by number. They are
// kept in chunks, since a million small strings would cost far more. Where the chunks take
// too much memory they go to a temporary file, of which some blocks stay in memory. These
// are small, since a sheet that was sorted refers to the texts in any order.
type sharedStrings struct {
	starts []uint32 // of each text: its chunk, and its place in it
	chunks []string // "" for those in the file
	file   *rows.TempFile
	sizes  []int         // of the chunks in the file, each of which begins a chunkBytes after the last
	blocks []cachedBlock // of the file, by their number modulo cachedBlocks
	memory []byte        // of what is read of the file

	unfinished []byte // the chunk that is being filled
}

// cachedBlock is a block of the file that is in memory.
type cachedBlock struct {
	number int // counted from 1; 0 for none
	text   string
}

const (
	chunkBits  = 18 // the longest text that Excel can have, 32,767 characters, takes half a chunk
	chunkBytes = 1 << chunkBits

	blockBytes   = 4 << 10 // a chunk has a whole number of blocks
	cachedBlocks = 2048

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
	from, text := int(start%chunkBytes), s.chunks[chunk]
	end := len(text)
	if s.file != nil {
		end = s.sizes[chunk]
	}
	if index+1 < len(s.starts) && int(s.starts[index+1]>>chunkBits) == chunk {
		end = int(s.starts[index+1] % chunkBytes)
	}
	if s.file != nil {
		return s.load(chunk, from, end)
	}
	return text[from:end], nil
}

// load returns the bytes from from to end of a chunk in the file.
func (s *sharedStrings) load(chunk, from, end int) (string, error) {
	begin := from - from%blockBytes
	if end > begin+blockBytes { // in several blocks
		return s.read(chunk, from, end)
	}
	if s.blocks == nil {
		s.blocks = make([]cachedBlock, cachedBlocks)
	}
	number := chunk*(chunkBytes/blockBytes) + begin/blockBytes
	cached := &s.blocks[number%cachedBlocks]
	if cached.number != number+1 {
		text, err := s.read(chunk, begin, min(begin+blockBytes, s.sizes[chunk]))
		if err != nil {
			return "", err
		}
		*cached = cachedBlock{number + 1, text}
	}
	return cached.text[from-begin : end-begin], nil
}

// read reads the bytes from from to end of a chunk in the file.
func (s *sharedStrings) read(chunk, from, end int) (string, error) {
	s.memory = slices.Grow(s.memory[:0], end-from)[:end-from]
	if _, err := s.file.ReadAt(s.memory, int64(chunk)*chunkBytes+int64(from)); err != nil {
		return "", fmt.Errorf("the temporary file of its texts cannot be read: %w", err)
	}
	return string(s.memory), nil
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
