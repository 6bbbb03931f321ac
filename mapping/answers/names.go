package answers

import (
	"fmt"
	"slices"

	"opscom-import/mapping"
)

// NameOrder says how a column writes full names.
type NameOrder string

// The orders of full names.
const (
	NoOrder        NameOrder = ""
	LastCommaFirst NameOrder = "last, first" // Roy, Ann Marie
	FirstCommaLast NameOrder = "first, last" // Ann Marie, Roy
	FirstLast      NameOrder = "first last"  // Ann Marie Roy: the last word is the last name
	LastFirst      NameOrder = "last first"  // Roy Ann Marie: the first word is the last name
)

// NameOrders returns the orders in which full names are written, the most common first.
func NameOrders() []NameOrder {
	return []NameOrder{LastCommaFirst, FirstLast, LastFirst, FirstCommaLast}
}

// NamePart is a part of a full name in one cell.
type NamePart string

// The parts of a full name.
const (
	WholeCell   NamePart = ""
	BeforeComma NamePart = "before comma"
	AfterComma  NamePart = "after comma"
	FirstWord   NamePart = "first word"
	LastWord    NamePart = "last word"
	ButFirst    NamePart = "but first word"
	ButLast     NamePart = "but last word"
)

// part says which part of the cell is the attribute.
func (o NameOrder) part(attribute mapping.Attribute) NamePart {
	parts := map[NameOrder][2]NamePart{ // of the last name, and of the first
		LastCommaFirst: {BeforeComma, AfterComma},
		FirstCommaLast: {AfterComma, BeforeComma},
		FirstLast:      {LastWord, ButLast},
		LastFirst:      {FirstWord, ButFirst},
	}[o]
	if attribute == mapping.LastName {
		return parts[0]
	}
	return parts[1]
}

// expression takes the part out of a column, as a mapping file writes it.
func (p NamePart) expression(column string) string {
	format := map[NamePart]string{
		BeforeComma: `family_name(col(%q))`,
		AfterComma:  `given_name(col(%q))`,
		FirstWord:   `split(col(%[1]q), " ")[0]`,
		LastWord:    `last(split(col(%[1]q), " "))`,
		ButFirst:    `trim(trimPrefix(col(%[1]q), split(col(%[1]q), " ")[0]))`,
		ButLast:     `trim(trimSuffix(col(%[1]q), last(split(col(%[1]q), " "))))`,
	}[p]
	return fmt.Sprintf(format, column)
}

// isOfWords reports whether the part is what another word leaves, which may be nothing.
func (p NamePart) isOfWords() bool {
	switch p {
	case ButFirst, ButLast:
		return true
	}
	return false
}

// after takes the first of the columns that is not blank, and of the last one the part.
func (p NamePart) after(columns []string) string {
	full := len(columns) - 1
	expression := p.expression(columns[full])
	for _, column := range slices.Backward(columns[:full]) {
		expression = fmt.Sprintf(`trim(col(%[1]q)) != "" ? col(%[1]q) : %[2]s`, column, expression)
	}
	return expression
}
