package mapping

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"opscom-import/mapping/internal/chars"
)

const (
	// fileVersion is the version of the mapping file's format that Parse reads.
	fileVersion = 1

	// maxFileBytes is far more than any mapping needs, so that a data file given by
	// mistake is refused at once.
	maxFileBytes = 1 << 20

	// maxFileDepth is how many levels a mapping file may have inside each other; one
	// with values has six.
	maxFileDepth = 20
)

// NoHeaderRow is what stands in place of the header's row number where there is no header.
const NoHeaderRow = "none"

// Parse reads a mapping file. The name is for errors only.
//
// Every scalar stays the text that is written: 01234, yes and 1 do not become a
// number or a truth value. Parse checks only the file's structure; Compile checks
// whether a column, a transform or a function exists. All mistakes are returned
// together, each a *FileError, joined in the order of their lines.
func Parse(name string, data []byte) (*File, error) {
	p := &parser{mistakes{name: name}}
	f := &File{Name: name}
	if root := p.load(data); root != nil {
		p.readFile(f, root)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// parser reads one mapping file.
type parser struct{ mistakes }

// load returns the root of the file's only document, or nil after a mistake that
// makes the file unreadable.
func (p *parser) load(data []byte) *yaml.Node {
	if len(data) > maxFileBytes {
		p.fail(0, "", "the file is larger than "+strconv.Itoa(maxFileBytes>>20)+" MiB, so it is not a mapping file; is it the data file?")
		return nil
	}
	if at := firstUnreadable(data); at >= 0 {
		p.fail(1+bytes.Count(data[:at], []byte{'\n'}), "", "the file is not plain text in UTF-8; open it in a text editor and save it as UTF-8")
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxFileDepth))))
	if err != nil {
		p.fail(0, "", "the file cannot be read as YAML: "+err.Error())
		return nil
	}
	var document, next yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		p.fail(0, "", "the file is empty; `opscom-import map` suggests a mapping file")
		return nil
	case err != nil:
		p.failSyntax(err)
		return nil
	}
	switch err := loader.Load(&next); {
	case errors.Is(err, io.EOF):
		return document.Content[0]
	case err != nil:
		p.failSyntax(err)
	default:
		p.fail(next.Line, "", "a second document begins here; a mapping file has only one, so delete the line ---")
	}
	return nil
}

// firstUnreadable returns the offset of the first byte that is not UTF-8 text,
// or -1.
func firstUnreadable(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f {
			return i
		}
		i += size
	}
	return -1
}

// failSyntax says in plain words what the YAML parser did not understand.
func (p *parser) failSyntax(err error) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		p.fail(0, "", "the file cannot be read as YAML: "+err.Error())
		return
	}
	line, message := load.Mark.Line, "the line cannot be read as YAML: "+load.Message
	for _, plain := range []struct{ context, message, says string }{
		{"quoted scalar", "end of stream", "the quote that opens here is never closed"},
		{"flow sequence", "expected", "the list that opens here with [ is not closed with ], or a comma is missing"},
		{"flow mapping", "expected", "what opens here with { is not closed with }, or a comma is missing"},
		{"", "mapping values are not allowed", "the line has a second colon, or is not aligned with those above; put quotes around a text that contains a colon"},
		{"", "tab character", "the line begins with a tab; use spaces"},
		{"", "cannot start any token", "the line begins with a tab, or a text begins with a character that needs quotes around the text, such as @ or %"},
		{"", "expected key", "the line is not aligned with those above, or there is a quote inside a quoted text; write '' for a quote between quotes"},
		{"", "could not find expected ':'", "a colon is missing after the name"},
		{"", "exceeded max depth", "there are more than " + strconv.Itoa(maxFileDepth) + " levels inside each other, or as many brackets; no mapping has so many"},
		{"", "unknown anchor", "a text cannot begin with *; put quotes around the text"},
	} {
		if strings.Contains(load.ContextMsg, plain.context) && strings.Contains(load.Message, plain.message) {
			message = plain.says
			if plain.context != "" {
				line = load.ContextMark.Line
			}
			break
		}
	}
	p.fail(line, "", message)
}

