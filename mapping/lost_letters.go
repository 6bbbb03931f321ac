package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"opscom-import/mapping/internal/chars"
)

// lostLetter says where a program wrote a question mark, or another sign, because it
// could not write a letter: Beno?t, Jos¿, 12 rue du Ch?ne.
func (d *damageDetector) lostLetter(text string) *Problem {
	what := ""
	switch {
	case d.kind == dateValue || d.kind == phoneValue || d.kind == postalValue || d.kind == regionValue:
		return nil
	case hasReplacement(text):
		what = "has the sign of a lost letter, read in the wrong encoding."
	case strings.IndexByte(text, '?') < 0 && !strings.Contains(text, "¿"):
		return nil
	case isOnlyQuestions(text):
		what = "has only question marks: its letters were lost in the export."
	case hasInverted(text):
		what = "has an inverted question mark where a letter was lost in the export."
	case d.hasQuestion(text):
		what = "has a question mark where a letter was lost in the export."
	default:
		return nil
	}
	d.ends.certain++
	return d.refuse(RuleBadCharacter, text, what, lostAdvice)
}

const lostAdvice = "Write the letter, or save the export as UTF-8 again."

// strangeSign finds signs that stand in place of a letter, and are in no word.
func (d *damageDetector) strangeSign(text string) *Problem {
	switch d.kind {
	case streetValue:
		if strings.ContainsFunc(text, isBox) {
			return d.refuse(RuleBadCharacter, text, "has a sign where a letter was lost in the export.", lostAdvice)
		}
	case nameValue, townValue:
		switch {
		case strings.ContainsFunc(text, isBox), hasOldLetter(text):
			return d.refuse(RuleBadCharacter, text, "has a sign inside a word in place of a letter.", lostAdvice)
		case strings.IndexByte(text, '&') >= 0 && leftover.MatchString(text):
			return d.refuse(RuleBadCharacter, text, "has an HTML character reference that means no letter.", lostAdvice)
		}
	}
	return d.unbalanced(text)
}

// hasReplacement reports whether a text has the bytes of U+FFFD as another encoding
// shows them.
func hasReplacement(text string) bool {
	if !strings.ContainsFunc(text, func(r rune) bool { return r == '¿' || r == 'ø' || r == '┐' }) { // one is in each
		return false
	}
	for _, sign := range []string{"ï¿½", "ÔøΩ", "´┐¢", "∩┐╜"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// isOnlyQuestions reports whether a text consists of question marks, at least two, and
// of what may stand between words.
func isOnlyQuestions(text string) bool {
	return strings.Count(text, "?")+strings.Count(text, "¿") >= 2 && strings.Trim(text, "?¿ -.,'") == ""
}

// hasInverted reports whether a text has an inverted question mark that does not begin
// a question.
func hasInverted(text string) bool {
	at := strings.Index(text, "¿")
	if at < 0 {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	return unicode.IsLetter(before) || !strings.Contains(text[at:], "?")
}

// hasQuestion reports whether a question mark stands in place of a letter. One at the
// end of a word in a town or a street may be meant.
func (d *damageDetector) hasQuestion(text string) bool {
	if strings.IndexByte(text, '?') < 0 {
		return false
	}
	switch d.kind {
	case nameValue, emailValue, idValue:
		return strings.ContainsFunc(text, unicode.IsLetter)
	}
	for at, r := range text {
		if r != '?' {
			continue
		}
		after, _ := utf8.DecodeRuneInString(text[at+1:])
		if unicode.IsLetter(after) || unicode.IsDigit(after) {
			return true
		}
		alone := after == utf8.RuneError || after == ' ' || after == ','
		if run := strings.TrimRight(text[:at], "?"); alone && len(run) < at && (run == "" || run[len(run)-1] == ' ') { // 12 rue ??
			return true
		}
	}
	return false
}

// isBox reports whether a character is one of the boxes and shades that stand for what
// a font or a program could not show.
func isBox(r rune) bool { return r >= 0x2500 && r <= 0x25ff || r >= 0xe000 && r <= 0xf8ff }

// hasOldLetter reports whether a sign stands between letters in whose place the national
// variants of ASCII had letters: Ren{e, M}ller.
func hasOldLetter(text string) bool {
	for i := 1; i+1 < len(text); i++ {
		if c := text[i]; (c == '{' || c == '}' || c == '|' || c == '~' || c == '^') && isLetterByte(text[i-1]) && isLetterByte(text[i+1]) {
			return true
		}
	}
	return false
}

// lostAtEnds collects values with a question mark at the end of a word, which was a letter
// if letters were lost elsewhere in the column.
type lostAtEnds struct {
	certain int         // values that lost a letter for certain
	seen    []seenValue // at most maxSuspects
}

// add takes a value with a sign that few values have, and reports whether it has a
// question mark.
func (l *lostAtEnds) add(sequence int, value string) bool {
	if strings.IndexByte(value, '?') <= 0 || !strings.ContainsFunc(value, unicode.IsLetter) {
		return false
	}
	if len(l.seen) < maxSuspects {
		l.seen = append(l.seen, seenValue{uint32(sequence), value})
	}
	return true
}

// mayHaveLost reports whether a question mark at the end of a word may stand for a letter:
// where accents are, they were not lost.
func mayHaveLost(text string) bool {
	at := strings.IndexByte(text, '?')
	return at > 0 && isLetterByte(text[at-1]) && chars.IsASCII(text)
}

// review reports the values if letters were lost in the column for certain.
func (l *lostAtEnds) review(f *fieldMapper, review *Review) {
	if l.certain == 0 {
		return
	}
	for _, s := range l.seen {
		f.report(review, int(s.sequence), s.value, RuleBadCharacter, about(f.check.spec.Label, s.value)+"has a question mark, and in other rows one stands for a lost letter.",
			"Write the letter, or save the export as UTF-8 again; if all is right, add as_is: true to the field.")
	}
}
