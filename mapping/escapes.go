package mapping

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"mime"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"opscom-import/mapping/internal/chars"
)

// escape is one way in which programs write the characters of a text as others, such as
// &eacute; or \u00e9, that reaches the file when a program forgets to read it back.
type escape struct {
	sign   string // a text without it has no such escapes
	what   string // the end of a sentence about the value
	decode func(text string, kind valueKind) string
}

var escapes = []escape{
	{"_", "was written with a spreadsheet's escapes (_xHHHH_)", decodeSpreadsheet},
	{"&", "was written with HTML character references", decodeReferences},
	{"<", "was written with HTML tags", decodeTags},
	{`\`, "was written with backslash escapes", decodeBackslashes},
	{"%", "was percent-encoded", decodePercent},
	{"=", "was written in quoted-printable", decodeQuotedPrintable},
	{"+", "was written in UTF-7", decodeUTF7},
	{"&", "was written in UTF-7", decodeUTF7},
	{"''", "had doubled apostrophes", decodeDoubled},
	{`""`, "had doubled quotes", decodeDoubledQuotes},
}

// unescape returns a text without other programs' escapes, and what they were; none
// for a text without any. A text may have been escaped several times.
func unescape(text string, kind valueKind) (plain string, whats []string) {
	if !mayBeEscaped(text) {
		return text, nil
	}
	for range 3 {
		before := text
		for _, e := range escapes {
			if !strings.Contains(text, e.sign) {
				continue
			}
			if decoded := e.decode(text, kind); decoded != text {
				if text = decoded; len(whats) == 0 || whats[len(whats)-1] != e.what {
					whats = append(whats, e.what)
				}
			}
		}
		if text == before {
			break
		}
	}
	return text, whats
}

// mayBeEscaped reports whether a text has a sign that escapes begin with, and something
// behind it that is not space. Few texts get through.
func mayBeEscaped(text string) bool {
	for i := range len(text) - 1 {
		switch text[i] {
		case '_', '&', '<', '\\', '%', '=', '+':
			if text[i+1] > ' ' {
				return true
			}
		case '\'', '"':
			if text[i+1] == text[i] {
				return true
			}
		}
	}
	return false
}

// isWords reports whether values of the kind are words or sentences, in which an escape
// cannot be meant.
func (k valueKind) isWords() bool {
	switch k {
	case freeText, nameValue, townValue, streetValue, regionValue:
		return true
	}
	return false
}

var reference = regexp.MustCompile(`&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{2,30}|[lg]t);` +
	`|&#(?:3[489]|2[0-4][0-9]|25[0-5])|&(?:amp|quot|nbsp)\b` + // without their semicolon
	`|&[AEIOUaeiouCcNn](?:acute|grave|circ|uml|tilde|cedil)`)

// decodeReferences resolves HTML's character references, &#39; and &eacute;. R&D; is none.
func decodeReferences(text string, kind valueKind) string {
	return reference.ReplaceAllStringFunc(text, func(found string) string {
		whole := strings.TrimSuffix(found, ";") + ";"
		if whole != found && kind == streetValue && found[1] == '#' { // Smith&#200 King St
			return found
		}
		if plain := html.UnescapeString(whole); plain != whole && isWriting(plain) {
			return plain
		}
		small := strings.ToLower(whole) // &EACUTE; after a program made capitals of all
		if plain := html.UnescapeString(small); len(small) > len("&deg;") && plain != small && isWriting(plain) {
			return strings.ToUpper(plain)
		}
		return found
	})
}

// isWriting reports whether a decoded text has only what people write, and line breaks.
func isWriting(text string) bool {
	for _, r := range text {
		switch {
		case strings.ContainsRune("\n\r\t<>+|~", r), chars.IsInvisible(r):
		case !unicode.IsGraphic(r), unicode.Is(unicode.Sm, r):
			return false
		}
	}
	return true
}

