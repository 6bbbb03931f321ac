package mapping

// Rule is the stable word for one kind of problem. Scripts may lean on it, so a
// rule is never renamed; docs/reference/rules.md explains each.
type Rule string

// The rules.
const (
	Required         Rule = "required"            // an attribute that must have a value is blank
	TooLong          Rule = "too_long"            // more characters than the Controller takes
	BadEmail         Rule = "bad_email"           // not an e-mail address
	BadRegion        Rule = "bad_region"          // not a province, territory or state that has a code
	BadDate          Rule = "bad_date"            // not a date in the expected form, or no day of the calendar
	UnlikelyDate     Rule = "unlikely_date"       // a date of birth in the future, under 10 or over 110 years ago
	UnknownUserType  Rule = "unknown_user_type"   // not in the Controller's list of user types
	BadID            Rule = "bad_id"              // a type id that is not a number
	UnknownValue     Rule = "unknown_value"       // not among the mapping's values
	CellError        Rule = "cell_error"          // the cell holds an error such as #N/A
	NoCachedValue    Rule = "no_cached_value"     // a formula that was saved without its result
	ExpressionFailed Rule = "expression_failed"   // an expression of the mapping file could not be worked out for this row
	BadCharacter     Rule = "bad_character"       // a control character, or text that is not valid
	UnusualCharacter Rule = "unusual_character"   // outside letters, digits and dashes, in an id (a warning)
	DamagedNumber    Rule = "damaged_number"      // digits that a spreadsheet has lost or rewritten, such as 1.23457E+11
	LostZeros        Rule = "lost_zeros"          // shorter than the others of its column, as when zeros in front are lost
	TurnedToDate     Rule = "turned_to_date"      // a number that a spreadsheet took for a date, such as 2-Jan
	WrongEncoding    Rule = "wrong_encoding"      // text that was read in the wrong encoding, such as ZoÃ«
	LookAlike        Rule = "look_alike"          // letters of another alphabet in an id or an e-mail address
	MendedText       Rule = "mended_text"         // characters that nobody sees were taken out (a warning)
	DuplicateKey     Rule = "duplicate_conflict"  // two rows give one person different values
	DuplicateEmail   Rule = "duplicate_email"     // two people in the file share an e-mail address
	DuplicateUser    Rule = "duplicate_user_name" // two people in the file share a user name
	RaggedRow        Rule = "ragged_row"          // the row has more or fewer cells than the header
	BadQuotes        Rule = "bad_quotes"          // quotes in the row do not pair up
	SecondTable      Rule = "second_table"        // the row belongs to a second table below the first
)
