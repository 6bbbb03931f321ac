package mapping

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Confidence says how sure a suggestion is.
type Confidence uint8

// The confidences. Only what is certain may be used without a person's word.
const (
	Unmatched Confidence = iota // the column gives no attribute
	Likely                      // a guess, or one of several ways
	Certain                     // the header means this attribute and no other, and the values agree
)

// String returns "unmatched", "likely" or "certain".
func (c Confidence) String() string {
	return [...]string{"unmatched", "likely", "certain"}[c]
}

// Suggestion says what one column seems to hold.
type Suggestion struct {
	Column     int       // index in the table, 0 for column A
	Header     string    // as the table has it
	Attribute  Attribute // NoAttribute when Unmatched
	Confidence Confidence
	Why        string   // a clause for a person, without a cell's value
	Date       string   // form of the column's dates where the samples prove one; "" for YYYY-MM-DD or none
	Expr       string   // expression that makes the attribute of this and other columns; "" when the column is enough
	Samples    []string // up to three different values; personal data
}

// maxSamples is how many values of a column a suggestion shows.
const maxSamples = 3

// Suggest says for each column of a table which attribute it gives. Samples are
// some of the table's rows; a row may be shorter than the header.
//
// Headers are looked up among the accepted names and in a dictionary of what
// student systems call them; a header that is only spelled like a known one is
// Likely at best. The samples confirm a match or lower it, and never make one.
// A wrong match is worse than none: where two columns may be meant, both are
// Likely, and at most one column is Certain for an attribute.
//
// The suggestions stand in the columns' order. A column has one, or several
// when it may give several attributes: a student number is often the unique ID too.
func Suggest(header []string, samples [][]Cell) []Suggestion {
	s := suggester{
		header: header, samples: samples, index: newHeaderIndex(), regions: newRegionTable(),
		called: make(map[string][]int), passed: make(map[int]string),
	}
	for column, h := range header {
		s.called[strings.TrimSpace(h)] = append(s.called[strings.TrimSpace(h)], column)
	}
	for column := range header {
		s.candidates = append(s.candidates, s.columnCandidates(column)...)
	}
	s.joinStreetLines()
	s.doubtLoneStreet2()
	var suggestions []Suggestion
	for _, spec := range Attributes() {
		suggestions = append(suggestions, s.settle(spec.Attribute)...)
	}
	matched := make([]bool, len(header))
	for _, suggestion := range suggestions {
		matched[suggestion.Column] = true
	}
	for column := range header {
		if !matched[column] {
			suggestions = append(suggestions, s.suggestion(candidate{column: column, meaning: meaning{why: s.passed[column]}}, Unmatched))
		}
	}
	slices.SortStableFunc(suggestions, func(a, b Suggestion) int { return cmp.Compare(a.Column, b.Column) })
	return suggestions
}

// candidate is a column that may give an attribute.
type candidate struct {
	column int
	meaning
	date string
	expr string
}

// suggester is one call of Suggest.
type suggester struct {
	header     []string
	samples    [][]Cell
	index      headerIndex
	regions    regionTable
	called     map[string][]int // header → the columns that a mapping could not tell apart by it
	candidates []candidate
	passed     map[int]string // why a column gives nothing
}

// columnCandidates returns the attributes that a column may give, judged by its
// header and its values.
func (s *suggester) columnCandidates(column int) []candidate {
	header := s.header[column]
	if strings.TrimSpace(header) == "" {
		s.passed[column] = "it has no header"
		return nil
	}
	var candidates []candidate
	for _, m := range s.index.meanings(header) {
		if m.attribute == NoAttribute {
			s.passed[column] = m.why
			if m.why == whyFullName {
				s.passed[column] += s.howToSplit(column)
			}
			continue
		}
		c := candidate{column: column, meaning: m}
		if m.fit != fitsPart {
			looks := s.look(column, m.attribute)
			if m.fit == fitsMaybe && looks.none {
				s.passed[column] = "its header may mean " + m.attribute.String() + ", but " + looks.doubt
				continue
			}
			c.date = looks.date
			c.addReason(looks.proof)
			c.doubt(looks.doubt)
		}
		if same := s.called[strings.TrimSpace(header)]; len(same) > 1 {
			c.doubt("columns " + columnLetters(same) + " have this same header; give them different ones in the file")
		}
		candidates = append(candidates, c)
	}
	return candidates
}

// doubt lowers a candidate for a reason; "" is none.
func (c *candidate) doubt(reason string) {
	if reason == "" {
		return
	}
	c.fit = min(c.fit, fitsMaybe)
	c.addReason(reason)
}

func (c *candidate) addReason(reason string) {
	switch {
	case reason == "":
	case c.why == "":
		c.why = reason
	default:
		c.why += "; " + reason
	}
}

