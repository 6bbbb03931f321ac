package mapping

import (
	"errors"
	"strings"

	"github.com/expr-lang/expr"

	"opscom-import/mapping/internal/chars"
)

// The functions of the expressions that take a full name apart, "Roy, Ann".
const (
	familyNameFunction = "family_name"
	givenNameFunction  = "given_name"
)

// nameFunctions makes the functions known to expr.
func nameFunctions() []expr.Option {
	part := func(index int) func(...any) (any, error) {
		return func(arguments ...any) (any, error) {
			parts, err := splitFullName(arguments[0].(string))
			return parts[index], err
		}
	}
	return []expr.Option{
		expr.Function(familyNameFunction, part(0), new(func(string) string)),
		expr.Function(givenNameFunction, part(1), new(func(string) string)),
	}
}

// splitFullName returns the family name and the given names of "Roy, Ann Marie". A
// blank has neither. The error says why the two are not certain: a comma may stand
// before a suffix too.
func splitFullName(text string) (parts [2]string, err error) {
	if text = chars.Trim(text); text == "" {
		return parts, nil
	}
	family, given, _ := strings.Cut(text, ",")
	parts = [2]string{chars.Trim(family), chars.Trim(given)}
	switch {
	case strings.Count(text, ",") > 1:
		return parts, errors.New("the full name has several commas, so its parts are not certain")
	case parts[0] == "" || parts[1] == "":
		return parts, errors.New("the full name is not written as Last, First")
	case isNameSuffix(parts[1]):
		return parts, errors.New("what follows the comma is a suffix, and no first name is left")
	}
	return parts, nil
}

// isNameSuffix reports whether a text is only what follows a whole name.
func isNameSuffix(text string) bool {
	switch strings.ToLower(strings.ReplaceAll(text, ".", "")) {
	case "jr", "sr", "ii", "iii", "iv", "2nd", "3rd", "phd", "md", "esq", "dds", "junior", "senior":
		return true
	}
	return false
}
