package mapping

import (
	"slices"
	"strings"
)

// zeroStates are the states and territories all of whose ZIP codes begin with a
// zero: the prefixes 006 to 009 and 010 to 089 of the United States Postal
// Service's list of three-digit ZIP code prefixes (labeling list L002).
func zeroStates() []string {
	return []string{"CT", "MA", "ME", "NH", "NJ", "PR", "RI", "VI", "VT"}
}

// restoreZIP returns a ZIP code that a spreadsheet took for a number with the
// zeros that it has lost, when the address is in a state where every code begins
// with one. Elsewhere four digits may be the whole of a foreign code.
//
// The fault is a warning when the mapping asks for postal codes in their usual
// form, and with it the code can be sent. Otherwise a person must see it.
func (f *fieldMapper) restoreZIP(text string, profile *Profile) (string, *fault) {
	zip, extension, hasDash := strings.Cut(text, "-")
	lost := 5 - len(zip)
	if !hasDash && len(text) >= 7 {
		lost = 9 - len(text)
	}
	if lost < 1 || lost > 2 || !isDigits(zip) || hasDash && (len(extension) != 4 || !isDigits(extension)) {
		return text, nil
	}
	province := Province
	if f.check.spec.Attribute == PostalCode2 {
		province = Province2
	}
	whole := strings.Repeat("0", lost) + text
	label := f.check.spec.Label + " " + quote(text)
	state, _ := profile.Get(province)
	switch {
	case !slices.Contains(zeroStates(), state):
		if state == "" {
			return text, nil
		}
		return text, warn(RuleLostZeros, label+" is too short for a postal code of "+state+". Look whether it is a foreign code, or lacks digits.")
	case f.zips:
		return whole, warn(RuleLostZeros, label+" has lost its zeros in front, as every ZIP code of "+state+" has them; it is sent as "+quote(whole)+".")
	}
	return text, refuse(RuleLostZeros, label+" has lost its zeros in front, as every ZIP code of "+state+" has them. Write "+quote(whole)+", or add apply: [postal_code] to the mapping for the whole column.")
}
