package mapping

import "opscom-import/mapping/internal/chars"

// Nearest returns the known word that word most likely means, or "" when none is
// near: at most a third of its letters may differ, where two letters that changed
// places count as one. Case, accents, spaces and punctuation do not count.
//
//	Nearest("frist_name", []string{"first_name", "last_name"}) // "first_name"
func Nearest(word string, known []string) string { return chars.Nearest(word, known) }
