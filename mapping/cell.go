package mapping

// CellKind says what a cell holds.
type CellKind uint8

// The kinds of cells. A blank cell is a TextCell with no text.
const (
	TextCell    CellKind = iota
	NumberCell           // Text is the number in full, with the leading zeros that its format shows; never 1.2E+08
	DateCell             // Text is 2006-01-02, or 2006-01-02T15:04:05 where there is a time of day
	BoolCell             // Text is TRUE or FALSE
	ErrorCell            // Text is the error that the spreadsheet shows, such as #N/A
	NoValueCell          // a formula that was saved without its result; Text is empty
)

// Cell is one cell of a row: the text that a person sees where that is the
// truth, and the real value where it is not (dates, long numbers). Text is valid
// UTF-8, spaces and all.
type Cell struct {
	Text string
	Kind CellKind
}
