package suggest

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// qualifier is a set of things that the words beside the noun of a header say
// about it.
type qualifier uint16

const (
	ofStudent      qualifier = 1 << iota // "Student City" is the city
	asAddress                            // "Address - City" is the city
	firstAddress                         // "Home City" belongs to the first address
	secondAddress                        // "Mailing City" belongs to the second
	legalName                            // "Legal First Name"
	preferredName                        // "Preferred First Name"
	mainEmail                            // "College Email"
	otherEmail                           // "Personal Email"
	isDescription                        // "Student Type Desc" and "Student Type Code" are both the type
	mobilePhone                          // "Primary Mobile Telephone"
	workPhone                            // "Office Telephone"
	homePhone                            // "Permanent Telephone"
	ofSomebodyElse                       // "Parent Email" is not the student's
)

// qualifierNames are the names of the qualifiers in words.txt, in the same order.
var qualifierNames = []string{
	"student", "address", "first_address", "second_address", "legal_name", "preferred_name", "main_email", "other_email", "description",
	"mobile_phone", "work_phone", "home_phone", "somebody_else",
}

// The other kinds of words in words.txt.
const (
	shortWord   = "short"
	typeWord    = "type"
	articleWord = "article"
	noteWord    = "note"
	emptyWord   = "empty"
	contactWord = "contact"
)

//go:embed words.txt
var wordsText string

// vocabulary is words.txt by word.
type vocabulary struct {
	qualifiers map[string]qualifier
	names      map[string]map[string]string // kind → word → name
}

var readWords = sync.OnceValue(func() vocabulary {
	v := vocabulary{make(map[string]qualifier), make(map[string]map[string]string)}
	for line := range strings.Lines(wordsText) {
		heading, list, _ := strings.Cut(line, ": ")
		kind, name, _ := strings.Cut(heading, " ")
		if v.names[kind] == nil {
			v.names[kind] = make(map[string]string)
		}
		for word := range strings.FieldsSeq(list) {
			if kind == "qualifier" {
				v.qualifiers[word] |= 1 << slices.Index(qualifierNames, name)
			}
			v.names[kind][word] = name
		}
	}
	return v
})

// qualifierOf returns what a word says about the noun beside it.
func qualifierOf(word string) qualifier { return readWords().qualifiers[word] }

// nameOf returns the name of a word among those of a kind, "" for none.
func nameOf(kind, word string) string { return readWords().names[kind][word] }
