// Package suggest says which attribute each column of a table may give, and writes
// that as a mapping file for a person to finish.
//
// What goes in is a header and some of the table's rows:
//
//	| Banner ID | Courriel            | Nickname |
//	| 900100201 | zoe@college.example | Zoé      |
//
// What comes out of [Columns] is a [Suggestion] or more for each column, and of
// [Format] their text:
//
//	fields:
//	  unique_id: Banner ID # certain: it is the institution's number for a person; such as 900100201
//	  # likely: first_name: Nickname # a preferred name may differ from the legal one, and is often blank; such as Zoé
//	  email: Courriel # certain: a usual name for it; such as zoe@college.example
//
// [File] makes a mapping of the suggestions that are certain enough.
package suggest

import (
	"cmp"
	"slices"
	"strings"

	"opscom-import/mapping"
	"opscom-import/mapping/internal/chars"
)

// Confidence says how certain a suggestion is.
type Confidence uint8

// The confidences. Only what is certain may be used without asking a person.
const (
	Unmatched Confidence = iota // the column gives no attribute
	Likely                      // a guess, or one of several possibilities
	Certain                     // the header means this attribute and no other, and the values agree
)

// String returns "unmatched", "likely" or "certain".
func (c Confidence) String() string {
	return [...]string{"unmatched", "likely", "certain"}[c]
}

// Suggestion says what one column seems to hold.
type Suggestion struct {
	Column     int               // index in the table, 0 for column A
	Header     string            // as in the table
	Attribute  mapping.Attribute // NoAttribute when Unmatched
	Confidence Confidence
	Why        string              // a clause for a person, without a cell's value
	Date       string              // format of the column's dates where the samples show one; "" for YYYY-MM-DD or none
	Expr       string              // expression that makes the attribute from this and other columns; "" when the column is enough
	Columns    []string            // headers of which the first that is not blank gives the attribute, this one first; nil for this one alone
	Or         []string            // Columns that could replace this one, such as those of preferred names; nil for none
	Values     []mapping.ValuePair // what the column's values may become, for a person to correct; nil for none. See WithUserTypes
	Samples    []string            // up to three different values; personal data. Without them, no Values are written either
}

// maxSamples is how many values of a column a suggestion shows.
const maxSamples = 3

// Columns says for each column of a table which attribute it gives. Samples are
// some of the table's rows; a row may be shorter than the header.
//
// Headers are looked up among the accepted names and in a dictionary of what
// student systems call them; a header that is only spelled like a known one is at
// most Likely. The samples confirm a match or lower its confidence. They make a
// match only for a header that says nothing, such as "Field 7", and then it is
// Likely. A wrong match is worse than none: where two columns could be meant, both
// are Likely, and at most one column is Certain for an attribute.
//
// The suggestions are in the columns' order. A column has one, or several when it
// may give several attributes: a student number is often the unique ID too, and a
// column of full names gives both names.
func Columns(header []string, samples [][]mapping.Cell) []Suggestion {
	s := newSuggester(header, samples)
	for column := range header {
		s.candidates = append(s.candidates, s.columnCandidates(column)...)
	}
	s.joinParts()
	s.moveOnlyAddress()
	s.doubtLoneStreet2()
	s.splitFullNames()
	s.dropLastResorts()
	if !s.own {
		s.matchByContent()
	}
	var suggestions []Suggestion
	for _, spec := range mapping.Attributes() {
		suggestions = append(suggestions, s.choose(spec.Attribute)...)
	}
	matched := make([]bool, len(header))
	for _, suggestion := range suggestions {
		matched[suggestion.Column] = true
	}
	for column := range header {
		if !matched[column] {
			c := s.newCandidate(column, meaning{why: cmp.Or(s.passed[column], "no attribute is known by this name")})
			suggestions = append(suggestions, s.suggestion(c, Unmatched))
		}
	}
	slices.SortStableFunc(suggestions, func(a, b Suggestion) int { return cmp.Compare(a.Column, b.Column) })
	return suggestions
}

