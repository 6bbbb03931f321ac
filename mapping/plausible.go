package mapping

import (
	"regexp"
	"strings"
	"unicode"

	"opscom-import/mapping/internal/chars"
)

// implausible says why a text, which is not blank, cannot be a value of the
// attribute, nil when it can.
func (d *damageDetector) implausible(cell Cell) *Problem {
	text := cell.Text
	if cell.Kind == BoolCell && d.kind != freeText && d.kind != dateValue {
		return d.refuse(RuleTurnedToBoolean, text, "is a truth value: a spreadsheet made it of a word such as True.", "")
	}
	if problem := d.programText(text); problem != nil {
		return problem
	}
	switch d.kind {
	case nameValue, townValue:
		return d.notName(text)
	case phoneValue:
		return d.notPhone(text)
	}
	return nil
}

// objectText is what programs print in place of a value that is an object or a list:
// System.String[], [object Object], <Person object at 0x7f>, java.util.Date@1b2c; and
// the fields of templates that nobody filled in: ${name}, %NAME%.
var objectText = regexp.MustCompile(`^\[.*\]$|^\{.*\}$` +
	`|^<[^<>]* (?:object at|at) 0x[0-9a-fA-F]+>$|^<class .*>$|^#<.*>$` +
	`|^(?:System|Microsoft)\.[A-Z][\w.` + "`" + `\[\],]*$` +
	`|^(?:[a-z_]\w*\.)+[A-Z$]\w*@[0-9a-f]{4,}$` +
	`|^\[?L?(?:java|com|org|net)\.(?:\w+\.)+[A-Z][\w.$]*;?(?:@[0-9a-f]+)?$` +
	`|^(?:ARRAY|HASH|CODE|SCALAR)\(0x[0-9a-f]+\)$|^object\([\w\\]+\)#\d+.*$` +
	`|^[@&$]\{.*\}$|^%!\w?\(.*\)$|^function ?\w*\(.*\}$` + // PowerShell, Go, JavaScript
	`|^[bu]'.*'$|^\(.*,\)$|^<\w+: .*>$` + // Python
	`|^(?:Optional|Some|Just)(?:\[.*\]|\(.*\))$|^Optional\.empty$` +
	`|^Resource id #\d+$|^stdClass Object$|^[abdisO]:\d+:[{"].*$` + // PHP
	`|^<<.+>>$|^%[A-Za-z_ ]+%$|^\*\|.+\|\*$`) // templates

// programText finds a formula that was saved as text, and what a program prints in
// place of a value that is an object or a list.
func (d *damageDetector) programText(text string) *Problem {
	switch {
	case isFormula(text, d.kind):
		return d.refuse(RuleNoCachedValue, text, "is a formula: the sheet was saved with its formulas shown.",
			"Show the results of the formulas in the spreadsheet program, and save the file again.")
	case d.mayBeObject(text) && objectText.MatchString(text), d.kind != nameValue && isObjectWord(text):
		return d.refuse(RuleProgramText, text, "is what a program writes for an object or a list: the export lost the value.", "")
	}
	return nil
}

// isFormula reports whether a text is a formula. Some spreadsheets take a plus for the
// equals sign: +D4. A user name may begin with one.
func isFormula(text string, kind valueKind) bool {
	if len(text) < 2 {
		return false
	}
	isLetter := text[1]|0x20 >= 'a' && text[1]|0x20 <= 'z'
	return text[0] == '=' && text[1] != ' ' || text[0] == '+' && isLetter && !kind.isIdentifier()
}

// mayBeObject reports whether a text has a sign that the text of an object has. Hardly
// any other text gets through.
func (d *damageDetector) mayBeObject(text string) bool {
	switch text[0] {
	case '[', '{', '<', '#', '@', '&', '$', '%', '*', '(':
		return true
	case 'S', 'M', 'A', 'H', 'C', 'O', 'J', 'j', 'c', 'o', 'n', 'f':
		if strings.ContainsAny(text, ".([{") {
			return true
		}
	case 'R', 's':
		return strings.Contains(text, " ")
	}
	if len(text) > 1 && (text[1] == '\'' || text[1] == ':') { // b'Ann', a:1:{…}
		return true
	}
	return d.kind != emailValue && strings.IndexByte(text, '@') > 0
}

// isObjectWord reports whether a text is what PHP or JavaScript print for any object.
func isObjectWord(text string) bool { return text == "Array" || text == "Object" }

// linkShape is the shape of what points to a person or a page: the address of a page,
// what a directory calls an entry, and what SharePoint writes for an item of a list.
var linkShape = regexp.MustCompile(`^(?i:https?://|www\.|mailto:|(?:cn|ou|uid)=.+,)|^\d+;#`)

// notName says why a text cannot be the name of a person or a town.
func (d *damageDetector) notName(text string) *Problem {
	switch {
	case !strings.ContainsFunc(text, isNameLetter):
		return d.refuse(RuleBadName, text, "has no letter, so it is not a name.", "")
	case strings.Contains(text, "@") && chars.IsEmail(text):
		return d.refuse(RuleBadName, text, "is an e-mail address, not a name.", "")
	case strings.ContainsAny(text, ":;=.") && linkShape.MatchString(text):
		return d.refuse(RuleBadName, text, "is a link, not a name.", "")
	}
	return nil
}

func isNameLetter(r rune) bool { return unicode.In(r, unicode.L, unicode.Nl) }

// notPhone says why a text cannot be a phone number.
func (d *damageDetector) notPhone(text string) *Problem {
	switch {
	case !strings.ContainsFunc(text, unicode.IsDigit):
		return d.refuse(RuleBadPhone, text, "has no digit, so it is not a phone number.", "")
	case strings.Contains(text, "@"):
		return d.refuse(RuleBadPhone, text, "is an e-mail address, not a phone number.", "")
	}
	return nil
}
