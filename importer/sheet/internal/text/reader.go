package text

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding"

	"opscom-import/importer/sheet/internal/rows"
)

// utf8Reader gives a text in UTF-8, however it is written. Each read needs room for a
// letter.
//
// A text of which nothing is known is passed on as long as it is UTF-8, which most are to
// the end. At the first byte that is not, the whole text is looked through from its
// beginning to find its encoding. Up to there it was ASCII, which all these encodings
// share, so that the rest can be decoded and what was passed on stays true. Where it was
// not, and the byte is not mere damage, the text mixes two encodings, and reading ends.
type utf8Reader struct {
	open    func() (io.ReadCloser, error) // the text from its beginning
	raw     io.ReadCloser
	r       io.Reader // what comes next: raw, or what decodes it
	decoded bool      // r makes UTF-8 of another encoding; U+FFFD replaces bytes without a letter
	unsure  bool      // r must still be looked at
	rest    []byte    // bytes to look at with the next ones
	other   bool      // rest begins with a byte that is not UTF-8
	letters bool      // letters beyond ASCII were passed on
	clean   bool      // all that was passed on is UTF-8 without a zero byte or a C1 control character
	name    string    // of the encoding; "" as long as all is UTF-8
	assumed bool      // the encoding is that which the letters fit
	note    string    // what was assumed; "" when there was nothing to assume
}

// newUTF8Reader opens a text in the encoding that was asked for, or that it shows itself.
func newUTF8Reader(open func() (io.ReadCloser, error), asked string) (*utf8Reader, error) {
	raw, err := open()
	if err != nil {
		return nil, err
	}
	const headSize = 4096 // in which marks of the encoding are looked for
	buffered := bufio.NewReaderSize(raw, headSize)
	t := &utf8Reader{open: open, raw: raw, r: buffered}
	var e textEncoding
	if asked != "" {
		e, err = namedEncoding(asked)
	} else {
		var head []byte
		if head, err = buffered.Peek(headSize); err == nil || err == io.EOF {
			e, err = markedEncoding(head)
		}
	}
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	if t.decode(e); e.name == "" {
		t.unsure, t.clean = true, true
	}
	return t, nil
}

// decode reads what comes next in the encoding.
func (t *utf8Reader) decode(e textEncoding) {
	t.unsure, t.clean, t.note, t.name = false, false, e.note, e.name
	if e.decoder != nil {
		t.r, t.decoded = e.decoder.NewDecoder().Reader(t.r), true
	}
}

// Read gives UTF-8. While the encoding is unsure it never cuts a letter in two.
func (t *utf8Reader) Read(b []byte) (int, error) {
	if t.other {
		t.other = false
		if err := t.findEncoding(); err != nil {
			return 0, err
		}
	}
	if !t.unsure {
		return t.r.Read(b)
	}
	n := copy(b, t.rest)
	more, err := t.r.Read(b[n:])
	n += more
	valid := n
	if err == nil {
		valid -= cutRune(b[:n])
	}
	if !utf8.Valid(b[:valid]) {
		_, valid, _ = encoding.UTF8Validator.Transform(make([]byte, n), b[:n], true)
		t.other, err = true, nil
	}
	t.rest = append(t.rest[:0], b[valid:n]...)
	t.letters = t.letters || beyondASCII(b[:valid]) < valid
	t.clean = t.clean && !t.other && bytes.IndexByte(b[:valid], 0) < 0 && !(t.letters && hasC1Control(b[:valid]))
	if valid == 0 && err == nil {
		return t.Read(b)
	}
	return valid, err
}

// findEncoding finds the encoding of a text of which a part is not UTF-8.
func (t *utf8Reader) findEncoding() error {
	t.r = io.MultiReader(bytes.NewReader(t.rest), t.r)
	s, err := countBytes(t.open)
	if err != nil {
		return err
	}
	e, err := s.encoding()
	if err != nil {
		return err
	}
	if t.letters && e.decoder != nil {
		return s.question(e.name)
	}
	t.decode(e)
	t.assumed = e.decoder != nil
	return nil
}

// FindEncoding reads a text to its end for its encoding. Where that is not shown by the text
// itself, candidates are the names of those that it may be. The error is a question when it
// is not certain which.
func FindEncoding(open func() (io.ReadCloser, error)) (name string, candidates []string, err error) {
	t, err := newUTF8Reader(open, "")
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	_, err = io.Copy(io.Discard, t)
	var question *rows.FileError
	if errors.As(err, &question) {
		return "", question.Choices, err
	}
	if err != nil || t.name == "" {
		return "utf-8", nil, err
	}
	if t.assumed {
		s, err := countBytes(open)
		if err != nil {
			return "", nil, err
		}
		if candidates = s.question("").Choices; !slices.Contains(candidates, t.name) {
			candidates = append([]string{t.name}, candidates...)
		}
	}
	return t.name, candidates, nil
}

func (t *utf8Reader) Close() error {
	if err := t.raw.Close(); err != nil {
		return fmt.Errorf("close the text: %w", err)
	}
	return nil
}
