package mapping

import (
	"slices"
	"strings"
	"unicode"
)

// qualifier is what a word beside the noun of a header says of it.
type qualifier uint8

const (
	ofStudent      qualifier = iota // "Student City" is the city
	asAddress                       // "Address - City" is the city
	firstAddress                    // "Home City" belongs to the first address
	secondAddress                   // "Mailing City" belongs to the second
	legalName                       // "Legal First Name"
	preferredName                   // "Preferred First Name"
	mainEmail                       // "College Email"
	otherEmail                      // "Personal Email"
	ofSomebodyElse                  // "Parent Email" is not the student's
	qualifierEnd
)

// qualifierWords are English and French, in lower case without accents; so are
// the table prefixes of Banner's columns, such as SPRADDR_CITY.
var qualifierWords = [qualifierEnd][]string{
	ofStudent:     {"student", "students", "stu", "learner", "pupil", "person", "user", "applicant", "etudiant", "etudiante", "eleve", "spriden", "spbpers", "spraddr", "goremal"},
	asAddress:     {"address", "addr", "adresse"},
	firstAddress:  {"home", "primary", "permanent", "perm", "permanente", "domicile", "maison", "principale"},
	secondAddress: {"mailing", "mail", "local", "current", "temporary", "temp", "campus", "residence", "term", "correspondence", "correspondance", "postale", "locale", "temporaire"},
	legalName:     {"legal", "official", "legale", "officiel"},
	preferredName: {"preferred", "pref", "chosen", "common", "known", "usuel", "prefere", "choisi"},
	mainEmail:     {"primary", "main", "school", "college", "university", "institution", "institutional", "campus", "official", "edu", "institutionnel", "institutionnelle", "cegep", "universite"},
	otherEmail: {
		"personal", "private", "home", "alternate", "alternative", "alt", "other", "secondary", "backup", "recovery", "work", "preferred", "contact",
		"personnel", "personnelle", "autre",
	},
	ofSomebodyElse: {
		"parent", "parents", "guardian", "guardians", "mother", "father", "mom", "dad", "spouse", "partner", "sponsor", "emergency", "kin", "family",
		"advisor", "adviser", "counselor", "counsellor", "teacher", "instructor", "manager", "supervisor", "employer", "agent", "roommate",
		"tuteur", "tutrice", "pere", "mere", "conjoint", "conjointe", "urgence", "enseignant", "superviseur", "gestionnaire", "employeur",
	},
}

// headerWords splits a header into its words, in lower case without accents. A
// change from a small to a capital letter begins a word, as in givenName; a digit
// stays with the letters before it. What only says whether or how a column must
// be filled is left out: "First Name [Required]" is first, name.
func headerWords(header string) []string {
	var words []string
	var word strings.Builder
	end := func() {
		if folded := foldHeader(word.String()); folded != "" {
			words = append(words, folded)
		}
		word.Reset()
	}
	small := false
	for _, r := range strings.ReplaceAll(withoutNotes(header), "#", " number ") {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) || small && unicode.IsUpper(r) {
			end()
		}
		word.WriteRune(r)
		small = unicode.IsLower(r)
	}
	end()
	return words
}

// withoutNotes leaves out what stands in brackets when it is no part of the name.
func withoutNotes(header string) string {
	for _, brackets := range []string{"[]", "()"} {
		open, end := strings.IndexByte(header, brackets[0]), strings.LastIndexByte(header, brackets[1])
		if open < 0 || end < open {
			continue
		}
		note := foldHeader(header[open+1 : end])
		if slices.Contains([]string{"required", "optional", "mandatory", "obligatoire", "facultatif", "requis"}, note) || isDateForm(note) {
			header = header[:open] + " " + header[end+1:]
		}
	}
	return header
}

// isDateForm says that a note such as "yyyymmdd" names the parts of a date and nothing else.
func isDateForm(note string) bool {
	return len(note) >= 6 && strings.Trim(note, "ymdja") == ""
}

// noun is the header without the words of the given kinds; what is left out is
// told apart in found.
func noun(words []string, leaveOut []qualifier) (rest []string, found map[qualifier]bool) {
	found = make(map[qualifier]bool)
	for _, word := range words {
		i := slices.IndexFunc(leaveOut, func(q qualifier) bool { return slices.Contains(qualifierWords[q], word) })
		if i < 0 {
			rest = append(rest, word)
			continue
		}
		found[leaveOut[i]] = true
	}
	return rest, found
}
