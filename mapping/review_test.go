package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// reviewOf maps a column of values, the first in row 2, and reviews it.
func reviewOf(t *testing.T, field string, values ...Cell) (Review, error) {
	t.Helper()
	if !strings.HasPrefix(field, "unique_id") {
		field += "\nunique_id: {value: \"1\"}"
	}
	m := mustCompile(t, parseFields(t, "", field), []string{"It"}, testOptions())
	r := new(Result)
	for _, cell := range values {
		m.Map([]Cell{cell}, r)
	}
	return m.Review(func(sequence int) int { return sequence + 2 })
}

// count returns n ids of so many digits.
func count(n, digits int) []Cell {
	cells := make([]Cell, n)
	for i := range cells {
		cells[i].Text = "9" + fmt.Sprintf("%0*d", digits-1, i)
	}
	return cells
}

// counted returns every so manyth number.
func counted(from, to, every int) (cells []Cell) {
	for number := from; number < to; number += every {
		cells = append(cells, Cell{Text: fmt.Sprint(number)})
	}
	return cells
}

func TestReviewOfIDs(t *testing.T) {
	for _, tc := range []struct {
		name   string
		field  string
		values []Cell
		want   string // sequence, rule and proposal of each problem
	}{
		{"shorter ids among ids of nine digits", "unique_id: It", append(count(40, 9), texts("12345678", "1234567", "A1234567")...),
			"40 lost_zeros 012345678 41 lost_zeros 001234567"},
		{"written with zeros", "unique_id: It", append(count(40, 9), texts("000000012")...), ""},
		{"the mapping pads them", `unique_id: {column: It, apply: ["pad:9"]}`, append(count(40, 9), texts("12345678")...), ""},
		{"the mapping says they are right", "unique_id: {column: It, as_is: true}", append(count(40, 9), texts("12345678")...), ""},
		{"a student number likewise", "student_no: It", append(count(40, 7), texts("123456")...), "40 lost_zeros 0123456"},
		{"the fewest, and the fewest digits", "unique_id: It", append(count(10, 6), texts("12345", "1234")...), "10 lost_zeros 012345 11 lost_zeros 001234"},
		{"too few to know", "unique_id: It", append(count(9, 9), texts("12345678")...), ""},
		{"two lengths that differ by more than a zero", "unique_id: It", append(count(30, 9), count(20, 7)...), ""},
		{"ids of five digits", "unique_id: It", append(texts("1234"), append(counted(23_456, 34_567, 1010), texts("987")...)...), "0 lost_zeros 01234 13 lost_zeros 00987"},
		{"ids of four digits", "student_no: It", append(counted(4001, 4012, 1), texts("17")...), "11 lost_zeros 0017"},
		{"numbers of the staff who are left", "unique_id: It", append(texts("412", "587", "903"), counted(1022, 2300, 60)...), ""},
		{"numbers counted from 2 to 3 digits", "unique_id: It", counted(95, 113, 1), ""},
		{"numbers counted from 3 to 4 digits, some gone", "unique_id: It", counted(870, 2400, 37), ""},
		{"the same number with zeros and without", "unique_id: It", texts("00123", "123", "00456", "A00123"), "1 lost_zeros "},
		{"the other way round", "student_no: It", texts("7", "0008", "007", "0009"), "0 lost_zeros "},
		{"the same number three times", "unique_id: It", texts("0123", "00123", "123"), "0 lost_zeros  2 lost_zeros "},
		{"the same number far apart", "unique_id: It", slices.Concat(texts("0912345"), count(3*idPiece, 7), texts("912345")), fmt.Sprint(3*idPiece+1, " lost_zeros ")},
		{"zeros, all different", "unique_id: It", texts("00123", "0124", "125"), ""},
		{"numbers counted from 5 to 6 digits", "unique_id: It", counted(99_990, 101_000, 7), ""},
		{"numbers counted from 7 to 8 digits", "unique_id: It", counted(9_999_900, 10_001_000, 10), ""},
		{"numbers too far apart to be counted", "unique_id: It", counted(99_950, 101_000, 25), "0 lost_zeros 099950 1 lost_zeros 099975"},
		{"numbers with a gap where a digit is added", "unique_id: It", append(counted(100_000, 100_300, 1), texts("99000")...), "300 lost_zeros 099000"},
		{"counted, and one with its zero", "unique_id: It", append(counted(99_998, 100_300, 1), texts("099997")...), "0 lost_zeros 099998 1 lost_zeros 099999"},
		{"numbers that count up", "unique_id: It", counted(9_900, 12_000, 23), ""},
		{"cut after 15 digits", "unique_id: It", texts("1234567890123450", "12345678901234500"),
			"0 damaged_number  1 damaged_number "},
		{"16 digits, all of them there", "unique_id: It", texts("1234567890123450", "1234567890123457"), ""},
		{"one column, two ids", "unique_id: It\nstudent_no: It", append(count(40, 9), texts("12345678")...), "40 lost_zeros 012345678"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			review, err := reviewOf(t, tc.field, tc.values...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range review.Problems {
				_, rest, _ := strings.Cut(f.Problem.Text(), `Write "`)
				proposal, _, _ := strings.Cut(rest, `"`)
				got = append(got, fmt.Sprint(f.Sequence, " ", f.Problem.Rule, " ", proposal))
				if f.Problem.Column != 0 || f.Problem.Value == "" || f.Problem.Severity != SeverityError {
					t.Errorf("incomplete: %+v", f.Problem)
				}
			}
			if all := strings.Join(got, " "); all != tc.want {
				t.Errorf("got  %s\nwant %s", all, tc.want)
			}
		})
	}
}

