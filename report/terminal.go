package report

import (
	"io"

	"golang.org/x/term"
)

// descriptor is implemented by *os.File and not by buffers.
type descriptor interface{ Fd() uintptr }

// isTerminal reports whether w is a terminal that understands escape sequences: not
// one whose TERM is "dumb". It turns them on where that is necessary, as on
// Windows.
func isTerminal(w io.Writer, lookup func(string) (string, bool)) bool {
	kind, _ := lookup("TERM")
	file, isFile := w.(descriptor)
	return isFile && kind != "dumb" && term.IsTerminal(int(file.Fd())) && enableEscapes(file.Fd())
}

// Colours reports whether text for w should be coloured: w is a terminal, and
// NO_COLOR (https://no-color.org) is unset or empty. lookup finds a variable of
// the environment, as os.LookupEnv does.
func Colours(w io.Writer, lookup func(string) (string, bool)) bool {
	refused, _ := lookup("NO_COLOR")
	return refused == "" && isTerminal(w, lookup)
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
