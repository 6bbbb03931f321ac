package text

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wlynxg/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode/utf32"

	"opscom-import/importer/sheet/internal/rows"
)

const saveAsUTF8 = "Open it in Excel, choose Save As, \"CSV UTF-8 (Comma delimited)\", and use that file."

// byteOrderMarks are what a text may begin with to show its encoding.
var byteOrderMarks = []struct{ mark, encoding string }{
	{utf8BOM, "utf-8"},
	{"\xFF\xFE", "utf-16le"},
	{"\xFE\xFF", "utf-16be"},
}

// textEncoding is how bytes become letters.
type textEncoding struct {
	name    string            // in the WHATWG Encoding Standard, or of IANA
	decoder encoding.Encoding // nil for UTF-8
	note    string            // what was assumed; "" when there was nothing to assume
}

// EncodingName returns the standard name of an encoding that can be asked for.
func EncodingName(name string) (string, error) {
	e, err := namedEncoding(name)
	return e.name, err
}

// namedEncoding returns the encoding that was asked for.
func namedEncoding(name string) (textEncoding, error) {
	found, err := htmlindex.Get(name)
	if err == nil {
		name, err = htmlindex.Name(found)
	} else { // code pages of DOS
		found, err = ianaindex.IANA.Encoding(name)
		if err == nil && found != nil {
			name, err = ianaindex.IANA.Name(found)
		}
	}
	if err != nil || found == nil || name == "replacement" || name == "x-user-defined" {
		return textEncoding{}, rows.ErrorAt(0, err, "The encoding %q is not known. Give a name such as utf-8, windows-1252, macintosh, cp850 or utf-16le, or leave it out.", name)
	}
	if name == "utf-8" {
		return textEncoding{name: name}, nil
	}
	return textEncoding{name: name, decoder: found}, nil
}

// markedEncoding returns the encoding that the first bytes of a text show: by a
// byte order mark, or by the zero bytes of UTF-16. It has no name when nothing shows.
func markedEncoding(head []byte) (textEncoding, error) {
	if isUTF32(head) { // before its mark is taken for one of UTF-16
		return textEncoding{}, rows.Errorf("The file is Unicode text in a rare encoding (UTF-32), which cannot be read. " + saveAsUTF8)
	}
	for _, b := range byteOrderMarks {
		if bytes.HasPrefix(head, []byte(b.mark)) {
			return namedEncoding(b.encoding)
		}
	}
	return unmarkedUTF16(head)
}

// isUTF32 reports whether the text, after a byte order mark of four bytes, of two or none,
// is nothing but characters of four bytes each.
func isUTF32(head []byte) bool {
	for mark := 0; mark <= 4 && mark+4 <= len(head); mark += 2 {
		units := head[mark:]
		for _, order := range []utf32.Endianness{utf32.LittleEndian, utf32.BigEndian} {
			text, err := utf32.UTF32(order, utf32.IgnoreBOM).NewDecoder().Bytes(units[:len(units)&^3])
			const plane3 = 0x30000 // there are no letters from here on
			if err == nil && !bytes.ContainsFunc(text, func(r rune) bool { return r >= plane3 || r == utf8.RuneError || isNoText(r) }) {
				return true
			}
		}
	}
	return false
}

// unmarkedUTF16 returns the encoding of text that has zero bytes only where UTF-16 has
// them: as one half of many of its units, and never as the other. It has no name for any
// other text.
func unmarkedUTF16(head []byte) (e textEncoding, err error) {
	head = head[:len(head)&^1]
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i&1]++
		}
	}
	switch least := len(head) / 2 * 3 / 10; { // units: most names, all digits and delimiters have one
	case zeros[0] == 0 && zeros[1] > least:
		e, err = namedEncoding("utf-16le")
	case zeros[1] == 0 && zeros[0] > least:
		e, err = namedEncoding("utf-16be")
	}
	if err != nil || e.decoder == nil {
		return textEncoding{}, err
	}
	text, err := e.decoder.NewDecoder().Bytes(head)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) || bytes.ContainsFunc(text, isNoText) {
		return textEncoding{}, nil
	}
	e.note = "The text was read as UTF-16, which its zero bytes show. If letters look wrong, give its encoding with --encoding."
	return e, nil
}

// isNoText reports whether the character is one that no table has.
func isNoText(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }

// IsUTF8 reports whether the beginning of a file is UTF-8 without a zero byte.
func IsUTF8(head []byte) bool {
	return bytes.IndexByte(head, 0) < 0 && utf8.Valid(head[:len(head)-cutRune(head)])
}

