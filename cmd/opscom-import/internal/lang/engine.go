package lang

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

//go:embed engine.fr.po
var frenchEngine []byte

// engineTexts returns what the engine says, in French.
var engineTexts = sync.OnceValue(func() *engine { return newEngine(parseCatalogue(frenchEngine)) })

// Engine returns a message of the engine in the language: finished English text of one
// or several sentences. Values in quotes are carried over. What the catalogue does not
// know stays English.
func (l Lang) Engine(text string) string {
	if l != French {
		return text
	}
	return engineTexts().translate(text)
}

// engine translates finished messages: it looks for the format that a text was made
// with, translates what stands in its verbs in the same way, and puts it into the
// format's translation.
type engine struct {
	exact    map[string]string    // texts without verbs
	byWord   map[string][]*format // the formats by the rarest of their words
	wordless []*format            // those that have none, such as "%s: %s"
}

// format is a format of the catalogue: literal, verb, literal … literal.
type format struct {
	literals []string // one more than there are verbs
	verbs    []byte   // 's', 'q' or 'd'
	french   []part
	isSaid   bool // its quoted text is what OPS-COM said, which may have quotes in it
	weight   int  // bytes of the literals: the longer, the surer is a match
}

// part is a piece of a translation: a literal, or the argument of that number. The
// verb %v carries an argument over as it is: a header may be "City".
type part struct {
	literal string // the verb's letter for an argument
	arg     int    // -1 for a literal
}

// named calls the Controller by its name, as some pages do in the engine's messages.
var named = strings.NewReplacer("The Controller", "OPS-COM", "the Controller", "OPS-COM")

func newEngine(c *catalogue) *engine {
	e := &engine{exact: make(map[string]string), byWord: make(map[string][]*format)}
	var formats []*format
	count := make(map[string]int)
	for id := range c.texts {
		french, ok := c.get(id)
		if !ok {
			continue
		}
		for _, english := range slices.Compact([]string{id, named.Replace(id)}) {
			if verbs(id) == 0 {
				e.exact[strings.ReplaceAll(english, "%%", "%")] = strings.ReplaceAll(french, "%%", "%")
				continue
			}
			f := newFormat(english, french)
			formats = append(formats, f)
			for _, word := range f.words() {
				count[word]++
			}
		}
	}
	slices.SortFunc(formats, (*format).compare)
	for _, f := range formats {
		words := f.words()
		if len(words) == 0 {
			e.wordless = append(e.wordless, f)
			continue
		}
		rarest := slices.MinFunc(words, func(a, b string) int { return cmp.Compare(count[a], count[b]) })
		e.byWord[rarest] = append(e.byWord[rarest], f)
	}
	return e
}

func newFormat(english, french string) *format {
	f := &format{}
	for _, p := range parts(english) {
		if p.arg >= 0 {
			f.verbs = append(f.verbs, p.literal[0])
			if len(f.literals) < len(f.verbs) { // two verbs without a text between them
				f.literals = append(f.literals, "")
			}
			continue
		}
		f.literals = append(f.literals, p.literal)
		f.weight += len(p.literal)
	}
	if len(f.literals) == len(f.verbs) {
		f.literals = append(f.literals, "")
	}
	f.french = parts(french)
	f.isSaid = strings.HasPrefix(english, "The Controller says ") || strings.HasPrefix(english, "OPS-COM says ")
	return f
}

// compare orders formats: what is surer comes first.
func (f *format) compare(other *format) int {
	return cmp.Or(cmp.Compare(other.weight, f.weight), slices.Compare(f.verbs, other.verbs), slices.Compare(f.literals, other.literals))
}

// parts cuts a format at its verbs, which may have a number: %s, %[2]s. Their
// literal is their letter.
func parts(text string) []part {
	var list []part
	literal, next := "", 0
	for text != "" {
		before, after, found := strings.Cut(text, "%")
		literal += before
		if !found || after == "" {
			break
		}
		if after[0] == '%' {
			literal, text = literal+"%", after[1:]
			continue
		}
		if literal != "" {
			list = append(list, part{literal, -1})
			literal = ""
		}
		if number, rest, ok := strings.Cut(strings.TrimPrefix(after, "["), "]"); ok && after[0] == '[' {
			next, after = int(number[0]-'1'), rest
		}
		list = append(list, part{after[:1], next})
		next++
		text = after[1:]
	}
	if literal != "" {
		list = append(list, part{literal, -1})
	}
	return list
}

