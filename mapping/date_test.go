package mapping

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"opscom-import/mapping/internal/dateformat"
)

func TestDateOfBirth(t *testing.T) {
	for _, tc := range []struct {
		form string // of the mapping, "" for none
		cell Cell
		want string // the date, or what the message must say
		rule Rule   // "" when there is no problem
	}{
		// Without a format
		{"", Cell{Text: "1998-03-02"}, "1998-03-02", ""},
		{"", Cell{Text: "1998/03/02"}, "1998-03-02", ""},
		{"", Cell{Text: " 1998-03-02 00:00:00.000 "}, "1998-03-02", ""},
		{"", Cell{Text: "1998-03-02T00:00:00Z"}, "1998-03-02", ""},
		{"", Cell{Text: "1998-03-02 12:00:00 AM"}, "1998-03-02", ""},
		{"", Cell{Text: "2000-02-29"}, "2000-02-29", ""},
		{"", Cell{Text: "1998-02-29"}, "not a valid date", RuleBadDate},
		{"", Cell{Text: "1998-13-01"}, "not a valid date", RuleBadDate},
		{"", Cell{Text: "1998-00-00"}, "not a valid date", RuleBadDate},
		{"", Cell{Text: "1998-3-2"}, "1998-03-02", ""},
		{"", Cell{Text: "1998.03.02"}, "1998-03-02", ""},
		{"", Cell{Text: "1998. 3. 2."}, "1998-03-02", ""},
		{"", Cell{Text: "1998年3月2日"}, "1998-03-02", ""},
		{"", Cell{Text: "1998.3/2"}, "Write it as YYYY-MM-DD.", RuleBadDate},
		{"", Cell{Text: "1998.13.02"}, "is not a valid date", RuleBadDate},
		{"", Cell{Text: "03/04/1998"}, "date: DD/MM/YYYY or date: MM/DD/YYYY.", RuleBadDate},
		{"", Cell{Text: "23/04/1998"}, "in the mapping: date: DD/MM/YYYY.", RuleBadDate},
		{"", Cell{Text: "2-Mar-98"}, "date: D-MMM-YY.", RuleBadDate},
		{"", Cell{Text: "19980302"}, "date: YYYYMMDD", RuleBadDate},
		{"", Cell{Text: "35856"}, "date: excel", RuleBadDate},

		// Cells of a spreadsheet
		{"", Cell{"1998-03-02", DateCell}, "1998-03-02", ""},
		{"DD/MM/YYYY", Cell{"1998-03-02", DateCell}, "1998-03-02", ""},
		{"", Cell{"1998-03-02T00:00:00", DateCell}, "1998-03-02", ""},
		{"", Cell{"35856", NumberCell}, "is a number, not a date. Format the cell as a date, or give the date format in the mapping: date: excel.", RuleBadDate},
		{"", Cell{"19980302", NumberCell}, "date: YYYYMMDD", RuleBadDate},
		{"", Cell{"7", NumberCell}, "date: YYYYMMDD, for example", RuleBadDate},
		{"YYYYMMDD", Cell{"19980302", NumberCell}, "1998-03-02", ""},
		{"", Cell{"TRUE", BoolCell}, "is not a date", RuleBadDate},

		// Formats
		{"DD/MM/YYYY", Cell{Text: "02/03/1998"}, "1998-03-02", ""},
		{"DD/MM/YYYY", Cell{Text: "1998-03-02"}, "1998-03-02", ""}, // no other day can be meant
		{"DD/MM/YYYY", Cell{Text: "1998-02-31"}, "is not in the format DD/MM/YYYY", RuleBadDate},
		{"yyyy-dd-mm", Cell{Text: "1998-03-13"}, "not a valid date when it is read as yyyy-dd-mm", RuleBadDate},
		{"YYYY-DD-MM", Cell{Text: "1998-03-13"}, "not a valid date when it is read as YYYY-DD-MM", RuleBadDate},
		{"DD/MM/YYYY", Cell{Text: "2/3/1998"}, "1998-03-02", ""},
		{"D/M/YYYY", Cell{Text: "02/03/1998"}, "1998-03-02", ""},
		{"dd/mm/yyyy", Cell{Text: "02/03/1998 0:00"}, "1998-03-02", ""},
		{"DD/MM/YYYY", Cell{Text: "31/02/1998"}, "not a valid date when it is read as DD/MM/YYYY", RuleBadDate},
		{"DD/MM/YYYY", Cell{Text: "02/13/1998"}, "not a valid date when it is read as DD/MM/YYYY", RuleBadDate},
		{"DD/MM/YYYY", Cell{Text: "02-03-1998"}, "is not in the format DD/MM/YYYY", RuleBadDate},
		{"DD/MM/YYYY", Cell{Text: "02/03/98"}, "is not in the format DD/MM/YYYY", RuleBadDate},
		{"DD/MM/YYYY", Cell{Text: "02/03/1998x"}, "is not in the format DD/MM/YYYY", RuleBadDate},
		{"YYYYMMDD", Cell{Text: "19980302"}, "1998-03-02", ""},
		{"YYYYMMDD", Cell{Text: "1998302"}, "not a valid date when it is read as YYYYMMDD", RuleBadDate},
		{"YYYYMMDD", Cell{Text: "1998"}, "is not in the format YYYYMMDD", RuleBadDate},
		{"DDMMYY", Cell{Text: "020398"}, "1998-03-02", ""},
		{"MM.DD.YYYY", Cell{Text: "03.02.1998"}, "1998-03-02", ""},
		{"D-MMM-YY", Cell{Text: "2-mar-98"}, "1998-03-02", ""},
		{"D-MMM-YY", Cell{Text: "02-MARCH-98"}, "1998-03-02", ""},
		{"DDMMMYYYY", Cell{Text: "02MAR1998"}, "1998-03-02", ""},
		{"DMMMYYYY", Cell{Text: "2MAR1998"}, "1998-03-02", ""},
		{"YYYYMM-DD", Cell{Text: "199803-2"}, "1998-03-02", ""},
		{"YYYYMM-DD", Cell{Text: "19983-02"}, "is not in the format YYYYMM-DD", RuleBadDate},
		{"MMMM D, YYYY", Cell{Text: "March 2, 1998"}, "1998-03-02", ""},
		{"D MMMM YYYY", Cell{Text: "2 février 1998"}, "1998-02-02", ""},
		{"D MMM YYYY", Cell{Text: "2 févr. 1998"}, "1998-02-02", ""},
		{"D MMM YYYY", Cell{Text: "2 AOU\u0302T 1998"}, "1998-08-02", ""},
		{"D MMM YYYY", Cell{Text: "2 brumaire 1998"}, "is not in the format D MMM YYYY", RuleBadDate},
		{"D MMM YYYY", Cell{Text: "2 3 1998"}, "is not in the format D MMM YYYY", RuleBadDate},

		// Two digits of the year: the latest century in which the person is 10
		{"DD/MM/YY", Cell{Text: "02/03/98"}, "1998-03-02", ""},
		{"DD/MM/YY", Cell{Text: "01/09/16"}, "2016-09-01", ""},
		{"DD/MM/YY", Cell{Text: "02/09/16"}, "1916-09-02", ""},
		{"DD/MM/YY", Cell{Text: "02/03/26"}, "1926-03-02", ""},
		{"DD/MM/YY", Cell{Text: "29/02/00"}, "2000-02-29", ""},
		{"DD/MM/YY", Cell{Text: "29/02/98"}, "not a valid date", RuleBadDate},

		// Excel's serial numbers
		{"excel", Cell{"35856", NumberCell}, "1998-03-02", ""},
		{"Excel", Cell{Text: "35856.0"}, "1998-03-02", ""},
		{"excel", Cell{"1998-03-02", DateCell}, "1998-03-02", ""},
		{"excel", Cell{Text: "1998-03-02"}, "is not one of Excel's serial numbers", RuleBadDate},
		{"excel", Cell{Text: "60"}, "is not one of Excel's serial numbers", RuleBadDate},
		{"excel", Cell{Text: "1"}, "1900-01-01 is more than 110 years ago", RuleUnlikelyDate},

		// Likely days of birth
		{"", Cell{Text: "2016-09-01"}, "2016-09-01", ""},
		{"", Cell{Text: "2016-09-02"}, "is less than 10 years ago", RuleUnlikelyDate},
		{"", Cell{Text: "2026-09-02"}, "is in the future", RuleUnlikelyDate},
		{"", Cell{Text: "1916-09-01"}, "1916-09-01", ""},
		{"", Cell{Text: "1916-08-31"}, "is more than 110 years ago", RuleUnlikelyDate},
		{"", Cell{Text: "0000-00-01"}, "not a valid date", RuleBadDate},
	} {
		field := "unique_id: {value: u-1}\ndate_of_birth: {column: DOB, date: '" + tc.form + "'}"
		if tc.form == "" {
			field = "unique_id: {value: u-1}\ndate_of_birth: DOB"
		}
		m := mustCompile(t, parseFields(t, "", field), []string{"DOB"}, testOptions())
		var r Result
		m.Map([]Cell{tc.cell}, &r)
		got, sent := r.Profile.Get(DateOfBirth)
		switch {
		case tc.rule == "" && (got != tc.want || len(r.Problems) > 0):
			t.Errorf("%q as %q: got %q, %v; want %q", tc.cell.Text, tc.form, got, r.Problems, tc.want)
		case tc.rule != "" && (sent || len(r.Problems) != 1 || r.Problems[0].Rule != tc.rule || r.Problems[0].Severity != SeverityError):
			t.Errorf("%q as %q: got %q, %v; want one error %s", tc.cell.Text, tc.form, got, r.Problems, tc.rule)
		case tc.rule != "" && !strings.Contains(r.Problems[0].Text(), tc.want):
			t.Errorf("%q as %q: got %q, want %q in it", tc.cell.Text, tc.form, r.Problems[0].Text(), tc.want)
		}
	}
}

