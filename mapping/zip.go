package mapping

import (
	"slices"
	"strings"

	"opscom-import/mapping/internal/chars"
)

// zeroStates are the states and territories all of whose ZIP codes begin with a
// zero: the prefixes 006 to 009 and 010 to 089 of the United States Postal
// Service's list of three-digit ZIP code prefixes (labeling list L002).
func zeroStates() []string {
	return []string{"CT", "MA", "ME", "NH", "NJ", "PR", "RI", "VI", "VT"}
}

// repairZIP returns a ZIP code with the leading zeros that it lost when a
// spreadsheet took it for a number, in a state where every code begins with one.
// Elsewhere four digits may be the whole of a foreign code.
//
// The problem is a warning, and the code can be sent, when the mapping wants postal
// codes in their usual format. Otherwise a person must see it.
func (f *fieldMapper) repairZIP(text string, row []Cell, profile *Profile) (string, *Problem) {
	if text == "" || text[0] < '0' || text[0] > '9' { // nothing to do for K1A 0B1
		return text, nil
	}
	if code := strings.Replace(text, " ", "", 1); len(code) == 6 && chars.IsDigits(code) {
		return text, f.foreignCode(text, profile)
	}
	zip, extension, hasDash := strings.Cut(text, "-")
	lost := 5 - len(zip)
	if !hasDash && len(text) >= 7 {
		lost = 9 - len(text)
	}
	if lost < 1 || lost > 2 || !chars.IsDigits(zip) || hasDash && (len(extension) != 4 || !chars.IsDigits(extension)) {
		return text, nil
	}
	whole := strings.Repeat("0", lost) + text
	label := f.check.about(text)
	state := f.stateOf(profile)
	switch {
	case !slices.Contains(zeroStates(), state):
		if state == "" {
			if f.zips != nil {
				f.zips.short = !f.zips.isAbroad(row)
			}
			return text, nil
		}
		return text, warn(RuleLostZeros, label+"is too short for a postal code in "+state+".", "Check whether it is a foreign code, or lacks digits.")
	case f.fixZIP:
		return whole, warn(RuleLostZeros, label+"has lost its leading zeros, which every ZIP code in "+state+" has; it is sent as "+chars.Quote(whole)+".", "")
	}
	return text, refuse(RuleLostZeros, label+"has lost its leading zeros, which every ZIP code in "+state+" has.",
		"Write "+chars.Quote(whole)+", or add apply: [postal_code] to the mapping for the whole column.")
}

// stateOf returns the code of the address's province or state, "" for none.
func (f *fieldMapper) stateOf(profile *Profile) string {
	province := Province
	if f.check.spec.Attribute == PostalCode2 {
		province = Province2
	}
	state, _ := profile.Get(province)
	return state
}

// foreignCode says that a postal code of six digits, as India, China and others have,
// is not one of the province or state of its address.
func (f *fieldMapper) foreignCode(text string, profile *Profile) *Problem {
	state := f.stateOf(profile)
	if state == "" {
		return nil
	}
	return refuse(RuleBadRegion, f.check.about(text)+"has six digits, which no code in "+state+" has: the address may be in another country, where "+state+" means something else.",
		"Correct the code, or clear the province or state.")
}
