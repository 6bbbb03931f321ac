package mapping

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize/english"
	"go.yaml.in/yaml/v4"

	"opscom-import/mapping/internal/chars"
)

// readField reads one attribute's entry: a column's name, or a section of keys.
func (p *parser) readField(attribute Attribute, entry pair) Field {
	field := Field{Attribute: attribute, Line: entry.line}
	if isNothing(entry.node) {
		p.fail(entry.line, entry.key, "nothing says where the value comes from; write a column's name, or {value: …} for a constant")
		return field
	}
	if entry.node.Kind == yaml.ScalarNode {
		if column, ok := p.word(entry.node, entry.key); ok {
			field.Columns = []string{column}
			field.Lines = Lines{"column": entry.line}
		}
		return field
	}
	if entry.node.Kind == yaml.SequenceNode {
		p.fail(entry.line, entry.key, "for several columns write {column: [first choice, second choice]}")
		return field
	}
	pairs, ok := p.pairs(entry.node, entry.key)
	if !ok {
		return field
	}
	field.Lines = linesOf(pairs)
	p.knownKeys(pairs, entry.key, "column", "value", "expr", "apply", "date", "values", "otherwise", "default", "blank", "required", "as_is")
	p.checkSources(entry, pairs)
	for _, pair := range pairs {
		p.readFieldKey(&field, pair, entry.key+"."+pair.key)
	}
	if _, ok := field.Lines["values"]; field.Otherwise != "" && !ok {
		p.fail(field.Lines["otherwise"], entry.key+".otherwise", "it is for values that `values` does not list, and there is no `values`")
	}
	return field
}

func (p *parser) readFieldKey(field *Field, pair pair, where string) {
	switch pair.key {
	case "column":
		field.Columns = p.oneOrList(pair.node, where)
		p.refuseRepeats(pair, where, field.Columns)
	case "value":
		if text, ok := p.text(pair.node, where); ok {
			field.Value = &text
		}
	case "expr":
		field.Expr, _ = p.word(pair.node, where)
	case "apply":
		field.Apply = p.oneOrList(pair.node, where)
	case "date":
		field.Date, _ = p.word(pair.node, where)
	case "values":
		field.Values = p.readValues(pair, where)
	case "otherwise":
		if text, ok := p.text(pair.node, where); ok && text == "" {
			p.fail(pair.line, where, "write error, keep, blank or a value")
		} else {
			field.Otherwise = text
		}
	case "default":
		field.Default, _ = p.text(pair.node, where)
	case "blank":
		field.Blank = p.choice(pair, where, "omit", "clear", "error")
	case "required":
		field.Required = p.choice(pair, where, "true", "false") == "true"
	case "as_is":
		field.AsIs = p.choice(pair, where, "true", "false") == "true"
	}
}

// checkSources demands exactly one of column, value and expr.
func (p *parser) checkSources(entry pair, pairs []pair) {
	var sources []pair
	for _, pair := range pairs {
		if pair.key == "column" || pair.key == "value" || pair.key == "expr" {
			sources = append(sources, pair)
		}
	}
	switch {
	case len(sources) == 0:
		p.fail(entry.line, entry.key, noSource)
	case len(sources) > 1:
		p.fail(sources[1].line, entry.key, "both "+sources[0].key+" and "+sources[1].key+" are given; keep one of column, value and expr")
	}
}

// refuseRepeats demands that a list of columns has each once.
func (p *parser) refuseRepeats(list pair, where string, columns []string) {
	for i, column := range columns {
		if slices.Contains(columns[:i], column) {
			p.fail(list.line, where, "the column "+chars.Quote(column)+" is in the list twice")
			return
		}
	}
}

func (p *parser) readValues(section pair, where string) []ValuePair {
	pairs, ok := p.pairs(section.node, where)
	if !ok {
		return nil
	}
	if len(section.node.Content) == 0 {
		p.fail(section.line, where, "no value is given; write {FT: Full Time Student, PT: Part Time Student}, for example")
	}
	var values []ValuePair
	for _, pair := range pairs {
		if strings.TrimSpace(pair.key) == "" {
			p.fail(pair.line, where, "a blank cell is not looked up; use default to give it a value")
			continue
		}
		if isNothing(pair.node) {
			p.fail(pair.line, where, "nothing says what "+chars.Quote(pair.key)+" becomes; write '' for a blank")
			continue
		}
		if to, ok := p.text(pair.node, where); ok {
			values = append(values, ValuePair{From: pair.key, To: to, Line: pair.line})
		}
	}
	return values
}

