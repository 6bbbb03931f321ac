package mapping

import (
	"strings"
	"testing"
)

func newTestValidator(a Attribute) *validator {
	options := testOptions()
	return &validator{
		spec: a.Spec(), births: newBirthLimits(options.Today),
		types: newUserTypeList(options),
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		attribute Attribute
		value     string
		want      string // what is sent; of a value that is refused, nothing
		message   string // "" when there is no problem
		rule      Rule
	}{
		{FirstName, strings.Repeat("é", 50), strings.Repeat("é", 50), "", ""},
		{FirstName, strings.Repeat("é", 51), "", `First Name "` + strings.Repeat("é", 51) + `" has 51 characters, and the Controller accepts at most 50. Shorten it.`, RuleTooLong},
		{LoginSource, strings.Repeat("x", 21), "", `Login Source "xxxxxxxxxxxxxxxxxxxxx" has 21 characters, and the Controller accepts at most 20. Shorten it.`, RuleTooLong},
		{Street, strings.Repeat("x", 5000), strings.Repeat("x", 5000), "", ""},
		{Street2, strings.Repeat("x", 200), "", `Street, address 2 "` + strings.Repeat("x", 59) + `…" has 200 characters, and the Controller accepts at most 20. Shorten it.`, RuleTooLong},

		{City, "Otta\nwa", "", `City "Otta\nwa" holds a line break. Write it on one line.`, RuleBadCharacter},
		{City, "Otta\twa", "", `City "Otta\twa" holds a tab. Replace it with a space.`, RuleBadCharacter},
		{City, "Otta\x00wa", "", `City "Otta\x00wa" holds the control character U+0000, which is invisible. Write the value again.`, RuleBadCharacter},
		{City, "Otta\u0081wa", "", `City "Otta\u0081wa" holds the control character U+0081, which is invisible. Write the value again.`, RuleBadCharacter},
		{City, "Montr\ufffdal", "", `City "Montr` + "\ufffd" + `al" holds the replacement character for a letter that was lost. Write the letter, or save the file as UTF-8 again.`, RuleBadCharacter},
		{City, "Montr\xe9al", "", `City "Montr\xe9al" holds the replacement character for a letter that was lost. Write the letter, or save the file as UTF-8 again.`, RuleBadCharacter},
		{City, "Ste-Anne-de-Bellevue 100% (QC) 😀", "Ste-Anne-de-Bellevue 100% (QC) 😀", "", ""},

		{UniqueID, "A-00123", "A-00123", "", ""},
		{UniqueID, "a b", "a b", `Unique ID "a b" holds ' ', which is not a plain letter, a digit or a dash. Check that it is intended.`, RuleUnusualCharacter},
		{UniqueID, "é_1", "é_1", `Unique ID "é_1" holds 'é', which is not a plain letter, a digit or a dash. Check that it is intended.`, RuleUnusualCharacter},
		{LoginSource, "LDAP_2", "LDAP_2", `Login Source "LDAP_2" holds '_', which is not a plain letter, a digit or a dash. Check that it is intended.`, RuleUnusualCharacter},
		{UserName, "a_b@c", "a_b@c", "", ""},

		{Province, "Ontario", "ON", "", ""},
		{DriverLicenceProvince, "ny", "NY", "", ""},
		{Province2, "Ontaro", "", `Province or State, address 2 "Ontaro" is not a province or state; the nearest is Ontario. Write ON if that is what you mean.`, RuleBadRegion},
		{Province, "Bavaria", "", `Province or State "Bavaria" is not a province or state of Canada or the USA. Write a postal abbreviation such as ON or NY, or leave the cell blank.`, RuleBadRegion},

		{UserTypeID, "2", "2", "", ""},
		{UserTypeID, "full  TIME student", "1", "", ""},
		{UserTypeID, "Full Time Studnt", "", `User Type "Full Time Studnt" is not in the Controller's list of user types; the nearest is "Full Time Student". The list has "Full Time Student", "Part Time Student", "Staff", "Visitor", "visitor". Correct the cell, or translate the value in the mapping's values.`, RuleUnknownUserType},
		{UserTypeID, "3", "", `User Type "3" is not in the Controller's list of user types. The list has "Full Time Student", "Part Time Student", "Staff", "Visitor", "visitor". Correct the cell, or translate the value in the mapping's values.`, RuleUnknownUserType},
		{UserTypeID, "Visitor", "", `User Type "Visitor" is the name of several user types, with the numbers 11, 12. Write the number.`, RuleUnknownUserType},
		{UserTypeID, "12", "12", "", ""},

		{LockerUserTypeID, "3", "3", "", ""},
		{LockerUserTypeID, "0", "", `Locker User Type "0" is not the number of a locker user type. Write the number that the Controller shows for it.`, RuleBadID},
		{LockerUserTypeID, "+3", "", `Locker User Type "+3" is not the number of a locker user type. Write the number that the Controller shows for it.`, RuleBadID},
		{LockerUserTypeID, "Gym", "", `Locker User Type "Gym" is not the number of a locker user type. Write the number that the Controller shows for it.`, RuleBadID},

		{DateOfBirth, "1998-03-02", "1998-03-02", "", ""},
		{DateOfBirth, "1998/03/02", "", `Date of Birth "1998/03/02" is not a date in the format YYYY-MM-DD. Correct the cell or the mapping.`, RuleBadDate},
	} {
		got, problem := newTestValidator(tc.attribute).check(tc.value)
		if tc.message == "" {
			if got != tc.want || problem != nil {
				t.Errorf("%s %q: got %q, %v; want %q", tc.attribute, tc.value, got, problem, tc.want)
			}
			continue
		}
		severity := SeverityError
		if tc.want != "" {
			severity = SeverityWarning
		}
		switch {
		case problem == nil:
			t.Errorf("%s %q: no problem, want %s", tc.attribute, tc.value, tc.message)
			continue
		case problem.Rule != tc.rule || problem.Severity != severity || problem.Text() != tc.message || problem.Message == "" || problem.Advice == "":
			t.Errorf("%s %q: got %s, %s, %q and %q\nwant %s, %s, %q", tc.attribute, tc.value, problem.Rule, problem.Severity, problem.Message, problem.Advice, tc.rule, severity, tc.message)
		}
		if severity == SeverityWarning && got != tc.want {
			t.Errorf("%s %q: sent %q, want %q", tc.attribute, tc.value, got, tc.want)
		}
	}
}