// candidate is a column that may give an attribute.
type candidate struct {
	Suggestion
	fit fit
}

func (s *suggester) newCandidate(column int, m meaning) candidate {
	return candidate{Suggestion{Column: column, Header: s.header[column], Attribute: m.attribute, Why: m.why}, m.fit}
}

// suggester is one call of Columns.
type suggester struct {
	header     []string
	samples    [][]mapping.Cell
	index      headerIndex
	cells      [][]mapping.Cell // the values of each column, once they were needed
	called     map[string][]int // header → the columns that have it
	contacts   bool             // "contact" means another person in this table
	houses     bool             // house numbers are in a column of their own
	own        bool             // the table uses the names that the Controller accepts
	candidates []candidate
	fullNames  []int          // the columns that hold the full name
	unknown    []int          // the columns whose headers mean nothing known
	passed     map[int]string // why a column gives nothing
}

func newSuggester(header []string, samples [][]mapping.Cell) *suggester {
	s := &suggester{
		header: header, samples: samples, index: dictionaryIndex(),
		cells: make([][]mapping.Cell, len(header)), called: make(map[string][]int), contacts: namesContacts(header), passed: make(map[int]string),
	}
	s.own = usesOwnNames(header)
	s.houses = slices.ContainsFunc(header, s.holdsHouseNumbers)
	for column, h := range header {
		s.called[strings.TrimSpace(h)] = append(s.called[strings.TrimSpace(h)], column)
	}
	return s
}

// columnCandidates returns the attributes that a column may give, by its header and
// its values.
func (s *suggester) columnCandidates(column int) []candidate {
	header := s.header[column]
	if strings.TrimSpace(header) == "" {
		s.passed[column] = "it has no header"
		return nil
	}
	if own := mapping.AcceptedName(header); s.own && own != mapping.NoAttribute {
		return []candidate{s.ownCandidate(column, own)}
	}
	meanings := s.index.meanings(header)
	if s.contacts && slices.Contains(headerWords(header), contact) {
		meanings = []meaning{{why: whySomebodyElse}}
	}
	if len(meanings) == 0 {
		meanings = s.namedAfterSchool(column)
	}
	if len(meanings) == 0 {
		s.unknown = append(s.unknown, column)
	}
	var candidates []candidate
	for _, m := range meanings {
		switch {
		case m.attribute == mapping.NoAttribute:
			s.passed[column] = m.why
			continue
		case m.fit == fitsWhole || m.attribute == mapping.LastName && m.fit == fitsMaybe && s.holdsFullNames(column):
			s.passed[column] = m.why
			s.fullNames = append(s.fullNames, column)
			continue
		}
		c := s.newCandidate(column, m)
		if m.fit > fitsAhead {
			looks := s.look(column, m.attribute)
			if m.fit <= fitsMaybe && looks.none {
				s.passed[column] = "its header may mean " + m.attribute.String() + ", but " + looks.doubt
				continue
			}
			c.Date = looks.date
			c.addReason(looks.proof)
			c.doubt(looks.doubt)
		}
		s.doubtAmbiguous(&c)
		candidates = append(candidates, c)
	}
	return candidates
}

// sameHeader returns the columns that have the same header as this one, itself
// among them.
func (s *suggester) sameHeader(column int) []int {
	return s.called[strings.TrimSpace(s.header[column])]
}

// gives reports whether a column may give the attribute.
func (s *suggester) gives(attribute mapping.Attribute) bool {
	return slices.ContainsFunc(s.candidates, func(c candidate) bool { return c.Attribute == attribute })
}

// doubt lowers a candidate for a reason; "" is none.
func (c *candidate) doubt(reason string) {
	if reason != "" {
		c.fit = min(c.fit, fitsMaybe)
		c.addReason(reason)
	}
}

func (c *candidate) addReason(reason string) {
	if c.Why != "" && reason != "" {
		c.Why += "; "
	}
	c.Why += reason
}