var (
	tag      = regexp.MustCompile(`(?i)</?(?:(br|p|div|li|tr|td|h[1-6])|span|b|i|u|em|strong|font|a|nobr|wbr|small|su[pb]|ul|ol|center|label|o:p)(?:\s[^<>]*)?/?>`)
	leftover = regexp.MustCompile(`&#[xX]?[0-9a-fA-F]+;?|&[a-z]{2,};`)
	cdata    = regexp.MustCompile(`(?s)<!\[CDATA\[(.*?)\]\]>`)
	comment  = regexp.MustCompile(`(?s)<!--.*?-->`)
	code     = regexp.MustCompile(`<U\+([0-9A-Fa-f]{4,6})>`) // as R writes letters on Windows
)

// decodeTags removes HTML's tags; a <br> becomes a line break.
func decodeTags(text string, _ valueKind) string {
	text = comment.ReplaceAllString(cdata.ReplaceAllString(text, "$1"), "")
	text = code.ReplaceAllStringFunc(text, func(found string) string { return hexRune(found[3:len(found)-1], found) })
	plain := tag.ReplaceAllStringFunc(text, func(found string) string {
		if tag.FindStringSubmatch(found)[1] != "" {
			return "\n"
		}
		return ""
	})
	if plain == text {
		return text
	}
	return joinLines(plain)
}