// words returns the words that every text of the format has.
func (f *format) words() []string {
	var words []string
	for i, literal := range f.literals {
		if i > 0 { // what stands beside a verb may be a part of a word
			literal = strings.TrimLeftFunc(literal, unicode.IsLetter)
		}
		if i < len(f.verbs) {
			literal = strings.TrimRightFunc(literal, unicode.IsLetter)
		}
		words = append(words, wordsOf(literal)...)
	}
	return words
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
}

// maxDepth limits how deep messages stand in messages.
const maxDepth = 8

// translate returns the text in French, as far as it is known.
func (e *engine) translate(text string) string {
	r := reading{e, maxMatches}
	french, _ := r.passage(text, 0)
	return french
}

// maxMatches limits the formats that are tried for one message, many times what the
// longest ones take: what stands in a message may come from a stranger.
const maxMatches = 5000

// reading is the translation of one message.
type reading struct {
	*engine
	left int // formats that may be tried
}

// passage translates one or several sentences, or a part of one; known is false if a
// sentence stayed as it is.
func (r *reading) passage(text string, depth int) (french string, known bool) {
	if depth > maxDepth || !strings.ContainsFunc(text, unicode.IsLower) { // a number, a column, DD/MM/YYYY
		return text, true
	}
	core := strings.TrimSpace(text)
	if core != text { // a clause with its separator
		before, after, _ := strings.Cut(text, core)
		french, known = r.passage(core, depth+1)
		return before + french + after, known
	}
	if messages := splitOutsideQuotes(text, ".; "); len(messages) > 1 { // of one row
		known = true
		for i, message := range messages {
			if i < len(messages)-1 {
				message += "."
			}
			french, ok := r.passage(message, depth+1)
			messages[i], known = french, known && ok
		}
		return strings.Join(messages, " "), known
	}
	if french, ok := r.unit(text, depth, true); ok {
		return french, true
	}
	if french, ok := r.afterPlace(text, depth); ok {
		return french, true
	}
	ends := sentenceEnds(text)
	if len(ends) == 1 {
		return r.clauses(text, depth)
	}
	var done []string
	known = true
	for start := 0; len(ends) > 0; {
		n := len(ends)
		translated, ok := "", false
		for ; n > 0 && !ok; n-- {
			translated, ok = r.unit(text[start:ends[n-1]], depth, true)
		}
		if !ok { // not even the first alone
			if translated, ok = r.unit(text[start:], depth, false); ok {
				return strings.Join(append(done, translated), " "), known
			}
			translated, ok = r.clauses(text[start:ends[0]], depth)
			known = known && ok
		}
		done = append(done, translated)
		start = min(ends[n]+1, len(text))
		ends = ends[n+1:]
	}
	return strings.Join(done, " "), known
}

// afterPlace translates a message behind the place that it is about: people.xlsx, row
// 17: The row …
func (r *reading) afterPlace(text string, depth int) (string, bool) {
	pieces := splitOutsideQuotes(text, ": ")
	for i := 1; i < len(pieces); i++ {
		where := strings.Join(pieces[:i], ": ")
		if len(sentenceEnds(where)) > 1 {
			break
		}
		if message, ok := r.unit(strings.Join(pieces[i:], ": "), depth, true); ok {
			place, _ := r.passage(where, depth+1)
			return place + "\u00a0: " + message, true
		}
	}
	return "", false
}

