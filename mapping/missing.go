package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/region"
)

// missingValues finds the words and signs that stand where an attribute has no
// value: NULL, N/A, "-", ___-____. Where such a word may be a person's name or a
// town's, the other values of the table decide.
type missingValues struct {
	label  string
	kind   valueKind
	named  map[string]bool      // the texts that the mapping says mean no value
	values *valueTable          // says what some texts become, whatever they look like; nil for none
	words  map[string]*wordSeen // the words found, as written; at most maxMissingWords
	other  [styles]int          // how many other values the column has, by the style of their letters
}

func newMissingValues(label string, kind valueKind, named []string, values *valueTable) *missingValues {
	m := &missingValues{label: label, kind: kind, values: values, named: map[string]bool{}, words: map[string]*wordSeen{}}
	for _, text := range named {
		m.named[chars.Trim(text)] = true
	}
	return m
}

// missingness says whether a text stands for no value.
type missingness uint8

const (
	isValue   missingness = iota
	mayBeWord             // a word for no value that is a name or a town's as well
	isMissing             // no value for certain
)

// wordSeen is one word for no value in one column.
type wordSeen struct {
	missing int       // rows in which it stands for no value
	maybe   int       // rows in which it may be a value
	rows    []wordRow // the first maxSuspects of these
}

// wordRow is a row in which a word may be a value.
type wordRow struct {
	sequence  uint32
	hasBlanks bool // another value of the row is missing
}

// maxMissingWords is how many words are remembered of one column: more than there
// are spellings.
const maxMissingWords = 64

// missingWords are the words that databases, programs and people write where there
// is no value, in small letters: those of the programming languages and databases
// first, then those that people type.
var missingWords = map[string]wordKind{
	"n/a": abbreviation, "n/d": abbreviation, "n/v": abbreviation, "n/b": abbreviation, `n\a`: abbreviation, "i/t": abbreviation,
	"n/c": abbreviation, "n/r": abbreviation, "n/i": abbreviation,
	"s/o": abbreviation, "n.v.t.": abbreviation, "k.a.": abbreviation, "k. a.": abbreviation, "s.o.": abbreviation,
	"null": databaseWord, "nil": databaseWord, "nan": databaseWord, "none": databaseWord, "undefined": databaseWord,
	"na": shortWord, "n.a.": shortWord, "n.a": shortWord, "nd": shortWord, "n.d.": shortWord,
	"unknown": typedWord, "not available": typedWord, "not applicable": typedWord, "not provided": typedWord,
	"not given": typedWord, "not specified": typedWord, "no value": typedWord, "no data": typedWord,
	"blank": typedWord, "empty": typedWord, "missing": typedWord, "tbd": typedWord, "tba": typedWord,
	"inconnu": typedWord, "inconnue": typedWord, "aucun": typedWord, "aucune": typedWord, "sans objet": typedWord,
	"non disponible": typedWord, "vide": typedWord, "unbekannt": typedWord, "keine": typedWord, "leer": typedWord,
	"ninguno": typedWord, "ninguna": typedWord, "desconocido": typedWord, "nessuno": typedWord, "onbekend": typedWord,
	"not known": typedWord, "not stated": typedWord, "unspecified": typedWord, "none given": typedWord,
	"non renseigné": typedWord, "non renseigne": typedWord, "non communiqué": typedWord, "non précisé": typedWord, "néant": typedWord,
	"keine angabe": typedWord, "keine angaben": typedWord, "nicht bekannt": typedWord, "nicht angegeben": typedWord, "nicht vorhanden": typedWord, "entfällt": typedWord,
	"sin dato": typedWord, "sin datos": typedWord, "no aplica": typedWord, "no disponible": typedWord, "no informado": typedWord, "desconocida": typedWord,
	"não informado": typedWord, "nao informado": typedWord, "não se aplica": typedWord, "nao se aplica": typedWord, "não disponível": typedWord,
	"desconhecido": typedWord, "desconhecida": typedWord, "nenhum": typedWord, "nenhuma": typedWord,
	"non disponibile": typedWord, "non applicabile": typedWord, "non specificato": typedWord, "nessuna": typedWord, "sconosciuto": typedWord, "sconosciuta": typedWord,
	"niet bekend": typedWord, "niet van toepassing": typedWord, "niet opgegeven": typedWord, "geen": typedWord,
}

