package mapping

import (
	"strings"
	"unicode/utf8"
)

// Rule is the stable word for one kind of problem. Scripts depend on it, so a rule
// is never renamed; docs/reference/rules.md explains each.
type Rule string

// The rules: of a cell, then of a row, then of the file.
const (
	RuleRequired         Rule = "required"
	RuleTooLong          Rule = "too_long"
	RuleBadEmail         Rule = "bad_email"
	RuleBadRegion        Rule = "bad_region"
	RuleBadDate          Rule = "bad_date"
	RuleUnlikelyDate     Rule = "unlikely_date"
	RuleUnknownUserType  Rule = "unknown_user_type"
	RuleBadID            Rule = "bad_id"
	RuleUnknownValue     Rule = "unknown_value"
	RuleCellError        Rule = "cell_error"
	RuleNoCachedValue    Rule = "no_cached_value"
	RuleExpressionFailed Rule = "expression_failed"
	RuleBadCharacter     Rule = "bad_character"
	RuleUnlikelyID       Rule = "unlikely_id"
	RuleUnusualCharacter Rule = "unusual_character"
	RuleDamagedNumber    Rule = "damaged_number"
	RuleLostZeros        Rule = "lost_zeros"
	RuleTurnedToDate     Rule = "turned_to_date"
	RuleWrongEncoding    Rule = "wrong_encoding"
	RuleLookAlike        Rule = "look_alike"
	RuleCleanedText      Rule = "cleaned_text"
	RuleMissingValue     Rule = "missing_value"
	RuleProgramText      Rule = "program_text"
	RuleTurnedToBoolean  Rule = "turned_to_boolean"
	RuleBadName          Rule = "bad_name"
	RuleBadPhone         Rule = "bad_phone"
	RuleColumnsDiffer    Rule = "columns_differ"
	RuleCorrected        Rule = "corrected"
	RuleRaggedRow        Rule = "ragged_row"
	RuleBadQuotes        Rule = "bad_quotes"
	RuleSecondTable      Rule = "second_table"
	RuleDuplicateKey     Rule = "duplicate_conflict"
	RuleDuplicateEmail   Rule = "duplicate_email"
	RuleDuplicateUser    Rule = "duplicate_user_name"
	RuleEmailTaken       Rule = "email_taken"
	RuleUserNameTaken    Rule = "user_name_taken"
	RuleMayBeInFile      Rule = "may_be_in_file"
	RuleLeaverIsBack     Rule = "leaver_is_back"
)

// RuleSpec describes a rule for a person.
type RuleSpec struct {
	Rule       Rule
	Severities []Severity // that its problems may have
	Title      string     // what is wrong with the rows, in a few words
	Advice     string     // what to do, without any row's values: it may end up in a log
}

var (
	refused = []Severity{SeverityError}
	warned  = []Severity{SeverityWarning}
	either  = []Severity{SeverityError, SeverityWarning}
)

