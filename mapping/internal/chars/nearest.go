package chars

import (
	"slices"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the known word that word most likely means, or "" when none is
// near: at most a third of its letters may differ, where two letters that changed
// places count as one. Case, accents, spaces and punctuation do not count.
func Nearest(word string, known []string) string {
	folded := Fold(word)
	letters := utf8.RuneCountInString(folded)
	best, bestDistance := "", letters/3+1
	for _, k := range known {
		candidate := Fold(k)
		// A cell may hold a whole page of text: compare only what can be near.
		if more := utf8.RuneCountInString(candidate) - letters; candidate == "" || more >= bestDistance || -more >= bestDistance {
			continue
		}
		if d := Distance(folded, candidate); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// Hint returns the nearest known word as the end of a sentence, such as
// `; the nearest is "first_name"`, or otherwise when none is near.
func Hint(word string, known []string, otherwise string) string {
	if near := Nearest(word, known); near != "" {
		return "; the nearest is " + Quote(near)
	}
	return otherwise
}

// Distance returns in how many letters two words differ. Two letters that changed
// places count as one.
func Distance(a, b string) int {
	d := levenshtein.ComputeDistance(a, b)
	if d == 2 && sortedLetters(a) == sortedLetters(b) {
		return 1
	}
	return d
}

func sortedLetters(word string) string {
	letters := []rune(word)
	slices.Sort(letters)
	return string(letters)
}
