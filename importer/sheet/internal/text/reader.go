package text

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// textReader gives a text in UTF-8, however it is written.
//
// A text that nothing is known of is passed on as long as it is UTF-8, which most
// are to the end. At the first byte that is not, the whole text is looked through
// from its beginning to find out how it is written. Up to there it was ASCII,
// which all these encodings share, so that the rest can be decoded and what was
// passed on stays true. Where it was not, and the byte is no mere damage, the text
// is written in two ways, and reading ends.
type textReader struct {
	open    func() (io.ReadCloser, error) // the text from its beginning
	raw     io.ReadCloser
	r       io.Reader // what comes next: raw, or what decodes it
	decoded bool      // r makes UTF-8 of another encoding; U+FFFD stands for bytes without a letter
	unsure  bool      // r must still be looked at
	ready   []byte    // passed on next: what a short buffer had no room for
	rest    []byte    // bytes to look at with the next ones
	other   bool      // rest begins with a byte that is not UTF-8
	letters bool      // letters beyond ASCII were passed on
	clean   bool      // all that was passed on is UTF-8 without a zero byte or a letter in disguise
	note    string    // what was assumed; "" when there was nothing to assume
}

// headSize is how much of a text's beginning is looked at for marks of its encoding.
const headSize = 4096

// newTextReader opens a text, in the encoding that was asked for, or shows itself.
func newTextReader(open func() (io.ReadCloser, error), asked string) (*textReader, error) {
	raw, err := open()
	if err != nil {
		return nil, err
	}
	t := &textReader{open: open, raw: raw, r: raw}
	if err := t.start(asked); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return t, nil
}

func (t *textReader) start(asked string) error {
	if asked != "" {
		e, err := namedEncoding(asked)
		t.decode(e)
		return err
	}
	head := make([]byte, headSize)
	n, err := io.ReadFull(t.raw, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	t.r = io.MultiReader(bytes.NewReader(head[:n]), t.raw)
	e, err := markedEncoding(head[:n])
	if e.name == "" {
		t.unsure, t.clean = true, true
		return err
	}
	t.decode(e)
	return err
}

// decode reads what comes next in the encoding.
func (t *textReader) decode(e textEncoding) {
	t.unsure, t.clean, t.note = false, false, e.note
	if e.decoder != nil {
		t.r, t.decoded = e.decoder.NewDecoder().Reader(t.r), true
	}
}

// Read gives UTF-8.
func (t *textReader) Read(b []byte) (int, error) {
	var roomy [4 * utf8.UTFMax]byte
	switch {
	case len(t.ready) > 0:
		n := copy(b, t.ready)
		t.ready = t.ready[n:]
		return n, nil
	case len(b) < len(roomy) && t.unsure:
		n, err := t.read(roomy[:])
		if n == 0 {
			return 0, err
		}
		t.ready = append(t.ready[:0], roomy[:n]...)
		return t.Read(b)
	}
	return t.read(b)
}

// read gives UTF-8. While that is unsure it never cuts a letter in two.
func (t *textReader) read(b []byte) (int, error) {
	if t.other {
		t.other = false
		if err := t.findEncoding(); err != nil {
			return 0, err
		}
	}
	if !t.unsure {
		return t.r.Read(b)
	}
	kept := copy(b, t.rest)
	n, err := t.r.Read(b[kept:])
	n += kept
	cut := 0
	if err == nil {
		cut = CutRune(b[:n])
	}
	n -= cut
	t.rest = append(t.rest[:0], b[n:n+cut]...)
	if !utf8.Valid(b[:n]) {
		valid := validPrefix(b[:n])
		t.rest = append(bytes.Clone(b[valid:n]), t.rest...)
		t.other, n, err = true, valid, nil
	}
	t.letters = t.letters || beyondASCII(b[:n]) < n
	t.clean = t.clean && !t.other && bytes.IndexByte(b[:n], 0) < 0 && !(t.letters && holdsDisguised(b[:n]))
	if n == 0 && err == nil {
		return t.read(b)
	}
	return n, err
}

// findEncoding finds out how a text is written of which a part is not UTF-8.
func (t *textReader) findEncoding() error {
	t.r = io.MultiReader(bytes.NewReader(t.rest), t.r)
	c, err := takeCensus(t.open)
	if err != nil {
		return err
	}
	e, err := c.judge()
	if err != nil {
		return err
	}
	if t.letters && e.decoder != nil {
		return c.question(e.name)
	}
	t.decode(e)
	return nil
}

// takeCensus looks through the whole text.
func takeCensus(open func() (io.ReadCloser, error)) (found census, err error) {
	r, err := open()
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return found, found.take(r)
}

func (t *textReader) Close() error {
	if err := t.raw.Close(); err != nil {
		return fmt.Errorf("close the text: %w", err)
	}
	return nil
}

// validPrefix returns how many bytes at the beginning are UTF-8.
func validPrefix(b []byte) int {
	i := 0
	for i < len(b) {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	return i
}
