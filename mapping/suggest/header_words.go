package suggest

import (
	"slices"
	"strings"
	"unicode"

	"opscom-import/mapping/internal/chars"
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
	inWords                         // "Student Type Desc" and "Student Type Code" are both the type
	mobilePhone                     // "Primary Mobile Telephone"
	workPhone                       // "Office Telephone"
	homePhone                       // "Permanent Telephone"
	ofSomebodyElse                  // "Parent Email" is not the student's
	qualifierEnd
)

// qualifierWords are English and French, in lower case without accents; so are
// the table prefixes of Banner's columns, such as SPRADDR_CITY, and its kinds of
// addresses, such as PR and MA.
var qualifierWords = [qualifierEnd][]string{
	ofStudent:     {"student", "students", "stu", "learner", "pupil", "person", "individual", "user", "applicant", "candidate", "customer", "employee", "worker", "etudiant", "etudiante", "eleve", "candidat", "employe", "spriden", "spbpers", "spraddr", "goremal"},
	asAddress:     {"address", "addr", "adresse"},
	firstAddress:  {"home", "primary", "permanent", "perm", "permanente", "domicile", "maison", "principale", "residence", "residential", "residentielle", "physical", "active", "preferred", "pr"},
	secondAddress: {"mailing", "mail", "local", "current", "temporary", "temp", "campus", "term", "correspondence", "correspondance", "postale", "locale", "temporaire", "ma"},
	legalName:     {"legal", "official", "primary", "legale", "officiel"},
	preferredName: {"preferred", "pref", "chosen", "common", "known", "usual", "usuel", "prefere", "choisi"},
	mainEmail:     {"primary", "main", "school", "college", "university", "institution", "institutional", "campus", "official", "default", "edu", "principal", "principale", "collegial", "institutionnel", "institutionnelle", "cegep", "universite"},
	otherEmail: {
		"personal", "private", "home", "alternate", "alternative", "alt", "other", "secondary", "backup", "recovery", "work", "preferred", "contact",
		"perso", "personnel", "personnelle", "autre",
	},
	inWords:     {"desc", "descr", "description", "code", "cd", "ind", "indicator", "status"},
	mobilePhone: {"cell", "cellular", "cellulaire", "mobile", "portable"},
	workPhone:   {"work", "office", "business", "travail", "bureau", "professionnel"},
	homePhone: {
		"home", "permanent", "perm", "local", "primary", "main", "preferred", "personal", "evening", "day", "daytime", "current",
		"domicile", "residence", "maison", "principal", "personnel",
	},
	ofSomebodyElse: {
		"parent", "parents", "guardian", "guardians", "mother", "father", "mom", "dad", "spouse", "partner", "sponsor", "emergency", "kin", "family",
		"advisor", "adviser", "counselor", "counsellor", "teacher", "instructor", "professor", "coach", "coordinator", "dean", "manager", "supervisor", "employer",
		"agent", "roommate", "physician", "doctor", "caregiver", "relative", "sibling", "brother", "sister", "husband", "wife", "child", "grandparent", "nok", "payer", "payor",
		"created", "creator", "modified", "approved", "entered", "homeroom",
		"tuteur", "tutrice", "pere", "mere", "conjoint", "conjointe", "urgence", "repondant", "responsable", "enseignant", "professeur", "superviseur", "superieur",
		"gestionnaire", "employeur", "medecin",
	},
}

// headerWords splits a header into its words, in lower case without accents. A
// change from a small to a capital letter begins a word, as in givenName; a digit
// stays with the letters before it, and the s of "Student's" with its word. What
// only reports whether or how a column must be filled is left out: "First Name
// [Required]" is first, name.
func headerWords(header string) []string {
	var words []string
	var word strings.Builder
	end := func() {
		if folded := chars.Fold(word.String()); folded != "" {
			words = append(words, folded)
		}
		word.Reset()
	}
	small := false
	for _, r := range joinPossessives(strings.ReplaceAll(withoutNotes(header), "#", " number ")) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) || small && unicode.IsUpper(r) {
			end()
		}
		word.WriteRune(r)
		small = unicode.IsLower(r)
	}
	end()
	if last := len(words) - 1; last > 0 && isNote(words[last]) {
		words = words[:last]
	}
	return slices.Compact(words) // "address.addressLine1"
}