// joinLines trims a text's lines, and removes the blank ones.
func joinLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = chars.Trim(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// hexRune returns the character of a hexadecimal number if people write it, else instead.
func hexRune(digits, instead string) string {
	n, err := strconv.ParseUint(digits, 16, 32)
	if r := string(rune(n)); err == nil && isWriting(r) {
		return r
	}
	return instead
}

var spreadsheetEscape = regexp.MustCompile(`_[xX]([0-9A-Fa-f]{4})_`)

// decodeSpreadsheet resolves what workbooks write for control characters: _x000D_.
func decodeSpreadsheet(text string, _ valueKind) string {
	plain := spreadsheetEscape.ReplaceAllStringFunc(text, func(found string) string { return hexRune(found[2:6], found) })
	if plain == text {
		return text
	}
	return joinLines(strings.ReplaceAll(plain, "\r", "\n"))
}

var (
	unicodeEscape = regexp.MustCompile(`(?:\\+U000[0-9a-fA-F]{5}|\\+u\{[0-9a-fA-F]{2,6}\}|\\+[uU]\{?[0-9a-fA-F]{4}\}?)+`)
	byteEscape    = regexp.MustCompile(`(?:\\+x\{?[0-9a-fA-F]{2}\}?)+|(?:\\[89a-fA-F][0-9a-fA-F])+|(?:\\[23][0-7]{2})+|(?:\\'[89a-f][0-9a-f])+`)
	signEscape    = regexp.MustCompile(`\\+(['"` + "`" + `,;&#.()\-/@!])`)
	rtfByte       = regexp.MustCompile(`\\'[c-f][0-9]`) // Ren\'e9e
	commaEscape   = regexp.MustCompile(`\\2C( ?\p{L})`) // of a directory's name: Roy\2C Ann
	lineEscape    = regexp.MustCompile(`\\r\\n|\\[nrt]`)
)

// decodeBackslashes resolves the escapes of JSON, SQL, directories and programming
// languages. A login's backslash is behind its domain.
func decodeBackslashes(text string, kind valueKind) string {
	if kind == loginValue || kind == idValue {
		return strings.ReplaceAll(text, `\'`, "'")
	}
	text = unicodeEscape.ReplaceAllStringFunc(text, func(found string) string {
		var units []uint16
		for _, digits := range strings.FieldsFunc(found, func(r rune) bool { return strings.ContainsRune(`\u{}U`, r) }) {
			n, err := strconv.ParseUint(digits, 16, 32)
			if err != nil {
				return found
			}
			units = utf16.AppendRune(units, rune(n))
			if len(digits) == 4 {
				units[len(units)-1] = uint16(n) // half of a pair is no character of its own
			}
		}
		if plain := string(utf16.Decode(units)); isWriting(plain) {
			return plain
		}
		return found
	})
	text = byteEscape.ReplaceAllStringFunc(text, func(found string) string {
		var raw []byte
		for _, digits := range strings.FieldsFunc(found, func(r rune) bool { return strings.ContainsRune(`\x{}'`, r) }) {
			base := 16
			if len(digits) == 3 {
				base = 8
			}
			n, _ := strconv.ParseUint(digits, base, 8)
			raw = append(raw, byte(n))
		}
		return decodeBytes(raw, found)
	})
	if !rtfByte.MatchString(text) {
		text = signEscape.ReplaceAllString(text, "$1")
	}
	if kind == nameValue || kind == townValue {
		text = commaEscape.ReplaceAllString(text, ",$1")
	}
	return decodeLineEscapes(text, kind)
}

// decodeLineEscapes makes line breaks of \n, \r\n and \t, unless the backslash may
// stand for a slash, as in 4\north.
func decodeLineEscapes(text string, kind valueKind) string {
	var b strings.Builder
	end := 0
	for _, at := range lineEscape.FindAllStringIndex(text, -1) {
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		after, _ := utf8.DecodeRuneInString(text[at[1]:])
		switch {
		case at[1]-at[0] > len(`\n`), unicode.IsUpper(after), after == '\\':
		case at[1] == len(text) && (unicode.IsLetter(before) || before == '.'):
		case text[at[1]-1] != 'r' && (unicode.IsDigit(after) || unicode.IsSpace(after)):
		case kind == streetValue && unicode.IsLower(after) && (unicode.IsLower(before) || before == '.') && !isNWord.MatchString(text[at[0]+1:]):
		default:
			continue
		}
		b.WriteString(text[end:at[0]] + "\n")
		end = at[1]
	}
	if end == 0 {
		return text
	}
	return joinLines(b.String() + text[end:])
}

// isNWord finds the words of streets that begin with n, r or t and may follow a
// backslash.
var isNWord = regexp.MustCompile(`^(?:n(?:orth|ord|ew|ear|euf|ouv|o\b|r\b)|r(?:oad|ue|d\b|oute|ear|oom|m\b)|t(?:he|own|err|ower))`)

// decodeBytes returns the text of bytes that were escaped in UTF-8, or instead: what
// other bytes mean is a guess.
func decodeBytes(raw []byte, instead string) string {
	if plain := string(raw); utf8.Valid(raw) && isWriting(plain) {
		return plain
	}
	return instead
}

var (
	percentRun    = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2})+`)
	percentLetter = regexp.MustCompile(`%u[0-9A-Fa-f]{4}`) // JavaScript's escape()
)

// decodePercent resolves the escapes of web addresses: Mary%20Jane.
func decodePercent(text string, kind valueKind) string {
	plain := percentLetter.ReplaceAllStringFunc(text, func(found string) string { return hexRune(found[2:], found) })
	var b strings.Builder
	end := 0
	for _, at := range percentRun.FindAllStringIndex(plain, -1) {
		run := plain[at[0]:at[1]]
		raw, _ := hex.DecodeString(strings.ReplaceAll(run, "%", ""))
		if kind == streetValue && at[0] > 0 && at[1]-at[0] == 3 && isDigitByte(plain[at[0]-1]) && (at[1] == len(plain) || !isLetterByte(plain[at[1]])) { // 5%50
			continue
		}
		b.WriteString(plain[end:at[0]] + decodeBytes(raw, run))
		end = at[1]
	}
	b.WriteString(plain[end:])
	plain = b.String()
	if plain != text && kind.isWords() && !strings.Contains(text, " ") { // a form's fields have + for a space
		plain = strings.ReplaceAll(plain, "+", " ")
	}
	return plain
}

func isDigitByte(c byte) bool { return c >= '0' && c <= '9' }

func isLetterByte(c byte) bool {
	return c >= utf8.RuneSelf || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

var (
	encodedWord   = regexp.MustCompile(`=\?[\w-]+\?[bBqQ]\?[^?]*\?=`)
	printableRun  = regexp.MustCompile(`(?:=[0-9A-Fa-f]{2})+`)
	printableSign = regexp.MustCompile(`(\pL)=(20|27|2C|2D)(\pL|$)`)
)

// decodeQuotedPrintable resolves the escapes of e-mail: Ren=C3=A9e, =?UTF-8?Q?Ren=C3=A9e?=.
func decodeQuotedPrintable(text string, kind valueKind) string {
	plain := text
	if encodedWord.MatchString(text) {
		if decoded, err := new(mime.WordDecoder).DecodeHeader(text); err == nil && isWriting(decoded) {
			plain = decoded
		}
	}
	plain = printableRun.ReplaceAllStringFunc(plain, func(found string) string {
		raw, _ := hex.DecodeString(strings.ReplaceAll(found, "=", ""))
		if chars.IsASCII(string(raw)) {
			return found
		}
		return decodeBytes(raw, found)
	})
	if kind == nameValue || kind == townValue || plain != text {
		plain = printableSign.ReplaceAllStringFunc(plain, func(found string) string {
			at := strings.IndexByte(found, '=')
			return found[:at] + hexRune(found[at+1:at+3], found[at:at+3]) + found[at+3:]
		})
	}
	return plain
}

var shiftedRun = regexp.MustCompile(`[+&]([A-Za-z0-9+/,]{3,})(-|$)`)

// decodeUTF7 resolves the runs of UTF-7: Ren+AOk-e.
func decodeUTF7(text string, kind valueKind) string {
	if !kind.isWords() {
		return text
	}
	return shiftedRun.ReplaceAllStringFunc(text, func(found string) string {
		body := strings.ReplaceAll(strings.TrimSuffix(found[1:], "-"), ",", "/") // of mail folders
		raw, err := base64.RawStdEncoding.Strict().DecodeString(body)
		if err != nil || len(raw)%2 != 0 {
			return found
		}
		units := make([]uint16, len(raw)/2)
		for i := range units {
			units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
		}
		plain := string(utf16.Decode(units))
		if chars.IsASCII(plain) || !isOnlyLatin(plain) {
			return found
		}
		return plain
	})
}

var doubledApostrophe = regexp.MustCompile(`(\pL)''(\pL)`)

// decodeDoubled halves the apostrophes that SQL doubles: O”Neil. Two behind a digit are
// inches.
func decodeDoubled(text string, kind valueKind) string {
	if kind == loginValue || kind == idValue {
		return text
	}
	return doubledApostrophe.ReplaceAllString(text, "$1'$2")
}

// decodeDoubledQuotes halves the quotes that CSV doubles: Robert ""Bob"" Roy.
func decodeDoubledQuotes(text string, kind valueKind) string {
	if n := strings.Count(text, `""`); n%2 == 0 && 2*n == strings.Count(text, `"`) && kind.isWords() {
		return strings.ReplaceAll(text, `""`, `"`)
	}
	return text
}

