package web

import (
	"regexp"
	"strings"

	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/mapping"
)

// problemText says to the person at the page what is wrong with a row and what to do. What
// the program says elsewhere about mapping files is nothing that is done here.
func problemText(l lang.Lang, p *importer.RowProblem) string {
	what := p.Message
	switch p.Rule {
	case mapping.RuleUnknownValue, mapping.RuleUnknownUserType:
		if p.Value != "" {
			what = l.T("“%s” is not one of the user types.", p.Value)
		}
	case mapping.RuleExpressionFailed:
		what = l.T("This cannot be made of the row’s cells.")
		if strings.Contains(p.Message, "full name") || strings.Contains(p.Message, "comma") {
			what = l.T("The first and the last name cannot be told apart. Write both, with one comma between them, as in the other rows.")
		}
	case mapping.RuleCorrected:
		return l.Engine(what)
	default:
		what = engineText(l, what)
	}
	if advice := problemAdvice(l, p); advice != "" {
		what += " " + advice
	}
	return what
}

// ofMappings is what only people need who work with mapping files and commands.
var ofMappings = regexp.MustCompile(`--[a-z]|(?i:\bmapping)|\b(?:as_is|apply|missing_values):|\bdate: [A-Z]|\bopscom-import [a-z]|\bwhere in source`)

// engineText returns a message of the engine as the page shows it: in the person's
// language, without the sentences about mapping files and commands, unless there are no
// others.
func engineText(l lang.Lang, text string) string {
	english, shown := strings.SplitAfter(text, ". "), strings.SplitAfter(l.Engine(text), ". ")
	if len(english) != len(shown) {
		english = shown
	}
	kept := ""
	for i, sentence := range shown {
		if !ofMappings.MatchString(english[i]) {
			kept += sentence
		}
	}
	if kept == "" {
		kept = l.Engine(text)
	}
	return ofOPSCOM(strings.TrimSpace(kept))
}

// ofOPSCOM calls the Controller what people call it.
func ofOPSCOM(text string) string {
	return strings.NewReplacer("The Controller", "OPS-COM", "the Controller", "OPS-COM").Replace(text)
}

// problemAdvice says what to do about a problem, "" when that is plain.
func problemAdvice(l lang.Lang, p *importer.RowProblem) string {
	if p.Severity == mapping.SeverityWarning {
		switch p.Rule {
		case mapping.RuleCleanedText, mapping.RuleMissingValue, mapping.RuleCorrected:
			return ""
		case mapping.RuleEmailTaken, mapping.RuleUserNameTaken:
			return engineText(l, p.Advice)
		}
		return l.T("If it is right, leave it as it is.")
	}
	switch p.Rule {
	case mapping.RuleRequired:
		return l.T("Fill it in.")
	case mapping.RuleTooLong:
		return l.T("Shorten it.")
	case mapping.RuleBadEmail:
		return l.T("Write it like name@example.ca.")
	case mapping.RuleBadRegion:
		return l.T("Write a province or state such as ON, or leave it blank.")
	case mapping.RuleBadDate:
		return l.T("Write the date as YYYY-MM-DD.")
	case mapping.RuleUnlikelyDate:
		return l.T("Correct the date, or leave it blank.")
	case mapping.RuleUnknownUserType, mapping.RuleUnknownValue:
		return l.T("Choose one of the list.")
	case mapping.RuleBadID:
		return l.T("Write the number that OPS-COM shows for it.")
	case mapping.RuleDuplicateKey:
		return l.T("Keep the row that is right and leave the others out, or correct the ID.")
	case mapping.RuleDuplicateEmail, mapping.RuleDuplicateUser:
		return l.T("Give each person their own, or leave one of the rows out.")
	case mapping.RuleUnlikelyID:
		return l.T("If it is not a person, leave the row out. If it is one, correct the ID.")
	case mapping.RuleLostZeros:
		return l.T("Write the zeros.")
	case mapping.RuleDamagedNumber, mapping.RuleTurnedToDate, mapping.RuleTurnedToBoolean, mapping.RuleProgramText, mapping.RuleCellError, mapping.RuleNoCachedValue:
		return l.T("Look it up in the student system and write it here.")
	case mapping.RuleBadCharacter, mapping.RuleWrongEncoding, mapping.RuleLookAlike:
		return l.T("Write it again.")
	case mapping.RuleMissingValue, mapping.RuleBadName, mapping.RuleBadPhone:
		return l.T("Correct it, or leave it blank.")
	case mapping.RuleColumnsDiffer:
		return l.T("Correct one of the two cells, or leave one blank.")
	case mapping.RuleRaggedRow, mapping.RuleBadQuotes:
		return l.T("Put each value into its column, or leave the row out.")
	case mapping.RuleSecondTable:
		return l.T("Leave the row out. If the second table has people too, put it into a file of its own.")
	}
	return ""
}