// dropLastResorts removes the columns that give an attribute only where no other
// column does.
func (s *suggester) dropLastResorts() {
	s.candidates = slices.DeleteFunc(slices.Clone(s.candidates), func(last candidate) bool {
		i := slices.IndexFunc(s.candidates, func(c candidate) bool {
			return c.Attribute == last.Attribute && c.Column != last.Column && c.fit > fitsLast
		})
		if last.fit != fitsLast || i < 0 {
			return false
		}
		s.pass(last, s.candidates[i])
		return true
	})
}

// choose chooses among the columns that may give the attribute.
func (s *suggester) choose(attribute mapping.Attribute) []Suggestion {
	var all []candidate
	certain, taken := 0, 0 // how many are, and the index of the last
	for _, c := range s.candidates {
		if c.Attribute != attribute {
			continue
		}
		if c.fit == fitsOnly {
			certain, taken = certain+1, len(all)
		}
		all = append(all, c)
	}
	s.preferNames(all)
	if len(all) == 1 && all[0].fit == fitsAlone && !(attribute == mapping.UniqueID && s.hasOtherID(all[0].Column)) {
		certain = 1
	}
	if accepted := takeAccepted(all); accepted >= 0 {
		certain, taken = 1, accepted
	}
	if certain == 1 {
		for _, c := range all {
			if c.Column != all[taken].Column {
				s.pass(c, all[taken])
			}
		}
		return []Suggestion{s.suggestion(all[taken], Certain)}
	}
	suggestions := make([]Suggestion, 0, len(all))
	for i, c := range all {
		var others []int
		for j, other := range all {
			if j != i {
				others = append(others, other.Column)
			}
		}
		if len(others) > 0 {
			c.addReason("or is it column " + columnLetters(others) + "?")
		} else if attribute == mapping.UniqueID && c.fit == fitsAlone {
			c.addReason("other columns hold IDs too; is it the one by which the Controller knows the users?")
		}
		c.Or = nil // each of the others has its own line
		suggestions = append(suggestions, s.suggestion(c, Likely))
	}
	return suggestions
}

// hasOtherID reports whether another column identifies people too, so that somebody
// must say which of them the Controller knows.
func (s *suggester) hasOtherID(column int) bool {
	return slices.ContainsFunc(s.candidates, func(c candidate) bool {
		switch c.Attribute {
		case mapping.UniqueID, mapping.UserName, mapping.StudentNumber, mapping.EmployeeNumber:
			return c.Column != column
		}
		return false
	})
}

// pass notes why a column does not give an attribute that another one gives.
func (s *suggester) pass(c, taken candidate) {
	s.passed[c.Column] = c.Attribute.String() + " comes from " + chars.Quote(taken.Header) + " (column " + mapping.ColumnLetter(taken.Column) + ")"
	if slices.Contains(taken.Columns, c.Header) {
		s.passed[c.Column] += ", and where that is blank from this column"
	}
	if slices.Contains(taken.Or, c.Header) {
		s.passed[c.Column] += "; the line \"# or:\" prefers this one where it is not blank"
	}
}

// suggestion completes a candidate.
func (s *suggester) suggestion(c candidate, confidence Confidence) Suggestion {
	if c.Attribute == mapping.UserTypeID && confidence == Likely {
		if c.Values = s.proposeValues(c.Column); c.Values != nil {
			c.addReason("to the right of each value, write the user type that it means")
		}
	}
	c.Confidence = confidence
	for _, cell := range s.values(c.Column) {
		if len(c.Samples) < maxSamples && !slices.Contains(c.Samples, cell.Text) {
			c.Samples = append(c.Samples, cell.Text)
		}
	}
	return c.Suggestion
}

// columnLetters lists the first columns as a spreadsheet names them.
func columnLetters(columns []int) string {
	const most = 5
	var letters []string
	for _, column := range columns[:min(len(columns), most)] {
		letters = append(letters, mapping.ColumnLetter(column))
	}
	if len(columns) > most {
		letters = append(letters, "…")
	}
	return strings.Join(letters, ", ")
}
