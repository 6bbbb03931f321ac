package excel

import (
	"testing"

	"opscom-import/mapping"
)

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
		{`#,##0.00" days"`, unclearFormat},
		{`0.0\d`, unclearFormat},
		{`_("$"* #,##0.00_);_("$"* \(#,##0.00\)`, plainFormat},
		{"[$CAD] #,##0.00", plainFormat},
		{"[Red]0.0", plainFormat},
		{"[<=9999999]###-####;(###) ###-####", shownFormat},
		{"[<1000]000;0", shownFormat},
		{"", plainFormat},
		{`"unfinished`, shownFormat},
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

		{"000000000", shownFormat},
		{"000-00-0000", shownFormat},
		{`000\-00\-0000;@`, shownFormat},
		{"[$-409]00000", shownFormat},
		{`"N"00000000`, shownFormat},
		{"00000_)", shownFormat},
	}
	for _, tt := range tests {
		if got := parseNumberFormat(tt.code).section(1).kind; got != tt.kind {
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
		if got := builtInNumberFormat(id).section(1).kind == dateFormat; got != dates[id] {
			t.Errorf("format %d: a date is %v, want %v", id, got, dates[id])
		}
	}
}

func TestShownNumbers(t *testing.T) {
	for _, tc := range []struct{ code, number, want string }{
		// Leading zeros
		{"000000000", "1234567", "Number 001234567"},
		{"000000000", "0", "Number 000000000"},
		{"000000000", "1234567890", "Number 1234567890"},
		{"000-00-0000", "12345678", "Number 012-34-5678"},
		{"000-00-0000", "1234567890", "Number 1234-56-7890"},
		{`"N"00000000`, "1234", "Text N00001234"},
		{"00000_)", "501", "Number 00501"},
		{"(000) 000-0000", "6135550142", "Number (613) 555-0142"},
		{"#00000000", "1234567", "Number 01234567"},
		{"000-000?", "1234568", "Number 123-4568"},
		{`0#" "##" "##" "##" "##`, "612345678", "Number 06 12 34 56 78"},
		{"00000;-00000;00000;@", "0", "Number 00000"},
		{"00000.00", "501", "Number 00501"},
		{"000,000", "501", "Number 000501"},
		{"000", "1.5", "Number 1.5"},
		{"000", "-1", "Number -1"},

		// Literals
		{`"A"0`, "1234567", "Text A1234567"},
		{`"S"#######`, "1234568", "Text S1234568"},
		{`"N"General`, "1234569", "Text N1234569"},
		{`General"-X"`, "12", "Text 12-X"},
		{`\E\D0`, "77", "Text ED77"},
		{"+0", "16135550142", "Number +16135550142"},
		{"0-0", "12", "Number 1-2"},
		{`"S"###`, "0", "Text S"},
		{"###-####", "5550142", "Number 555-0142"},
		{`0"号"`, "5", "Text 5号"},
		{`"A"0`, "1.5", "Unclear 1.5"},
		{`"A"0`, "-5", "Unclear -5"},
		{`"A"@`, "5", "Unclear 5"},
		{`"A"#,##0.0`, "5", "Unclear 5"},
		{`"N"#,##0`, "5", "Unclear 5"},
		{`0,"K"`, "5000", "Unclear 5000"},
		{`"A"0%`, "5", "Unclear 5"},
		{"A0", "5", "Unclear 5"},

		// Sections and conditions
		{"[<=99999]00000;00000-0000", "2139", "Number 02139"},
		{"[<=99999]00000;00000-0000", "21391234", "Number 02139-1234"},
		{"[<=9999999]###-####;(###) ###-####", "6135550142", "Number (613) 555-0142"},
		{"[<100000]00000;0", "1234", "Number 01234"},
		{"[<100000]00000;0", "123456", "Number 123456"},
		{"[<100000]00000", "123456", "Number 123456"},
		{"[<10]0;[<20]00", "30", "Unclear 30"},
		{`[=1]"Yes";[=0]"No";0`, "1", "Text Yes"},
		{`[=1]"Yes";[=0]"No";0`, "0", "Text No"},
		{`[=1]"Yes";[=0]"No";0`, "2", "Number 2"},
		{`[<>7]"A"0;"B"0`, "7", "Text B7"},
		{`0;-0;"-"`, "0", "Text -"},
		{"0;-0;;@", "0", "Text "},
		{`"a;b"0`, "5", "Text a;b5"},
		{`0;"minus "0`, "5", "Number 5"},
		{";;;", "5", "Number 5"},

		// Nothing that belongs to the number
		{"[Red]0", "900", "Number 900"},
		{"[Red]", "900", "Number 900"},
		{"0;[Red]-0", "900", "Number 900"},
		{"0_);(0)", "900", "Number 900"},
		{"0_);(0)", "-5", "Number -5"},
		{"#,##0", "900", "Number 900"},
		{`#\ ##0`, "900123", "Number 900123"},
		{"0.00", "900", "Number 900"},
		{`"$"#,##0.00`, "900", "Number 900"},
		{"[$€-407] 0", "900", "Number 900"},
		{"[$CAD] 0", "900", "Number 900"},
		{`0\ `, "900", "Number 900"},
		{"0.00E+00", "900123401", "Number 900123401"},
		{"# ?/?", "900", "Number 900"},
		{"General;[Red]-General", "900", "Number 900"},
		{"G/通用格式", "900", "Number 900"},
		{"@", "900", "Number 900"},
		{"h時mm分", "0.5", "Number 0.5"},

		{"yyyy-mm-dd;;", "38046", "Date 2004-02-29"},
		{`yyyy"年"m"月"d"日"`, "38046", "Date 2004-02-29"},
		{`yyyy"年"`, "99999999", "Number 99999999"},
	} {
		cells := cellReader{formats: []numberFormat{parseNumberFormat(tc.code)}}
		cell, text, err := cells.number(0, []byte(tc.number), nil)
		kind := map[mapping.CellKind]string{mapping.TextCell: "Text", mapping.NumberCell: "Number", mapping.DateCell: "Date", mapping.UnclearCell: "Unclear"}[cell.Kind]
		if got := kind + " " + string(text); got != tc.want || err != nil {
			t.Errorf("%s in %s: %s, want %s", tc.number, tc.code, got, tc.want)
		}
	}
}
