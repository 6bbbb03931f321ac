package mapping

// Rule is the stable word for one kind of problem. Scripts may lean on it, so a
// rule is never renamed; docs/reference/rules.md explains each.
type Rule string

// The rules.
const (
	RuleRequired         Rule = "required"            // an attribute that must have a value is blank
	RuleTooLong          Rule = "too_long"            // more characters than the Controller takes
	RuleBadEmail         Rule = "bad_email"           // not an e-mail address
	RuleBadRegion        Rule = "bad_region"          // not a province, territory or state that has a code
	RuleBadDate          Rule = "bad_date"            // not a date in the expected form, or not a valid date
	RuleUnlikelyDate     Rule = "unlikely_date"       // a date of birth in the future, under 10 or over 110 years ago
	RuleUnknownUserType  Rule = "unknown_user_type"   // not in the Controller's list of user types
	RuleBadID            Rule = "bad_id"              // a type id that is not a number
	RuleUnknownValue     Rule = "unknown_value"       // not among the mapping's values
	RuleCellError        Rule = "cell_error"          // the cell holds an error such as #N/A
	RuleNoCachedValue    Rule = "no_cached_value"     // a formula that was saved without its result
	RuleExpressionFailed Rule = "expression_failed"   // an expression of the mapping file could not be worked out for this row
	RuleBadCharacter     Rule = "bad_character"       // a control character, or text that is not valid
	RuleUnusualCharacter Rule = "unusual_character"   // outside letters, digits and dashes, in an id (a warning)
	RuleDamagedNumber    Rule = "damaged_number"      // digits that a spreadsheet has lost or rewritten, such as 1.23457E+11
	RuleLostZeros        Rule = "lost_zeros"          // shorter than the others of its column, as when zeros in front are lost
	RuleTurnedToDate     Rule = "turned_to_date"      // a number that a spreadsheet took for a date, such as 2-Jan
	RuleWrongEncoding    Rule = "wrong_encoding"      // text that was read in the wrong encoding, such as ZoÃ«
	RuleLookAlike        Rule = "look_alike"          // letters of another alphabet in an id or an e-mail address
	RuleCleanedText      Rule = "cleaned_text"        // characters that nobody sees were taken out (a warning)
	RuleDuplicateKey     Rule = "duplicate_conflict"  // two rows give one person different values
	RuleDuplicateEmail   Rule = "duplicate_email"     // two people in the file share an e-mail address
	RuleDuplicateUser    Rule = "duplicate_user_name" // two people in the file share a user name
	RuleRaggedRow        Rule = "ragged_row"          // the row has more or fewer cells than the header
	RuleBadQuotes        Rule = "bad_quotes"          // quotes in the row do not pair up
	RuleSecondTable      Rule = "second_table"        // the row belongs to a second table below the first
)
