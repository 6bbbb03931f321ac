package report

import (
	"strings"
	"unicode/utf8"

	"opscom-import/mapping"
)

// ruleTitle says in a few words what is wrong with rows that break the rule.
func ruleTitle(rule mapping.Rule) string {
	switch rule {
	case mapping.Required:
		return "A value is missing"
	case mapping.TooLong:
		return "Text is too long"
	case mapping.BadEmail:
		return "Not an e-mail address"
	case mapping.BadRegion:
		return "Not a province, territory or state"
	case mapping.BadDate:
		return "Not a date in the expected form"
	case mapping.UnlikelyDate:
		return "An unlikely date of birth"
	case mapping.UnknownUserType:
		return "Not one of the Controller's user types"
	case mapping.BadID:
		return "Not the number of a type"
	case mapping.UnknownValue:
		return "Not one of the mapping's values"
	case mapping.CellError:
		return "The cell shows an error"
	case mapping.NoCachedValue:
		return "A formula without its result"
	case mapping.ExpressionFailed:
		return "An expression cannot be worked out"
	case mapping.BadCharacter:
		return "A character that must not be sent"
	case mapping.UnusualCharacter:
		return "An unusual character in an id"
	case mapping.DamagedNumber:
		return "A number that lost its digits or its form"
	case mapping.LostZeros:
		return "Zeros in front may be lost"
	case mapping.TurnedToDate:
		return "A number that became a date"
	case mapping.WrongEncoding:
		return "Text in the wrong encoding"
	case mapping.LookAlike:
		return "Letters of another alphabet"
	case mapping.MendedText:
		return "Characters that nobody sees, taken out"
	case mapping.DuplicateKey:
		return "One person with different values"
	case mapping.DuplicateEmail:
		return "An e-mail address used twice"
	case mapping.DuplicateUser:
		return "A user name used twice"
	case mapping.RaggedRow:
		return "Too few or too many cells"
	case mapping.BadQuotes:
		return "Quotation marks that do not pair up"
	case mapping.SecondTable:
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
	case mapping.Required:
		return "Fill the cell in, or give the mapping a default."
	case mapping.TooLong:
		return "Shorten the text."
	case mapping.BadEmail:
		return "Give one whole address, such as name@example.org."
	case mapping.BadRegion:
		return "Give a province, territory or state of Canada or the USA, by name or by its two letters."
	case mapping.BadDate:
		return "Give a day of the calendar in the form of the other rows, or say in the mapping which form the column has."
	case mapping.UnlikelyDate:
		return "Check the year."
	case mapping.UnknownUserType:
		return "Give a user type that the Controller has, or translate the column's values in the mapping."
	case mapping.BadID:
		return "Give the type's number."
	case mapping.UnknownValue:
		return "Correct the cell, or add the value to the mapping's values."
	case mapping.CellError:
		return "Mend the formula in the spreadsheet and save it."
	case mapping.NoCachedValue:
		return "Open the file in a spreadsheet program and save it, so that the formulas' results are stored."
	case mapping.ExpressionFailed:
		return "Correct the row, or the expression in the mapping."
	case mapping.BadCharacter:
		return "Type the text anew: it holds a character that cannot be shown."
	case mapping.UnusualCharacter:
		return "Check the id: it holds something other than letters, digits and dashes."
	case mapping.DamagedNumber:
		return "Take the number from the student system again, into a column of the format Text."
	case mapping.LostZeros:
		return "Write the zeros, or let the mapping do it: pad for ids, postal_code for ZIP codes."
	case mapping.TurnedToDate:
		return "Write the value again, in a cell of the format Text."
	case mapping.WrongEncoding:
		return "Save the export as UTF-8 again, or correct the letters."
	case mapping.LookAlike:
		return "Type the value again."
	case mapping.MendedText:
		return "Nothing has to be done."
	case mapping.DuplicateKey:
		return "Keep the row that is right, and delete the others of the same person."
	case mapping.DuplicateEmail:
		return "Give each person an e-mail address of their own."
	case mapping.DuplicateUser:
		return "Give each person a user name of their own."
	case mapping.RaggedRow:
		return "Look for a missing or stray separator in the row."
	case mapping.BadQuotes:
		return "Look for a quotation mark without its partner in the row."
	case mapping.SecondTable:
		return "Put each table into a file, or a sheet, of its own."
	default:
		return ""
	}
}