// byteStatistics is what the bytes of a text show of its encoding. They are those of the
// whole text: what comes late counts as much as what comes early.
type byteStatistics struct {
	lines     int    // before the first byte that is not UTF-8
	multibyte int    // letters that are written in several bytes of UTF-8, the first thousands of them
	invalid   int    // bytes that are not UTF-8
	zeros     bool   // a line has zero bytes besides such, as no text has
	sample    []byte // lines with bytes that are not UTF-8
	letters   []byte // letters that are written in several bytes of UTF-8, each with its neighbors, a line each
}

const (
	sampleBytes = 64 << 10 // of lines with letters beyond ASCII
	sampleLine  = 2 << 10  // at most, of one line from its first such letter on
	letterBytes = 16 << 10
)

// countBytes reads the whole text. A letter whose bytes are cut where the buffer ends is
// counted with the next one.
func countBytes(open func() (io.ReadCloser, error)) (s *byteStatistics, err error) {
	r, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	s = &byteStatistics{}
	buf := make([]byte, 256<<10)
	for kept := 0; err == nil; {
		var n int
		n, err = io.ReadFull(r, buf[kept:])
		unread := buf[:kept+n]
		kept = 0
		if err == nil {
			kept = cutRune(unread)
		}
		s.count(unread[:len(unread)-kept])
		copy(buf, unread[len(unread)-kept:])
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return s, err
}

// cutRune returns how many bytes at the end begin a letter that goes on.
func cutRune(b []byte) int {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if utf8.FullRune(b[i:]) {
				return 0
			}
			return len(b) - i
		}
	}
	return 0
}

func (s *byteStatistics) count(b []byte) {
	if utf8.Valid(b) {
		s.countValid(b)
		return
	}
	for line := range bytes.Lines(b) {
		if utf8.Valid(line) {
			s.countValid(line)
		} else {
			s.countInvalid(line)
		}
	}
}

func (s *byteStatistics) countValid(b []byte) {
	for i := beyondASCII(b); i < len(b) && len(s.letters) < letterBytes; i += beyondASCII(b[i:]) {
		_, size := utf8.DecodeRune(b[i:])
		s.countLetter(b, i, size)
		i += size
	}
	if s.invalid == 0 {
		s.lines += bytes.Count(b, []byte{'\n'})
	}
}

func (s *byteStatistics) countInvalid(line []byte) {
	first := -1
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRune(line[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			s.invalid++
			if first < 0 {
				first = i
			}
		case size > 1:
			s.countLetter(line, i, size)
		}
		i += size
	}
	s.zeros = s.zeros || bytes.IndexByte(line, 0) >= 0
	if len(s.sample) < sampleBytes {
		s.sample = append(s.sample, line[max(0, first-sampleLine/2):min(len(line), first+sampleLine)]...)
		s.sample = append(s.sample, '\n')
	}
}

// countLetter counts a letter of several bytes, and keeps it with the bytes next
// to it.
func (s *byteStatistics) countLetter(b []byte, at, size int) {
	s.multibyte++
	if len(s.letters) < letterBytes {
		s.letters = append(s.letters, b[max(0, at-1):min(len(b), at+size+1)]...)
		s.letters = append(s.letters, '\n')
	}
}