// unit translates a text that the catalogue has as a whole. If strict, what stands in
// its verbs does not go beyond a sentence.
func (r *reading) unit(text string, depth int, strict bool) (string, bool) {
	if french, ok := r.exact[text]; ok {
		return french, true
	}
	if label, value, rest, ok := cutSubject(text); ok && depth < maxDepth {
		if french, ok := r.exact[label]; ok {
			if rest, ok := r.unit(rest, depth+1, strict); ok {
				return french + "\u00a0: " + quoted(value) + " " + rest, true
			}
		}
	}
	if french, ok := r.formatted(text, depth, strict); ok {
		return french, true
	}
	if clause, ok := strings.CutSuffix(text, "."); ok && clause != "" {
		if french, ok := r.unit(clause, depth, strict); ok {
			return french + ".", true
		}
	}
	if first, size := utf8.DecodeRuneInString(text); unicode.IsUpper(first) {
		lower := string(unicode.ToLower(first)) + text[size:]
		french, ok := r.exact[lower]
		if !ok {
			french, ok = r.formatted(lower, depth, strict)
		}
		if ok {
			first, size := utf8.DecodeRuneInString(french)
			return string(unicode.ToUpper(first)) + french[size:], true
		}
	}
	return "", false
}

// formatted translates a text that was made with one of the formats.
func (r *reading) formatted(text string, depth int, strict bool) (string, bool) {
	var candidates []*format
	seen := make(map[string]bool)
	for _, word := range wordsOf(text) {
		if !seen[word] {
			seen[word] = true
			candidates = append(candidates, r.byWord[word]...)
		}
	}
	slices.SortFunc(candidates, (*format).compare)
	for _, f := range append(candidates, r.wordless...) {
		if r.left--; r.left < 0 {
			return "", false
		}
		args, ok := f.match(text, strict)
		if !ok {
			continue
		}
		var b strings.Builder
		for _, p := range f.french {
			switch {
			case p.arg < 0:
				b.WriteString(p.literal)
			case p.arg >= len(args):
			case p.literal == "v":
				b.WriteString(args[p.arg])
			case f.verbs[p.arg] == 'q':
				b.WriteString(quoted(args[p.arg]))
			case f.verbs[p.arg] == 'd':
				b.WriteString(strings.ReplaceAll(args[p.arg], ",", "\u00a0"))
			default:
				french, _ := r.passage(args[p.arg], depth+1)
				b.WriteString(french)
			}
		}
		return b.String(), true
	}
	return "", false
}

// quoted puts a text that stands in quotes between French quotation marks.
func quoted(text string) string {
	for _, pair := range []string{`""`, "“”", "''"} {
		opening, size := utf8.DecodeRuneInString(pair)
		if inner, ok := strings.CutPrefix(text, string(opening)); ok {
			return "«\u00a0" + strings.TrimSuffix(inner, pair[size:]) + "\u00a0»"
		}
	}
	return text
}

// match returns what stands in the text for the format's verbs, if the text was made
// with it.
func (f *format) match(text string, strict bool) (args []string, ok bool) {
	rest, ok := strings.CutPrefix(text, f.literals[0])
	if !ok || !strings.HasSuffix(text, f.literals[len(f.literals)-1]) {
		return nil, false
	}
	args = make([]string, len(f.verbs))
	if !f.fill(args, 0, rest, strict) {
		return nil, false
	}
	return args, true
}

// fill finds the argument of the verb i and of those after it in the rest of a text.
func (f *format) fill(args []string, i int, rest string, strict bool) bool {
	if i == len(f.verbs) {
		return rest == ""
	}
	literal, last := f.literals[i+1], i+1 == len(f.verbs)
	for end := range f.ends(i, rest) {
		after, ok := strings.CutPrefix(rest[end:], literal)
		if !ok || last && after != "" || strict && f.verbs[i] == 's' && len(sentenceEnds(rest[:end])) > 1 {
			continue
		}
		if args[i] = rest[:end]; f.fill(args, i+1, after, strict) {
			return true
		}
	}
	return false
}

