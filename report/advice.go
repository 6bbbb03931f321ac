package report

import (
	"strings"
	"unicode/utf8"

	"opscom-import/mapping"
)

// ruleTitle says in a few words what is wrong with rows that break the rule.
func ruleTitle(rule mapping.Rule) string {
	switch rule {
	case mapping.RuleRequired:
		return "A value is missing"
	case mapping.RuleTooLong:
		return "Text is too long"
	case mapping.RuleBadEmail:
		return "Not an e-mail address"
	case mapping.RuleBadRegion:
		return "Not a province, territory or state"
	case mapping.RuleBadDate:
		return "Not a date in the expected form"
	case mapping.RuleUnlikelyDate:
		return "An unlikely date of birth"
	case mapping.RuleUnknownUserType:
		return "Not one of the Controller's user types"
	case mapping.RuleBadID:
		return "Not the number of a type"
	case mapping.RuleUnknownValue:
		return "Not one of the mapping's values"
	case mapping.RuleCellError:
		return "The cell shows an error"
	case mapping.RuleNoCachedValue:
		return "A formula without its result"
	case mapping.RuleExpressionFailed:
		return "An expression cannot be worked out"
	case mapping.RuleBadCharacter:
		return "A character that must not be sent"
	case mapping.RuleUnusualCharacter:
		return "An unusual character in an id"
	case mapping.RuleDamagedNumber:
		return "A number that lost its digits or its form"
	case mapping.RuleLostZeros:
		return "Zeros in front may be lost"
	case mapping.RuleTurnedToDate:
		return "A number that became a date"
	case mapping.RuleWrongEncoding:
		return "Text in the wrong encoding"
	case mapping.RuleLookAlike:
		return "Letters of another alphabet"
	case mapping.RuleCleanedText:
		return "Characters that nobody sees, taken out"
	case mapping.RuleDuplicateKey:
		return "One person with different values"
	case mapping.RuleDuplicateEmail:
		return "An e-mail address used twice"
	case mapping.RuleDuplicateUser:
		return "A user name used twice"
	case mapping.RuleRaggedRow:
		return "Too few or too many cells"
	case mapping.RuleBadQuotes:
		return "Quotation marks that do not pair up"
	case mapping.RuleSecondTable:
		return "Part of a second table"
	default:
		words := strings.ReplaceAll(string(rule), "_", " ")
		_, first := utf8.DecodeRuneInString(words)
		return strings.ToUpper(words[:first]) + words[first:]
	}
}

// advice says what to do about rows that break the rule, without naming any
// row's values: the receipt may end up in a log. "" for a rule without advice.
func advice(rule mapping.Rule) string {
	switch rule {
	case mapping.RuleRequired:
		return "Fill the cell in, or give the mapping a default."
	case mapping.RuleTooLong:
		return "Shorten the text."
	case mapping.RuleBadEmail:
		return "Give one whole address, such as name@example.org."
	case mapping.RuleBadRegion:
		return "Give a province, territory or state of Canada or the USA, by name or by its two letters."
	case mapping.RuleBadDate:
		return "Give a valid date in the form of the other rows, or say in the mapping which form the column has."
	case mapping.RuleUnlikelyDate:
		return "Check the year."
	case mapping.RuleUnknownUserType:
		return "Give a user type that the Controller has, or translate the column's values in the mapping."
	case mapping.RuleBadID:
		return "Give the type's number."
	case mapping.RuleUnknownValue:
		return "Correct the cell, or add the value to the mapping's values."
	case mapping.RuleCellError:
		return "Fix the formula in the spreadsheet and save it."
	case mapping.RuleNoCachedValue:
		return "Open the file in a spreadsheet program and save it, so that the formulas' results are stored."
	case mapping.RuleExpressionFailed:
		return "Correct the row, or the expression in the mapping."
	case mapping.RuleBadCharacter:
		return "Type the text again: it holds a character that cannot be shown."
	case mapping.RuleUnusualCharacter:
		return "Check the id: it holds something other than letters, digits and dashes."
	case mapping.RuleDamagedNumber:
		return "Take the number from the student system again, into a column of the format Text."
	case mapping.RuleLostZeros:
		return "Write the zeros, or let the mapping do it: pad for ids, postal_code for ZIP codes."
	case mapping.RuleTurnedToDate:
		return "Write the value again, in a cell of the format Text."
	case mapping.RuleWrongEncoding:
		return "Save the export as UTF-8 again, or correct the letters."
	case mapping.RuleLookAlike:
		return "Type the value again."
	case mapping.RuleCleanedText:
		return "Nothing has to be done."
	case mapping.RuleDuplicateKey:
		return "Keep the row that is right, and delete the others of the same person."
	case mapping.RuleDuplicateEmail:
		return "Give each person an e-mail address of their own."
	case mapping.RuleDuplicateUser:
		return "Give each person a user name of their own."
	case mapping.RuleRaggedRow:
		return "Look for a missing or stray separator in the row."
	case mapping.RuleBadQuotes:
		return "Look for a quotation mark without its partner in the row."
	case mapping.RuleSecondTable:
		return "Put each table into a file, or a sheet, of its own."
	default:
		return ""
	}
}
