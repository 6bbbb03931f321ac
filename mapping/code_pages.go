package mapping

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"opscom-import/mapping/internal/chars"
)

// misreading is a code page whose letters a program took for those of another.
type misreading struct{ written, read *charmap.Charmap }

// misreadings begins with those that happen most.
var misreadings = [...]misreading{
	{charmap.CodePage850, charmap.Windows1252},
	{charmap.Macintosh, charmap.Windows1252},
	{charmap.CodePage437, charmap.Windows1252},
	{charmap.Windows1252, charmap.CodePage850},
	{charmap.Windows1252, charmap.Macintosh},
	{charmap.Windows1252, charmap.CodePage437},
	{charmap.Windows1250, charmap.Windows1252},
	{charmap.ISO8859_2, charmap.Windows1252},
	{charmap.Windows1252, charmap.Windows1251},
	{charmap.Windows1252, charmap.Windows1253},
	{charmap.Windows1252, charmap.Windows1255},
	{charmap.Windows1252, charmap.Windows874},
}

// inRightCodePage returns what a text of one byte a letter was before a program read it
// in another code page: "Renée" for "Ren‚e" or "RenŽe". There may be two answers, and
// there are none for a text without a letter in a place where words have none.
func inRightCodePage(text string, seen *misreadSeen) (right []string) {
	if chars.IsASCII(text) || !strings.ContainsFunc(text, isASCIILetter) || !hasMisplaced(text) {
		return nil
	}
	for i, m := range misreadings {
		if likely := m.undo(text); likely != "" {
			seen.counts[i]++
			if len(right) < 2 && !slices.Contains(right, likely) {
				right = append(right, likely)
			}
		}
	}
	return right
}

// undo returns what a text was before the misreading, "" when that is no natural text.
func (m misreading) undo(text string) string {
	raw := bytesIn(text, m.read)
	if raw == nil {
		return ""
	}
	likely, err := m.written.NewDecoder().Bytes(raw)
	if err != nil || !isNatural(string(likely)) {
		return ""
	}
	return string(likely)
}

// misreadSeen counts the misreadings of a column's values, and collects the values that
// only the others show to be misread: Garc’a beside M‡laga, Franþois beside RenÚ.
type misreadSeen struct {
	counts  [len(misreadings)]int
	unclear []seenValue // at most maxSuspects
}

// seenValue is the value of the row with this sequence.
type seenValue struct {
	sequence uint32
	value    string
}

// add takes a value with a sign that few values have, and reports whether it is unclear.
func (s *misreadSeen) add(sequence int, value string) bool {
	at := strings.IndexFunc(value, func(r rune) bool { return strings.ContainsRune("’‘–—þ¢·´", r) })
	if at <= 0 || chars.IsASCII(value) {
		return false
	}
	_, size := utf8.DecodeRuneInString(value[at:])
	after, _ := utf8.DecodeRuneInString(value[at+size:])
	if before, _ := utf8.DecodeLastRuneInString(value[:at]); !unicode.IsLetter(before) || unicode.IsUpper(after) {
		return false
	}
	if len(s.unclear) < maxSuspects {
		s.unclear = append(s.unclear, seenValue{uint32(sequence), value})
	}
	return true
}

// likeliest returns the misreading that explains most values for certain, and of several
// the one that explains most of the unclear ones.
func (s *misreadSeen) likeliest() (most int) {
	explained := -1
	for i, count := range s.counts {
		if count == 0 || count < s.counts[most] {
			continue
		}
		n := 0
		for _, u := range s.unclear {
			if misreadings[i].undo(u.value) != "" {
				n++
			}
		}
		if count > s.counts[most] || n > explained {
			most, explained = i, n
		}
	}
	return most
}