// pair is one key of a section with what it holds.
type pair struct {
	key  string
	line int
	node *yaml.Node
}

func linesOf(pairs []pair) Lines {
	lines := make(Lines, len(pairs))
	for _, pair := range pairs {
		lines[pair.key] = pair.line
	}
	return lines
}

// pairs returns a section's keys in order, each once.
func (p *parser) pairs(n *yaml.Node, where string) ([]pair, bool) {
	if !p.isPlain(n, where) {
		return nil, false
	}
	if n.Kind != yaml.MappingNode {
		p.fail(n.Line, where, "lines such as `name: value` are expected here")
		return nil, false
	}
	pairs := make([]pair, 0, len(n.Content)/2)
	lines := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, ok := p.text(n.Content[i], where)
		if !ok {
			continue
		}
		line := n.Content[i].Line
		if first, twice := lines[key]; twice {
			p.fail(line, where, chars.Quote(key)+" is here twice, first in line "+strconv.Itoa(first)+"; keep one of the two")
			continue
		}
		lines[key] = line
		pairs = append(pairs, pair{key: key, line: line, node: n.Content[i+1]})
	}
	return pairs, true
}

func (p *parser) knownKeys(pairs []pair, where string, known ...string) {
	for _, pair := range pairs {
		if slices.Contains(known, pair.key) {
			continue
		}
		p.fail(pair.line, where, "there is no key "+chars.Quote(pair.key)+" here"+chars.Hint(pair.key, known, "; the keys are "+english.WordSeries(known, "and")))
	}
}

// isPlain refuses what YAML has and a mapping file has no use for.
func (p *parser) isPlain(n *yaml.Node, where string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		p.fail(n.Line, where, "*"+chars.Clip(n.Value)+" refers to another place in the file; write the text in full, or put quotes around it")
	case n.Style&yaml.TaggedStyle != 0:
		p.fail(n.Line, where, "a text cannot begin with !; put quotes around it")
	default:
		return true
	}
	return false
}

// text returns a scalar as it is written, without its quotes.
func (p *parser) text(n *yaml.Node, where string) (string, bool) {
	if !p.isPlain(n, where) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		p.fail(n.Line, where, "a single text is expected here; put quotes around a text that begins with [ or {")
		return "", false
	}
	return n.Value, true
}

// word returns a scalar that must not be blank.
func (p *parser) word(n *yaml.Node, where string) (string, bool) {
	text, ok := p.text(n, where)
	if ok && strings.TrimSpace(text) == "" {
		p.fail(n.Line, where, "it is blank")
		return "", false
	}
	return text, ok
}

// list returns the items of a list, each read by item.
func (p *parser) list(n *yaml.Node, where string, item func(*yaml.Node, string) (string, bool)) []string {
	if !p.isPlain(n, where) {
		return nil
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.fail(n.Line, where, "a list is expected here, such as [one, two]")
		return nil
	}
	items := make([]string, 0, len(n.Content))
	for _, node := range n.Content {
		if text, ok := item(node, where); ok {
			items = append(items, text)
		}
	}
	return items
}

// oneOrList returns one word, or a list of words.
func (p *parser) oneOrList(n *yaml.Node, where string) []string {
	if n.Kind == yaml.SequenceNode {
		return p.list(n, where, p.word)
	}
	if word, ok := p.word(n, where); ok {
		return []string{word}
	}
	return nil
}

// choice returns one of the words that a key allows.
func (p *parser) choice(pair pair, where string, allowed ...string) string {
	word, ok := p.word(pair.node, where)
	if !ok {
		return ""
	}
	if !slices.Contains(allowed, word) {
		p.fail(pair.line, where, chars.Quote(word)+" is not understood; write "+english.WordSeries(allowed, "or"))
		return ""
	}
	return word
}

// isNothing reports whether there is no text at all, not even an empty one in quotes.
func isNothing(n *yaml.Node) bool {
	const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Kind == yaml.ScalarNode && n.Value == "" && n.Style&(quoted|yaml.TaggedStyle) == 0
}