var ruleSpecs = []RuleSpec{
	{RuleRequired, refused, "A value is missing", "Fill in the cell, or give the mapping a default."},
	{RuleTooLong, refused, "The text is too long", "Shorten the text."},
	{RuleBadEmail, refused, "Not an e-mail address", "Give one complete address, such as name@example.org."},
	{RuleBadRegion, either, "Not a province, territory or state",
		"Give a province, territory or state of Canada or the USA, by name or by its two-letter code."},
	{RuleBadDate, either, "Not a date in the expected format",
		"Give a valid date in the format of the other rows, or give the column's date format in the mapping."},
	{RuleUnlikelyDate, refused, "An unlikely date of birth", "Check the year."},
	{RuleUnknownUserType, refused, "Not one of the Controller's user types",
		"Give a user type that the Controller has, or translate the column's values in the mapping."},
	{RuleBadID, refused, "Not the number of a type", "Give the number of the type."},
	{RuleUnknownValue, refused, "Not one of the values in the mapping", "Correct the cell, or add the value to the mapping."},
	{RuleCellError, refused, "The cell shows an error", "Fix the formula in the spreadsheet and save it."},
	{RuleNoCachedValue, refused, "A formula without its result",
		"Open the file in a spreadsheet program and save it, so that the results of the formulas are stored."},
	{RuleExpressionFailed, refused, "An expression cannot be evaluated", "Correct the row, or the expression in the mapping."},
	{RuleBadCharacter, either, "A character that must not be sent", "Type the text again: it has a character that cannot be shown."},
	{RuleUnlikelyID, refused, "A row that may not be a person",
		"Delete the row if it is not a person; if the ID is right, add as_is: true to unique_id in the mapping."},
	{RuleUnusualCharacter, warned, "An unusual character in an id", "Check the id: it has something other than letters, digits and dashes."},
	{RuleDamagedNumber, refused, "A number that lost digits or was reformatted",
		"Take the number from the student system again, into a column that is formatted as Text."},
	{RuleLostZeros, either, "Leading zeros may be lost",
		"Write the zeros, or let the mapping add them: pad for ids, postal_code for ZIP codes."},
	{RuleTurnedToDate, refused, "A number that became a date", "Write the value again, in a cell that is formatted as Text."},
	{RuleWrongEncoding, refused, "Text in the wrong encoding", "Save the export as UTF-8 again, or correct the letters."},
	{RuleLookAlike, refused, "Letters of another alphabet", "Type the value again."},
	{RuleCleanedText, warned, "Text was cleaned", "No action needed."},
	{RuleMissingValue, either, "A word or sign for no value",
		"A warning needs no action: the cell counts as blank. For an error, clear the cell, or add the word to missing_values in the mapping; if it is right, add as_is: true to the field."},
	{RuleProgramText, refused, "A program's text in place of the value", "Take the value from the student system, or correct the export."},
	{RuleTurnedToBoolean, refused, "A word that became TRUE or FALSE", "Write the value again, in a cell that is formatted as Text."},
	{RuleBadName, refused, "Not a name", "Write the name, or clear the cell; if it is right, add as_is: true to the field."},
	{RuleBadPhone, refused, "Not a phone number", "Write the number, or clear the cell; if it is right, add as_is: true to the field."},
	{RuleColumnsDiffer, refused, "Two columns for one value that differ", "Correct one of the two cells, or clear it."},
	{RuleCorrected, warned, "Corrected on the page", "No action needed."},
	{RuleRaggedRow, refused, "Too few or too many cells", "Look for a missing or extra separator in the row."},
	{RuleBadQuotes, either, "Unbalanced quotation marks", "Look for a quotation mark without its counterpart in the row."},
	{RuleSecondTable, refused, "Part of a second table", "Put each table in its own file or sheet."},
	{RuleDuplicateKey, refused, "One person with different values", "Keep the row that is right, and delete the person's other rows."},
	{RuleDuplicateEmail, refused, "An e-mail address used twice", "Give each person their own e-mail address."},
	{RuleDuplicateUser, refused, "A user name used twice", "Give each person their own user name."},
	{RuleEmailTaken, warned, "An e-mail address that someone else has",
		"Check the address, and whether it is the same person under another ID. The person who has it in OPS-COM has to give it up first."},
	{RuleUserNameTaken, warned, "A user name that someone else has",
		"Check the user name, and whether it is the same person under another ID. The person who has it in OPS-COM has to give it up first."},
	{RuleMayBeInFile, warned, "A leaver who may be in the file",
		"Look for the person in the file under another ID. If it is someone else, change the user type in OPS-COM."},
	{RuleLeaverIsBack, warned, "Someone who is back with the leavers' user type",
		"Change the user type in OPS-COM, or let the mapping give it."},
}

// Rules returns every rule's description. The caller must not change it.
func Rules() []RuleSpec { return ruleSpecs }

// Spec returns the rule's description. For a word that is not one of the rules it
// has only a title, made of the word.
func (r Rule) Spec() RuleSpec {
	for _, spec := range Rules() {
		if spec.Rule == r {
			return spec
		}
	}
	words := strings.ReplaceAll(string(r), "_", " ")
	_, first := utf8.DecodeRuneInString(words)
	return RuleSpec{Rule: r, Title: strings.ToUpper(words[:first]) + words[first:]}
}
