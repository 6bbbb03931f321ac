package rows

import (
	"errors"
	"fmt"
	"strings"
)

// FileError says why a file cannot be read, or not be trusted any further.
type FileError struct {
	File    string // path as it was given
	Sheet   string // "" when no sheet is meant
	Row     int    // as the spreadsheet shows it; 0 when no row is meant
	Message string // what is wrong and what to do; holds no cell's value

	cause error // nil when there is no other error underneath
}

// Error returns the message with the place in front of it, such as
//
//	people.xlsx, sheet "Students", row 17: The sheet is damaged …
func (e *FileError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Sheet != "" {
		fmt.Fprintf(&b, ", sheet %q", e.Sheet)
	}
	if e.Row > 0 {
		fmt.Fprintf(&b, ", row %d", e.Row)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// Unwrap returns the error underneath, nil when there is none.
func (e *FileError) Unwrap() error { return e.cause }

// fault makes the error of a row; row 0 stands for the whole file. The path, and
// the sheet, are filled in by anyone who knows them.
func NewError(row int, message string, cause error) *FileError {
	return &FileError{Row: row, Message: message, cause: cause}
}

// located fills in where a fault happened. Any other error becomes a fault of
// the file as a whole.
func Locate(err error, file, sheet string) error {
	var fe *FileError
	if !errors.As(err, &fe) {
		fe = NewError(0, fmt.Sprintf("The file cannot be read (%v). Try again; if it happens once more, copy the file to this computer and read the copy.", err), err)
	}
	if fe.File == "" {
		fe.File = file
	}
	if fe.Sheet == "" {
		fe.Sheet = sheet
	}
	return fe
}

const (
	SaveAsXLSX  = "Open it in Excel and save it as .xlsx (Excel Workbook) or as \"CSV UTF-8\"."
	SaveODF     = "Open it in LibreOffice or Excel and save it as .xlsx."
	ExportXLSX  = "Export it as .xlsx or as \"CSV UTF-8\" instead."
	DamagedBook = "The workbook is damaged or was not copied whole. Open it in Excel, save it again as .xlsx, and use that copy."
)