// joinStreetLines makes one street of the columns that hold its lines. The
// street alone would lose the second line, so that it is no longer certain.
func (s *suggester) joinStreetLines() {
	var whole []candidate
	parts := make(map[Attribute][]candidate)
	for _, c := range s.candidates {
		if c.fit == fitsPart {
			parts[c.attribute] = append(parts[c.attribute], c)
			s.passed[c.column] = c.why
			continue
		}
		whole = append(whole, c)
	}
	for i := range whole {
		c := &whole[i]
		if lines := parts[c.attribute]; len(lines) > 0 {
			terms := []string{"col(" + strconv.Quote(s.header[c.column]) + ")"}
			for _, line := range lines {
				terms = append(terms, "col("+strconv.Quote(s.header[line.column])+")")
			}
			c.expr = "trim(" + strings.Join(terms, ` + " " + `) + ")"
			c.doubt("the street has more than one line in this table")
		}
	}
	s.candidates = whole
}

// doubtLoneStreet2 lowers a column called "Street 2" in a table without a second
// city: there it is nearly always the second line of the one address.
func (s *suggester) doubtLoneStreet2() {
	for _, c := range s.candidates {
		if c.attribute == City2 || c.attribute == Province2 || c.attribute == PostalCode2 {
			return
		}
	}
	for i := range s.candidates {
		if s.candidates[i].attribute == Street2 {
			s.candidates[i].doubt("there is no second city, so it may be the second line of the one address")
		}
	}
}

// settle chooses among the columns that may give the attribute.
func (s *suggester) settle(attribute Attribute) []Suggestion {
	var all, only []candidate
	for _, c := range s.candidates {
		if c.attribute == attribute {
			all = append(all, c)
			if c.fit == fitsOnly {
				only = append(only, c)
			}
		}
	}
	if len(only) == 0 && len(all) == 1 && all[0].fit == fitsAlone && !(attribute == UniqueID && s.hasOtherID(all[0].column)) {
		only = all
	}
	if len(only) == 1 {
		for _, c := range all {
			if c.column != only[0].column {
				s.pass(c, only[0])
			}
		}
		return []Suggestion{s.suggestion(only[0], Certain)}
	}
	suggestions := make([]Suggestion, 0, len(all))
	for _, c := range all {
		if len(all) > 1 {
			var others []int
			for _, other := range all {
				if other.column != c.column && len(others) <= maxLetters {
					others = append(others, other.column)
				}
			}
			c.addReason("or is it column " + columnLetters(others) + "?")
			if attribute == FirstName || attribute == LastName {
				c.addReason("to take the first that is not blank, write {column: [one, other]}")
			}
		} else if attribute == UniqueID && c.fit == fitsAlone {
			c.addReason("other columns hold IDs too; is it the one by which the Controller knows the users?")
		}
		suggestions = append(suggestions, s.suggestion(c, Likely))
	}
	return suggestions
}

// hasOtherID says that a column beside this one identifies people too, so that
// somebody must say which of them the Controller knows.
func (s *suggester) hasOtherID(column int) bool {
	return slices.ContainsFunc(s.candidates, func(c candidate) bool {
		switch c.attribute {
		case UniqueID, UserName, StudentNumber, EmployeeNumber:
			return c.column != column
		}
		return false
	})
}

// pass notes why a column does not give an attribute that another one gives.
func (s *suggester) pass(c, taken candidate) {
	why := c.attribute.String() + " comes from " + quote(s.header[taken.column]) + " (column " + ColumnLetter(taken.column) + ")"
	if c.attribute == FirstName || c.attribute == LastName {
		why += "; to prefer this column, list it first: {column: [this one, that one]}"
	}
	s.passed[c.column] = why
}

func (s *suggester) suggestion(c candidate, confidence Confidence) Suggestion {
	why := c.why
	if why == "" && confidence == Unmatched {
		why = "no attribute is known by this name"
	}
	return Suggestion{
		Column: c.column, Header: s.header[c.column], Attribute: c.attribute, Confidence: confidence,
		Why: why, Date: c.date, Expr: c.expr, Samples: s.shown(c.column),
	}
}

// shown returns the first few different values of a column.
func (s *suggester) shown(column int) []string {
	var shown []string
	for _, cell := range s.values(column) {
		if !slices.Contains(shown, cell.Text) {
			shown = append(shown, cell.Text)
		}
		if len(shown) == maxSamples {
			break
		}
	}
	return shown
}

// maxLetters is how many columns a reason lists.
const maxLetters = 5

// columnLetters lists the first columns as a spreadsheet names them.
func columnLetters(columns []int) string {
	var letters []string
	for i, column := range columns {
		if i == maxLetters {
			letters = append(letters, "…")
			break
		}
		letters = append(letters, ColumnLetter(column))
	}
	return strings.Join(letters, ", ")
}
