package report

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gocarina/gocsv"
)

// TestAppendCells compares the cells that the lines give with those that gocsv finds by
// their tags.
func TestAppendCells(t *testing.T) {
	testAppendCells[resultLine](t)
	testAppendCells[problemLine](t)
}

func testAppendCells[L csvLine](t *testing.T) {
	var line L
	fields := reflect.ValueOf(&line).Elem()
	for i := range fields.NumField() { // each its own value
		switch field := fields.Field(i); field.Kind() {
		case reflect.String:
			field.SetString("text " + strconv.Itoa(i))
		case reflect.Int:
			field.SetInt(int64(1000 + i))
		default:
			t.Fatalf("%T: a field is of the kind %s: add it to this test", line, field.Kind())
		}
	}
	text, err := gocsv.MarshalStringWithoutHeaders([]L{line})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(line.appendCells(nil), ","); got != strings.TrimSpace(text) {
		t.Errorf("%T.appendCells:\n%s\ngocsv:\n%s", line, got, text)
	}
}

func TestFormulaSafe(t *testing.T) {
	for cell, want := range map[string]string{
		"":                      "",
		"900123456":             "900123456",
		"Zoë":                   "Zoë",
		"a=b":                   "a=b",
		"=1+1":                  "'=1+1",
		`=HYPERLINK("x","y")`:   `'=HYPERLINK("x","y")`,
		"+5":                    "+5",
		"-12.5":                 "-12.5",
		"-":                     "'-",
		"+":                     "'+",
		"-5.":                   "'-5.",
		"-.5":                   "'-.5",
		"+1-613-555-0100":       "'+1-613-555-0100",
		"-1e9":                  "'-1e9",
		"-1+1":                  "'-1+1",
		"@SUM(A1)":              "'@SUM(A1)",
		"\t=1":                  "'\t=1",
		"\r=1":                  "'\r=1",
		"'already":              "'already",
		"-２":                    "'-２", // digits of other scripts make no plain number
		"=":                     "'=",
		"-12.5\n=1":             "'-12.5\n=1",
		"--1":                   "'--1",
		"+1.2":                  "+1.2",
		"-1.":                   "'-1.",
		"+-5":                   "'+-5",
		"-.":                    "'-.",
		"+1.2.3":                "'+1.2.3",
		"-12,5":                 "'-12,5",
		"-cmd|' /C calc'!A0":    "'-cmd|' /C calc'!A0",
		"DDE(\"cmd\";\"/C x\")": "DDE(\"cmd\";\"/C x\")",
	} {
		if got := formulaSafe(cell); got != want {
			t.Errorf("formulaSafe(%q) = %q, want %q", cell, got, want)
		}
	}
}

func FuzzFormulaSafe(f *testing.F) {
	for _, seed := range []string{"", "=1", "+5", "-12.5", "@x", "\tx", "\rx", "'=1", "-1-1", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		got := formulaSafe(cell)
		if got != cell && got != "'"+cell {
			t.Fatalf("formulaSafe(%q) = %q: more than an apostrophe", cell, got)
		}
		if again := formulaSafe(got); again != got {
			t.Fatalf("formulaSafe(%q) = %q, and again %q", cell, got, again)
		}
		first, _ := utf8.DecodeRuneInString(got)
		switch {
		case strings.ContainsRune("=@\t\r", first) && got != "":
			t.Fatalf("%q could run as a formula", got)
		case strings.ContainsRune("+-", first) && got != "" && strings.Trim(got[1:], "0123456789.") != "":
			t.Fatalf("%q could run as a formula", got)
		}
	})
}
