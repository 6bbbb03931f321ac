package text

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Windows-1252, of which Latin-1 is a part, and Mac Roman have a letter for nearly every
// byte, so that no byte is proof. Words are: "Montréal" in one is "MontrÈal" in the other,
// with a capital among small letters, and "Zoë" in the other is "Zo‘" in the first, with an
// opening quote at the end.

// accents is how a text reads in both encodings.
type accents struct {
	name, label  string // of the encoding that fits; "" when it could be either or neither
	windows, mac string // some of the letters in each
	dos          []reading
}

// reading is how a text reads in a code page of DOS that fits.
type reading struct{ name, letters string }

// Share of the characters beyond ASCII that must be where such a character can be, and that
// may be so in the encoding that is ruled out.
const (
	leastFitting = 0.9
	mostStray    = 0.5
)

// judgeAccents tells Windows-1252 from Mac Roman. Where both fit, which takes a letter alone,
// it is Windows-1252 as long as the bytes 0x80 to 0x9F, the letters of Mac Roman, are not
// letters in it. Where the code pages of DOS fit as well as Mac Roman, it is neither. What
// could be UTF-8 must fit by itself: else the text has two encodings.
func judgeAccents(sample, couldBeUTF8 []byte) accents {
	windows, mac := decodeBytes(charmap.Windows1252, sample), decodeBytes(charmap.Macintosh, sample)
	a := accents{windows: lettersBeyondASCII(windows), mac: lettersBeyondASCII(mac)}
	a.dos = fittingDOS(sample)
	inWindows, inMac := fitting(windows), fitting(mac)
	isEither := inMac <= inWindows && !strings.ContainsAny(windows, "ŒœŠšŽžŸƒ")
	var table *charmap.Charmap
	switch {
	case inWindows >= leastFitting && (inMac <= mostStray || isEither):
		a.name, a.label, table = "windows-1252", "Windows-1252 (Western European)", charmap.Windows1252
	case inMac >= leastFitting && inWindows <= mostStray && len(a.dos) == 0:
		a.name, a.label, table = "macintosh", "Mac Roman", charmap.Macintosh
	}
	if a.name != "" && len(couldBeUTF8) > 0 && fitting(decodeBytes(table, couldBeUTF8)) < leastFitting {
		a.name = ""
	}
	return a
}

// fittingDOS returns how the text reads in the code pages of DOS, in which Excel still saves
// "CSV (MS-DOS)", as far as they fit and differ.
func fittingDOS(sample []byte) []reading {
	var found []reading
	var texts []string
	for _, page := range []struct {
		name  string
		table *charmap.Charmap
	}{{"cp850", charmap.CodePage850}, {"cp437", charmap.CodePage437}, {"cp863", charmap.CodePage863}} {
		text := decodeBytes(page.table, sample)
		if fitting(text) >= leastFitting && !slices.Contains(texts, text) {
			found, texts = append(found, reading{page.name, lettersBeyondASCII(text)}), append(texts, text)
		}
	}
	return found
}

func decodeBytes(table *charmap.Charmap, b []byte) string {
	text, _ := table.NewDecoder().Bytes(b) // which makes a character of every byte
	return string(text)
}

// fitting returns the share of the characters beyond ASCII that are where such a character
// can be.
func fitting(text string) float64 {
	runes := []rune(text)
	at := func(i int) rune {
		if i < 0 || i >= len(runes) {
			return '\n'
		}
		return runes[i]
	}
	fit, all := 0, 0
	for i, r := range runes {
		if r > unicode.MaxASCII {
			all++
			if fitsBetween(at(i-1), r, at(i+1)) {
				fit++
			}
		}
	}
	if all == 0 {
		return 0
	}
	return float64(fit) / float64(all)
}

// westernLetters are those of French, Spanish, Portuguese, Italian, German and the Nordic
// languages, and a few more for which Windows-1252 was made.
const westernLetters = "àáâãäåæçèéêëìíîïñòóôõöøœùúûüýþðÿßšž" + "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØŒÙÚÛÜÝÞŸŠŽ"

// fitsBetween reports whether a character beyond ASCII fits between its neighbors.
func fitsBetween(before, r, after rune) bool {
	isOther := func(r rune) bool { return r > unicode.MaxASCII && unicode.IsLetter(r) }
	switch {
	case isOther(before) && isOther(after) && unicode.IsLetter(r): // a word in another alphabet
		return false
	case r == 'Ã' || r == 'Â' || r == 'Ð': // what the first byte of many a letter in UTF-8 looks like, and Mac Roman's –
		return unicode.IsLetter(after) && !unicode.IsLower(before)
	case r == 'ß': // is written among capitals too: STRAßE
		return unicode.IsLetter(before)
	case strings.ContainsRune(westernLetters, r) && unicode.IsUpper(r):
		return !unicode.IsLower(before) && !(unicode.IsUpper(before) && unicode.IsLower(after) && after != 'ß')
	case strings.ContainsRune(westernLetters, r):
		return !unicode.IsUpper(after) && !(unicode.IsUpper(before) && unicode.IsUpper(after))
	case r == '’':
		return unicode.IsLetter(before) || unicode.IsDigit(before)
	case r == '‘' || r == '“':
		return !unicode.IsLetter(before) && unicode.IsLetter(after)
	case r == '”':
		return !unicode.IsLetter(after) && before > ' '
	case r == '–' || r == '—':
		return unicode.IsSpace(before) == unicode.IsSpace(after) && (unicode.IsSpace(after) || unicode.IsLetter(after) || unicode.IsDigit(after))
	case r == '«':
		return !unicode.IsLetter(before)
	case r == '»' || r == '…' || r == '©' || r == '®' || r == '™':
		return !unicode.IsLetter(after)
	case r == '£' || r == '€' || r == '§':
		return !unicode.IsLetter(before)
	case r == '°' || r == 'º' || r == 'ª': // N°, Mª
		return !unicode.IsLetter(before) || unicode.IsUpper(before) || before == 'n'
	case r == '½' || r == '¼' || r == '²' || r == '³':
		return !unicode.IsLetter(after)
	case r == '•':
		return !unicode.IsLetter(before)
	case r == '\u00A0' || r == '·':
		return true
	}
	return false
}

// lettersBeyondASCII lists the first few different ones.
func lettersBeyondASCII(text string) string {
	const few = 6
	var found []string
	for _, r := range text {
		if r > unicode.MaxASCII && !slices.Contains(found, string(r)) && unicode.IsPrint(r) {
			if found = append(found, string(r)); len(found) == few {
				break
			}
		}
	}
	return strings.Join(found, " ")
}

// c1Lead is the first byte of U+0080 to U+00BF in UTF-8.
const c1Lead = 0xC2

// hasC1Control reports whether UTF-8 contains a C1 control character, U+0080 to U+009F. No
// table has a use for them: a program took a letter of Windows-1252 for one of Latin-1.
func hasC1Control(b []byte) bool {
	for {
		i := bytes.IndexByte(b, c1Lead)
		if i < 0 || i+1 == len(b) {
			return false
		}
		if b[i+1] < 0xA0 {
			return true
		}
		b = b[i+2:]
	}
}

// fixLetters replaces each C1 control character that is a Windows-1252 letter by that
// letter, and bytes that are not letters by U+FFFD. Five C1 control characters are not
// letters in Windows-1252 either, and stay.
func fixLetters(text string) string {
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	if strings.IndexByte(text, c1Lead) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		if 0x80 <= r && r <= 0x9F {
			if letter := charmap.Windows1252.DecodeByte(byte(r)); letter != utf8.RuneError {
				return letter
			}
		}
		return r
	}, text)
}
