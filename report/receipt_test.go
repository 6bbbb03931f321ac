package report

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"opscom-import/importer"
	"opscom-import/mapping"
)

func receipts() map[string]Receipt {
	problem := func(rule mapping.Rule, header string, count, row int) importer.ProblemCount {
		message := "DOB (column D): Date of Birth \"1970-13-45\" is not a valid date. Correct the date."
		return importer.ProblemCount{Rule: rule, Header: header, Column: 3, Count: count, Row: row, Message: message}
	}
	problems := []importer.ProblemCount{
		problem(mapping.RuleBadDate, "DOB", 1012, 17),
		problem(mapping.RuleRequired, "", 3, 40),
		problem("a_newer_rule", "Class", 2, 42),
		{Rule: mapping.RuleDuplicateKey, Column: mapping.NoColumn, Count: 2, Row: 44},
		{Rule: mapping.RuleUnlikelyDate, Severity: mapping.SeverityWarning, Header: "DOB", Count: 1, Row: 45},
		problem(mapping.RuleTooLong, "City", 1, 46),
		problem(mapping.RuleTooLong, "Street", 1, 46),
	}
	return map[string]Receipt{
		"pushed": {
			Target: "sandbox", Command: "push", Run: 1, File: "samples/term-start.xlsx", Rows: 1200, Attempts: 1188, Seconds: 131,
			Counts:  importer.Counts{importer.StatusPushed: 1188, importer.StatusSkipped: 8, importer.StatusDuplicate: 4, importer.StatusFailed: 0},
			Reports: importer.Reports{Results: "samples/term-start.results.csv"},
		},
		"everything": {
			Target: "OC_TOMA", Problems: problems, Command: "push", Run: 17, File: "students.csv", Rows: 41_045, Attempts: 41_001, Seconds: 3*60*60 + 5*60,
			Counts: importer.Counts{
				importer.StatusPushed: 40_000, importer.StatusUnchanged: 5, importer.StatusDuplicate: 4, importer.StatusSkipped: 8, importer.StatusInvalid: 1_015,
				importer.StatusRejected: 1, importer.StatusFailed: 2, importer.StatusUnknown: 3, importer.StatusNotSent: 7,
			},
			Reports: importer.Reports{Results: "students.results.csv"}, Exit: 3,
		},
		"held": {
			Target: "OC_TOMA", Problems: problems[:1], Command: "push", Run: 18, File: "students.csv", Rows: 5000,
			Counts:  importer.Counts{importer.StatusNotSent: 3988, importer.StatusInvalid: 1012},
			Held:    []string{"1,012 of 5,000 rows are invalid, and --max-bad allows 10%. A whole column may have moved, so look at the problems first."},
			Reports: importer.Reports{Results: "students.results.csv"}, Exit: 4,
		},
		"quick": {
			Target: "the sandbox", Command: "approve", Run: 3, File: "one.csv", Rows: 1, Attempts: 1, Seconds: 0.4, Counts: importer.Counts{importer.StatusRejected: 1},
		},
		"check": {
			Target: "OC_TOMA", Problems: problems[:4], Command: "check", File: "students.csv", Rows: 1, Counts: importer.Counts{importer.StatusValid: 1},
			Held: []string{"The file has 1 row, and --min-rows asks for 500."},
		},
		"part": {
			Target: "the sandbox", Command: "push", Run: 4, File: "students.csv", Rows: 123_457, Attempts: 1, Seconds: 4,
			Counts:  importer.Counts{importer.StatusInvalid: 123_456, importer.StatusRejected: 1},
			Reports: importer.Reports{Results: "students.results.csv", Problems: "students.problems.csv", Fix: "students.fix.xlsx"},
		},
		"empty": {
			Target: "OC_TOMA", Command: "push", Run: 2, File: "-", Reports: importer.Reports{Results: "-"}},
	}
}

