package excel

import "testing"

func TestNumberFormats(t *testing.T) {
	tests := []struct {
		code string
		kind formatKind
	}{
		{"General", plainFormat},
		{"@", plainFormat},
		{"0", plainFormat},
		{"0.00", plainFormat},
		{"#,##0", plainFormat},
		{"0.00E+00", plainFormat},
		{"##0.0E+0", plainFormat},
		{"0%", plainFormat},
		{"# ?/?", plainFormat},
		{`#,##0.00" days"`, plainFormat},
		{`0.0\d`, plainFormat},
		{`_("$"* #,##0.00_);_("$"* \(#,##0.00\)`, plainFormat},
		{"[$CAD] #,##0.00", plainFormat},
		{"[Red]0.0", plainFormat},
		{"[<=9999999]###-####;(###) ###-####", plainFormat},
		{"[<1000]000;0", plainFormat},
		{"", plainFormat},
		{`"unfinished`, plainFormat},
		{"[unfinished", plainFormat},

		{"yyyy-mm-dd", dateFormat},
		{"dd/mm/yyyy;@", dateFormat},
		{"m/d/yy h:mm", dateFormat},
		{"[$-409]d-mmm-yy;@", dateFormat},
		{"[$-F800]dddd, mmmm dd, yyyy", dateFormat},
		{`yyyy"年"m"月"d"日"`, dateFormat},
		{`d\ mmmm\ yyyy`, dateFormat},
		{"mmm", dateFormat},
		{"mm", dateFormat},
		{"MM/YYYY", dateFormat},
		{"h:mm:ss mmmm", dateFormat},

		{"h:mm", plainFormat},
		{"hh:mm:ss", plainFormat},
		{"mm:ss", plainFormat},
		{"mm:ss.0", plainFormat},
		{"h:mm AM/PM", plainFormat},
		{"h:mm a/p", plainFormat},
		{"[h]:mm:ss", plainFormat},
		{"[mm]:ss", plainFormat},
		{"h時mm分", plainFormat}, // letters beyond ASCII once made the units be sought forever
		{"m月", dateFormat},
		{"\xFFm", dateFormat},

		{"000000000", digitsFormat},
		{"000-00-0000", digitsFormat},
		{`000\-00\-0000;@`, digitsFormat},
		{"[$-409]00000", digitsFormat},
		{`"N"00000000`, digitsFormat},
		{"00000_)", digitsFormat},
	}
	for _, tt := range tests {
		if got := parseNumberFormat(tt.code).kind; got != tt.kind {
			t.Errorf("%s: kind %d, want %d", tt.code, got, tt.kind)
		}
	}
}

func TestBuiltInNumberFormats(t *testing.T) {
	dates := map[int]bool{}
	for _, id := range []int{14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 34, 35, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58} {
		dates[id] = true
	}
	for id := range 200 {
		if got := builtInNumberFormat(id).kind == dateFormat; got != dates[id] {
			t.Errorf("format %d: a date is %v, want %v", id, got, dates[id])
		}
	}
}

func TestLeadingZeros(t *testing.T) {
	tests := []struct{ code, number, want string }{
		{"000000000", "1234567", "001234567"},
		{"000000000", "0", "000000000"},
		{"000000000", "1234567890", "1234567890"},
		{"000-00-0000", "12345678", "012-34-5678"},
		{"000-00-0000", "1234567890", "1234-56-7890"},
		{`"N"00000000`, "1234", "N00001234"},
		{"00000_)", "501", "00501"},
		{"(000) 000-0000", "6135550142", "(613) 555-0142"},
		{"000", "1.5", ""},
		{"000", "-1", ""},
	}
	for _, tt := range tests {
		got, ok := parseNumberFormat(tt.code).digits.append(nil, []byte(tt.number))
		if ok != (tt.want != "") || ok && string(got) != tt.want {
			t.Errorf("%s in %s: %q, %v, want %q", tt.number, tt.code, got, ok, tt.want)
		}
	}
}
