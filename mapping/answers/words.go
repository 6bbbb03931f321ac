package answers

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"opscom-import/mapping"
)

// Text is a clause for a person: a format in English, and what stands in it, so that the
// format can be translated. Of what stands in it only a Text is translated too.
type Text struct {
	Format string
	Args   []any
}

// String returns the English text.
func (t Text) String() string {
	if len(t.Args) == 0 {
		return t.Format
	}
	return fmt.Sprintf(t.Format, t.Args...)
}

// Words says in clauses what an attribute is made of:
//
//	“Pref Name”, or “First Name” where it is blank
//	always SSO
//	worked out: …; a blank clears it in OPS-COM
func Words(f mapping.Field) []Text {
	var words []Text
	add := func(format string, args ...any) { words = append(words, Text{format, args}) }
	switch {
	case f.Value != nil:
		add("always %s", *f.Value)
	case f.Expr != "":
		add("worked out: %s", f.Expr)
	case len(f.Columns) == 2:
		add("“%s”, or “%s” where it is blank", f.Columns[0], f.Columns[1])
	case len(f.Columns) > 2:
		add("the first that is not blank: %s", strings.Join(f.Columns, ", "))
	case len(f.Columns) == 1:
		add("“%s”", f.Columns[0])
	default:
		add("nothing")
	}
	if f.Date == "excel" {
		add("the dates are Excel's numbers of days")
	} else if f.Date != "" {
		add("the dates are read as %s", f.Date)
	}
	for _, word := range f.Apply {
		words = append(words, transformWords(strings.TrimSpace(word)))
	}
	if len(f.Values) == 1 {
		add("one value becomes another")
	} else if len(f.Values) > 1 {
		add("%d values become others", len(f.Values))
	}
	switch f.Otherwise {
	case "", "error":
	case "keep":
		if len(f.Values) == 0 {
			add("other values stay as they are")
		}
	case "blank":
		add("other values are not sent")
	default:
		add("any other value becomes %s", f.Otherwise)
	}
	if f.Default != "" {
		add("a blank becomes %s", f.Default)
	}
	if f.Blank == "clear" {
		add("a blank empties it in OPS-COM")
	}
	if f.Blank == "error" || f.Required {
		add("a row without it is not sent")
	}
	if f.AsIs {
		add("the values are taken as they are")
	}
	return words
}

// transformWords says what a transform does.
func transformWords(word string) Text {
	name, argument, _ := strings.Cut(word, ":")
	switch name {
	case "lower":
		return Text{"in small letters", nil}
	case "upper":
		return Text{"in capitals", nil}
	case "title":
		return Text{"each word with a capital", nil}
	case "phone":
		return Text{"phone numbers written alike", nil}
	case "postal_code":
		return Text{"postal codes written alike", nil}
	case "province":
		return Text{"provinces and states as two letters", nil}
	case "pad":
		return Text{"zeros in front, to %s characters", []any{argument}}
	}
	return Text{"changed by %s", []any{word}}
}

// plain replaces words of the mapping file by those of a page.
var plain = strings.NewReplacer(
	"the attribute's own name", "it is OPS-COM's own name for it",
	"no attribute is known by this name", "OPS-COM has nothing that is known by this name",
	"the profile has no attribute for it", "OPS-COM has no place for it",
	"the profile has no home phone of its own", "OPS-COM has no home phone of its own",
	"and the profile wants first and last name separately; an expr can split it at a comma", "and OPS-COM wants first and last name separately",
	"the profile has one line for", "OPS-COM has one line for",
	"; is it the one by which the Controller knows the users?", "; is it the one by which OPS-COM knows the users?",
	", or be translated into them with `values`", ", or you say in the next step what each becomes",
	"; to the right of each value, write the user type that it means", "",
	"to the right of each value, write the user type that it means", "in the next step you say what each value means",
	"; add date: with the format", "",
	"; which is it? Add date:", "",
	"which is it? Add date:", "",
	"; give them different ones in the file", "",
	"the Controller's", "OPS-COM's", "of the Controller", "of OPS-COM", "the Controller", "OPS-COM",
	"user_type_id", "User Type", "login_source", "Login Source", "unique_id", "Unique ID",
)

// attributeComes begins the reason of a column that another one replaces.
var attributeComes = regexp.MustCompile(`^([a-z_0-9]+) comes from "(.*)" \(column ([A-Z]+)\)(, and where that is blank from this column)?$`)

// mayMean begins the reason of a column whose values don't fit its header.
var mayMean = regexp.MustCompile(`^its header may mean ([a-z_0-9]+), but (.*)$`)

// numbers finds the counts in a reason, so that the rest can be translated.
var numbers = regexp.MustCompile(`\b\d+\b`)

