package report

// Style colours text for a terminal. Its zero value leaves text plain.
type Style struct{ on bool }

// NewStyle returns a style that colours text, or that leaves it plain.
func NewStyle(colours bool) Style { return Style{colours} }

// The SGR codes of ECMA-48, which every terminal knows.
func (s Style) bold(text string) string   { return s.wrap("1", text) }
func (s Style) faint(text string) string  { return s.wrap("2", text) }
func (s Style) red(text string) string    { return s.wrap("31", text) }
func (s Style) green(text string) string  { return s.wrap("32", text) }
func (s Style) yellow(text string) string { return s.wrap("33", text) }

func (s Style) wrap(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
