package report

import "opscom-import/importer"

// Style colours text for a terminal, or leaves it plain.
type Style struct {
	Colour bool
}

// Good marks what went well: green.
func (s Style) Good(text string) string { return s.wrap("32", text) }

// Bad marks what needs attention: red.
func (s Style) Bad(text string) string { return s.wrap("31", text) }

func (s Style) caution(text string) string { return s.wrap("33", text) } // yellow
func (s Style) bold(text string) string    { return s.wrap("1", text) }
func (s Style) faint(text string) string   { return s.wrap("2", text) }

// of marks text by the kind of its status.
func (s Style) of(kind importer.StatusKind, text string) string {
	switch kind {
	case importer.KindDone:
		return s.Good(text)
	case importer.KindToFix, importer.KindFailed:
		return s.Bad(text)
	case importer.KindOpen:
		return s.caution(text)
	default:
		return s.faint(text)
	}
}

// wrap puts the text between SGR codes of ECMA-48, which every terminal knows.
func (s Style) wrap(code, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