// clauses splits the reason for a suggestion into clauses in the words of a page.
func clauses(why string) []Text {
	var texts []Text
	for clause := range strings.SplitSeq(plain.Replace(why), "; ") {
		switch found := attributeComes.FindStringSubmatch(clause); {
		case clause == "" || strings.HasPrefix(clause, `the line "# or:"`):
			continue
		case found != nil:
			label := Text{Format: mapping.AttributeNamed(found[1]).Spec().Label}
			if found[4] != "" {
				texts = append(texts, Text{"%s comes from %s, and where that is blank from this column", []any{label, found[2]}})
				continue
			}
			texts = append(texts, Text{"%s comes from %s", []any{label, found[2]}})
			continue
		}
		if found := mayMean.FindStringSubmatch(clause); found != nil {
			texts = append(texts, Text{"it may be %s by its header", []any{Text{Format: mapping.AttributeNamed(found[1]).Spec().Label}}})
			clause = found[2]
		}
		texts = append(texts, countedText(clause))
	}
	return texts
}

// countedText takes the numbers out of a clause.
func countedText(clause string) Text {
	if rest, ok := strings.CutPrefix(clause, "or is it column "); ok {
		return Text{"or is it column %s", []any{rest}}
	}
	if rest, ok := strings.CutPrefix(clause, "the sample dates may be read as "); ok {
		return Text{"the dates may be read as %s", []any{rest}}
	}
	if strings.HasPrefix(clause, "columns ") || strings.HasPrefix(clause, "only ") {
		if letters, ok := strings.CutSuffix(strings.TrimPrefix(clause, "columns "), " have this same header"); ok {
			return Text{"columns %s have this same header", []any{letters}}
		}
		if pattern, ok := strings.CutSuffix(strings.TrimPrefix(clause, "only "), " reads all sample dates"); ok {
			return Text{"only %s reads all sample dates", []any{pattern}}
		}
	}
	var args []any
	format := numbers.ReplaceAllStringFunc(strings.ReplaceAll(clause, "%", "%%"), func(n string) string {
		args = append(args, n)
		return "%s"
	})
	if len(args) == 0 {
		return Text{Format: clause}
	}
	return Text{format, args}
}

// dateText writes a date out, so that nobody mistakes its month.
func dateText(r mapping.DateReading) Text {
	if strings.HasPrefix(strings.ToUpper(r.Pattern), "M") {
		return Text{"%s %d, %d: the month comes first", []any{Text{Format: r.Date.Month().String()}, r.Date.Day(), r.Date.Year()}}
	}
	return Text{"%d %s %d: the day comes first", []any{r.Date.Day(), Text{Format: r.Date.Month().String()}, r.Date.Year()}}
}

// text describes an order of full names.
func (o NameOrder) text() Text {
	switch o {
	case LastCommaFirst:
		return Text{Format: "the last name, a comma, the first name"}
	case FirstCommaLast:
		return Text{Format: "the first name, a comma, the last name"}
	case FirstLast:
		return Text{Format: "the first name, then one word with the last name"}
	}
	return Text{Format: "one word with the last name, then the first name"}
}

// example shows what the order makes of a name.
func (o NameOrder) example(name string) string {
	first, last := o.split(name)
	if first == "" || last == "" {
		return ""
	}
	return first + " | " + last
}

// split takes a sample apart as the expressions do.
func (o NameOrder) split(name string) (first, last string) {
	name = strings.TrimSpace(name)
	switch o {
	case LastCommaFirst, FirstCommaLast:
		last, first, _ = strings.Cut(name, ",")
		if o == FirstCommaLast {
			first, last = last, first
		}
	case FirstLast:
		at := strings.LastIndex(name, " ")
		first, last = name[:max(at, 0)], name[at+1:]
	case LastFirst:
		last, first, _ = strings.Cut(name, " ")
	}
	return strings.TrimSpace(first), strings.TrimSpace(last)
}

// Mistake is what is wrong with how an attribute is made.
type Mistake struct {
	Attribute mapping.Attribute // NoAttribute when it is about the whole file
	Text      string            // a clause in the words of a page
}

// Mistakes finds what is wrong with a mapping in an error of mapping.Compile or
// mapping.Parse, in the words of a page. There are none in any other error.
func Mistakes(err error) []Mistake {
	var mistakes []Mistake
	var walk func(error)
	walk = func(err error) {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range many.Unwrap() {
				walk(one)
			}
			return
		}
		if file, ok := errors.AsType[*mapping.FileError](err); ok {
			name, _, _ := strings.Cut(file.Key, ".")
			mistakes = append(mistakes, Mistake{mapping.AttributeNamed(name), plain.Replace(file.Message)})
		}
	}
	if err != nil {
		walk(err)
	}
	return mistakes
}
