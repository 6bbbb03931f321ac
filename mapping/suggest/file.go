package suggest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"opscom-import/mapping"
	"opscom-import/mapping/internal/chars"
)

// File makes a mapping of the suggestions that are at least this certain, the first
// one for each attribute. The source says which table is meant; its headers become
// those of the suggestions.
func File(source mapping.SourceSection, suggestions []Suggestion, least Confidence) *mapping.File {
	f := &mapping.File{Source: source}
	f.Source.Headers = suggestedHeaders(suggestions)
	for _, spec := range mapping.Attributes() {
		i := slices.IndexFunc(suggestions, func(s Suggestion) bool {
			return s.Attribute == spec.Attribute && s.Confidence >= least && s.Confidence > Unmatched
		})
		if i >= 0 {
			f.Fields = append(f.Fields, suggestions[i].field())
		}
	}
	return f
}

// field returns the suggestion as a field of a mapping file.
func (s Suggestion) field() mapping.Field {
	if s.Expr != "" {
		return mapping.Field{Attribute: s.Attribute, Expr: s.Expr}
	}
	f := mapping.Field{Attribute: s.Attribute, Columns: s.Columns, Date: s.Date}
	if f.Columns == nil {
		f.Columns = []string{s.Header}
	}
	if len(s.Samples) > 0 {
		f.Values = s.Values
	}
	return f
}

// suggestedHeaders returns the table's headers, without the blank ones.
func suggestedHeaders(suggestions []Suggestion) []string {
	var headers []string
	last := mapping.NoColumn
	for _, s := range suggestions {
		if s.Column != last && strings.TrimSpace(s.Header) != "" {
			headers = append(headers, s.Header)
		}
		last = s.Column
	}
	return headers
}

const (
	note = `# Suggested by opscom-import from the headers and the first rows. Read it before you use it.
# A line with "# likely:" is a guess and is not used. To use it, delete the words "# likely: ".
# A line with "# or:" may replace the line above it: delete that line, and the words "# or: ".
`
	sampleNote = "# The samples are personal data: delete them before you pass this file on.\n"
	// likelyMark makes a guess a comment. Without it the line is used.
	likelyMark = "# likely: "
	// orMark makes a comment of a field that may replace the one above it.
	orMark = "# or: "
	// indent is by how much File.Format indents a field.
	indent = 2
)

// NoLoginSource is the line of Format when no column has the login source. A caller
// to whom it is known otherwise leaves the line out.
const NoLoginSource = "  # login_source: {value: SSO} # no column has it: write the code of your login source here, or give --login-source\n"

// Format writes the suggestions as a mapping file for a person to finish: what is
// certain as it is, guesses as comments, each with its reason and up to three
// values; then the columns that give nothing.
//
//	fields:
//	  unique_id: Banner ID # certain: it is the institution's number for a person; such as 900100201, 900100202
//	  # likely: first_name: Nickname # it sounds like it; such as Zoé, Max
//
// Parse reads it, unless nothing at all is certain.
func Format(source mapping.SourceSection, suggestions []Suggestion) ([]byte, error) {
	source.Headers = suggestedHeaders(suggestions)
	head, err := (&mapping.File{Source: source}).Format()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(note)
	if slices.ContainsFunc(suggestions, func(s Suggestion) bool { return len(s.Samples) > 0 }) {
		b.WriteString(sampleNote)
	}
	b.Write(bytes.TrimSuffix(head, []byte("fields: {}\n")))
	b.WriteString("fields:\n")
	for _, spec := range mapping.Attributes() {
		if err := writeSuggested(&b, spec, suggestions); err != nil {
			return nil, err
		}
	}
	writeUnmatched(&b, suggestions)
	return b.Bytes(), nil
}

// writeSuggested writes a line for each column that may give the attribute. A
// required attribute that no column gives gets a line that says what to write.
func writeSuggested(b *bytes.Buffer, spec mapping.AttributeSpec, suggestions []Suggestion) error {
	found := false
	for _, s := range suggestions {
		if s.Attribute != spec.Attribute {
			continue
		}
		found = true
		mark, sure := "", "certain: "
		if s.Confidence < Certain {
			mark, sure = likelyMark, ""
		}
		if err := writeField(b, mark, s.field(), sure+oneLine(s.Why)+suchAs(s.Samples)); err != nil {
			return err
		}
		if s.Or == nil {
			continue
		}
		if err := writeField(b, orMark, mapping.Field{Attribute: s.Attribute, Columns: s.Or}, "the first that is not blank, so that a preferred name comes before the legal one"); err != nil {
			return err
		}
	}
	switch {
	case found || !spec.Required:
	case spec.Attribute == mapping.LoginSource:
		b.WriteString(NoLoginSource)
	default:
		fmt.Fprintf(b, "  # %s: # no column has it, and every profile needs it: write the column's name here\n", spec.Attribute)
	}
	return nil
}

// writeField writes a field, each of its lines after the mark, and the comment after
// the first.
func writeField(b *bytes.Buffer, mark string, field mapping.Field, comment string) error {
	text, err := (&mapping.File{Fields: []mapping.Field{field}}).Format()
	if err != nil {
		return err
	}
	_, lines, _ := strings.Cut(string(text), "fields:\n")
	for line := range strings.Lines(lines) {
		fmt.Fprintf(b, "  %s%s", mark, strings.TrimRight(line[indent:], "\n"))
		if comment != "" {
			b.WriteString(" # " + comment)
			comment = ""
		}
		b.WriteByte('\n')
	}
	return nil
}

func writeUnmatched(b *bytes.Buffer, suggestions []Suggestion) {
	first := true
	for _, s := range suggestions {
		if s.Confidence > Unmatched {
			continue
		}
		if first {
			b.WriteString("# These columns are not used:\n")
			first = false
		}
		fmt.Fprintf(b, "#   %s %s: %s\n", mapping.ColumnLetter(s.Column), chars.Quote(oneLine(s.Header)), oneLine(s.Why))
	}
}

// suchAs lists samples for a comment.
func suchAs(samples []string) string {
	if len(samples) == 0 {
		return ""
	}
	shown := make([]string, len(samples))
	for i, sample := range samples {
		shown[i] = chars.Clip(oneLine(sample))
	}
	return "; such as " + strings.Join(shown, " | ")
}

// oneLine makes a text safe for a comment: no line breaks and no control characters.
func oneLine(text string) string {
	return chars.Collapse(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, text))
}