func TestUserTypesUnknown(t *testing.T) {
	l := newUserTypeList(Options{})
	if id, problem := l.id("User Type", "42"); id != "42" || problem != nil {
		t.Errorf("a number: got %q, %v", id, problem)
	}
	if id, problem := l.id("User Type", "Staff"); id != "Staff" || problem != nil {
		t.Errorf("a name, which nobody can check: got %q, %v", id, problem)
	}
	_, problem := newUserTypeList(Options{UserTypesKnown: true}).id("User Type", "Staff")
	if problem == nil || !strings.Contains(problem.Text(), "which is empty") {
		t.Errorf("an empty list: got %v, want an error that says so", problem)
	}
}

func TestLongUserTypeList(t *testing.T) {
	types := []UserType{{"1", "A", ""}, {"2", "B", ""}, {"3", "C", ""}, {"4", "D", ""}, {"5", "E", ""}, {"6", "F", ""}, {"7", "G", ""}}
	_, problem := newUserTypeList(Options{UserTypes: types, UserTypesKnown: true}).id("User Type", "Staff")
	if problem == nil || !strings.Contains(problem.Text(), `The list has "A", "B", "C", "D", "E", 2 more. Correct`) {
		t.Errorf("got %v, want the first five and how many more", problem)
	}
}
