package report

import "opscom-import/importer"

// Style colours text for a terminal, or leaves it plain.
type Style struct {
	Colour bool
}

// The SGR codes of ECMA-48, which every terminal knows.
const (
	boldCode   = "1"
	faintCode  = "2"
	redCode    = "31"
	greenCode  = "32"
	yellowCode = "33"
)

// Good marks what went well.
func (s Style) Good(text string) string { return s.wrap(greenCode, text) }

// Bad marks what needs attention.
func (s Style) Bad(text string) string { return s.wrap(redCode, text) }

func (s Style) caution(text string) string { return s.wrap(yellowCode, text) }
func (s Style) bold(text string) string    { return s.wrap(boldCode, text) }
func (s Style) faint(text string) string   { return s.wrap(faintCode, text) }

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

func (s Style) wrap(code, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
