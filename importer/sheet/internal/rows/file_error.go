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

	Question Question // what a person can say, so that the file can be read
	Choices  []string // answers that are likely: names of delimiters, encodings or sheets

	cause error // nil when there is no other error underneath
}

// What to do with a file that cannot be read: the end of many messages.
const (
	SaveAsXLSX  = "Open it in Excel and save it as .xlsx (Excel Workbook) or as \"CSV UTF-8\"."
	SaveAgain   = "Open it in Excel, save it again as .xlsx, and use that copy."
	ExportXLSX  = "Export it as .xlsx or as \"CSV UTF-8\" instead."
	DamagedBook = "The workbook is damaged or was not copied completely. " + SaveAgain
)

// Errorf returns the error of a file as a whole, without a cause: most often a question
// to the user.
func Errorf(format string, args ...any) *FileError { return ErrorAt(0, nil, format, args...) }

// ErrorAt returns the error of a row, or of the whole file when that is 0. [Locate]
// fills in the file and the sheet.
func ErrorAt(row int, cause error, format string, args ...any) *FileError {
	return &FileError{Row: row, Message: fmt.Sprintf(format, args...), cause: cause}
}

// Question is what is to be known of a file before it can be read.
type Question string

// The questions. Where there is none, only another file helps.
const (
	NoQuestion    Question = ""
	AskHeader     Question = "header" // which row names the columns
	AskDelimiter  Question = "delimiter"
	AskEncoding   Question = "encoding"
	AskPassword   Question = "password"
	WrongPassword Question = "wrong password"
	AskSheet      Question = "sheet"
)

// Asking makes a question of the error.
func (e *FileError) Asking(q Question, choices ...string) *FileError {
	e.Question, e.Choices = q, choices
	return e
}

// Locate makes a *FileError of any error, and fills in the file and the sheet where they
// are missing.
func Locate(err error, file, sheet string) error {
	var fe *FileError
	if !errors.As(err, &fe) {
		fe = ErrorAt(0, err, "The file cannot be read (%v). Try again; if that fails too, copy the file to this computer and read the copy.", err)
	}
	if fe.File == "" {
		fe.File = file
	}
	if fe.Sheet == "" {
		fe.Sheet = sheet
	}
	return fe
}

// Error returns the message with the place in front of it, such as
//
//	people.xlsx, sheet "Students", row 17: The sheet is damaged …
func (e *FileError) Error() string {
	place := e.File
	if e.Sheet != "" {
		place += fmt.Sprintf(", sheet %q", e.Sheet)
	}
	if e.Row > 0 {
		place += fmt.Sprintf(", row %d", e.Row)
	}
	return strings.TrimPrefix(place+": "+e.Message, ": ")
}

// Unwrap returns the error underneath, nil when there is none.
func (e *FileError) Unwrap() error { return e.cause }
