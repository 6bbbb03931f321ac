package chars

import (
	"strings"
	"unicode/utf8"
)

// quotePairs are the quotation marks that programs and languages put around a text: the
// opening one, and those that may close it.
var quotePairs = map[rune]string{
	'"': `"`, '\'': `'`, '“': `”“`, '”': `”`, '„': `“”`, '‟': `”`, '‘': `’`, '‚': `‘’`, '’': `’`, '‛': `’`, '«': `»`, '»': `«`, '‹': `›`, '›': `‹`, '「': `」`, '＂': `＂`, '`': "`'", '´': "´",
}

// Unquote returns what stands in one pair of quotes, or several around each other. A
// text without such a pair around it, such as "Bo" Boris "Bear", is returned as it is.
func Unquote(text string) (inner string, ok bool) {
	for {
		opening, size := utf8.DecodeRuneInString(text)
		closings, known := quotePairs[opening]
		closing, last := utf8.DecodeLastRuneInString(text)
		if !known || len(text) <= size+last || !strings.ContainsRune(closings, closing) {
			return text, ok
		}
		body := text[size : len(text)-last]
		doubled := string([]rune{opening, opening})
		switch {
		case strings.HasPrefix(body, string(opening)) && strings.HasSuffix(body, string(closing)) && len(body) > size+last: // a pair inside
		case opening == '"' && strings.Contains(strings.ReplaceAll(body, doubled, ""), `"`):
			return text, ok
		case opening == '"', opening == '\'':
			body = strings.ReplaceAll(body, doubled, string(opening))
		case strings.ContainsRune(body, opening), closing != '’' && strings.ContainsRune(body, closing):
			return text, ok
		}
		if body = Trim(body); body == "" {
			return text, ok
		}
		text, ok = body, true
	}
}

// CutApostrophe returns what stands behind an apostrophe at the beginning, as
// programs write it so that a spreadsheet takes a value for text. 't Hooft has none.
func CutApostrophe(text string) (rest string, ok bool) {
	for _, apostrophe := range []string{"'", "’", "‘", "´", "`"} {
		if rest, ok = strings.CutPrefix(text, apostrophe); ok {
			break
		}
	}
	if !ok || rest == "" {
		return text, false
	}
	if len(rest) > 1 && strings.IndexByte("tsnk", rest[0]|0x20) >= 0 && strings.IndexByte(" -", rest[1]) >= 0 {
		return text, false
	}
	return rest, true
}
