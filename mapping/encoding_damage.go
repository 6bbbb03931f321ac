package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"opscom-import/mapping/internal/chars"
)

// inRightEncoding returns what the first of the texts that shows a sign of it was before a program read its UTF-8 in another
// encoding: "Zoë" for "ZoÃ«". It returns "" when none shows a sign of that.
// Text becomes valid UTF-8 in this way by chance about as often as somebody is
// called Ã« or √´.
func inRightEncoding(texts ...string) (right string) {
	for i, text := range texts {
		if i > 0 && text == texts[i-1] || !strings.ContainsFunc(text, isMisreadLead) && misreadPairs(text) == 0 {
			continue
		}
		text = withInvisible(text)
		for range 3 { // the mistake may have been made several times
			if text = decodeAgain(text); text == "" {
				break
			}
			if isOnlyLatin(text) || isOtherScript(text) {
				right = text
			}
		}
		if right != "" {
			break
		}
	}
	return right
}

// isMisreadLead reports whether a character is one of the leads in decodeAgain: hardly any
// text has one.
func isMisreadLead(r rune) bool {
	switch r {
	case 'Â', 'Ã', 'Ä', 'Å', 'â', '¬', '√', 'ƒ', '≈', '‚', '┬', '├', '─', '┼', 'Ô', 'Γ':
		return true
	}
	return false
}

// decodeAgain returns the UTF-8 whose bytes are the text's characters in one of the
// encodings that programs mistake UTF-8 for, "" when there is none.
func decodeAgain(text string) string {
	for _, mistaken := range []struct {
		encoding *charmap.Charmap
		leads    string // what the first bytes of C2 to C5 and of E2 look like
	}{
		{charmap.Windows1252, "ÂÃÄÅâ"},
		{charmap.Macintosh, "¬√ƒ≈‚"},
		{charmap.CodePage850, "┬├─┼Ô"},
		{charmap.CodePage437, "┬├─┼Γ"},
	} {
		if !strings.ContainsAny(text, mistaken.leads) && (mistaken.encoding != charmap.Windows1252 || misreadPairs(text) == 0) {
			continue
		}
		if right := encodedAs(text, mistaken.encoding); right != "" {
			return right
		}
	}
	return ""
}

func encodedAs(text string, encoding *charmap.Charmap) string {
	raw := bytesIn(text, encoding)
	if !utf8.Valid(raw) || chars.IsASCII(string(raw)) {
		return ""
	}
	return string(raw)
}

// bytesIn returns a text in an encoding, nil when that lacks one of its characters.
func bytesIn(text string, encoding *charmap.Charmap) []byte {
	raw := make([]byte, 0, len(text))
	for _, r := range text {
		b, ok := encoding.EncodeRune(r)
		switch {
		case ok:
			raw = append(raw, b)
		case r >= 0x80 && r < 0xa0: // bytes for which Windows-1252 has no character stay what they are
			raw = append(raw, byte(r))
		default:
			return nil
		}
	}
	return raw
}

// misreadPairs counts the first two bytes of letters of any script as Windows-1252 shows
// them: á» or Ð˜.
func misreadPairs(text string) (count int) {
	lead := false
	for _, r := range text {
		if lead && (r >= 0x80 && r < 0xc0 || r > 0xff && strings.ContainsRune("€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ", r)) {
			count++
		}
		lead = r >= 0xc2 && r <= 0xf4
	}
	return count
}

// isOtherScript reports whether a text is in Vietnamese, or in a script without Latin
// letters. Anything else became a text in UTF-8 by chance: CAFÉ’S.
func isOtherScript(text string) bool {
	ascii, other := false, false
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			ascii = ascii || isASCIILetter(r)
		case r >= 0x1ea0 && r <= 0x1eff, r <= 0x1b0 && unicode.IsLetter(r):
		case r < 0x370, unicode.Is(unicode.Latin, r), !unicode.IsLetter(r) && !unicode.Is(unicode.M, r):
			return false
		default:
			other = true
		}
	}
	return !ascii || !other
}

// isOnlyLatin reports whether the text has only what names and addresses here have:
// ASCII, the Latin letters up to U+017F, and typographic punctuation.
func isOnlyLatin(text string) bool {
	for _, r := range text {
		if r >= 0x80 && (r < 0xa0 || r > 0x17f) && (r < 0x2010 || r > 0x203a) {
			return false
		}
	}
	return true
}

// withInvisible returns a text with the second characters of à and í, misread, which
// programs lose: they are a no-break space and a soft hyphen.
func withInvisible(text string) string {
	const first = "Ã"
	if !strings.Contains(text, first) {
		return text
	}
	var b strings.Builder
	for {
		at := strings.Index(text, first)
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		at += len(first)
		before, _ := utf8.DecodeLastRuneInString(text[:at-len(first)])
		after, size := utf8.DecodeRuneInString(text[at:])
		b.WriteString(text[:at])
		switch {
		case !unicode.IsLower(before):
		case size == 0:
			b.WriteRune('\u00a0')
		case after == ' ':
			b.WriteRune('\u00a0')
			b.WriteRune(' ')
			at++
		case unicode.IsLower(after) && after < utf8.RuneSelf:
			b.WriteRune('\u00ad')
		}
		text = text[at:]
	}
}