func TestReceiptGolden(t *testing.T) {
	for name, receipt := range receipts() {
		t.Run(name, func(t *testing.T) {
			var plain, coloured bytes.Buffer
			if err := receipt.WriteText(&plain, Style{}); err != nil {
				t.Fatal(err)
			}
			if err := receipt.WriteText(&coloured, Style{Colour: true}); err != nil {
				t.Fatal(err)
			}
			compareGolden(t, "receipt-"+name+".txt", plain.Bytes())
			for _, line := range strings.Split(plain.String(), "\n") {
				if textWidth(line) > lineWidth {
					t.Errorf("%d columns: %s", textWidth(line), line)
				}
			}
			if holds := strings.Contains(plain.String(), "1970"); holds != (name == "check") {
				t.Errorf("the receipt holds a row's value: %v", holds)
			}
			if strings.Contains(plain.String(), "\x1b") {
				t.Error("colours in a plain receipt")
			}
			bare := regexp.MustCompile(`\x1b\[\d+m`).ReplaceAllString(coloured.String(), "")
			if bare != plain.String() || bare == coloured.String() {
				t.Errorf("the coloured receipt differs in more than its colours:\n%s", bare)
			}
		})
	}
}

func TestReceiptThatDoesNotAddUp(t *testing.T) {
	for name, counts := range map[string]importer.Counts{
		"a row is missing": {importer.StatusPushed: 9},
		"a row too many":   {importer.StatusPushed: 11},
		"no row":           nil,
		"a pending row":    {importer.StatusPushed: 9, importer.StatusPending: 1},
		"an extra pending": {importer.StatusPushed: 10, importer.StatusPending: 1},
	} {
		receipt := Receipt{Target: "sandbox", Command: "push", File: "a.csv", Rows: 10, Counts: counts}
		if err := receipt.Check(); !errors.Is(err, ErrReceipt) {
			t.Errorf("%s: Check = %v", name, err)
		}
		var out bytes.Buffer
		if err := receipt.WriteText(&out, Style{}); !errors.Is(err, ErrReceipt) || !strings.Contains(out.String(), "failure of the program") {
			t.Errorf("%s: error %v, and the receipt says\n%s", name, err, out.String())
		}
	}
}

func TestReceiptReportsAFailedWrite(t *testing.T) {
	if err := receipts()["pushed"].WriteText(&fullDisk{}, Style{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v", err)
	}
}

// A header comes from the file, and must not be able to command the terminal.
func TestReceiptIsSafeForTheTerminal(t *testing.T) {
	receipt := Receipt{
		Target: "s\x1b[2J", Problems: []importer.ProblemCount{{Rule: mapping.RuleRequired, Header: "\x1b]0;x\a\u202eDOB\r\n", Count: 1, Row: 2}},
		File: "a\x1b[31m.csv", Rows: 1, Counts: importer.Counts{importer.StatusInvalid: 1}, Held: []string{"\x1b[1A"}, Reports: importer.Reports{Results: "\bb.csv"},
	}
	var out bytes.Buffer
	if err := receipt.WriteText(&out, Style{}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\a\b\r\u202e") {
		t.Errorf("control characters in %q", out.String())
	}
}

func ExampleReceipt_WriteText() {
	receipt := Receipt{
		Target:   "sandbox",
		Problems: []importer.ProblemCount{{Rule: mapping.RuleBadEmail, Header: "E-mail", Count: 3, Row: 17}},
		Command:  "push", Run: 1, File: "samples/term-start.xlsx", Rows: 1200, Attempts: 1189, Seconds: 119,
		Counts:  importer.Counts{importer.StatusPushed: 1189, importer.StatusSkipped: 8, importer.StatusInvalid: 3},
		Reports: importer.Reports{Results: "samples/term-start.results.csv"},
	}
	if err := receipt.WriteText(os.Stdout, Style{}); err != nil {
		panic(err)
	}
	// Output:
	// samples/term-start.xlsx → sandbox, run 1
	//   1,189  pushed   accepted by the Controller
	//       8  skipped  excluded by the mapping's where
	//       3  invalid  not sent; fix these rows in the file
	//   ─────
	//   1,200  rows read in 1 min 59 s with 1,189 requests
	//
	// Most common problems
	//   3  bad_email in E-mail, as in row 17
	//      Give one complete address, such as name@example.org.
	//
	// Each row's result: samples/term-start.results.csv
}