// review reports the values that the most frequent misreading of the column explains.
func (s *misreadSeen) review(f *fieldMapper, review *Review) {
	most := s.likeliest()
	if s.counts[most] == 0 {
		return
	}
	for _, u := range s.unclear {
		if likely := misreadings[most].undo(u.value); likely != "" && likely != u.value {
			f.reportProposing(review, int(u.sequence), u.value, likely, RuleWrongEncoding, about(f.check.spec.Label, u.value)+"looks like "+chars.Quote(likely)+" read in the wrong encoding, as other values of the column are.",
				"Correct it, or save the export as UTF-8 again; if all is right, add as_is: true to the field.")
		}
	}
}

func isASCIILetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

// isNatural reports whether a text has only letters of European languages, where words
// have them, and what stands between words.
func isNatural(text string) bool {
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
		case r >= 'À' && r <= 0x17f && !strings.ContainsRune("×÷ÐðÞþÝýÿ", r):
		case strings.ContainsRune("’‘–", r):
		default:
			return false
		}
	}
	return !hasMisplaced(text)
}

// hasMisplaced reports whether a word of the text has a character that no word has
// there: a capital with an accent behind a small letter, a sign between letters, or a
// few letters of another alphabet.
func hasMisplaced(text string) bool {
	runes := []rune(text)
	start := 0 // of the word
	for i, r := range runes {
		if !isWordRune(r) {
			start = i + 1
		}
		if r < utf8.RuneSelf {
			continue
		}
		var before, after rune
		if i > 0 {
			before = runes[i-1]
		}
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		switch {
		case r < 0xa0: // a control character
			return true
		case unicode.IsUpper(r) && unicode.Is(unicode.Latin, r):
			if unicode.IsLetter(before) && (isSmall(after) || isSmall(before) && !isWordRune(after)) && !isPrefix(runes[start:i]) {
				return true
			}
		case isSign(r):
			if unicode.IsLetter(before) && (unicode.IsLetter(after) || !isWordRune(after) && !strings.ContainsRune("…™®©†‡•›»”“¹²³", r)) {
				return true
			}
			if r == '³' && unicode.IsLower(before) { // Polish
				return true
			}
		case unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) && (unicode.Is(unicode.Latin, before) || unicode.Is(unicode.Latin, after)):
			if isStrayLetter(runes[start:]) {
				return true
			}
		}
	}
	return false
}

// isSmall reports whether a letter is small and has a capital form: the ß stands between
// capitals too.
func isSmall(r rune) bool { return unicode.IsLower(r) && r != 'ß' }

// isWordRune reports whether a character continues a word.
func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.Is(unicode.M, r) || isSign(r) }

// isSign reports whether a character is a sign that no word has inside. The points and
// marks that languages have there are none.
func isSign(r rune) bool {
	switch {
	case r < 0xa0, strings.ContainsRune("’‘ʼʻʾʿ´·×‧‐‑‒–—―ªº°′", r), unicode.IsSpace(r), unicode.Is(unicode.M, r), chars.IsInvisible(r):
		return false
	case r >= 0x2c6 && r <= 0x2df:
		return true
	}
	return !unicode.IsLetter(r) && r < 0x3000
}

// isPrefix reports whether letters can stand before a capital inside a word: the
// beginnings of McÉvoy and DeÁvila, and of the Irish hÉireann.
func isPrefix(letters []rune) bool {
	switch strings.ToLower(string(letters)) {
	case "mc", "mac", "mag", "nic", "mhic", "fitz", "de", "del", "della", "des", "di", "da", "do", "du", "la", "le", "les", "lo", "van", "von", "st", "ste", "san", "santa", "saint", "al", "el", "ap", "ab":
		return true
	}
	return len(letters) <= 2 && !slices.ContainsFunc(letters, unicode.IsUpper)
}

// isStrayLetter reports whether the word that the runes begin with is Latin but for a few
// letters of another alphabet, which do not look like Latin ones.
func isStrayLetter(runes []rune) bool {
	latin, other := 0, 0
	for _, r := range runes {
		switch {
		case !isWordRune(r):
			return other > 0 && other < latin
		case unicode.Is(unicode.Latin, r):
			latin++
		case strings.ContainsRune(lookAlikes, r):
			return false
		default:
			other++
		}
	}
	return other > 0 && other < latin
}
