package rows

import (
	"os"
	"testing"
)

func TestFileErrorNamesThePlace(t *testing.T) {
	e := &FileError{File: "people.xlsx", Sheet: "Students", Row: 17, Message: "It is damaged.", cause: os.ErrInvalid}
	if got, want := e.Error(), `people.xlsx, sheet "Students", row 17: It is damaged.`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	e = &FileError{File: "people.csv", Message: "It is empty."}
	if got, want := e.Error(), "people.csv: It is empty."; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