// Eight in ten are enough.
func TestReviewOfIDsCountsEightInTen(t *testing.T) {
	review, err := reviewOf(t, "unique_id: It", append(count(40, 9), count(10, 8)...)...)
	if err != nil || len(review.Problems) != 10 {
		t.Errorf("got %d problems and %v, want 10", len(review.Problems), err)
	}
}

// Two to eight of ten with a digit less are a question about the column.
func TestReviewAsksAboutMixedLengths(t *testing.T) {
	for _, tc := range []struct {
		name   string
		field  string
		values []Cell
		asks   bool
	}{
		{"seven of twenty", "unique_id: It", append(count(13, 9), count(7, 8)...), true},
		{"most of them", "student_no: It", append(count(4, 9), count(14, 8)...), true},
		{"some with two digits less", "unique_id: It", append(count(26, 8), append(count(20, 7), count(2, 6)...)...), true},
		{"codes of five digits", "unique_id: It", append(counted(20_000, 90_000, 7001), counted(1_500, 9_000, 1501)...), true},
		{"among ids with letters", "unique_id: It", append(append(count(13, 9), count(7, 8)...), texts("A1", "B2")...), true},

		{"too few", "unique_id: It", append(count(5, 9), count(4, 8)...), false},
		{"students and staff", "unique_id: It", append(count(20, 9), count(12, 5)...), false},
		{"counted", "unique_id: It", counted(99_900, 100_200, 3), false},
		{"some keep their zeros", "unique_id: It", append(append(count(13, 9), count(7, 8)...), texts("001234567")...), false},
		{"the mapping pads them", `unique_id: {column: It, apply: ["pad:9"]}`, append(count(13, 9), count(7, 8)...), false},
		{"the mapping says they are right", "unique_id: {column: It, as_is: true}", append(count(13, 9), count(7, 8)...), false},
		{"numbers of three and four digits", "unique_id: It", counted(300, 4000, 97), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := reviewOf(t, tc.field, tc.values...)
			if asks := err != nil && strings.Contains(err.Error(), "leading zeros may be lost. If they are, add apply: [pad:"); asks != tc.asks {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Codes of four digits beside ZIP codes, where no state says what they are.
func TestReviewOfZIPs(t *testing.T) {
	many := texts(strings.Split(strings.Repeat("2139 ", 30)+"90210 10001 60601 73301", " ")...)
	for _, tc := range []struct{ name, fields, rows, want string }{
		{"no state", "postal_code: ZIP", "2139|1002|90210|10001", "0 1"},
		{"ZIP+4", "postal_code: ZIP", "21391234|2139-1234|90210-1234|10001", "0 1"},
		{"the second address", "postal_code2: ZIP", "2139|90210", "0"},
		{"usual format", "postal_code: {column: ZIP, apply: [postal_code]}", "2139|90210", "0"},
		{"a territory", "postal_code: ZIP", "926|90210", "0"},
		{"in the country", "postal_code: ZIP", "2139,USA|90210,USA|10001", "0"},

		{"all have four", "postal_code: ZIP", "8001|3011|4051", ""},
		{"zeros are kept", "postal_code: ZIP", "8001|02139|90210", ""},
		{"other countries", "postal_code: ZIP", "8001,Switzerland|1010,AT|90210,USA", ""},
		{"a state that is blank abroad", "postal_code: ZIP\nprovince: Country", "8001|90210,NY", ""},
		{"nothing of the USA", "postal_code: ZIP", "8001|K1A 0B1|SW1A 1AA", ""},
		{"as it is", "postal_code: {column: ZIP, as_is: true}", "2139|90210", ""},
		{"nearly all have four", "postal_code: ZIP", strings.Repeat("8001|", 15) + "80331", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := mustCompile(t, parseFields(t, "", "unique_id: {value: \"1\"}\n"+tc.fields), []string{"ZIP", "Country"}, testOptions())
			r := new(Result)
			for row := range strings.SplitSeq(tc.rows, "|") {
				m.Map(texts(strings.Split(row, ",")...), r)
			}
			review, err := m.Review(func(sequence int) int { return sequence + 2 })
			var got []string
			for _, p := range review.Problems {
				got = append(got, fmt.Sprint(p.Sequence))
			}
			if all := strings.Join(got, " "); all != tc.want || err != nil {
				t.Errorf("got %q and %v, want %q", all, err, tc.want)
			}
		})
	}
	if _, err := reviewOf(t, "postal_code: It", many...); err == nil || !strings.Contains(err.Error(), "30 codes are shorter than a ZIP code") {
		t.Errorf("got %v", err)
	}
}

func TestReviewAsksWhenTooManyIDsAreShort(t *testing.T) {
	_, err := reviewOf(t, "unique_id: It", append(count(60_000, 9), count(maxSuspects+1, 8)...)...)
	if err == nil || !strings.Contains(err.Error(), "4097 ids have 8 digits where 60000 ids have 9: leading zeros may be lost. If they are, add apply: [pad:9]") {
		t.Errorf("got %v", err)
	}
}

func TestReviewOfDates(t *testing.T) {
	isoDates := func(days ...int) (cells []Cell) {
		for _, day := range days {
			cells = append(cells, Cell{fmt.Sprintf("2001-05-%02d", day), DateCell})
		}
		return cells
	}
	for _, tc := range []struct {
		name     string
		form     string
		values   []Cell
		note     string
		question string
	}{
		{"one row proves it", "DD/MM/YYYY", texts("03/04/2001", "13/04/2001"), "are read as DD/MM/YYYY: row 3 fits no other order.", ""},
		{"no row proves it", "DD/MM/YYYY", texts("03/04/2001"), "no row proves it", ""},
		{"the twelfth may be a month", "DD/MM/YYYY", texts("12/04/2001"), "no row proves it", ""},
		{"one in ten the other way round", "DD/MM/YYYY", append(texts("03/04/2001", "12/25/2001"), texts(strings.Split(strings.Repeat("13/04/2001 ", 9), " ")[:9]...)...), "",
			"two orders"},
		{"only dates of a spreadsheet", "DD/MM/YYYY", isoDates(1, 5, 9, 12, 2), "", ""},
		{"four dates of a spreadsheet", "DD/MM/YYYY", append(isoDates(1, 5, 9, 12), texts("13/04/2001")...), "row 6 fits", ""},
		{"day and month alike", "DD/MM/YYYY", texts("04/04/2001"), "", ""},
		{"nothing to mistake", "D-MMM-YYYY", texts("3-Apr-2001"), "", ""},
		{"the mapping is wrong", "MM/DD/YYYY", texts("03/04/2001", "13/04/2001"), "", "no row needs that order, and row 3 can only be DD/MM/YYYY (1 such row); 1 other could be either"},
		{"one slip, and nothing else to mistake", "MM/DD/YYYY", texts("13/04/2001"), "", ""},
		{"one slip among many", "DD/MM/YYYY", texts("03/04/2001", "12/25/2001", "13/04/2001", "14/04/2001", "15/04/2001", "16/04/2001", "17/04/2001",
			"18/04/2001", "19/04/2001", "20/04/2001", "21/04/2001", "22/04/2001"), "row 4 fits no other order", ""},
		{"two orders", "DD/MM/YYYY", texts("03/04/2001", "12/25/2001", "13/04/2001"), "", "two orders: row 4 can only be DD/MM/YYYY and row 3 only MM/DD/YYYY"},
		{"turned round by a spreadsheet", "DD/MM/YYYY", append(isoDates(1, 5, 9, 12, 2), texts("13/04/2001", "25/12/2000")...), "", "swapped day and month of the dates"},
		{"dates and texts", "DD/MM/YYYY", append(isoDates(1, 5, 9, 12, 13), texts("13/04/2001")...), "row 7 fits", ""},
		{"two-digit years", "DD/MM/YY", texts("03/04/01", "25/04/01"), "row 3 fits no other order", ""},
		{"from the year down", "YYYY-MM-DD", texts("2001-05-06", "2001-05-25"), "", ""},
		{"from the year down, without separators", "yyyymmdd", texts("20010506", "20010525"), "", ""},
		{"the year first", "YYYY-DD-MM", texts("2001-05-06", "2001-25-06"), "row 3 fits no other order", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			review, err := reviewOf(t, "date_of_birth: {column: It, date: "+tc.form+"}", tc.values...)
			if notes := strings.Join(review.Notes, "\n"); tc.note == "" && notes != "" || !strings.Contains(notes, tc.note) {
				t.Errorf("said %q, want %q", notes, tc.note)
			}
			if message := fmt.Sprint(err); (err == nil) != (tc.question == "") || !strings.Contains(message, tc.question) {
				t.Errorf("asked %q, want %q", message, tc.question)
			}
		})
	}
}

func TestDateFormatDetector(t *testing.T) {
	plain := make([]string, enoughISO)
	for i := range plain {
		plain[i] = "2001-05-06"
	}
	for _, tc := range []struct {
		name     string
		values   []string
		form     string
		question string
		proof    int // the row that Add calls the first proof; 0 for none
	}{
		{"nothing", nil, "", "", 0},
		{"no dates", []string{"x", "12", ""}, "", "", 0},
		{"plain dates", []string{"2001-05-06", "2001/05/06", "2001-05-06 00:00:00"}, "", "", 0},
		{"proven by one row", []string{"03/04/2001", "", "13/04/2001", "04/05/2001"}, "DD/MM/YYYY", "", 4},
		{"proven the other way", []string{"03/04/2001", "04/13/2001"}, "MM/DD/YYYY", "", 3},
		{"with a time of day", []string{"3/4/2001 0:00", "4/13/2001 0:00"}, "MM/DD/YYYY", "", 3},
		{"either", []string{"03/04/2001", "11/12/2001"}, "", "its dates can all be read as DD/MM/YYYY and as MM/DD/YYYY, such as the one in row 2", 0},
		{"both", []string{"03/04/2001", "13/04/2001", "04/13/2001"}, "", "row 3 can only be DD/MM/YYYY, and row 4 only MM/DD/YYYY", 3},
		{"two-digit years", []string{"03.04.01", "13.04.01"}, "DD.MM.YY", "", 3},
		{"a month's name", []string{"3-Apr-2001", "04-May-2002"}, "D-MMM-YYYY", "", 0},
		{"in French", []string{"3 avr. 2001", "4 févr. 2002"}, "D MMM YYYY", "", 0},
		{"without separators", []string{"20010403", "20011213"}, "YYYYMMDD", "", 0},
		{"short numbers after the year", []string{"2001-4-3", "2001-12-13"}, "", "", 0},
		{"serial numbers are left to a person", []string{"36892", "37015"}, "", "", 0},
		{"one slip", append([]string{"03/04/2001", "12/25/2001"}, strings.Split(strings.Repeat("13/04/2001 ", 11), " ")...), "DD/MM/YYYY", "", 3},
		{"plain for long enough", append(plain, "13/04/2001"), "", "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := NewDateFormatDetector([]int{1, 0}, today())
			proof := 0
			for i, value := range tc.values {
				if d.Done() {
					break
				}
				if d.Add(i+2, texts(value, " ")) && proof == 0 {
					proof = i + 2
				}
			}
			form, question := d.Format()
			if form != tc.form || (question == "") != (tc.question == "") || !strings.Contains(question, tc.question) {
				t.Errorf("got %q and %q, want %q and %q", form, question, tc.form, tc.question)
			}
			if proof != tc.proof {
				t.Errorf("row %d is the proof, want row %d", proof, tc.proof)
			}
		})
	}
}

// TestDateReadings: a person is asked about a date that has two meanings, not about 5/5.
func TestDateReadings(t *testing.T) {
	d := NewDateFormatDetector([]int{0}, today())
	for i, text := range []string{"05/05/2001", "03/04/2004", "01/02/2003"} {
		d.Add(i+2, texts(text))
	}
	got := d.Readings()
	if len(got) != 2 {
		t.Fatalf("got %v", got)
	}
	for i, want := range []string{"DD/MM/YYYY 03/04/2004 2004-04-03", "MM/DD/YYYY 03/04/2004 2004-03-04"} {
		if line := got[i].Pattern + " " + got[i].Text + " " + got[i].Date.Format(time.DateOnly); line != want {
			t.Errorf("got %s, want %s", line, want)
		}
	}
	if d.Add(5, texts("13/04/2001")); d.Readings() != nil {
		t.Error("row 5 proves the order, and it is asked for")
	}
}

func TestSetDateFormat(t *testing.T) {
	f := parseFields(t, "", "unique_id: Id\ndate_of_birth: {column: [DOB, Birth]}")
	d := f.DateFormatDetector([]string{"Id", "Birth", "DOB"}, today())
	d.Add(2, texts("1", "03/04/2001", ""))
	err := f.SetDateFormat(d)
	want := `students.mapping.yaml:4: date_of_birth: the format of the dates in column "DOB" or "Birth" is not certain: its dates can all be read as DD/MM/YYYY and as MM/DD/YYYY, such as the one in row 2. `
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	d.Add(3, texts("2", "13/04/2001", "03/14/2001")) // DOB comes first
	if err := f.SetDateFormat(d); err != nil || f.Fields[1].Date != "MM/DD/YYYY" {
		t.Errorf("got %q and %v", f.Fields[1].Date, err)
	}
	if d := f.DateFormatDetector([]string{"Id", "Birth", "DOB"}, today()); d != nil {
		t.Errorf("a detector for a format that the mapping gives: %v", d)
	}
}

func TestWithISODates(t *testing.T) {
	f := parseFields(t, "", "unique_id: Id\ndate_of_birth: {column: [DOB, Birth], date: DD/MM/YYYY}")
	m := mustCompile(t, f, []string{"Id", "Birth", "DOB"}, testOptions())
	for _, tc := range []struct{ row, want string }{
		{"03/04/2001||", "03/04/2001||"}, // the id is not a date
		{"1|03/04/2001|", "1|2001-04-03|"},
		{"1|03/04/2001|05/04/2001", "1|03/04/2001|2001-04-05"},
		{"1||31/02/2001", "1||31/02/2001"},
		{"1", "1"},
	} {
		cells := texts(strings.Split(tc.row, "|")...)
		var got []string
		for _, cell := range m.WithISODates(cells) {
			got = append(got, cell.Text)
		}
		if all := strings.Join(got, "|"); all != tc.want {
			t.Errorf("%s: got %s, want %s", tc.row, all, tc.want)
		}
	}
}

// Midnights of another time zone are a question about the column.
func TestReviewOfTimes(t *testing.T) {
	for _, tc := range []struct {
		name, values string
		asks         bool
	}{
		{"evenings of UTC", "2004-03-08T19:00:00.000Z|2003-12-31T23:00:00Z|2004-07-14T20:00:00Z", true},
		{"half an hour", "2004-03-08 18:30:00|2003-12-31 18:30:00", true},
		{"summer only", "2004-03-08T23:00:00Z|2003-12-31T00:00:00Z|2003-11-30T00:00:00Z|2003-07-30T23:00:00Z", true},
		{"one among many", "2004-03-08T23:00:00Z" + strings.Repeat("|2003-12-31T00:00:00Z", 30), false},
		{"a single row", "2004-03-08T19:00:00Z", false},
		{"mornings", "2004-03-09T05:00:00.000Z|2003-07-14T04:00:00.000Z", false},
		{"true times", "2004-03-09 08:15:00|2003-07-14 19:40:12|2002-12-31 23:05:44", false},
		{"days alone", "2004-03-09|2003-07-14", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := reviewOf(t, "date_of_birth: It", texts(strings.Split(tc.values, "|")...)...)
			if asks := err != nil && strings.Contains(err.Error(), "a time zone shifted them"); asks != tc.asks {
				t.Errorf("got %v", err)
			}
			if _, err := reviewOf(t, "date_of_birth: {column: It, as_is: true}", texts(strings.Split(tc.values, "|")...)...); err != nil {
				t.Errorf("as_is: got %v", err)
			}
		})
	}
}
