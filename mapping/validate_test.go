package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func newTestValidator(a Attribute) *validator {
	ctx := testContext()
	return &validator{
		spec: a.Spec(), regions: newRegionTable(), births: newBirthLimits(ctx.Today),
		types: newUserTypeList(ctx.UserTypes, ctx.UserTypesKnown),
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		attribute Attribute
		value     string
		want      string // what is sent; of a value that is refused, nothing
		message   string // "" when there is no fault
		rule      Rule
	}{
		{FirstName, strings.Repeat("é", 50), strings.Repeat("é", 50), "", ""},
		{FirstName, strings.Repeat("é", 51), "", `First Name "` + strings.Repeat("é", 51) + `" has 51 characters, and the Controller takes at most 50. Shorten it.`, RuleTooLong},
		{LoginSource, strings.Repeat("x", 21), "", `Login Source "xxxxxxxxxxxxxxxxxxxxx" has 21 characters, and the Controller takes at most 20. Shorten it.`, RuleTooLong},
		{Street, strings.Repeat("x", 5000), strings.Repeat("x", 5000), "", ""},
		{Street2, strings.Repeat("x", 200), "", `Street, address 2 "` + strings.Repeat("x", 59) + `…" has 200 characters, and the Controller takes at most 20. Shorten it.`, RuleTooLong},

		{City, "Otta\nwa", "", `City "Otta\nwa" holds a line break. Write it on one line.`, RuleBadCharacter},
		{City, "Otta\twa", "", `City "Otta\twa" holds a tab. Put a space in its place.`, RuleBadCharacter},
		{City, "Otta\x00wa", "", `City "Otta\x00wa" holds the control character U+0000, which nobody can see. Write the value again.`, RuleBadCharacter},
		{City, "Otta\u0081wa", "", `City "Otta\u0081wa" holds the control character U+0081, which nobody can see. Write the value again.`, RuleBadCharacter},
		{City, "Montr\ufffdal", "", `City "Montr` + "\ufffd" + `al" holds the sign for a letter that was lost on the way into the file. Write the letter, or save the file as UTF-8 again.`, RuleBadCharacter},
		{City, "Montr\xe9al", "", `City "Montr\xe9al" holds the sign for a letter that was lost on the way into the file. Write the letter, or save the file as UTF-8 again.`, RuleBadCharacter},
		{City, "Ste-Anne-de-Bellevue 100% (QC) 😀", "Ste-Anne-de-Bellevue 100% (QC) 😀", "", ""},

		{UniqueID, "A-00123", "A-00123", "", ""},
		{UniqueID, "a b", "a b", `Unique ID "a b" holds ' ', which is not a plain letter, a digit or a dash. Check that it is meant.`, RuleUnusualCharacter},
		{UniqueID, "é_1", "é_1", `Unique ID "é_1" holds 'é', which is not a plain letter, a digit or a dash. Check that it is meant.`, RuleUnusualCharacter},
		{LoginSource, "LDAP_2", "LDAP_2", `Login Source "LDAP_2" holds '_', which is not a plain letter, a digit or a dash. Check that it is meant.`, RuleUnusualCharacter},
		{UserName, "a_b@c", "a_b@c", "", ""},

		{Province, "Ontario", "ON", "", ""},
		{DriverLicenceProvince, "ny", "NY", "", ""},
		{Province2, "Ontaro", "", `Province or State, address 2 "Ontaro" is not a province or state; the nearest is Ontario. Write ON if that is meant.`, RuleBadRegion},
		{Province, "Bavaria", "", `Province or State "Bavaria" is not a province or state of Canada or the USA. Write a postal abbreviation such as ON or NY, or leave the cell blank.`, RuleBadRegion},

		{UserTypeID, "2", "2", "", ""},
		{UserTypeID, "full  TIME student", "1", "", ""},
		{UserTypeID, "Full Time Studnt", "", `User Type "Full Time Studnt" is not in the Controller's list of user types; the nearest is "Full Time Student". The list has "Full Time Student", "Part Time Student", "Staff", "Visitor", "visitor". Correct the cell, or let the mapping's values turn it into one of these.`, RuleUnknownUserType},
		{UserTypeID, "3", "", `User Type "3" is not in the Controller's list of user types. The list has "Full Time Student", "Part Time Student", "Staff", "Visitor", "visitor". Correct the cell, or let the mapping's values turn it into one of these.`, RuleUnknownUserType},
		{UserTypeID, "Visitor", "", `User Type "Visitor" is the name of several user types, with the numbers 11, 12. Write the number.`, RuleUnknownUserType},
		{UserTypeID, "12", "12", "", ""},

		{LockerUserTypeID, "3", "3", "", ""},
		{LockerUserTypeID, "0", "", `Locker User Type "0" is not a type's number. Write the number that the Controller shows for the locker user type.`, RuleBadID},
		{LockerUserTypeID, "+3", "", `Locker User Type "+3" is not a type's number. Write the number that the Controller shows for the locker user type.`, RuleBadID},
		{LockerUserTypeID, "Gym", "", `Locker User Type "Gym" is not a type's number. Write the number that the Controller shows for the locker user type.`, RuleBadID},

		{DateOfBirth, "1998-03-02", "1998-03-02", "", ""},
		{DateOfBirth, "1998/03/02", "", `Date of Birth "1998/03/02" is not a date of the form YYYY-MM-DD. Correct the cell or the mapping.`, RuleBadDate},
	} {
		got, flaw := newTestValidator(tc.attribute).check(tc.value)
		if tc.message == "" {
			if got != tc.want || flaw != nil {
				t.Errorf("%s %q: got %q, %v; want %q", tc.attribute, tc.value, got, flaw, tc.want)
			}
			continue
		}
		want := fault{tc.rule, SeverityError, tc.message}
		if tc.want != "" {
			want.severity = SeverityWarning
		}
		if flaw == nil {
			t.Errorf("%s %q: no fault, want %v", tc.attribute, tc.value, want)
		} else if diff := cmp.Diff(want, *flaw, cmp.AllowUnexported(fault{})); diff != "" {
			t.Errorf("%s %q: %s", tc.attribute, tc.value, diff)
		}
		if flaw != nil && flaw.severity == SeverityWarning && got != tc.want {
			t.Errorf("%s %q: sent %q, want %q", tc.attribute, tc.value, got, tc.want)
		}
	}
}