var latinByte = regexp.MustCompile(`(?:=|%|\\x|\\')([c-fC-F][0-9a-fA-F])|\\(3[0-7]{2})`)

// likelyBytes returns what a text means whose escaped bytes are not UTF-8, read as
// Windows-1252, which most are; "" for a text without such bytes.
func likelyBytes(text string, kind valueKind) string {
	if !kind.isWords() || !mayBeEscaped(text) {
		return ""
	}
	var b strings.Builder
	end := 0
	for _, at := range latinByte.FindAllStringSubmatchIndex(text, -1) {
		digits, base := at[2:4], 16
		if at[2] < 0 {
			digits, base = at[4:6], 8
		}
		n, err := strconv.ParseUint(text[digits[0]:digits[1]], base, 8)
		letter := charmap.Windows1252.DecodeByte(byte(n))
		before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
		after, _ := utf8.DecodeRuneInString(text[at[1]:])
		if err != nil || !unicode.IsLetter(letter) || at[0] > 0 && !unicode.IsLetter(before) || !unicode.IsLetter(after) && (at[1] < len(text) || !unicode.IsLower(before)) {
			continue
		}
		b.WriteString(text[end:at[0]] + string(letter))
		end = at[1]
	}
	if end == 0 {
		return ""
	}
	return b.String() + text[end:]
}
