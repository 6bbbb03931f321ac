package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Format writes the mapping as a file that Parse reads back to the same mapping. It
// fails only on text that is not valid UTF-8.
func (f *File) Format() ([]byte, error) {
	fields := section()
	for i := range f.Fields {
		fields.Content = append(fields.Content, scalar(f.Fields[i].Attribute.String()), fieldNode(&f.Fields[i]))
	}
	head := headNode(f)
	head.Content = append(head.Content, scalar("fields"), fields)
	return dump(head)
}

// headNode is the file up to its fields.
func headNode(f *File) *yaml.Node {
	head := section(scalar("version"), number(fileVersion))
	source := section()
	add := func(key string, value *yaml.Node) {
		source.Content = append(source.Content, scalar(key), value)
	}
	if f.Source.Sheet != "" {
		add("sheet", scalar(f.Source.Sheet))
	}
	switch {
	case f.Source.NoHeader:
		add("header_row", scalar(NoHeaderRow))
	case f.Source.HeaderRow > 0:
		add("header_row", number(f.Source.HeaderRow))
	}
	if f.Source.Delimiter != 0 {
		add("delimiter", scalar(DelimiterName(f.Source.Delimiter)))
	}
	if f.Source.Encoding != "" {
		add("encoding", scalar(f.Source.Encoding))
	}
	if f.Source.Where != "" {
		add("where", scalar(f.Source.Where))
	}
	if len(f.Source.Headers) > 0 {
		add("headers", list(f.Source.Headers))
	}
	if len(f.Source.MissingValues) > 0 {
		add("missing_values", list(f.Source.MissingValues))
	}
	if len(source.Content) > 0 {
		head.Content = append(head.Content, scalar("source"), source)
	}
	return head
}

// fieldNode is one attribute's entry: only the column's name where that is all there
// is, else one line, or several where there is a table of values.
func fieldNode(f *Field) *yaml.Node {
	n := section()
	add := func(key string, value *yaml.Node) { n.Content = append(n.Content, scalar(key), value) }
	addText := func(key, text string) {
		if text != "" {
			add(key, scalar(text))
		}
	}
	switch {
	case f.Value != nil:
		add("value", scalar(*f.Value))
	case len(f.Columns) == 1:
		add("column", scalar(f.Columns[0]))
	case len(f.Columns) > 1:
		add("column", list(f.Columns))
	}
	addText("expr", f.Expr)
	if len(f.Apply) > 0 {
		add("apply", list(f.Apply))
	}
	addText("date", f.Date)
	if len(f.Values) > 0 {
		values := section()
		for _, v := range f.Values {
			values.Content = append(values.Content, scalar(v.From), scalar(v.To))
		}
		add("values", values)
	} else {
		n.Style = yaml.FlowStyle
	}
	addText("otherwise", f.Otherwise)
	addText("default", f.Default)
	addText("blank", f.Blank)
	for _, key := range []struct {
		name string
		on   bool
	}{{"required", f.Required}, {"as_is", f.AsIs}} {
		if key.on {
			add(key.name, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
		}
	}
	if len(n.Content) == 2 && len(f.Columns) == 1 {
		return n.Content[1]
	}
	return n
}

func section(content ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Content: content}
}

func list(items []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, item := range items {
		n.Content = append(n.Content, scalar(item))
	}
	return n
}

func number(n int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(n)}
}

// scalar is a text. The YAML library quotes what YAML 1.2 would not read as a text;
// words that older parsers read as booleans are quoted here. A text of several lines
// stays on one line of the file.
func scalar(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	switch {
	case strings.ContainsAny(text, "\n\r\u0085\u2028\u2029"):
		n.Style = yaml.DoubleQuotedStyle
	case slices.Contains([]string{"y", "n", "yes", "no", "on", "off"}, strings.ToLower(text)):
		n.Style = yaml.SingleQuotedStyle
	}
	return n
}

// dump writes each flow list or section on one line, however long.
func dump(n *yaml.Node) ([]byte, error) {
	out, err := yaml.Dump(n, yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("write mapping: %w", err)
	}
	return out, nil
}