func TestUserTypesUnknown(t *testing.T) {
	l := newUserTypeList(nil, false)
	if id, flaw := l.id("User Type", "42"); id != "42" || flaw != nil {
		t.Errorf("a number: got %q, %v", id, flaw)
	}
	if id, flaw := l.id("User Type", "Staff"); id != "Staff" || flaw != nil {
		t.Errorf("a name, which nobody can check: got %q, %v", id, flaw)
	}
	_, flaw := newUserTypeList(nil, true).id("User Type", "Staff")
	if flaw == nil || !strings.Contains(flaw.message, "which is empty") {
		t.Errorf("an empty list: got %v, want an error that says so", flaw)
	}
}

func TestLongUserTypeList(t *testing.T) {
	types := []UserType{{"1", "A", ""}, {"2", "B", ""}, {"3", "C", ""}, {"4", "D", ""}, {"5", "E", ""}, {"6", "F", ""}, {"7", "G", ""}}
	_, flaw := newUserTypeList(types, true).id("User Type", "Staff")
	if flaw == nil || !strings.Contains(flaw.message, `The list has "A", "B", "C", "D", "E", 2 more. Correct`) {
		t.Errorf("got %v, want the first five and how many more", flaw)
	}
}

func TestIsEmail(t *testing.T) {
	for value, want := range map[string]bool{
		"ann@example.ca":             true,
		"Ann.O'Neil+lot-3@a-b.ex.ca": true,
		"a_b%c@example.ca":           true,
		"zoë@example.ca":             true,
		"ann@example":                false,
		"ann@.ca":                    false,
		"ann@example.":               false,
		"ann@example..ca":            false,
		".ann@example.ca":            false,
		"ann.@example.ca":            false,
		"ann..b@example.ca":          false,
		"ann@b@example.ca":           false,
		"@example.ca":                false,
		"ann":                        false,
		"ann.b@exampleca":            false,
		"ann smith@example.ca":       false,
		"Ann <ann@example.ca>":       false,
		"<ann@example.ca>":           false,
		"ann@example.ca; b@c.ca":     false,
		"ann@[192.0.2.1]":            false,
		`"ann b"@example.ca`:         false,
		"ann@exam\u00a0ple.ca":       false,
		"ann\u200b@example.ca":       false,
		"mailto:ann@example.ca":      false,
	} {
		if got := isEmail(value); got != want {
			t.Errorf("isEmail(%q) = %v, want %v", value, got, want)
		}
	}
}

// TestPlainEmailAgrees: the short way takes nothing that the parser would refuse.
func TestPlainEmailAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[a-zA-Z0-9._+'-]{1,8}@[a-z0-9.-]{1,8}[.@]?[a-z]{0,3}`).Draw(t, "value")
		if isPlainEmail(value) && !isParsedEmail(value) {
			t.Fatalf("%q is taken, and no e-mail address", value)
		}
	})
}
