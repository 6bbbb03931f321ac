package mapping

import "testing"

func TestSerialDates(t *testing.T) {
	tests := []struct {
		serial   float64
		date1904 bool
		want     string // "" when it is not a date
	}{
		{1, false, "1900-01-01"},
		{59, false, "1900-02-28"},
		{60, false, "1900-02-29"},
		{61, false, "1900-03-01"},
		{38046, false, "2004-02-29"},
		{38046.5, false, "2004-02-29T12:00:00"},
		{38046.999988425925, false, "2004-02-29T23:59:59"},
		{38046.9999999, false, "2004-03-01"}, // rounded to the next second
		{38046.0000001, false, "2004-02-29"},
		{0, false, "1900-01-00"},
		{0.25, false, "1900-01-00T06:00:00"},
		{60.5, false, "1900-02-29T12:00:00"},
		{2958465, false, "9999-12-31"},
		{2958465.9999999, false, ""},
		{2958466, false, ""},
		{-0.5, false, ""},
		{0, true, "1904-01-01"},
		{59, true, "1904-02-29"},
		{36584, true, "2004-02-29"},
		{2957003, true, "9999-12-31"},
		{2957004, true, ""},
		{-1, true, ""},
	}
	for _, tt := range tests {
		got, ok := AppendSerialDate([]byte("x"), tt.serial, tt.date1904)
		if string(got) != "x"+tt.want || ok != (tt.want != "") {
			t.Errorf("%v (1904: %v): %q, %v, want %q", tt.serial, tt.date1904, got[1:], ok, tt.want)
		}
	}
}
