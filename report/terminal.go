package report

import (
	"io"

	"golang.org/x/term"
)

// descriptor is what an *os.File has and a buffer has not.
type descriptor interface{ Fd() uintptr }

// IsTerminal says whether w is a terminal that understands escape sequences: not
// one whose TERM is "dumb". It switches them on where a console asks for that, as
// Windows' does.
func IsTerminal(w io.Writer, getenv func(string) string) bool {
	file, isFile := w.(descriptor)
	return isFile && term.IsTerminal(int(file.Fd())) && getenv("TERM") != "dumb" && enableEscapes(file.Fd())
}

// Colours says whether text for w should be coloured: w is a terminal, and
// NO_COLOR (https://no-color.org) is unset or empty.
func Colours(w io.Writer, getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && IsTerminal(w, getenv)
}

// columns returns the width of the terminal w, 80 when it is not known.
func columns(w io.Writer) int {
	if file, isFile := w.(descriptor); isFile {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return lineWidth
}
