package web

import (
	"errors"
	"strings"
	"testing"

	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
	"opscom-import/mapping"
)

func TestEngineTextsSayNothingOfMappings(t *testing.T) {
	for text, want := range map[string]string{
		`User Type "FTE" is not one of the values; the nearest is "FT". Correct the cell, or add the value to the mapping.`:                       `User Type "FTE" is not one of the values; the nearest is "FT".`,
		`The text is not UTF-8. It was read as Mac Roman, which its letters fit. If names look wrong, give its encoding with --encoding.`:         `The text is not UTF-8. It was read as Mac Roman, which its letters fit.`,
		`40 ids have 6 digits where 60 have 9: leading zeros may be lost. If they are, add apply: [pad:9]; if the ids are right, add as_is: true`: `40 ids have 6 digits where 60 have 9: leading zeros may be lost.`,
		`The Controller refused it. Ask the Controller.`: `OPS-COM refused it. Ask OPS-COM.`,
		`Last Name "St. Onge" is fine.`:                  `Last Name "St. Onge" is fine.`,
		`Only a mapping helps`:                           `Only a mapping helps`,
		``:                                               ``,
	} {
		if got := engineText(lang.English, text); got != want {
			t.Errorf("%q\nis shown as %q\nwant        %q", text, got, want)
		}
	}
}

// TestFullNameThatCannotBeSplit says what to type.
func TestFullNameThatCannotBeSplit(t *testing.T) {
	p := &importer.RowProblem{Problem: mapping.Problem{Rule: mapping.RuleExpressionFailed, Message: "Last Name cannot be evaluated for this row: the full name is not written as Last, First."}}
	if got := problemText(lang.English, p); !strings.Contains(got, "Write both, with one comma between them") {
		t.Error(got)
	}
}

func TestRowsQuestions(t *testing.T) {
	shifted := &mapping.FileError{File: "a.mapping.yaml", Key: "fields", Message: "in nearly every row the values do not fit. Compare the header with the rows"}
	zeros := &mapping.FileError{File: "a.mapping.yaml", Key: "unique_id", Attribute: mapping.UniqueID, Message: "zeros may be lost. Add as_is: true", Ways: []mapping.Way{{AsIs: true}}}
	questions, ok := rowsQuestions(lang.English, errors.Join(shifted, zeros))
	if !ok || len(questions) != 2 || questions[0].Text != "in nearly every row the values do not fit. Compare the header with the rows." || questions[1].Text != "zeros may be lost." {
		t.Errorf("%+v, %t", questions, ok)
	}
	for _, err := range []error{nil, errors.New("x"), errors.Join(zeros, errors.New("x"))} {
		if questions, ok := rowsQuestions(lang.English, err); ok {
			t.Errorf("%v: %+v", err, questions)
		}
	}
}