// joinPossessives takes the apostrophe out of "Student's" and "Students' ", so
// that no word s is left over. Other apostrophes part words, as in "d'étudiant".
func joinPossessives(header string) string {
	if !strings.ContainsAny(header, "'’") {
		return header
	}
	runes := []rune(header)
	joined := make([]rune, 0, len(runes))
	for i, r := range runes {
		ends := i+2 >= len(runes) || !unicode.IsLetter(runes[i+2])
		if (r == '\'' || r == '’') && i+1 < len(runes) && unicode.ToLower(runes[i+1]) == 's' && ends {
			continue
		}
		joined = append(joined, r)
	}
	return string(joined)
}

// withoutNotes leaves out what stands in brackets when it is not part of the name:
// a note for anyone who fills the column in, the form of a date, or the table that
// the column is of, as in [Students]Last_Name.
func withoutNotes(header string) string {
	for _, brackets := range []string{"[]", "()"} {
		before, inside, after, found := cutBrackets(header, brackets)
		if !found {
			continue
		}
		if note := chars.Fold(inside); isNote(note) || isDateForm(note) || brackets == "[]" && slices.Contains(qualifierWords[ofStudent], note) {
			header = before + " " + after
		}
	}
	return header
}

// cutBrackets parts a header at the first bracket that opens and the last one
// that closes.
func cutBrackets(header, brackets string) (before, inside, after string, found bool) {
	open, end := strings.IndexByte(header, brackets[0]), strings.LastIndexByte(header, brackets[1])
	if open < 0 || end < open {
		return header, "", "", false
	}
	return header[:open], header[open+1 : end], header[end+1:], true
}

// isNote says that a folded text is addressed to anyone who fills the column in.
func isNote(folded string) bool {
	switch folded {
	case "required", "optional", "mandatory", "obligatoire", "facultatif", "requis", "readonly", "uploadonly":
		return true
	}
	return false
}

// otherNames returns the names under which a header gives one thing several
// times: in two languages, as "Last Name / Nom de famille", or for people and
// for programs, as "First name [givenName]". Fewer than two: it does not.
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

// isDateForm says that a note such as "yyyymmdd" names the parts of a date and nothing else.
func isDateForm(note string) bool {
	return strings.Trim(note, "ymdja") == "" && strings.ContainsAny(note, "ya") && strings.ContainsRune(note, 'm') && strings.ContainsAny(note, "dj")
}

// spelledOut writes the usual abbreviations of words out, so that "Stu Nbr" is a
// student number, and leaves out the number of an "ID Number".
func spelledOut(words []string) []string {
	out := make([]string, 0, len(words))
	for _, word := range words {
		switch word {
		case "nm":
			word = "name"
		case "no", "nbr", "num", "nr", "numero":
			word = "number"
		case "cd":
			word = "code"
		case "tel", "telephone", "ph":
			word = "phone"
		case "addr":
			word = "address"
		case "prov":
			word = "province"
		case "stu":
			word = "student"
		case "lic", "license":
			word = "licence"
		case "drivers":
			word = "driver"
		case "dt", "dte":
			word = "date"
		}
		if word == "number" && len(out) > 0 && out[len(out)-1] == "id" {
			continue
		}
		out = append(out, word)
	}
	return out
}

// noun is the header without the words of the given kinds and the articles before
// them, as in "Courriel de l'étudiant"; what is left out is told apart in found.
func noun(words []string, leaveOut []qualifier) (rest []string, found map[qualifier]bool) {
	found = make(map[qualifier]bool)
	for _, word := range words {
		i := slices.IndexFunc(leaveOut, func(q qualifier) bool { return slices.Contains(qualifierWords[q], word) })
		if i < 0 {
			rest = append(rest, word)
			continue
		}
		found[leaveOut[i]] = true
		for len(rest) > 0 && isArticle(rest[len(rest)-1]) {
			rest = rest[:len(rest)-1]
		}
	}
	return slices.Compact(rest), found // "Home Address - Address Line 1"
}

// isArticle says that a word joins a qualifier to its noun.
func isArticle(word string) bool {
	return slices.Contains([]string{"of", "the", "for", "de", "du", "des", "la", "le", "l", "d"}, word)
}

// contactWord may mean the student's own address, or another person.
const contactWord = "contact"

// namesContacts says that a table has the names or the relationships of
// contacts, so that its other columns of contacts are about these people.
func namesContacts(header []string) bool {
	return slices.ContainsFunc(header, func(h string) bool {
		words := headerWords(h)
		return slices.Contains(words, contactWord) && slices.ContainsFunc(words, func(word string) bool {
			return slices.Contains([]string{"name", "first", "last", "relation", "relationship", "type", "nom", "prenom", "lien"}, word)
		})
	})
}
