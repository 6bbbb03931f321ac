package app

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"opscom-import/mapping"
)

// A shape is shown if enough values have it to say nothing about one of them.
const (
	minShared = 10     // values
	maxShape  = 40     // characters
	maxShapes = 20_000 // different ones that are counted of a column; the rest are others
	mostShown = 25     // of a column
)

// shapeOf returns a text with A for each letter and 9 for each digit, as in A9A 9A9, and ?
// for what else is not ASCII.
func shapeOf(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r):
			return 'A'
		case unicode.IsDigit(r):
			return '9'
		case r >= ' ' && r < utf8.RuneSelf-1:
			return r
		default:
			return '?'
		}
	}, text)
}

// columnShapes counts what the values of a column look like.
type columnShapes struct {
	kinds  map[mapping.CellKind]int // of cells that are not blank
	filled int
	spaced int // with spaces around
	beyond int // with letters beyond ASCII
	broken int // with a character that stands for one that could not be read
	shapes map[string]int
	others int  // values whose shape is too long, or one too many
	header bool // a value is the column's header
}

func newColumnShapes() *columnShapes {
	return &columnShapes{kinds: make(map[mapping.CellKind]int), shapes: make(map[string]int)}
}

func (c *columnShapes) add(cell mapping.Cell, header string) {
	if cell.Text == "" && cell.Kind == mapping.TextCell {
		return
	}
	c.filled++
	c.kinds[cell.Kind]++
	trimmed := strings.TrimSpace(cell.Text)
	if trimmed != cell.Text {
		c.spaced++
	}
	if strings.ContainsFunc(cell.Text, func(r rune) bool { return r >= utf8.RuneSelf && unicode.IsLetter(r) }) {
		c.beyond++
	}
	if strings.ContainsRune(cell.Text, utf8.RuneError) {
		c.broken++
	}
	c.header = c.header || strings.EqualFold(trimmed, strings.TrimSpace(header))
	shape := ""
	if utf8.RuneCountInString(cell.Text) <= maxShape {
		shape = shapeOf(cell.Text)
	}
	if _, known := c.shapes[shape]; shape == "" || !known && len(c.shapes) == maxShapes {
		c.others++
		return
	}
	c.shapes[shape]++
}

// shared returns the shapes that enough values share, the most common first, and how many
// values have others.
func (c *columnShapes) shared() (shapes []string, others int) {
	others = c.others
	for shape, n := range c.shapes {
		if n >= minShared {
			shapes = append(shapes, shape)
		} else {
			others += n
		}
	}
	slices.SortFunc(shapes, func(a, b string) int { return cmp.Or(cmp.Compare(c.shapes[b], c.shapes[a]), strings.Compare(a, b)) })
	for len(shapes) > mostShown {
		others += c.shapes[shapes[len(shapes)-1]]
		shapes = shapes[:len(shapes)-1]
	}
	return shapes, others
}

// kindNames are the kinds of cells in words.
func kindNames() map[mapping.CellKind]string {
	return map[mapping.CellKind]string{
		mapping.TextCell: "text", mapping.NumberCell: "number", mapping.DateCell: "date", mapping.BoolCell: "true or false", mapping.ErrorCell: "error",
		mapping.NoValueCell: "formula without a value", mapping.UnclearCell: "unclear number",
	}
}

func (c *columnShapes) write(t *supportText, rows int) {
	t.say("  filled %d, blank %d, with spaces around %d, with letters beyond ASCII %d, with unreadable characters %d", c.filled, rows-c.filled, c.spaced, c.beyond, c.broken)
	for _, kind := range slices.Sorted(maps.Keys(c.kinds)) {
		t.say("  %s: %d", kindNames()[kind], c.kinds[kind])
	}
	shapes, others := c.shared()
	for _, shape := range shapes {
		t.say("  %8d  [%s]", c.shapes[shape], shape)
	}
	if others > 0 {
		t.say("  %8d  of other shapes", others)
	}
}