// ends returns where the argument of the verb may end, the nearest place first.
func (f *format) ends(i int, rest string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		switch f.verbs[i] {
		case 'd':
			digits := strings.TrimLeft(rest, "0123456789,")
			if n := len(rest) - len(digits); n > 0 {
				yield(len(strings.TrimRight(rest[:n], ",")))
			}
		case 'q':
			if rest == "" || rest[0] != '"' && rest[0] != '\'' {
				return
			}
			for at := 1; at < len(rest); at++ {
				if rest[at] == '\\' {
					at++
				} else if rest[at] == rest[0] && (!yield(at+1) || !f.isSaid) {
					return
				}
			}
		default:
			for at := 0; at <= len(rest); at++ {
				if !yield(at) {
					return
				}
				if at < len(rest) { // a literal never begins inside a quoted value
					at += max(quoteEnd(rest[at:])-1, 0)
				}
			}
		}
	}
}

// quoteEnd returns the length of the quoted value at the beginning of the text, 0 where
// there is none.
func quoteEnd(text string) int {
	if rest, ok := strings.CutPrefix(text, "“"); ok {
		if end := strings.Index(rest, "”"); end >= 0 {
			return len("“") + end + len("”")
		}
		return 0
	}
	if text == "" || text[0] != '"' {
		return 0
	}
	for at := 1; at < len(text); at++ {
		switch text[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return 0
}

// cutSubject cuts what a message is about off its predicate: Label "value" is …
func cutSubject(text string) (label, value, predicate string, ok bool) {
	label, _, ok = strings.Cut(text, ` "`)
	if !ok {
		return "", "", "", false
	}
	rest := text[len(label)+1:]
	end := quoteEnd(rest)
	predicate, ok = strings.CutPrefix(rest[end:], " ")
	return label, rest[:end], predicate, ok && end > 0
}

// sentenceEnds returns the offsets behind each sentence of the text, that of its end
// last. Full stops in quotes do not end one.
func sentenceEnds(text string) []int {
	var ends []int
	for at := 0; at < len(text); at++ {
		if quote := quoteEnd(text[at:]); quote > 0 {
			at += quote - 1
			continue
		}
		switch text[at] {
		case '.', '?', '!':
			if next := at + 2; next < len(text) && text[at+1] == ' ' {
				if first, _ := utf8.DecodeRuneInString(text[next:]); unicode.IsUpper(first) {
					ends = append(ends, at+1)
				}
			}
		}
	}
	return append(ends, len(text))
}

// clauses translates what is not one text of the catalogue: the clauses of a sentence
// and the words of a list, each for itself.
func (r *reading) clauses(text string, depth int) (french string, known bool) {
	if label, value, predicate, ok := cutSubject(text); ok {
		if label, ok := r.exact[label]; ok {
			french, known = r.passage(predicate, depth+1)
			return label + "\u00a0: " + quoted(value) + " " + french, known
		}
	}
	if label, value, _, ok := cutSubject(text + " "); ok && label+" "+value == text {
		if label, ok := r.exact[label]; ok {
			return label + " " + quoted(value), true
		}
	}
	if quoteEnd(text) == len(text) {
		return quoted(text), true
	}
	for _, separator := range []struct{ english, french string }{
		{"; ", "; "}, {": ", "\u00a0: "}, {", ", ", "}, {" and ", " et "}, {" or ", " ou "}, {"\n", "\n"},
	} {
		pieces := splitOutsideQuotes(text, separator.english)
		if len(pieces) == 1 {
			continue
		}
		known, changed := true, false
		for i, piece := range pieces {
			translated, ok := r.passage(piece, depth+1)
			if !ok && separator.english[0] == ' ' && strings.Contains(piece, " ") {
				return text, false // not a list of words
			}
			pieces[i], known, changed = translated, known && ok, changed || translated != piece
		}
		if !changed && !known {
			return text, false
		}
		return strings.Join(pieces, separator.french), known
	}
	return text, false
}

func splitOutsideQuotes(text, separator string) []string {
	var pieces []string
	start := 0
	for at := 0; at < len(text); at++ {
		if quote := quoteEnd(text[at:]); quote > 0 {
			at += quote - 1
		} else if strings.HasPrefix(text[at:], separator) {
			pieces = append(pieces, text[start:at])
			at += len(separator) - 1
			start = at + 1
		}
	}
	return append(pieces, text[start:])
}