// wordKind says who writes a word for no value.
type wordKind uint8

const (
	abbreviation wordKind = iota + 1 // "not available" in the languages of spreadsheets; nobody is called so
	databaseWord                     // what programs write; hardly anybody is called so
	shortWord                        // what both write; some people are called so
	typedWord                        // what people type in place of a number or an address
)

// judge says whether a text, which is not blank, stands for no value.
func (m *missingValues) judge(text string) missingness {
	found := isValue
	switch first := text[0]; {
	case len(m.named) > 0 && m.named[text]:
		return isMissing
	case first >= 'A' && first <= 'Z' || first >= 'a' && first <= 'z':
		if len(text) >= 3 && text[1]|0x20 == first|0x20 && m.isCrossedOut(text) {
			found = isMissing
			break
		}
		if len(text) > longestMissingWord || missingLengths[first|0x20]&(1<<len(text)) == 0 {
			return isValue // nearly all values end here
		}
		found = m.judgeWord(text)
	case first >= '0' && first <= '9':
		if m.isZero(text) {
			found = isMissing
		} else if m.kind == idValue && text == "0" {
			found = mayBeWord
		}
	case m.kind.isWords() && isOnlyQuestions(text): // letters were lost
	case first == '&' || first == '<', first >= utf8.RuneSelf:
		if isSigns(text) || m.isEscaped(text) {
			found = isMissing
		}
	case isSigns(text), text == `\N`, m.isBracketed(text), m.kind == phoneValue && (isOneDigit(text) || isEmptyMask(text)):
		found = isMissing
	}
	if found != isValue && m.values.lists(text) {
		return isValue
	}
	return found
}

// longestMissingWord is the length of the longest of missingWords, in bytes.
const longestMissingWord = len("niet van toepassing")

// missingLengths has bit n set for the first letter of a word for no value of n bytes.
var missingLengths = func() (lengths [256]uint32) {
	for word := range missingWords {
		lengths[word[0]] |= 1 << len(word)
	}
	return lengths
}()

// judgeWord says whether a text is a word for no value.
func (m *missingValues) judgeWord(text string) missingness {
	lower := strings.ToLower(text)
	word := missingWords[lower]
	switch word {
	case 0:
		return isValue
	case abbreviation:
		if m.kind == nameValue && strings.Contains(text, ".") { // initials
			return isValue
		}
		return isMissing
	}
	switch m.kind {
	case regionValue:
		if _, isRegion := region.Code(text); isRegion { // ND is North Dakota
			return isValue
		}
		return isMissing
	case phoneValue, postalValue, emailValue, dateValue, streetValue:
		return isMissing
	case idValue:
		if word != shortWord {
			return isMissing
		}
		return mayBeWord
	case townValue:
		switch lower {
		case "null", "undefined", "unknown", "inconnu", "inconnue", "unbekannt", "onbekend",
			"desconocido", "desconocida", "desconhecido", "desconhecida", "sconosciuto", "sconosciuta":
			return isMissing
		}
	}
	if strings.Contains(text, " ") { // not provided
		return isMissing
	}
	return mayBeWord
}

// isSigns reports whether a text has neither a letter nor a digit: dashes, dots, a
// mask such as (   )   -. Question marks and number signs alone are not no value:
// they stand where letters were lost, or where a column was too narrow.
func isSigns(text string) bool {
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.In(r, unicode.M, unicode.N, unicode.So) || r == unicode.ReplacementChar {
			return false
		}
	}
	return len(text) == 1 || strings.Trim(text, "?¿#") != ""
}