// beyondASCII returns the index of the first byte beyond ASCII, len(b) when there is none.
func beyondASCII(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if binary.NativeEndian.Uint64(b[i:])&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(b) && b[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// encoding returns the encoding that the bytes fit, or asks the user.
func (s *byteStatistics) encoding() (textEncoding, error) {
	const damage = 10 // letters in UTF-8 for each byte that is not: the rest is damage
	if s.invalid == 0 {
		return textEncoding{name: "utf-8"}, nil
	}
	if s.zeros {
		return textEncoding{}, rows.Errorf("The file contains bytes that are not text (NUL and others, the first in line %d), so it is damaged or not CSV at all. "+rows.ExportXLSX, s.lines+1)
	}
	if s.multibyte >= damage*s.invalid || s.isDamage() {
		return textEncoding{name: "utf-8", note: "The text is UTF-8, except for a few bytes that are not letters. Rows with such bytes are not sent."}, nil
	}
	found := chardet.Detect(s.sample)
	western := judgeAccents(s.sample, s.letters)
	other := found.Confidence >= leastConfidence && s.invalid >= leastBytes && !isWestern(found.Encoding) &&
		!s.mixesAlphabets(found.Encoding) && len(western.dos) == 0
	switch {
	case other && western.name == "":
		if e, err := namedEncoding(found.Encoding); err == nil {
			if _, ok := s.decoded(e); ok {
				e.note = assumed(found.Encoding)
				return e, nil
			}
		}
	case !other && western.name != "":
		e, err := namedEncoding(western.name)
		e.note = assumed(western.label)
		return e, err
	}
	return textEncoding{}, s.question(found.Encoding)
}

// How sure the detection of an encoding must be, and on how many bytes it must be built: a
// handful of Danish letters can look like Hebrew.
const (
	leastConfidence = 0.8
	leastBytes      = 20
)

// isDamage reports whether all bytes that are not UTF-8 are those that no text has next to
// each other, 0xFF and 0xFE, or 0xFF apart from any letter.
func (s *byteStatistics) isDamage() bool {
	isLast := func(b byte) bool { return b >= 0xFE }
	isLetter := func(b byte) bool { return b >= utf8.RuneSelf || unicode.IsLetter(rune(b)) }
	before := byte('\n')
	for i := 0; i < len(s.sample); {
		r, size := utf8.DecodeRune(s.sample[i:])
		b, after := s.sample[i], byte('\n')
		if i+1 < len(s.sample) {
			after = s.sample[i+1]
		}
		isOther := r == utf8.RuneError && size == 1
		if isOther && !(isLast(b) && (isLast(before) || isLast(after)) || b == 0xFF && !isLetter(before) && !isLetter(after)) {
			return false
		}
		before = s.sample[i+size-1]
		i += size
	}
	return true
}

// isWestern reports whether the encoding is one of those for western Europe,
// which differ in little but their accents.
func isWestern(name string) bool {
	return slices.Contains([]string{"", "Ascii", "UTF-8", "Windows-1252", "ISO-8859-1", "ISO-8859-15", "macintosh", "MacRoman", "Windows-1254", "ISO-8859-9"}, name)
}

// mixesAlphabets reports whether most letters of other alphabets are next to plain ones
// when the sample is read in the encoding, as the 駭 of "Pr駭om": a few bytes of a western
// language can look like any encoding.
func (s *byteStatistics) mixesAlphabets(name string) bool {
	e, err := namedEncoding(name)
	if err != nil {
		return false
	}
	text, _ := s.decoded(e)
	foreign, mixed := 0, 0
	isPlain := func(r rune) bool { return r < utf8.RuneSelf && unicode.IsLetter(r) }
	runes := []rune(text)
	for i, r := range runes {
		if r < utf8.RuneSelf || !unicode.IsLetter(r) || unicode.Is(unicode.Latin, r) {
			continue
		}
		foreign++
		if i > 0 && isPlain(runes[i-1]) || i+1 < len(runes) && isPlain(runes[i+1]) {
			mixed++
		}
	}
	return 2*mixed > foreign
}

func assumed(label string) string {
	return fmt.Sprintf("The text is not UTF-8. It was read as %s, which its letters fit. If names look wrong, give its encoding with --encoding.", label)
}

// decoded returns the sample in the encoding, not ok unless every byte has a letter in it.
func (s *byteStatistics) decoded(e textEncoding) (text string, ok bool) {
	if e.decoder == nil {
		return "", false
	}
	decoded, err := e.decoder.NewDecoder().Bytes(s.sample)
	return string(decoded), err == nil && !bytes.ContainsRune(decoded, utf8.RuneError)
}

// question asks for the encoding of the text. It shows letters and no words, since the
// words are people's names.
func (s *byteStatistics) question(found string) *rows.FileError {
	other := ""
	western := judgeAccents(s.sample, s.letters)
	place := fmt.Sprintf("The encoding of the letters with accents, the first in line %d, is not certain.", s.lines+1)
	if s.multibyte > 0 {
		place = fmt.Sprintf("The file mixes letters in UTF-8 with others that are not; the first of these is in line %d.", s.lines+1)
	}
	readings := []string{"As Windows-1252 they read " + western.windows, "as Mac Roman " + western.mac}
	names := []string{"windows-1252", "macintosh"}
	for _, page := range western.dos {
		readings = append(readings, fmt.Sprintf("as DOS text (%s) %s", page.name, page.letters))
		names = append(names, page.name)
	}
	if e, err := namedEncoding(found); err == nil && !isWestern(found) {
		if text, _ := s.decoded(e); text != "" {
			readings = append(readings, fmt.Sprintf("as %s %s", found, lettersBeyondASCII(text)))
			other = e.name
		}
	}
	question := rows.Errorf("%s %s. See which are right and use --encoding %s or another name, or export the file again as \"CSV UTF-8\".",
		place, strings.Join(readings, ", "), strings.Join(names, ", --encoding "))
	if other != "" {
		names = append(names, other)
	}
	return question.Asking(rows.AskEncoding, names...)
}
