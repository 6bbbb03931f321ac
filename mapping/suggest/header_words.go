package suggest

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"opscom-import/mapping/internal/chars"
)

// headerWords splits a header into its words, in lower case without accents. A
// change from lower to upper case begins a word, as in givenName; a digit stays with
// the letters before it, and the s of "Student's" with its word. Notes on whether or
// how a column must be filled are left out: "First Name [Required]" is first, name.
func headerWords(header string) []string {
	var words []string
	var word strings.Builder
	end := func() {
		if folded := chars.Fold(word.String()); folded != "" {
			words = append(words, folded)
		}
		word.Reset()
	}
	header = strings.ReplaceAll(withoutNotes(strings.TrimSuffix(header, "__c")), "#", " number ") // __c ends custom fields in Salesforce
	lower := false
	for _, r := range possessive.ReplaceAllString(header, "$1$2") {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) || lower && unicode.IsUpper(r) {
			end()
		}
		word.WriteRune(r)
		lower = unicode.IsLower(r)
	}
	end()
	if last := len(words) - 1; last > 0 && nameOf(noteWord, words[last]) != "" {
		words = words[:last]
	}
	return slices.Compact(words) // "address.addressLine1"
}

// possessive is the s of "Student's", whose apostrophe is removed so that no word s is
// left over. Other apostrophes separate words, as in "d'étudiant".
var possessive = regexp.MustCompile(`['’]([sS])(\P{L}|$)`)

// withoutNotes removes what is in brackets when it is not part of the name: a note
// for the person who fills the column in, a date format, or the table of the column, as in
// [Students]Last_Name.
func withoutNotes(header string) string {
	for _, brackets := range []string{"[]", "()"} {
		before, inside, after, found := cutBrackets(header, brackets)
		if !found {
			continue
		}
		if note := chars.Fold(inside); nameOf(noteWord, note) != "" || isDateFormat(note) || brackets == "[]" && qualifierOf(note)&ofStudent != 0 {
			header = before + " " + after
		}
	}
	return header
}

// cutBrackets splits a header at the first opening and the last closing bracket.
func cutBrackets(header, brackets string) (before, inside, after string, found bool) {
	open, end := strings.IndexByte(header, brackets[0]), strings.LastIndexByte(header, brackets[1])
	if open < 0 || end < open {
		return header, "", "", false
	}
	return header[:open], header[open+1 : end], header[end+1:], true
}

// otherNames returns the names of a header that has several for one thing: in two
// languages, as "Last Name / Nom de famille", or for people and for programs, as
// "First name [givenName]". Other headers have fewer than two.
func otherNames(header string) []string {
	for _, brackets := range []string{"[]", "()"} {
		if before, inside, after, found := cutBrackets(header, brackets); found {
			return notBlank([]string{before + " " + after, inside})
		}
	}
	return notBlank(strings.FieldsFunc(header, func(r rune) bool { return strings.ContainsRune("/|;\n", r) }))
}

func notBlank(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return chars.Fold(name) == "" })
}

// isDateFormat reports whether a note such as "yyyymmdd" names only the parts of a date.
func isDateFormat(note string) bool {
	return strings.Trim(note, "ymdja") == "" && strings.ContainsAny(note, "ya") && strings.ContainsRune(note, 'm') && strings.ContainsAny(note, "dj")
}

// spelledOut replaces the usual abbreviations, so that "Stu Nbr" is a student number,
// and removes the number of an "ID Number".
func spelledOut(words []string) []string {
	out := make([]string, 0, len(words))
	for _, word := range words {
		word = cmp.Or(nameOf(shortWord, word), word)
		if word == "number" && len(out) > 0 && out[len(out)-1] == "id" {
			continue
		}
		out = append(out, word)
	}
	return out
}

// noun is the header without the words that have one of the given qualifiers, and
// without the articles before them, as in "Courriel de l'étudiant".
func noun(words []string, leaveOut qualifier) (rest []string, found qualifier) {
	for _, word := range words {
		q := qualifierOf(word) & leaveOut
		if q == 0 {
			rest = append(rest, word)
			continue
		}
		found |= q
		for len(rest) > 0 && nameOf(articleWord, rest[len(rest)-1]) != "" {
			rest = rest[:len(rest)-1]
		}
	}
	return slices.Compact(rest), found // "Home Address - Address Line 1"
}

// contact may mean the student's own address, or another person.
const contact = "contact"

// namesContacts reports whether a table has the names or the relationships of
// contacts, so that its other columns of contacts are about these people.
func namesContacts(header []string) bool {
	return slices.ContainsFunc(header, func(h string) bool {
		words := headerWords(h)
		return slices.Contains(words, contact) && slices.ContainsFunc(words, func(word string) bool { return nameOf(contactWord, word) != "" })
	})
}
