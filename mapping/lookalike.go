package mapping

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"opscom-import/mapping/internal/chars"
)

// lookAlikes are the letters of the Cyrillic and Greek alphabets that most fonts
// draw like a Latin one, after Unicode's confusables (Technical Standard 39).
const (
	lookAlikes = "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁһӏ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοινρ" + "ɡ"
	theirLatin = "ABESIJKMHOPCTYXaesijopcyxdhl" + "ABEZHIKMNOPTYXoivp" + "g"
)

// lookAlike finds letters and digits that only look like the intended ones: those
// of another alphabet, and the wide and mathematical variants.
func (d *damageDetector) lookAlike(text string) *Problem {
	likely, count := asLatin(text)
	if count == 0 || !chars.IsASCII(likely) {
		return nil
	}
	some := "a character of another alphabet that only looks the same"
	if count > 1 {
		some = fmt.Sprintf("%d characters of another alphabet that only look the same", count)
	}
	return d.refuse(RuleLookAlike, text, "has "+some+".", "Type it again: "+chars.Quote(likely)+".").proposing(likely)
}

// asLatin replaces the look-alikes in text, and counts them.
func asLatin(text string) (likely string, count int) {
	similar := []rune(lookAlikes)
	likely = strings.Map(func(r rune) rune {
		if r < 0x80 {
			return r
		}
		if i := slices.Index(similar, r); i >= 0 {
			count++
			return rune(theirLatin[i])
		}
		if plain := norm.NFKC.String(string(r)); len(plain) == 1 {
			count++
			return rune(plain[0])
		}
		if digit, ok := digitOf(r); ok {
			count++
			return digit
		}
		return r
	}, text)
	return likely, count
}

// digitOf returns the digit 0 to 9 that a digit of another script stands for.
func digitOf(r rune) (rune, bool) {
	for _, digits := range unicode.Nd.R16 { // each range is the ten digits of one script, or of several
		if lo := rune(digits.Lo); r >= lo && r <= rune(digits.Hi) {
			return '0' + (r-lo)%10, true
		}
	}
	return 0, false
}
