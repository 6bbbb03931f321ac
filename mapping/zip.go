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
// codes in their usual format. Otherwise a person must see it. Only a sound code is
// right whatever its row.
func (f *fieldMapper) repairZIP(text string, row []Cell, profile *Profile) (whole string, sound bool, problem *Problem) {
	if isForeignCode(text) {
		return text, false, f.foreignCode(text, profile)
	}
	lost := lostZeros(text)
	if lost == 0 {
		return text, true, nil
	}
	whole = strings.Repeat("0", lost) + text
	label := f.check.about(text)
	state := f.stateOf(profile)
	switch {
	case !slices.Contains(zeroStates(), state):
		if state == "" {
			if f.zips != nil {
				f.zips.short = !f.zips.isAbroad(row)
			}
			return text, false, nil
		}
		return text, false, warn(RuleLostZeros, label+"is too short for a postal code in "+state+".", "Check whether it is a foreign code, or lacks digits.")
	case f.fixZIP:
		return whole, false, warn(RuleLostZeros, label+"has lost its leading zeros, which every ZIP code in "+state+" has; it is sent as "+chars.Quote(whole)+".", "")
	}
	return text, false, refuse(RuleLostZeros, label+"has lost its leading zeros, which every ZIP code in "+state+" has.",
		"Write "+chars.Quote(whole)+", or add apply: [postal_code] to the mapping for the whole column.").proposing(whole)
}

// lostZeros returns how many digits a postal code has less than a ZIP code, or one with
// its extension; 0 for anything else, and for more than two.
func lostZeros(text string) int {
	if text == "" || text[0] < '0' || text[0] > '9' { // K1A 0B1
		return 0
	}
	zip, extension, hasDash := strings.Cut(text, "-")
	lost := 5 - len(zip)
	if !hasDash && len(text) >= 7 {
		lost = 9 - len(text)
	}
	if lost < 1 || lost > 2 || !chars.IsDigits(zip) || hasDash && (len(extension) != 4 || !chars.IsDigits(extension)) {
		return 0
	}
	return lost
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

// foreignCodes are the shapes of postal codes that neither Canada nor the USA has,
// without spaces: of India and China, Brazil, the Netherlands, Poland, Portugal, Japan
// and the United Kingdom. Others, such as 99999, many countries share.
var foreignCodes = map[string]bool{
	"999999": true, "99999-999": true, "9999AA": true, "99-999": true, "9999-999": true, "999-9999": true,
	"A99AA": true, "A999AA": true, "AA99AA": true, "AA999AA": true, "A9A9AA": true, "AA9A9AA": true,
}

// isForeignCode reports whether a postal code has one of the shapes of foreignCodes.
// Nearly all codes end with a digit, and have five, or begin with a letter.
func isForeignCode(text string) bool {
	endsWithDigit := text != "" && signOf[text[len(text)-1]] == digitSign
	if len(text) <= 4 || len(text) > 9 || endsWithDigit && (len(text) == 5 || signOf[text[0]] != digitSign) {
		return false
	}
	return foreignCodes[chars.Shape(strings.ToUpper(strings.ReplaceAll(text, " ", "")))]
}

// foreignCode says that a postal code of another country is not one of the province or
// state of its address.
func (f *fieldMapper) foreignCode(text string, profile *Profile) *Problem {
	state := f.stateOf(profile)
	if state == "" {
		return nil
	}
	return refuse(RuleBadRegion, f.check.about(text)+"is not written like the codes in "+state+": the address may be in another country, where "+state+" means something else.",
		"Correct the code, or clear the province or state.")
}