func (p *parser) readFile(f *File, root *yaml.Node) {
	pairs, ok := p.pairs(root, "")
	if !ok || !p.readVersion(root, pairs) {
		return
	}
	p.knownKeys(pairs, "", "version", "source", "fields")
	for _, pair := range pairs {
		switch pair.key {
		case "source":
			p.readSource(&f.Source, pair)
		case "fields":
			f.Fields = p.readFields(pair)
		}
	}
	if !slices.ContainsFunc(pairs, func(pair pair) bool { return pair.key == "fields" }) {
		p.fail(root.Line, "fields", "the section is missing; it says where each attribute comes from")
	}
}

// readVersion reports whether the rest of the file can be read: not when it is for a
// newer program.
func (p *parser) readVersion(root *yaml.Node, pairs []pair) bool {
	const write = "write `version: 1` at the top of the file"
	i := slices.IndexFunc(pairs, func(pair pair) bool { return pair.key == "version" })
	if i < 0 {
		p.fail(root.Line, "version", "the version is missing; "+write)
		return true
	}
	text, ok := p.text(pairs[i].node, "version")
	if !ok {
		return true
	}
	version, err := strconv.Atoi(text)
	switch {
	case err != nil || version < fileVersion:
		p.fail(pairs[i].line, "version", "there is no version "+chars.Quote(text)+"; "+write)
	case version > fileVersion:
		p.fail(pairs[i].line, "version", "the file has version "+text+", and this program reads version 1; install a newer opscom-import")
		return false
	}
	return true
}

func (p *parser) readSource(source *SourceSection, section pair) {
	pairs, ok := p.pairs(section.node, section.key)
	if !ok {
		return
	}
	source.Lines = linesOf(pairs)
	p.knownKeys(pairs, section.key, "sheet", "header_row", "delimiter", "encoding", "where", "headers", "missing_values")
	for _, pair := range pairs {
		where := section.key + "." + pair.key
		switch pair.key {
		case "sheet":
			source.Sheet, _ = p.word(pair.node, where)
		case "encoding": // whether there is such a one is known to who reads the file
			source.Encoding, _ = p.word(pair.node, where)
		case "delimiter":
			text, _ := p.text(pair.node, where)
			delimiter, err := ParseDelimiter(text)
			if err != nil {
				p.fail(pair.line, where, err.Error())
			}
			source.Delimiter = delimiter
		case "where":
			source.Where, _ = p.word(pair.node, where)
		case "headers":
			source.Headers = p.list(pair.node, where, p.text)
		case "missing_values":
			source.MissingValues = p.list(pair.node, where, p.word)
		case "header_row":
			text, ok := p.word(pair.node, where)
			if !ok {
				continue
			}
			if strings.EqualFold(text, NoHeaderRow) {
				source.NoHeader = true
				continue
			}
			row, err := strconv.Atoi(text)
			if err != nil || row < 1 {
				p.fail(pair.line, where, chars.Quote(text)+" is not a row number; write the one that the spreadsheet shows, such as 3, or none when no row has the names of the columns")
				continue
			}
			source.HeaderRow = row
		}
	}
}

func (p *parser) readFields(section pair) []Field {
	pairs, ok := p.pairs(section.node, section.key)
	if !ok {
		return nil
	}
	var fields []Field
	given := make(map[Attribute]pair)
	for _, pair := range pairs {
		attribute := AttributeNamed(pair.key)
		if attribute == NoAttribute {
			p.fail(pair.line, section.key, unknownAttribute(pair.key))
			continue
		}
		if earlier, twice := given[attribute]; twice {
			p.fail(pair.line, pair.key, "line "+strconv.Itoa(earlier.line)+" gives the same attribute under the name "+earlier.key+"; keep one of the two")
			continue
		}
		given[attribute] = pair
		fields = append(fields, p.readField(attribute, pair))
	}
	if len(section.node.Content) == 0 {
		p.fail(section.line, section.key, "no attribute is given")
	}
	return fields
}

func unknownAttribute(name string) string {
	var names []string
	for _, spec := range Attributes() {
		names = append(names, spec.Names...)
	}
	return chars.Quote(name) + " is not an attribute of a profile" + chars.Hint(name, names, "; `opscom-import fields` lists them")
}