// TestTimeOfDay: a day that has a time is often midnight of another time zone, and
// one day off.
func TestTimeOfDay(t *testing.T) {
	for form, cell := range map[string]Cell{
		"":           {"1998-03-02T05:00:00", DateCell},
		"DD/MM/YYYY": {Text: "02/03/1998 4:00 AM"},
		"excel":      {Text: "35856.208"},
	} {
		d, err := newDateReader("Date of Birth", form, today())
		if err != nil {
			t.Fatal(err)
		}
		got, problem := d.read(cell.Kind, cell.Text)
		if got != "1998-03-02" || problem == nil || problem.Severity != SeverityWarning || !strings.Contains(problem.Text(), "time of day") {
			t.Errorf("%q: got %q, %v; want the day and a warning", cell.Text, got, problem)
		}
	}
}

// TestDateFormatsRoundTrip writes a day in each format and reads it back.
func TestDateFormatsRoundTrip(t *testing.T) {
	layouts := map[string]string{
		"DD/MM/YYYY": "02/01/2006", "D/M/YYYY": "2/1/2006", "YYYYMMDD": "20060102", "D-MMM-YY": "2-Jan-06",
		"DDMMMYYYY": "02Jan2006", "MMMM D, YYYY": "January 2, 2006", "MM.DD.YY": "01.02.06",
	}
	rapid.Check(t, func(t *rapid.T) {
		born := today().AddDate(-dateformat.YoungestAge, 0, -rapid.IntRange(0, 36_000).Draw(t, "days"))
		for form, layout := range layouts {
			d, err := newDateReader("", form, today())
			if err != nil {
				t.Fatal(err)
			}
			if got, problem := d.read(TextCell, born.Format(layout)); problem != nil || got != born.Format(time.DateOnly) {
				t.Fatalf("%s: %q became %q, %v", form, born.Format(layout), got, problem)
			}
		}
	})
}
