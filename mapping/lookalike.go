package mapping

import (
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// lookAlikes are the letters of the Cyrillic and Greek alphabets that most fonts
// draw like a Latin one, after Unicode's confusables (Technical Standard 39).
const (
	lookAlikes = "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁһӏ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοινρ" + "ɡ"
	theirLatin = "ABESIJKMHOPCTYXaesijopcyxdhl" + "ABEZHIKMNOPTYXoivp" + "g"
)

// lookAlike finds letters and digits that only look like those that were meant:
// of another alphabet, or of the wide and the mathematical kinds.
func (g *guard) lookAlike(text string) *fault {
	likely, count := asLatin(text)
	if count == 0 || !isASCII(likely) {
		return nil
	}
	some := "a character of another alphabet that only looks the same"
	if count > 1 {
		some = fmt.Sprintf("%d characters of another alphabet that only look the same", count)
	}
	return g.refuse(RuleLookAlike, text, "holds "+some+". Type it again: "+quote(likely)+".")
}

// asLatin replaces every look-alike in text, and counts them.
func asLatin(text string) (likely string, count int) {
	latin := []rune(theirLatin)
	at := 0
	letters := make(map[rune]rune, len(latin))
	for _, r := range lookAlikes {
		letters[r] = latin[at]
		at++
	}
	likely = strings.Map(func(r rune) rune {
		if r < 0x80 {
			return r
		}
		if l, ok := letters[r]; ok {
			count++
			return l
		}
		if plain := norm.NFKC.String(string(r)); len(plain) == 1 {
			count++
			return rune(plain[0])
		}
		return r
	}, text)
	return likely, count
}