// isBracketed reports whether a text is a word for no value in brackets: (null),
// <none>, [blank].
func (m *missingValues) isBracketed(text string) bool {
	const opening, closing = `([{<"'-*_`, `)]}>"'-*_`
	if strings.IndexByte(opening, text[0]) < 0 || strings.IndexByte(closing, text[len(text)-1]) < 0 {
		return false
	}
	inner := strings.Trim(text, `([{<>}])"'-*_ `)
	if m.kind == nameValue && styleOf(inner) == titleStyle { // (Nan) is short for Nancy
		return false
	}
	lower := strings.ToLower(inner)
	return missingWords[lower] != 0
}

// isEscaped reports whether a text is a blank or a word for no value as other programs
// write it: &nbsp;, <br>, “NULL”.
func (m *missingValues) isEscaped(text string) bool {
	if inner, ok := chars.Unquote(text); ok {
		return m.isBracketed(`"` + inner + `"`)
	}
	if text[0] >= utf8.RuneSelf {
		return false
	}
	plain, _ := unescape(text, m.kind)
	return chars.Trim(plain) == "" || m.isBracketed(plain)
}

// isZero reports whether a text that begins with a digit stands for no value: the 0
// of a formula that refers to a blank cell, a database's date of zeros, a phone
// number of one digit repeated or of a country's code alone.
func (m *missingValues) isZero(text string) bool {
	switch m.kind {
	case nameValue, townValue, streetValue, regionValue, emailValue:
		return text == "0"
	case postalValue:
		return strings.Trim(text, "0") == ""
	case dateValue:
		return text[0] == '0' && strings.Trim(text, "0-/.: T") == ""
	case phoneValue:
		return isOneDigit(text) || isEmptyMask(text)
	}
	return false
}

// isCrossedOut reports whether a text is one letter three times or more: xxx. Names are
// crossed out with an x.
func (m *missingValues) isCrossedOut(text string) bool {
	letter := text[0] | 0x20
	if m.kind != townValue && (m.kind != nameValue || letter != 'x') {
		return false
	}
	for i := range len(text) {
		if text[i]|0x20 != letter {
			return false
		}
	}
	return true
}

// isEmptyMask reports whether a phone number is the mask of a form with no more than
// the code of a country: +1 (___) ___-____, 1-.
func isEmptyMask(text string) bool {
	digits, most := 0, 1
	if text[0] == '+' {
		most = 3
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			if digits++; digits > most {
				return false
			}
		case strings.IndexByte(" -().+_/", c) < 0:
			return false
		}
	}
	return digits > 0 && len(text) > digits
}

// isOneDigit reports whether a phone number is one digit repeated: zeros, or seven of
// any other at least.
func isOneDigit(text string) bool {
	digit, count := byte(0), 0
	for i := range len(text) {
		switch c := text[i]; {
		case strings.IndexByte(" -().+", c) >= 0:
		case c < '0' || c > '9' || count > 0 && c != digit:
			return false
		default:
			digit, count = c, count+1
		}
	}
	return digit == '0' || count >= 7
}

// MayBeMissing reports whether a value of an attribute, which is not blank, may stand for
// no value, as N/A and NULL do, unless a mapping says what it becomes.
func MayBeMissing(attribute Attribute, value string) bool {
	return newMissingValues("", valueKindOf(attribute), nil, nil).judge(value) != isValue
}

// warning says that a text counts as no value.
func (m *missingValues) warning(text string) *Problem {
	return warn(RuleMissingValue, about(m.label, text)+"stands for no value; the cell counts as blank.", "")
}

// add takes a value of one row that may be a word, or is none.
func (m *missingValues) add(sequence int, text string, found missingness) {
	if found == isValue {
		if m.kind.mayBeWord() {
			m.other[styleOf(text)]++
		}
		return
	}
	word := m.words[text]
	switch {
	case word == nil && len(m.words) == maxMissingWords:
		return
	case word == nil:
		word = &wordSeen{}
		m.words[text] = word
	}
	if found == isMissing {
		word.missing++
		return
	}
	word.maybe++
	if len(word.rows) < maxSuspects {
		word.rows = append(word.rows, wordRow{sequence: uint32(sequence)})
	}
}

