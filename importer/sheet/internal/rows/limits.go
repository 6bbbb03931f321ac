package rows

import "errors"

// The size of a worksheet, as Excel has it since 2007.
const (
	MaxRows    = 1 << 20
	MaxColumns = 1 << 14
)

// Bounds of what a row, and a sheet, may make of few bytes.
const (
	MaxRowText = 4 << 20 // bytes

	// Each row may have freeBlanks blank cells before its values. More of them are
	// borne up to maxBlanks in all: a value in the last column of every row would
	// make gigabytes of a small file.
	MaxBlanks  = 32 << 20
	FreeBlanks = 200
)

var (
	ErrRowOrder  = errors.New("its rows are out of order")
	ErrCellOrder = errors.New("its cells are out of order")
	ErrRowBeyond = errors.New("it has more rows than a sheet can have")
	ErrCellRef   = errors.New("a cell stands at a place that no sheet has")
	ErrNoData    = errors.New("it has no data")
	ErrRowText   = errors.New("a text, or all of a row, is longer than that of a person can be")
	ErrBlanks    = errors.New("its values stand in more columns than a table of people can have")
)