// mayBeWord reports whether a word for no value may be a value of the kind.
func (k valueKind) mayBeWord() bool {
	switch k {
	case nameValue, townValue, idValue, loginValue, freeText:
		return true
	}
	return false
}

// markBlanks notes that another value of the row is missing.
func (m *missingValues) markBlanks(sequence int) {
	if m == nil {
		return
	}
	for _, word := range m.words {
		if last := len(word.rows) - 1; last >= 0 && word.rows[last].sequence == uint32(sequence) {
			word.rows[last].hasBlanks = true
		}
	}
}

// review reports each row in which a word that may be a value stands for none after
// all, or asks when they are many. elsewhere reports whether another column has the
// word for no value.
func (m *missingValues) review(f *fieldMapper, review *Review, elsewhere func(text string) bool) (question string) {
	if m == nil {
		return ""
	}
	for _, text := range slices.Sorted(maps.Keys(m.words)) {
		word := m.words[text]
		isName := !m.standsForNone(text, word, elsewhere(text))
		suspects := 0
		for _, row := range word.rows {
			if isName && !(row.hasBlanks && m.kind == townValue) {
				continue
			}
			suspects++
			if suspects > questionRows && 20*suspects > m.others() || word.maybe > len(word.rows) {
				return fmt.Sprintf("%d rows have %q, which databases and programs write where there is no value. To count it as blank, add missing_values: [%q] to source; if it is right, add as_is: true here",
					word.maybe, text, text)
			}
			f.report(review, int(row.sequence), text, RuleMissingValue, about(m.label, text)+"is what databases and programs write where there is no value.",
				fmt.Sprintf("Clear the cell, or add missing_values: [%q] to source in the mapping; if it is right, add as_is: true to the field.", text))
		}
	}
	return ""
}

// questionRows is how many rows of a column may have the same trouble before it is a
// question about the column.
const questionRows = 20

// standsForNone reports whether a word that may be a value stands for none in its
// column, by how it is written and how often.
func (m *missingValues) standsForNone(text string, word *wordSeen, elsewhere bool) bool {
	if missingWords[strings.ToLower(text)] != shortWord && m.isTechnical(text) {
		return true
	}
	if elsewhere {
		return true
	}
	isCommon := word.maybe >= 10 && 20*word.maybe > m.others() || word.maybe >= 3 && word.maybe > m.others()
	return isCommon && m.kind != townValue // most of a college may be from one town
}

// isTechnical reports whether a word is written as programs write it and the column's
// values are not: NULL or null among Roy and Lee.
func (m *missingValues) isTechnical(text string) bool {
	style := styleOf(text)
	return text == "NaN" || style != titleStyle && 2*m.other[style] <= m.others()-m.other[noStyle]
}

func (m *missingValues) others() (all int) {
	for _, count := range m.other {
		all += count
	}
	return all
}

// textStyle is how the letters of a text are written.
type textStyle uint8

const (
	noStyle    textStyle = iota // 花子, O
	titleStyle                  // Null, Ann
	upperStyle                  // NULL, ANN
	lowerStyle                  // null, ann
	styles                      // how many there are
)

func styleOf(text string) textStyle {
	if text != "" && text[0] >= '0' && text[0] <= '9' {
		return noStyle
	}
	if len(text) > 1 && text[1]|0x20 >= 'a' && text[1]|0x20 <= 'z' { // nearly all names end here
		switch first, second := text[0], text[1]; {
		case first >= 'a' && first <= 'z':
			return lowerStyle
		case first >= 'A' && first <= 'Z' && second <= 'Z':
			return upperStyle
		case first >= 'A' && first <= 'Z':
			return titleStyle
		}
	}
	upper, lower := 0, 0
	for _, r := range text {
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r) && unicode.ToUpper(r) != r: // ß has no capital
			lower++
		}
	}
	switch {
	case upper > 0 && lower > 0:
		return titleStyle
	case upper > 1:
		return upperStyle
	case lower > 1:
		return lowerStyle
	}
	return noStyle
}
